"""What a score depends on besides the videos."""

from __future__ import annotations

import re

from pydantic import Field

from harness.model.base import Frozen

FRAMES = 1000
SEED = 2020
_NAME = re.compile(r"thesis(?:-(\d+))?(?:-seed(\d+))?")


class Protocol(Frozen):
    """The thesis's protocol by default: 1000 random frames and face_recognition's threshold."""

    name: str = Field(default="thesis", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    frames: int = Field(default=FRAMES, ge=1)
    seed: int = Field(default=SEED, ge=0)
    threshold: float = Field(default=0.6, gt=0)


def protocol_of(frames: int = FRAMES, seed: int = SEED) -> Protocol:
    """The thesis's protocol; another frame sample gives it a name of its own.

    ``thesis``, ``thesis-60``, ``thesis-60-seed7``: a quick look is never taken for a full
    measurement, nor one sample for another.
    """
    name = "thesis"
    if frames != FRAMES:
        name += f"-{frames}"
    if seed != SEED:
        name += f"-seed{seed}"
    return Protocol(name=name, frames=frames, seed=seed)


def read_protocol(name: str) -> Protocol | None:
    """The protocol that ``protocol_of`` gave this name; None for a name of another kind."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return protocol_of(int(match[1] or FRAMES), int(match[2] or SEED))
