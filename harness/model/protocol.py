"""Facts that a score depends on besides the videos."""

from __future__ import annotations

import re

from pydantic import Field

from harness.core.base import Frozen
from harness.model.identity import IdentityPath

FRAMES = 1000
SEED = 2020
_NAME = re.compile(r"thesis(?:-(\d+))?(-reference)?(?:-seed(\d+))?")


class Protocol(Frozen):
    """The thesis's protocol by default: 1000 random frames and face_recognition's threshold."""

    name: str = Field(default="thesis", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    frames: int = Field(default=FRAMES, ge=1)
    seed: int = Field(default=SEED, ge=0)
    threshold: float = Field(default=0.6, gt=0)
    identity: IdentityPath = IdentityPath.FAST
    """Path by which faces are found and embedded; both embed with dlib's network."""
    recognisers: tuple[str, ...] = Field(default=(), exclude=True)
    """Other recognisers that measure too: names, or ONNX files. They change no other number, and
    which have measured is part of a score's inputs: so they are no part of what identifies this."""


def protocol_of(
    frames: int = FRAMES, seed: int = SEED, identity: IdentityPath = IdentityPath.FAST
) -> Protocol:
    """The thesis's protocol; another frame sample or path gives it a name of its own.

    ``thesis``, ``thesis-60``, ``thesis-60-reference-seed7``: a quick look is never taken for a full
    measurement, nor one sample or path for another.
    """
    name = "thesis"
    if frames != FRAMES:
        name += f"-{frames}"
    if identity is IdentityPath.REFERENCE:
        name += "-reference"
    if seed != SEED:
        name += f"-seed{seed}"
    return Protocol(name=name, frames=frames, seed=seed, identity=identity)


def read_protocol(name: str) -> Protocol | None:
    """The protocol that ``protocol_of`` gave this name; None for a name of another kind."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    path = IdentityPath.REFERENCE if match[2] else IdentityPath.FAST
    return protocol_of(int(match[1] or FRAMES), int(match[3] or SEED), path)
