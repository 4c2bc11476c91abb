"""What a score depends on besides the videos."""

from __future__ import annotations

from pydantic import Field

from harness.model.base import Frozen


class Protocol(Frozen):
    """The thesis's protocol by default: 1000 random frames and face_recognition's threshold."""

    name: str = Field(default="thesis", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    frames: int = Field(default=1000, ge=1)
    seed: int = Field(default=2020, ge=0)
    threshold: float = Field(default=0.6, gt=0)
