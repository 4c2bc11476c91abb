"""A face embedding of every frame, fast: the same network, and the same boxes for less work."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.model.identity import RECOGNISER
from harness.observe.observer import EmbeddingBatch, Row
from harness.observe.tracking import TrackedFrame
from harness.vision.aligning import open_aligner
from harness.vision.boxes import Box, box_of, iou, main_face
from harness.vision.embedder import CONVERTER_VERSION, shared_embedder
from harness.vision.hog import (
    CLEAR_SCORE,
    THOROUGH_PX,
    Face,
    Found,
    Hog,
    Picture,
    Pyramid,
    open_hog,
)

OBSERVER = "face-embeddings"
MEASURE_VERSION = 2
"""Raised whenever the rows would come out differently from the same packages and the same faces."""
FINDER_VERSION = 2
"""Raised whenever ``FaceFinder`` would find other faces with the same packages."""
_SAME_FACE_IOU = 0.3
_SAME_PLACE_IOU = 0.6
"""Boxes of the same middle that are two levels of dlib's pyramid apart overlap by less."""
_SWEEP_EVERY = 48
_LOOK_EVERY = 8
"""Frames after which the whole frame is looked at again for what neither is tracked nor was near
to being a face before."""
DOUBTFUL_SCORE = -0.35
"""A place that scores more in a whole frame is looked at in the frames that follow: it may turn out
to be a face, by dlib's threshold of 0."""
_COARSE_PX, _CHANGED = 24, 12.0
"""Squares across a picture, and by how many grey levels of 255 one of them changes when something
of a face's size turns up."""


def fast_version() -> str:
    """The recogniser, finder, converter and rules, as the observation's file name states them."""
    recogniser = RECOGNISER.removeprefix("face_recognition-")
    return f"{recogniser}-{finder_version()}-c{CONVERTER_VERSION}-m{MEASURE_VERSION}"


def finder_version() -> str:
    """Version of what decides which faces are found: all that looks at them depends on it."""
    return f"mediapipe{version('mediapipe')}-f{FINDER_VERSION}"


class FaceEmbeddings:
    """One row per frame: frame, faces, top, right, bottom, left (pixels; -1 without a face) and
    embedding (128 numbers, or null).

    A face is found where dlib's detector finds one in the whole frame: the landmark tracker goes on
    "seeing" faces that were blurred or painted over. Where it sees a face of which the detector is
    sure, nothing else need be looked at. Otherwise dlib's own levels are, around whatever comes
    near to being a face, and the whole frame when nothing does: at the latest in every 8th frame,
    and whenever the tracker sees more or fewer faces or, while it sees none, the picture changes.

    Alongside a sure face the whole frame is looked at, more coarsely, in every 48th frame, and whom
    the detector finds there is looked for in the frames that follow. Of several faces the one
    nearest to the tracker's main face is embedded, or the largest where the tracker has lost it.
    """

    name = OBSERVER

    def __init__(self, home: Path, finder: FaceFinder | None = None) -> None:
        """``finder`` may be shared with other observers of the same pass."""
        self.version = fast_version()
        self._finder = finder or FaceFinder()
        self._batch = EmbeddingBatch(lambda chips: shared_embedder(home).embed(chips))

    def schema(self) -> Any:
        import pyarrow as pa

        whole = ("frame", "faces", "top", "right", "bottom", "left")
        embedding = ("embedding", pa.list_(pa.float32()))
        return pa.schema([*((name, pa.int64()) for name in whole), embedding])

    def see(self, seen: TrackedFrame) -> Iterator[Row]:
        faces, chosen = self._finder.find(seen)
        box = (-1, -1, -1, -1) if chosen is None else faces[chosen]
        row: dict[str, Any] = {"frame": seen.frame, "faces": len(faces)}
        row |= dict(zip(("top", "right", "bottom", "left"), box, strict=True))
        chip = None if chosen is None else open_aligner().chip(seen.rgb, faces[chosen])
        yield from self._batch.add(row, chip)

    def rest(self) -> Iterator[Row]:
        yield from self._batch.rest()


