"""Runs a second, independent detector on faces: "hidden" is not "not even detected"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.core.errors import FetchError
from harness.model.observed import SECOND_DETECTOR, SURE_SCORE
from harness.observe.observer import Row
from harness.observe.tracking import TrackedFrame, is_sampled
from harness.vision.boxes import Box
from harness.vision.centerface import CenterFace, Found, open_centerface

MEASURE_VERSION = 1
"""Raised whenever the rows would come out differently from the same packages."""


def second_detector_version() -> str:
    """Origin of the weights, the long side in pixels, and the tracker that says where to look."""
    return f"deface1.5.0-320-mediapipe{version('mediapipe')}-m{MEASURE_VERSION}"


class SecondDetector:
    """A row for each of at most 200 frames, evenly spread: frame, faces (those of SURE_SCORE and
    more), score (0 to 1, of the surest face near where MediaPipe's tracker sees the main face or
    saw it last; anywhere, as long as it has seen none; 0 without any).
    """

    name = SECOND_DETECTOR

    def __init__(self, home: Path) -> None:
        self.version = second_detector_version()
        self._home = home
        self._detector: CenterFace | None = None
        self._last: Box | None = None
        self._found: tuple[int, list[Found]] | None = None

    def schema(self) -> Any:
        import pyarrow as pa

        return pa.schema([("frame", pa.int64()), ("faces", pa.int64()), ("score", pa.float64())])

    def see(self, seen: TrackedFrame) -> Iterator[Row]:
        if seen.main is not None:
            self._last = seen.boxes[seen.main]
        if not is_sampled(seen):
            return
        detections = self.find(seen)
        best = surest(detections, self._last)
        yield {
            "frame": seen.frame,
            "faces": sum(detection.score >= SURE_SCORE for detection in detections),
            "score": best.score if best else 0.0,
        }

    def rest(self) -> Iterator[Row]:
        yield from ()

    def find(self, seen: TrackedFrame) -> list[Found]:
        """The faces of a frame, the surest first; for the same frame again it costs nothing."""
        if self._found is None or self._found[0] != seen.frame:
            self._found = seen.frame, self._open().find(seen.rgb)
        return self._found[1]

    def _open(self) -> CenterFace:
        if self._detector is None:
            from harness.vision.assets import centerface_path

            self._detector = open_centerface(centerface_path(self._home))
        return self._detector


def open_second_detector(home: Path) -> SecondDetector | None:
    """None where it cannot be fetched: scores then say that no second detector has looked."""
    from harness.vision.assets import centerface_path

    try:
        centerface_path(home)
    except FetchError:
        return None
    return SecondDetector(home)


def surest(detections: Sequence[Found], place: Box | None) -> Found | None:
    """The surest face whose centre lies in ``place``, widened by half its size on every side; the
    surest anywhere when ``place`` is None; None without any.
    """
    near = (
        detection for detection in detections if place is None or _is_near(detection.box, place)
    )
    return max(near, key=lambda detection: detection.score, default=None)


def _is_near(box: Box, place: Box) -> bool:
    middles = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for middle, low, high in zip(middles, place[:2], place[2:], strict=True):
        reach = (high - low) / 2
        if not low - reach <= middle <= high + reach:
            return False
    return True
