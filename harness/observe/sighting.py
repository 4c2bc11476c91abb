"""Everything that scores need of one video, measured in one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.assets import centerface_path
from harness.errors import FetchError
from harness.model.base import Frozen
from harness.model.identity import IdentityPath
from harness.observe.attributes import Expressions
from harness.observe.crops import FaceCrops
from harness.observe.faces import FaceEmbeddings
from harness.observe.identity import observe_identity
from harness.observe.landmarks import Landmarks
from harness.observe.observer import Observer
from harness.observe.reencoding import reencoding
from harness.observe.second_detector import SecondDetector
from harness.observe.thumbnails import Thumbnails
from harness.observe.video import measure_video

Listen = Callable[[str, int, int], None]
"""Progress: what is being measured, frames done, frames in all."""


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
    """Those in which faces are recognised; empty for the fast path, which sees all."""
    reencode: bool = False


def measure(sighting: Sighting, home: Path, listen: Listen | None = None) -> None:
    """Store what scores need of the video; what is stored already is not measured again.

    Raises as the observers do, and as ``reencoding``.
    """
    path, sha256 = shown(sighting, home)
    observers: list[Observer] = [Expressions(), Thumbnails(), Landmarks()]
    if not sighting.reencode:
        observers += [FaceCrops(), *_second_detector(home)]
    faces = None if sighting.reencode else sighting.identity
    if faces is IdentityPath.FAST:
        observers.append(FaceEmbeddings(home))
    measure_video(path, sha256, home, observers, listen=stage(listen, sighting.label))
    if faces is IdentityPath.REFERENCE:
        heard = stage(listen, f"faces in {sighting.label}")
        observe_identity(path, sha256, sighting.frames, home, heard)


def _second_detector(home: Path) -> list[Observer]:
    """None where it cannot be fetched: scores then say that no second detector has looked."""
    try:
        centerface_path(home)
    except FetchError:
        return []
    return [SecondDetector(home)]


def shown(sighting: Sighting, home: Path) -> tuple[Path, str]:
    """The video that is meant, and its content hash; a re-encoding is made when it is not there."""
    if not sighting.reencode:
        return sighting.path, sighting.sha256
    from harness.store.media import MediaStore

    made = reencoding(sighting.path, sighting.sha256, home)
    return MediaStore(home).path(made), made.sha256


def stage(listen: Listen | None, name: str) -> Callable[[int, int], None] | None:
    """A listener for one of the things that are measured."""
    if listen is None:
        return None
    return lambda done, total: listen(name, done, total)
