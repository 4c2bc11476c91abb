"""A request to measure one video."""

from __future__ import annotations

from harness.core.base import Frozen
from harness.model.identity import IdentityPath
from harness.model.video import PhotoRef, VideoRef


class MeasurementRequest(Frozen):
    """A video and what is to be measured in it: all that scores and attacks need. With
    ``reencode`` it is the re-encoding of ``video`` that is measured, in which no face is
    recognised.
    """

    label: str
    """For people: whose video it is."""
    video: VideoRef
    identity: IdentityPath
    frames: tuple[int, ...] = ()
    """The frames in which faces are recognised; empty for the fast path, which sees all."""
    reencode: bool = False
    recognisers: tuple[str, ...] = ()
    """Others that embed the faces of every frame too, and that of ``photo``."""
    photo: PhotoRef | None = None
    """The actor's reference face."""
