"""Results of a cell by another recogniser than dlib's."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from harness.core.base import Frozen
from harness.model.numbers import Amount, Count, Share, in_order


class Similarity(Frozen):
    """Distances of a video's sampled frames to the actor's photo, in the recogniser's own scale."""

    asked: Count
    used: Count
    """Frames in which it had a face to embed."""
    mean: Amount | None = None
    sd: Amount | None = None
    minimum: float | None = None
    p01: float | None = None
    """First percentile (linear interpolation)."""
    share_at_or_under_threshold: Share | None = None
    """Of the used frames; None without a calibrated threshold."""

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.used > self.asked or not in_order(self.minimum, self.mean):
            raise ValueError("a mean under the minimum")
        return self


class RecogniserScore(Frozen):
    """One recogniser. Distances of different recognisers are never compared or averaged."""

    name: str
    version: str
    licence: str
    distance: str
    """``l2`` or ``cosine``."""
    threshold: float | None
    """None when nobody calibrated it: then no frame is called recognised."""
    or_or: Similarity
    sw_or: Similarity
    preprocessing: str = ""
    """For a user's file: how it is given a face."""
    note: str = ""
    """Reason for the lack of distances."""
