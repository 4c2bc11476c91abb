"""The inputs of a cell's score, loaded: no file stands behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.observed import FrameTables, UnitScale
from harness.model.protocol import Protocol
from harness.model.score import Alignment
from harness.model.video import ByVideo, VideoInfo
from harness.vision.recognisers.base import RecogniserInfo

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class VideoObservations:
    """The original or the swapped video."""

    info: VideoInfo
    frames: FrameTables
    faces: pd.DataFrame
    """Rows of recognised faces: frame, faces, embedding (128 numbers, or None without a face); of
    every frame or of the sampled ones, as the protocol looks at them."""


@dataclass(frozen=True)
class DonorPhoto:
    """The donor's reference face."""

    name: str
    embedding: NDArray[np.float64] | None
    """None where the recogniser finds no face in it."""


@dataclass(frozen=True)
class OutsideUnits:
    """Action units that an outside observer measured, or a user brought."""

    source: str
    title: str
    """The source's name for people."""
    scale: UnitScale
    units: tuple[str, ...]
    rows: ByVideo[pd.DataFrame | None]
    """Frame (from 0) and ``units``; None for a video of which there is no file."""


@dataclass(frozen=True)
class RecogniserRows:
    """Rows of a cell that another recogniser measured."""

    info: RecogniserInfo
    original: pd.DataFrame
    """Frame and embedding (None without a face) of every frame."""
    swapped: pd.DataFrame
    photo: NDArray[np.float32] | None
    """The vector of the actor's photo; None where the recogniser finds no face in it."""


@dataclass(frozen=True, kw_only=True)
class Observations:
    """A cell's observations, and what they were made by."""

    cell_id: str
    protocol: Protocol
    inputs: Mapping[str, str]
    """The hashes and versions that the score depends on; kept with it."""
    original: VideoObservations
    swapped: VideoObservations
    reencoded: FrameTables
    """Of the original encoded again."""
    sampled: tuple[int, ...]
    """The frames that the protocol samples of the original."""
    reference: tuple[float, ...]
    """Embedding of the actor's photo."""
    donor: DonorPhoto | None
    """None for a tool that takes no donor."""
    alignment: Alignment
    """By ``align_videos``: it decides whether the pixels of both videos are measured at all."""
    pixels: pd.DataFrame | None
    """Rows of both videos side by side; None where ``why_not_side_by_side`` has a reason."""
    outside: tuple[OutsideUnits, ...] = ()
    recognisers: tuple[RecogniserRows, ...] = ()

    @property
    def frames(self) -> ByVideo[FrameTables]:
        """The three videos' tables."""
        return ByVideo(self.original.frames, self.swapped.frames, self.reencoded)
