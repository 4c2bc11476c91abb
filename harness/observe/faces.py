"""A face embedding of every frame, fast: the same network, and the same boxes for less work."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.observe.batch import EmbeddingBatch
from harness.observe.boxes import Box, iou, main_face
from harness.observe.observer import Row
from harness.observe.tracking import Seen
from harness.vision.chips import open_aligner
from harness.vision.embedder import CONVERTER_VERSION, shared_embedder
from harness.vision.hog import QUICK_PX, THOROUGH_PX, Face, Hog, open_hog
from harness.vision.recognition import RECOGNISER

OBSERVER = "face-embeddings"
MEASURE_VERSION = 2
"""Raised whenever the rows would come out differently from the same packages and the same faces."""
FINDER_VERSION = 1
"""Raised whenever ``FaceFinder`` would find other faces with the same packages."""
_SAME_FACE_IOU = 0.3
_SWEEP_EVERY = 48


def fast_version() -> str:
    """As in the observation's file name: recogniser, finder, converter, rules."""
    recogniser = RECOGNISER.removeprefix("face_recognition-")
    return f"{recogniser}-{finder_version()}-c{CONVERTER_VERSION}-m{MEASURE_VERSION}"


def finder_version() -> str:
    """What decides which faces are found: everything that looks at them depends on it."""
    return f"mediapipe{version('mediapipe')}-f{FINDER_VERSION}"


class FaceEmbeddings:
    """One row per frame: frame, faces, top, right, bottom, left (pixels; -1 without a face) and
    embedding (128 numbers, or null).

    A face that the landmark tracker follows counts only where dlib's detector sees one too: the
    tracker goes on "seeing" faces that were blurred or painted over. Where it sees none, dlib's
    detector looks for one in the whole frame; so it does in every 48th frame, and whom it finds
    beside the tracked is looked for in the frames that follow. Of several faces the one nearest to
    the tracker's main face is embedded, or the largest where the tracker has lost it.
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

    def see(self, seen: Seen) -> Iterator[Row]:
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
        self._last: tuple[int, tuple[list[Face], int | None]] | None = None

    def find(self, seen: Seen) -> tuple[list[Face], int | None]:
        """The faces, each once, and the index of the main one (None without any).

        Call it for every frame, in order; for the same frame again it costs nothing.
        """
        if self._last is None or self._last[0] != seen.frame:
            faces = self._look(seen)
            near = None if seen.main is None else seen.boxes[seen.main]
            chosen = main_face([box_of(face) for face in faces], near)
            self._last = seen.frame, (faces, chosen)
        return self._last[1]

    def _look(self, seen: Seen) -> list[Face]:
        self._hog = hog = self._hog or open_hog()
        if seen.frame % _SWEEP_EVERY == 0:
            self._others = hog.anywhere(seen.rgb, THOROUGH_PX)
        others = [
            box
            for box in map(box_of, self._others)
            if all(iou(box, tracked) < _SAME_FACE_IOU for tracked in seen.boxes)
        ]
        found = [face for box in seen.boxes for face in hog.near(seen.rgb, box)]
        if not seen.boxes:
            found = hog.anywhere(seen.rgb, QUICK_PX)
        self._others = [face for box in others for face in hog.near(seen.rgb, box)]
        return distinct([*found, *self._others])


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
