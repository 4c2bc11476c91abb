"""Everything that scores need of one video, measured in one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.model.base import Frozen
from harness.observe.identity import observe_identity
from harness.observe.reencoding import reencoding
from harness.observe.video import observe_video

Listen = Callable[[str, int, int], None]
"""Progress: what is being measured, frames done, frames in all."""


class Sighting(Frozen):
    """A video to be measured, and the frames in which faces are recognised. With ``reencode`` it
    is the re-encoding of the video at ``path``, in which none are.
    """

    label: str
    """For people: whose video it is."""
    path: Path
    sha256: str
    frames: tuple[int, ...]
    reencode: bool = False


def measure(sighting: Sighting, home: Path, listen: Listen | None = None) -> None:
    """Store what scores need of the video; what is stored already is not measured again.

    Raises as the observers do, and as ``reencoding``.
    """
    label = sighting.label
    path, sha256 = shown(sighting, home)
    observe_video(path, sha256, home, listen=stage(listen, f"expression in {label}"))
    if not sighting.reencode:
        observe_identity(path, sha256, sighting.frames, home, stage(listen, f"faces in {label}"))


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
