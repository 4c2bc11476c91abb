"""Measurements that scores need of one video, made in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.core.base import Frozen
from harness.model.identity import IdentityPath
from harness.observe.acceptance import open_recogniser
from harness.observe.attributes import Expressions
from harness.observe.crops import FaceCrops
from harness.observe.faces import FaceEmbeddings, FaceFinder
from harness.observe.identity import observe_identity
from harness.observe.landmarks import Landmarks
from harness.observe.observer import Observer
from harness.observe.probes import open_probes
from harness.observe.recognised import RecogniserEmbeddings, observe_photo
from harness.observe.reencoding import reencoding
from harness.observe.second_detector import open_second_detector
from harness.observe.thumbnails import Thumbnails
from harness.observe.video import measure_video
from harness.vision.recognisers.base import Recogniser

Listen = Callable[[str, int, int], None]
"""Progress: what is being measured, frames done, frames in all."""


class Photo(Frozen):
    """The actor's reference face."""

    path: Path
    sha256: str


class Sighting(Frozen):
    """A video to be measured, and how faces are recognised in it. With ``reencode`` it is the
    re-encoding of the video at ``path``, in which none are.
    """

    label: str
    """For people: whose video it is."""
    path: Path
    sha256: str
    identity: IdentityPath
    frames: tuple[int, ...]
    """Frames in which faces are recognised; empty for the fast path, which sees all."""
    reencode: bool = False
    recognisers: tuple[str, ...] = ()
    """Others that embed the faces of every frame too, and that of ``photo``."""
    photo: Photo | None = None


def measure(sighting: Sighting, home: Path, listen: Listen | None = None) -> None:
    """Store what scores need of the video; what is stored already is not measured again.

    Raises as the observers do, and as ``reencoding``.
    """
    path, sha256 = shown(sighting, home)
    others = [open_recogniser(name, home) for name in sighting.recognisers]
    heard = stage(listen, sighting.label)
    measure_video(path, sha256, home, _observers(sighting, others, home), listen=heard)
    if sighting.identity is IdentityPath.REFERENCE and not sighting.reencode:
        heard = stage(listen, f"faces in {sighting.label}")
        observe_identity(path, sha256, sighting.frames, home, heard)
    if sighting.photo is not None:
        for recogniser in others:
            observe_photo(sighting.photo.path, sighting.photo.sha256, recogniser, home)


def _observers(sighting: Sighting, others: Sequence[Recogniser], home: Path) -> list[Observer]:
    """Observers of the one pass; of a re-encoding only those that need no recogniser."""
    observers: list[Observer] = [Expressions(), Thumbnails(), Landmarks()]
    if sighting.reencode:
        return observers
    finder = FaceFinder()
    second = open_second_detector(home)
    probes = open_probes(sighting.identity, home, finder, second)
    observers += [FaceCrops(), *(observer for observer in (second, probes) if observer is not None)]
    if sighting.identity is IdentityPath.FAST:
        observers.append(FaceEmbeddings(home, finder))
    return [*observers, *(RecogniserEmbeddings(recogniser, finder) for recogniser in others)]


def shown(sighting: Sighting, home: Path) -> tuple[Path, str]:
    """The video that is meant, and its content hash; a re-encoding is made when it is not there."""
    if not sighting.reencode:
        return sighting.path, sighting.sha256
    from harness.store.media import MediaStore

    encoded = reencoding(sighting.path, sighting.sha256, home)
    return MediaStore(home).path(encoded), encoded.sha256


def stage(listen: Listen | None, name: str) -> Callable[[int, int], None] | None:
    """A listener for one of the things that are measured."""
    if listen is None:
        return None
    return lambda done, total: listen(name, done, total)