class FaceFinder:
    """The faces of each frame that dlib's detector confirms or finds, and which of them counts."""

    def __init__(self) -> None:
        self._hog: Hog | None = None
        self._others: list[Face] = []
        self._doubtful: list[Face] = []
        self._tracked: tuple[Box, ...] = ()
        self._looked: tuple[int, int, NDArray[np.float32]] | None = None
        self._last: tuple[int, tuple[list[Face], int | None]] | None = None

    def find(self, seen: TrackedFrame) -> tuple[list[Face], int | None]:
        """The faces, each once, and the index of the main one (None without any).

        Call it for every frame, in order; for the same frame again it costs nothing.
        """
        if self._last is None or self._last[0] != seen.frame:
            faces = self._look(seen)
            near = None if seen.main is None else seen.boxes[seen.main]
            chosen = main_face([box_of(face) for face in faces], near)
            self._last = seen.frame, (faces, chosen)
        return self._last[1]

    def _look(self, seen: TrackedFrame) -> list[Face]:
        self._hog = hog = self._hog or open_hog()
        near = [hog.near(seen.rgb, box) for box in seen.boxes]
        if seen.main is not None and near[seen.main] and near[seen.main][0].score >= CLEAR_SCORE:
            return self._beside(hog, seen, near)
        return self._unsure(hog, seen, near)

    def _beside(self, hog: Hog, seen: TrackedFrame, near: list[list[Found]]) -> list[Face]:
        """The faces of a frame whose main one is sure; what the others are changes little."""
        if seen.frame % _SWEEP_EVERY == 0:
            self._others = faces_in(hog.anywhere(seen.rgb, THOROUGH_PX))
        others = [
            box
            for box in map(box_of, self._others)
            if all(iou(box, tracked) < _SAME_FACE_IOU for tracked in seen.boxes)
        ]
        faces = [face for boxes in near for face in faces_in(boxes)]
        self._others = [face for box in others for face in faces_in(hog.near(seen.rgb, box))]
        return distinct([*faces, *self._others])

    def _unsure(self, hog: Hog, seen: TrackedFrame, near: list[list[Found]]) -> list[Face]:
        """The faces of a frame by dlib's own levels: around what looks a little like a face, now or
        when the whole frame was looked at last; without any, in the whole frame.
        """
        if seen.boxes:
            self._tracked = seen.boxes
        else:
            near = [hog.near(seen.rgb, box) for box in self._tracked]
        places = [box.face for boxes in near for box in boxes]
        pyramid = Pyramid(seen.rgb)
        around = [hog.exactly(pyramid, face) for face in distinct(places, _SAME_PLACE_IOU)]
        for number, face in enumerate(self._doubtful):
            again = hog.exactly(pyramid, face)
            # Who moves is followed.
            self._doubtful[number] = again.found[0].face if again.found else face
            around.append(again)
        boxes = [box for place in around for box in place.found]
        if not boxes and (self._is_due(seen) or not all(place.clear for place in around)):
            whole = hog.whole(seen.rgb, DOUBTFUL_SCORE)
            boxes = [box for box in whole if box.score > 0]
            self._doubtful = [box.face for box in whole]
        return distinct(faces_in(boxes))

    def _is_due(self, seen: TrackedFrame) -> bool:
        """True when the whole frame is to be looked at: whoever turns up is tracked, or changes the
        picture.
        """
        picture = _coarse(seen.rgb)
        if self._looked is not None:
            frame, tracked, before = self._looked
            same = tracked == len(seen.boxes) and (
                tracked > 0 or np.abs(picture - before).max() < _CHANGED
            )
            if same and seen.frame - frame < _LOOK_EVERY:
                return False
        self._looked = seen.frame, len(seen.boxes), picture
        return True


def _coarse(picture: Picture) -> NDArray[np.float32]:
    import cv2

    small = cv2.resize(picture, (_COARSE_PX, _COARSE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def faces_in(boxes: list[Found]) -> list[Face]:
    """The places that dlib calls a face, the surest first."""
    return [box.face for box in sorted(boxes, reverse=True) if box.score > 0]


def distinct(faces: list[Face], overlap: float = _SAME_FACE_IOU) -> list[Face]:
    """Without those that overlap an earlier one: the same face, found from two places."""
    kept: list[Face] = []
    for face in faces:
        if all(iou(box_of(face), box_of(other)) < overlap for other in kept):
            kept.append(face)
    return kept
