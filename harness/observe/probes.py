"""Faces for attackers: an attacker does not need the detector by which the study finds faces."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

from harness.core.errors import UnfitMachineError
from harness.model.cohort import ProbeSource
from harness.model.identity import IdentityPath
from harness.model.observed import SAME_FACE_IOU, SURE_SCORE
from harness.observe.faces import FaceFinder, fast_version
from harness.observe.observer import Embed, EmbeddingBatch, Row
from harness.observe.second_detector import MEASURE_VERSION as DETECTOR_VERSION
from harness.observe.second_detector import SecondDetector, surest
from harness.observe.tracking import TrackedFrame
from harness.vision.aligning import open_aligner
from harness.vision.boxes import Box, box_of, iou
from harness.vision.embedder import shared_embedder
from harness.vision.hog import Face

OBSERVER = "face-probes"
MEASURE_VERSION = 1
"""Raised whenever the rows would come out differently from the same packages and the same faces."""


class _Framing(NamedTuple):
    """dlib's square box, expected from another detector's: its side in roots of that box's area,
    and how far its centre lies below that box's, in the same unit."""

    side: float
    down: float


# Means over 256 frames of the sample's clips in which dlib's detector and the other see one face.
_FRAMINGS = {
    ProbeSource.TRACKER: _Framing(0.99, -0.02),
    ProbeSource.SECOND_DETECTOR: _Framing(0.91, 0.055),
}


class FaceProbes:
    """A row for each frame in which the study's detector (dlib's HOG) does not find the main face
    and something else sees one: frame, source (a ``ProbeSource``), x0, y0, x1, y1 (the box, in
    pixels) and embedding (128 numbers, by dlib's network).

    The first source that sees a face counts: MediaPipe's tracker with its main face, also where
    HOG finds only somebody else; then, where HOG finds nobody, CenterFace with the surest face near
    the tracker's last. What is seen may be no face any more: that is the attacker's risk.
    """

    name = OBSERVER

    def __init__(
        self, embed: Embed, finder: FaceFinder | None, second: SecondDetector | None
    ) -> None:
        """``finder`` and ``second`` may be shared with other observers of the same pass. Without
        ``finder`` there is a row for every frame in which another source sees a face, whatever HOG
        finds; without ``second`` the tracker alone is asked.
        """
        self.version = probes_version(
            every_frame=finder is None, second_detector=second is not None
        )
        self._finder, self._second = finder, second
        self._batch = EmbeddingBatch(embed)
        self._place: Box | None = None

    def schema(self) -> Any:
        import pyarrow as pa

        box = [(name, pa.float64()) for name in ("x0", "y0", "x1", "y1")]
        embedding = ("embedding", pa.list_(pa.float32()))
        return pa.schema([("frame", pa.int64()), ("source", pa.string()), *box, embedding])

    def see(self, seen: TrackedFrame) -> Iterator[Row]:
        if seen.main is not None:
            self._place = seen.boxes[seen.main]
        probe = self._look(seen)
        if probe is None:
            return
        source, box = probe
        row: dict[str, Any] = {"frame": seen.frame, "source": source.value}
        row |= dict(zip(("x0", "y0", "x1", "y1"), box, strict=True))
        yield from self._batch.add(row, open_aligner().chip(seen.rgb, dlib_box(source, box)))

    def rest(self) -> Iterator[Row]:
        yield from self._batch.rest()

    def _look(self, seen: TrackedFrame) -> tuple[ProbeSource, Box] | None:
        confirmed = self._confirmed(seen)
        if seen.main is not None:
            tracked = seen.boxes[seen.main]
            if confirmed is not None and iou(confirmed, tracked) >= SAME_FACE_IOU:
                return None
            return ProbeSource.TRACKER, tracked
        if confirmed is not None or self._second is None:
            return None
        best = surest(self._second.find(seen), self._place)
        if best is None or best.score < SURE_SCORE:
            return None
        return ProbeSource.SECOND_DETECTOR, best.box

    def _confirmed(self, seen: TrackedFrame) -> Box | None:
        """The face that HOG finds, the nearest to the tracked one."""
        if self._finder is None:
            return None
        faces, chosen = self._finder.find(seen)
        return None if chosen is None else box_of(faces[chosen])


def open_probes(
    identity: IdentityPath, home: Path, finder: FaceFinder, second: SecondDetector | None
) -> FaceProbes | None:
    """The probes that attackers need alongside the faces of an identity path.

    The reference path looks at frames when the pass is over, and ``finder`` has no part in it: so
    there is a row for every frame. It needs no network in ONNX Runtime either; where there is none,
    neither are these (None), and attackers have the study's faces only.
    """
    if identity is IdentityPath.FAST:
        return FaceProbes(lambda chips: shared_embedder(home).embed(chips), finder, second)
    try:
        return FaceProbes(shared_embedder(home).embed, None, second)
    except UnfitMachineError:
        return None


def probes_version(*, every_frame: bool, second_detector: bool) -> str:
    """The recogniser, finder and converter, the frames that have rows, the second detector (0
    without) and the rules, as the observation's file name states them.
    """
    frames = "every" if every_frame else "unfound"
    detector = DETECTOR_VERSION if second_detector else 0
    return f"{fast_version()}-{frames}-d{detector}-p{MEASURE_VERSION}"


def dlib_box(source: ProbeSource, box: Box) -> Face:
    """The box in which dlib's detector would see the face that another one sees in ``box``: dlib's
    five landmarks, and with them the chip, are then nearly those of the study.
    """
    side, down = _FRAMINGS[source]
    unit = sqrt(max(1.0, (box[2] - box[0]) * (box[3] - box[1])))
    x, y, half = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + down * unit, side * unit / 2
    return round(y - half), round(x + half), round(y + half), round(x - half)
