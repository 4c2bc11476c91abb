"""Facts of a video file: a dataclass, as drivers read videos and start without pydantic."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """FFmpeg's description of a video's picture stream, after rotation is applied."""

    # For the models that hold one: as strict as they are.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    frames: int
    width: int
    height: int
    fps: str
    """Frames per second as a fraction, ``30000/1001``."""
    duration_s: float
    codec: str
    pixel_format: str
    has_audio: bool
    variable_rate: bool = False

    @property
    def rate(self) -> Fraction:
        """Frames per second; 25 where the file does not say."""
        return Fraction(self.fps) or Fraction(25)
