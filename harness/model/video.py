"""Videos and photos by reference. Dataclasses: drivers read videos and start without pydantic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import ClassVar, Generic, NamedTuple, TypeVar

T = TypeVar("T")


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


@dataclass(frozen=True)
class VideoRef:
    """A video by where it lies and what it contains: everything measured in it is kept by
    ``sha256``."""

    path: Path
    sha256: str
    info: VideoInfo | None = None
    """None until it has been probed."""


@dataclass(frozen=True)
class PhotoRef:
    """A photo by where it lies and what it contains."""

    path: Path
    sha256: str


class WhichVideo(StrEnum):
    """One of the two videos of a cell."""

    ORIGINAL = "original"
    SWAPPED = "swapped"


class ByVideo(NamedTuple, Generic[T]):
    """The same thing of each of the three videos that a score compares."""

    original: T
    swapped: T
    reencoded: T
    """The original encoded again, for the noise floor."""
