"""A video's own re-encoding: what is measured in it, a tool that changes nothing would show."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from harness.core.hashing import content_hash
from harness.core.paths import media_dir
from harness.model.dataset import MediaRef
from harness.observe.info import video_info
from harness.store.observations import locked, store_sentences

CRF = 28
"""As the control ``reencode``: its default video has the same bytes, and is observed only once."""
RECIPE = 1
"""Raised when the same video would be encoded otherwise."""
NOTE = f"The original encoded again by x264 at CRF {CRF}."


def recipe() -> str:
    """Facts that a re-encoding depends on besides the video, for the hash of a score."""
    return f"x264-crf{CRF}-{RECIPE}"


def reencoding(media: Path, sha256: str, home: Path) -> MediaRef:
    """The re-encoding of ``media`` in the media store: made once for a content, then found again.

    Raises UnusableInputError for a video that cannot be read, StoreError when the disk refuses.
    """
    index = _index(sha256, home)
    with locked(index):
        return known_reencoding(sha256, home) or _make(media, sha256, index, home)


def known_reencoding(sha256: str, home: Path) -> MediaRef | None:
    """The re-encoding that was made of this content, or None."""
    from harness.store.media import MediaStore

    index = _index(sha256, home)
    if not index.is_file():
        return None
    with store_sentences(index):
        data = index.read_bytes()
    try:
        known = MediaRef.model_validate_json(data)
    except ValidationError:
        return None
    return known if MediaStore(home).has(known) else None


def _index(sha256: str, home: Path) -> Path:
    key = content_hash({"kind": recipe(), "sha256": sha256})
    return media_dir(home) / "index" / f"{key}.json"


def _make(media: Path, sha256: str, index: Path, home: Path) -> MediaRef:
    from harness.media.frames import Encoding, VideoWriter, read_frames
    from harness.media.probe import probe
    from harness.store.atomic import write_json
    from harness.store.media import MediaStore

    info = video_info(media, sha256, home)
    store = MediaStore(home)
    with store.temporary() as folder:
        out = folder / "reencoded.mp4"
        with VideoWriter(out, info.width, info.height, info.fps, Encoding(CRF)) as video:
            for frame in read_frames(media, info):
                video.write(frame)
        made = store.add(out, ".mp4", probe(out))
    with store_sentences(index):
        write_json(index, made)
    return made
