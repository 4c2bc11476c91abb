"""Measures every frame of a video, in one pass over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.media.probe import probe
from harness.model.observed import FrameTables
from harness.model.video import VideoInfo, VideoRef
from harness.observe.face_mesh import Expressions, Landmarks, points_of
from harness.observe.faces import FaceEmbeddings, FaceFinder
from harness.observe.observer import Observer, key_of
from harness.observe.pictures import FaceCrops, Thumbnails, crops_of, pictures_of
from harness.observe.probes import open_probes
from harness.observe.second_detector import SecondDetector, open_second_detector
from harness.observe.tracking import track
from harness.store.observations import ObservationStore
from harness.store.records import VerifiedFile

if TYPE_CHECKING:
    import pandas as pd

    from harness.model.identity import IdentityPath


Listen = Callable[[int, int], None]
"""Progress: frames done, frames in all (0 when unknown)."""


def observe_video(
    video: VideoRef, store: ObservationStore, listen: Listen | None = None
) -> FrameTables:
    """All rows of ``video`` but the faces' embeddings; measured once per content and version.

    Raises UnusableInputError for a video that cannot be read, StoreError for the store.
    """
    observers = Expressions(), Thumbnails(), Landmarks()
    expressions, pictures, landmarks = _tables(video, observers, store, listen)
    return FrameTables(expressions.to_pandas(), pictures_of(pictures), points_of(landmarks))


def observe_attributes(
    video: VideoRef, store: ObservationStore, listen: Listen | None = None
) -> pd.DataFrame:
    """The rows of ``Expressions`` alone. Raises as ``observe_video``."""
    return _rows(video, Expressions(), store, listen)


def observe_faces(
    video: VideoRef, store: ObservationStore, listen: Listen | None = None
) -> pd.DataFrame:
    """The rows of ``FaceEmbeddings``: one for every frame of the video, ascending, whatever was
    found in it. Raises as ``observe_video``, and UnfitMachineError when the recogniser is
    unavailable.
    """
    return _rows(video, FaceEmbeddings(store.home), store, listen)


def observe_crops(
    video: VideoRef, store: ObservationStore
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Frames (n) and aligned grey faces (n x 64 x 64), as ``FaceCrops`` chooses them. Raises as
    ``observe_video``.
    """
    (table,) = _tables(video, (FaceCrops(),), store)
    return crops_of(table)


def observe_second_detector(video: VideoRef, store: ObservationStore) -> pd.DataFrame:
    """The rows of ``SecondDetector``: frame, faces, score, of at most 200 frames. Raises as
    ``observe_video``, and FetchError when the detector cannot be fetched.
    """
    return _rows(video, SecondDetector(store.home), store)


def observe_probes(
    video: VideoRef, identity: IdentityPath, store: ObservationStore
) -> pd.DataFrame | None:
    """The rows of ``FaceProbes`` that go with an identity path; None where there can be none (see
    ``open_probes``). Raises as ``observe_faces``.
    """
    home = store.home
    probes = open_probes(identity, home, FaceFinder(), open_second_detector(home))
    return None if probes is None else _rows(video, probes, store)


def video_info(video: VideoRef, store: ObservationStore) -> VideoInfo:
    """``probe`` of a video, kept in the store where the reference does not have it.

    Raises UnusableInputError for a video that cannot be read, StoreError for the store.
    """
    known = video.info or store.video_info(video.sha256)
    if known is not None:
        return known
    content = VerifiedFile(video.path, video.sha256)
    info = probe(video.path)
    content.check()
    store.keep_video_info(video.sha256, info)
    return info


def measure_video(
    video: VideoRef,
    observers: Sequence[Observer],
    store: ObservationStore,
    listen: Listen | None = None,
) -> None:
    """Store what ``observers`` measure in a video, in one pass over its frames.

    What is stored already is not measured again, each observation by itself; without any missing
    nothing is decoded. Memory does not grow with the video. A pass that is cut short leaves nothing
    behind. Raises UnusableInputError for a video that cannot be read, StoreError for the store.
    """
    with ExitStack() as stack:
        # Always in the same order, so that two commands never wait for each other.
        for key in sorted(key_of(observer, video.sha256) for observer in observers):
            stack.enter_context(store.locked(key))
        missing = [
            observer for observer in observers if not store.has(key_of(observer, video.sha256))
        ]
        if not missing:
            return
        content = VerifiedFile(video.path, video.sha256)
        info = video_info(video, store)
        rows = [
            stack.enter_context(store.growing(key_of(observer, video.sha256), observer.schema()))
            for observer in missing
        ]
        for frame in track(video.path, info, store.home):
            for observer, sink in zip(missing, rows, strict=True):
                for row in observer.see(frame):
                    sink.add(row)
            if listen is not None:
                listen(frame.frame + 1, info.frames)
        for observer, sink in zip(missing, rows, strict=True):
            for row in observer.rest():
                sink.add(row)
        content.check()


def _rows(
    video: VideoRef, observer: Observer, store: ObservationStore, listen: Listen | None = None
) -> pd.DataFrame:
    (table,) = _tables(video, (observer,), store, listen)
    rows: pd.DataFrame = table.to_pandas()
    return rows


def _tables(
    video: VideoRef,
    observers: Sequence[Observer],
    store: ObservationStore,
    listen: Listen | None = None,
) -> list[Any]:
    """The tables of the observers, measured first where they are missing."""
    while True:
        measure_video(video, observers, store, listen)
        tables = [store.read(key_of(observer, video.sha256)) for observer in observers]
        # A damaged file has been set aside: measured again, and only that one.
        if all(table is not None for table in tables):
            return tables
