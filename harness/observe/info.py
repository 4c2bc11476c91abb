"""Reads what a video holds, by decoding it once per content."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.core.base import SCHEMA_VERSION
from harness.media.probe import probe
from harness.model.video import VideoInfo
from harness.store.atomic import write_json
from harness.store.observations import store_sentences

OBSERVER = "video-info"
VERSION = "1"
"""Raised whenever ``probe`` would say something else of the same file."""


def video_info(media: Path, sha256: str, home: Path) -> VideoInfo:
    """``probe`` of a video with this content, kept in the store.

    Raises UnusableInputError for a video that cannot be read, StoreError for the store.
    """
    path = home / "observations" / sha256 / f"{OBSERVER}@{VERSION}-s{SCHEMA_VERSION}.json"
    if path.is_file():
        with store_sentences(path):
            data = path.read_bytes()
        try:
            return TypeAdapter(VideoInfo).validate_json(data)
        except ValidationError:
            # Damaged on disk: found again, below.
            pass
    found = probe(media)
    write_json(path, asdict(found))
    return found
