"""Judges the video that a tool leaves: whether it can stand alongside the original."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from harness.core.errors import BenchError
from harness.model.job import SWAPPED_NAME
from harness.model.video import VideoInfo


def video_fault(path: Path, original: VideoInfo) -> str | None:
    """The reason why ``path`` cannot stand alongside the original, as a sentence; None when it can.

    It must be decodable with the original's frame count, size and frame rate (within 1e-4, as
    29.97 and 30000/1001 are the same rate), and in SDR, which every original is.
    """
    from harness.media.probe import probe
    from harness.media.streams import picture_stream

    if not path.is_file():
        return f"The driver exited with 0 but wrote no {SWAPPED_NAME}."
    try:
        swapped, picture = probe(path), picture_stream(path)
    except BenchError as error:
        return f"The driver exited with 0, but its video cannot be read. {error.message}"
    if picture.hdr is not None:
        return (
            f"The swapped video is labelled as HDR ({picture.hdr.name}), the original is SDR: "
            "whether its colours were converted or the label alone is wrong does not show, so it "
            "cannot be compared."
        )
    if swapped.frames != original.frames:
        return f"The swapped video has {swapped.frames} frames, the original {original.frames}."
    if (swapped.width, swapped.height) != (original.width, original.height):
        return (
            f"The swapped video is {swapped.width}x{swapped.height}, "
            f"the original {original.width}x{original.height}."
        )
    if abs(Fraction(swapped.fps) / Fraction(original.fps) - 1) > Fraction(1, 10_000):
        return (
            f"The swapped video has {swapped.fps} frames per second, the original {original.fps}."
        )
    return None
