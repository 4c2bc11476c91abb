"""Measurements that scores need of one video, made in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.model.identity import IdentityPath
from harness.model.measurement import MeasurementRequest
from harness.model.video import VideoRef
from harness.observe.acceptance import open_recogniser
from harness.observe.face_mesh import Expressions, Landmarks
from harness.observe.faces import FaceEmbeddings, FaceFinder
from harness.observe.identity import observe_identity
from harness.observe.observer import Observer
from harness.observe.pictures import FaceCrops, Thumbnails
from harness.observe.probes import open_probes
from harness.observe.recognised import RecogniserEmbeddings, observe_photo
from harness.observe.reencoding import reencoding
from harness.observe.second_detector import open_second_detector
from harness.observe.video import measure_video
from harness.store.observations import ObservationStore
from harness.vision.recognisers.base import Recogniser

Listen = Callable[[str, int, int], None]
"""Progress: what is being measured, frames done, frames in all."""


def measure(request: MeasurementRequest, home: Path, listen: Listen | None = None) -> None:
    """Store what scores need of the video; what is stored already is not measured again.

    Raises as the observers do, and as ``reencoding``.
    """
    store = ObservationStore(home)
    video = measured_video(request, home)
    others = [open_recogniser(recogniser, home) for recogniser in request.recognisers]
    heard = stage(listen, request.label)
    measure_video(video, _observers(request, others, home), store, heard)
    if request.identity is IdentityPath.REFERENCE and not request.reencode:
        heard = stage(listen, f"faces in {request.label}")
        observe_identity(video, request.frames, store, heard)
    if request.photo is not None:
        for recogniser in others:
            observe_photo(request.photo, recogniser, store)


def _observers(
    request: MeasurementRequest, others: Sequence[Recogniser], home: Path
) -> list[Observer]:
    """The observers of the one pass; for a re-encoding only those that need no recogniser."""
    observers: list[Observer] = [Expressions(), Thumbnails(), Landmarks()]
    if request.reencode:
        return observers
    finder = FaceFinder()
    second = open_second_detector(home)
    probes = open_probes(request.identity, home, finder, second)
    observers += [FaceCrops(), *(extra for extra in (second, probes) if extra is not None)]
    if request.identity is IdentityPath.FAST:
        observers.append(FaceEmbeddings(home, finder))
    return [*observers, *(RecogniserEmbeddings(recogniser, finder) for recogniser in others)]


def measured_video(request: MeasurementRequest, home: Path) -> VideoRef:
    """The video that is meant; a re-encoding is made when it is not there."""
    if not request.reencode:
        return request.video
    from harness.store.media import MediaStore

    return MediaStore(home).video(reencoding(request.video, home))


def stage(listen: Listen | None, name: str) -> Callable[[int, int], None] | None:
    """A listener for one of the things that are measured."""
    if listen is None:
        return None
    return lambda done, total: listen(name, done, total)
