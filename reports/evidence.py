"""Pictures for a report: evidence frames and reference faces as JPEG data URIs within a budget."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.core.base import Frozen
from harness.core.errors import BenchError, UnusableInputError
from harness.datasets.photo_files import read_photo, require_picture
from harness.media.frames import read_frames_at
from reports.model import EvidencePair

IMAGE_BUDGET_BYTES = 2_100_000
"""For all evidence frames of a page, as base64: with Plotly (4.8 MB) the page stays below 8 MB."""
RUNGS = ((320, 80), (240, 75), (200, 65), (160, 60), (128, 50), (96, 45))
"""(largest width in pixels, JPEG quality), best first; the whole page uses one rung."""
MOST_PIXELS = 1 << 25
"""Of a picture that is shown; a frame in 4K has a quarter of it."""
PREFIX = "data:image/jpeg;base64,"


class Wanted(Frozen):
    """A frame to show; ``distance_l2`` None for a mere sample."""

    kind: str
    frame: int
    distance_l2: float | None = None
    time_s: float | None = None


class Rung:
    """A width and a quality that fit ``images`` pictures into the budget."""

    def __init__(self, images: int, budget_bytes: int = IMAGE_BUDGET_BYTES) -> None:
        share = budget_bytes / max(1, images)
        self.width_px, self.quality = next(
            ((w, q) for w, q in RUNGS if _likely_bytes(w, q) <= share), RUNGS[-1]
        )
        self.limit_bytes = max(900, int(share))

    def widened(self, times: int) -> Rung:
        """The same bytes for a wider picture."""
        other = Rung(images=1)
        other.width_px, other.quality = times * self.width_px, self.quality
        other.limit_bytes = self.limit_bytes
        return other

    @property
    def note(self) -> str:
        """For the page."""
        return (
            f"Frames are at most {self.width_px} pixels wide here (JPEG); "
            "the numbers come from the full videos."
        )


def _likely_bytes(width_px: int, quality: int) -> float:
    """Base64 size of a picture with 3:4 sides: about 0.7 bits a pixel at 50, 1.5 at 80."""
    bits = 0.7 + 0.8 * (quality - 50) / 30
    return width_px * width_px * 0.75 * max(0.5, bits) / 8 * 4 / 3


def jpeg_uri(image: NDArray[np.uint8], rung: Rung) -> str:
    """A BGR picture (HxWx3) as a data URI, lowered in quality, then width, until it fits."""
    return PREFIX + base64.b64encode(jpeg_bytes(image, rung)).decode()


def jpeg_bytes(image: NDArray[np.uint8], rung: Rung) -> bytes:
    """A BGR picture (HxWx3) as a JPEG file whose data URI fits the rung."""
    import cv2

    width, quality = min(rung.width_px, image.shape[1]), rung.quality
    while True:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
        found = data.tobytes() if done else b""
        if len(PREFIX) + 4 * -(-len(found) // 3) <= rung.limit_bytes or width <= 64:
            return found
        if quality > 50:
            quality -= 10
        else:
            width = int(width * 0.8)


def face_uri(path: Path) -> str | None:
    """A reference face, at most 160 pixels wide, or None when the file is not there."""
    rung = Rung(images=200, budget_bytes=200 * 12_000)
    rung.width_px = 160
    return picture_uri(path, rung)


def picture_uri(path: Path, rung: Rung) -> str | None:
    """A picture file as a data URI, or None when it is not there or no picture."""
    image = read_picture(path)
    return None if image is None else jpeg_uri(image, rung)


def read_picture(path: Path) -> NDArray[np.uint8] | None:
    """A picture file as BGR (HxWx3), or None when it is not there, no picture, or larger than any
    that a page can use: a training's preview is whatever the tool left.
    """
    try:
        require_picture(path, MOST_PIXELS)
        return read_photo(path)
    except UnusableInputError:
        return None


def evidence_pairs(
    original: Path, swapped: Path, wanted: Sequence[Wanted], rung: Rung
) -> tuple[tuple[EvidencePair, ...], str]:
    """The wanted frames of both videos, and why some are missing (empty when none is)."""
    indices = sorted({item.frame for item in wanted})
    if not indices:
        return (), ""
    try:
        before = dict(_uris(read_frames_at(original, indices), rung))
        after = dict(_uris(read_frames_at(swapped, indices), rung))
    except BenchError as error:
        return (), f"the videos cannot be read: {error}"
    pairs = tuple(
        EvidencePair(
            kind=item.kind,
            frame=item.frame,
            distance_l2=item.distance_l2,
            time_s=item.time_s,
            original=before[item.frame],
            swapped=after[item.frame],
        )
        for item in wanted
        if item.frame in before and item.frame in after
    )
    return pairs, "" if len(pairs) == len(wanted) else "some frames are not in both videos"


def _uris(frames: Iterable[tuple[int, NDArray[np.uint8]]], rung: Rung) -> Iterable[tuple[int, str]]:
    for index, image in frames:
        yield index, jpeg_uri(image, rung)
