"""A face embedding of every frame, fast: the same network, and the same boxes for less work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.observe.boxes import Box, iou, main_face
from harness.observe.observer import Row
from harness.observe.tracking import Seen
from harness.vision.chips import open_aligner
from harness.vision.embedder import CONVERTER_VERSION, open_embedder
from harness.vision.hog import QUICK_PX, THOROUGH_PX, Face, open_hog
from harness.vision.recognition import RECOGNISER

OBSERVER = "face-embeddings"
MEASURE_VERSION = 1
"""Raised whenever the rows would come out differently from the same packages."""
_BATCH = 16
_SAME_FACE_IOU = 0.3
_SWEEP_EVERY = 24


def fast_version() -> str:
    """As in the observation's file name: recogniser, tracker, converter, rules."""
    recogniser = RECOGNISER.removeprefix("face_recognition-")
    return f"{recogniser}-mediapipe{version('mediapipe')}-c{CONVERTER_VERSION}-m{MEASURE_VERSION}"


class FaceEmbeddings:
    """One row per frame: frame, faces, top, right, bottom, left (pixels; -1 without a face) and
    embedding (128 numbers, or null).

    A face that the landmark tracker follows counts only where dlib's detector sees one too: the
    tracker goes on "seeing" faces that were blurred or painted over. Where it sees none, dlib's
    detector looks for one in the whole frame; so it does in every 24th frame, and whom it finds
    beside the tracked is looked for in the frames that follow. Of several faces the one nearest to
    the tracker's main face is embedded, or the largest where the tracker has lost it.
    """

    name = OBSERVER

    def __init__(self, home: Path) -> None:
        self.version = fast_version()
        self._home = home
        self._tools: _Tools | None = None
        self._rows: list[dict[str, Any]] = []
        self._chips: list[NDArray[np.uint8]] = []

    def schema(self) -> Any:
        import pyarrow as pa

        whole = ("frame", "faces", "top", "right", "bottom", "left")
        embedding = ("embedding", pa.list_(pa.float32()))
        return pa.schema([*((name, pa.int64()) for name in whole), embedding])

    def see(self, seen: Seen) -> Iterator[Row]:
        self._tools = tools = self._tools or _Tools(self._home)
        faces = tools.find(seen)
        near = None if seen.main is None else seen.boxes[seen.main]
        chosen = main_face([box_of(face) for face in faces], near)
        box = (-1, -1, -1, -1) if chosen is None else faces[chosen]
        row: dict[str, Any] = {"frame": seen.frame, "faces": len(faces), "embedding": None}
        row |= dict(zip(("top", "right", "bottom", "left"), box, strict=True))
        self._rows.append(row)
        if chosen is not None:
            row["embedding"] = len(self._chips)
            self._chips.append(tools.aligner.chip(seen.rgb, faces[chosen]))
        if len(self._rows) >= _BATCH:
            yield from self.rest()

    def rest(self) -> Iterator[Row]:
        rows, chips = self._rows, self._chips
        self._rows, self._chips = [], []
        if chips and self._tools is not None:
            found = self._tools.embedder.embed(np.stack(chips))
            for row in rows:
                if row["embedding"] is not None:
                    row["embedding"] = found[row["embedding"]]
        yield from rows


class _Tools:
    """The detector, the aligner and the network."""

    def __init__(self, home: Path) -> None:
        self.aligner = open_aligner()
        self.hog = open_hog()
        self.embedder = open_embedder(home)
        self._others: list[Face] = []

    def find(self, seen: Seen) -> list[Face]:
        """The faces of a frame, each once. Call it for every frame, in order."""
        if seen.frame % _SWEEP_EVERY == 0:
            self._others = self.hog.anywhere(seen.rgb, THOROUGH_PX)
        others = [
            face
            for face in self._others
            if all(iou(box_of(face), box) < _SAME_FACE_IOU for box in seen.boxes)
        ]
        tracked = self._near(seen, seen.boxes)
        if not seen.boxes:
            tracked = self.hog.anywhere(seen.rgb, QUICK_PX)
        self._others = self._near(seen, [box_of(face) for face in others])
        return distinct([*tracked, *self._others])

    def _near(self, seen: Seen, boxes: Sequence[Box]) -> list[Face]:
        return [face for box in boxes for face in self.hog.near(seen.rgb, box)]


def distinct(faces: list[Face]) -> list[Face]:
    """Without those that overlap an earlier one: the same face, found from two places."""
    kept: list[Face] = []
    for face in faces:
        if all(iou(box_of(face), box_of(other)) < _SAME_FACE_IOU for other in kept):
            kept.append(face)
    return kept


def box_of(face: Face) -> Box:
    """x0, y0, x1, y1."""
    top, right, bottom, left = face
    return (left, top, right, bottom)
