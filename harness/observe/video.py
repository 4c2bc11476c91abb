"""Measures every frame of a video, in one pass over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.observe.attributes import Expressions
from harness.observe.crops import FaceCrops, crops_of
from harness.observe.faces import FaceEmbeddings, FaceFinder
from harness.observe.info import video_info
from harness.observe.landmarks import Landmarks, points_of
from harness.observe.observer import Observer, path_of
from harness.observe.probes import open_probes
from harness.observe.second_detector import SecondDetector, open_second_detector
from harness.observe.thumbnails import Thumbnails, pictures_of
from harness.observe.tracking import track
from harness.store.observations import growing_table, is_stored, locked, read_table

if TYPE_CHECKING:
    import pandas as pd

    from harness.model.identity import IdentityPath
    from harness.model.video import VideoInfo

Listen = Callable[[int, int], None]
"""Progress: frames done, frames in all (0 when unknown)."""


class Observed(NamedTuple):
    """The rows of ``Expressions``, the pictures of ``Thumbnails`` (frames x height x width) and the
    points of ``Landmarks`` (frames x points x 2, pixels, NaN without a face).
    """

    expressions: pd.DataFrame
    pictures: NDArray[np.float32]
    landmarks: NDArray[np.float32]


def observe_video(
    media: Path,
    sha256: str,
    home: Path,
    info: VideoInfo | None = None,
    listen: Listen | None = None,
) -> Observed:
    """Measures all of ``media`` but the faces' embeddings; once per content and version.

    Raises UnusableInputError for a video that cannot be read, StoreError for the store.
    """
    observers = Expressions(), Thumbnails(), Landmarks()
    expressions, pictures, landmarks = _stored(media, sha256, home, observers, info, listen)
    return Observed(expressions.to_pandas(), pictures_of(pictures), points_of(landmarks))


def observe_attributes(
    media: Path, sha256: str, home: Path, listen: Listen | None = None
) -> pd.DataFrame:
    """The rows of ``Expressions`` alone. Raises as ``observe_video``."""
    (table,) = _stored(media, sha256, home, (Expressions(),), None, listen)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def observe_faces(
    media: Path, sha256: str, home: Path, listen: Listen | None = None
) -> pd.DataFrame:
    """The rows of ``FaceEmbeddings``: one for every frame of the video, ascending, whatever was
    found in it. Raises as ``observe_video``, and UnfitMachineError when the recogniser cannot be
    had.
    """
    (table,) = _stored(media, sha256, home, (FaceEmbeddings(home),), None, listen)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def observe_crops(
    media: Path, sha256: str, home: Path
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Frames (n) and aligned grey faces (n x 64 x 64), as ``FaceCrops`` chooses them. Raises as
    ``observe_video``.
    """
    (table,) = _stored(media, sha256, home, (FaceCrops(),), None, None)
    return crops_of(table)


def observe_second_detector(media: Path, sha256: str, home: Path) -> pd.DataFrame:
    """The rows of ``SecondDetector``: frame, faces, score, of at most 200 frames. Raises as
    ``observe_video``, and FetchError when the detector cannot be fetched.
    """
    (table,) = _stored(media, sha256, home, (SecondDetector(home),), None, None)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def observe_probes(
    media: Path, sha256: str, home: Path, identity: IdentityPath
) -> pd.DataFrame | None:
    """The rows of ``FaceProbes`` that go with an identity path; None where there can be none (see
    ``open_probes``). Raises as ``observe_faces``.
    """
    probes = open_probes(identity, home, FaceFinder(), open_second_detector(home))
    if probes is None:
        return None
    (table,) = _stored(media, sha256, home, (probes,), None, None)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def measure_video(
    media: Path,
    sha256: str,
    home: Path,
    observers: Sequence[Observer],
    info: VideoInfo | None = None,
    listen: Listen | None = None,
) -> None:
    """Store what ``observers`` measure in a video, in one pass over its frames.

    What is stored already is not measured again, each observation by itself; without any missing
    nothing is decoded. Memory does not grow with the video. A pass that is cut short leaves nothing
    behind. Raises UnusableInputError for a video that cannot be read, StoreError for the store.
    """
    with ExitStack() as stack:
        # Always in the same order, so that two commands never wait for each other.
        for path in sorted(path_of(observer, sha256, home) for observer in observers):
            stack.enter_context(locked(path))
        missing = [
            observer for observer in observers if not is_stored(path_of(observer, sha256, home))
        ]
        if not missing:
            return
        info = info or video_info(media, sha256, home)
        rows = [
            stack.enter_context(growing_table(path_of(observer, sha256, home), observer.schema()))
            for observer in missing
        ]
        for seen in track(media, info, home):
            for observer, sink in zip(missing, rows, strict=True):
                for row in observer.see(seen):
                    sink.add(row)
            if listen is not None:
                listen(seen.frame + 1, info.frames)
        for observer, sink in zip(missing, rows, strict=True):
            for row in observer.rest():
                sink.add(row)


def _stored(
    media: Path,
    sha256: str,
    home: Path,
    observers: Sequence[Observer],
    info: VideoInfo | None,
    listen: Listen | None,
) -> list[Any]:
    """The tables of the observers, measured first where they are missing."""
    paths = [path_of(observer, sha256, home) for observer in observers]
    while True:
        measure_video(media, sha256, home, observers, info, listen)
        tables = [read_table(path) for path in paths]
        # A damaged file has been set aside: measured again, and only that one.
        if all(table is not None for table in tables):
            return tables
