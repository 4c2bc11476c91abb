"""A video's own re-encoding: what is measured in it, a tool that changes nothing would show."""

from __future__ import annotations

from pathlib import Path

from harness.core.hashing import content_hash
from harness.core.paths import media_dir
from harness.model.dataset import MediaRef
from harness.model.observed import REENCODING_CRF
from harness.model.video import VideoRef
from harness.observe.video import video_info
from harness.store.observations import ObservationStore
from harness.store.tables import locked

RECIPE = 1
"""Raised when the same video would be encoded otherwise."""


def recipe() -> str:
    """The settings that a re-encoding depends on besides the video, for the hash of a score."""
    return f"x264-crf{REENCODING_CRF}-{RECIPE}"


def reencoding(video: VideoRef, home: Path) -> MediaRef:
    """The re-encoding of ``video`` in the media store: made once for a content, then found again.

    Raises UnusableInputError for a video that cannot be read, StoreError when the disk refuses.
    """
    index = _index(video.sha256, home)
    with locked(index):
        return known_reencoding(video.sha256, home) or _make(video, index, home)


def known_reencoding(sha256: str, home: Path) -> MediaRef | None:
    """The re-encoding that was made of this content, or None."""
    from harness.store.media import MediaStore
    from harness.store.records import DamagedError, read_record, set_aside

    index = _index(sha256, home)
    try:
        known = read_record(index, MediaRef)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        set_aside(index, str(error))
        return None
    return known if MediaStore(home).has(known) else None


def _index(sha256: str, home: Path) -> Path:
    key = content_hash({"kind": recipe(), "sha256": sha256})
    return media_dir(home) / "index" / f"{key}.json"


def _make(video: VideoRef, index: Path, home: Path) -> MediaRef:
    from harness.media.frames import Encoding, VideoWriter, read_frames
    from harness.media.probe import probe
    from harness.store.media import MediaStore
    from harness.store.records import write_record

    info = video_info(video, ObservationStore(home))
    store = MediaStore(home)
    with store.temporary() as folder:
        out = folder / "reencoded.mp4"
        with VideoWriter(
            out, info.width, info.height, info.fps, Encoding(REENCODING_CRF)
        ) as writer:
            for frame in read_frames(video.path, info):
                writer.write(frame)
        reencoded = store.add(out, ".mp4", probe(out))
    write_record(index, reencoded)
    return reencoded
