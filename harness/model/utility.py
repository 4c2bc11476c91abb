"""Behaviour left in a face after a swap, besides its action units."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from harness.core.base import Frozen
from harness.model.numbers import Amount, Count, Share, in_order


class Difference(Frozen):
    """Distance of something in the swapped video from the original, over paired frames.

    Smaller is better, 0 is the same. All numbers are None when nothing could be compared;
    ``reason`` then says why.
    """

    unit: str
    """Unit of the numbers: ``degrees``, ``rig weights (0-1)``, ``interocular distances``."""
    frames: Count
    """Frames with a value in both videos."""
    mean: Amount | None = None
    median: Amount | None = None
    p95: Amount | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if not in_order(self.median, self.p95):
            raise ValueError("a median above the 95th percentile")
        return self


class Events(Frozen):
    """Events of the original found again in the swapped video.

    An event is found again when one of the swapped video begins within ``tolerance_s`` of it or
    shares half of the time that both last together, each taken once. Without an event in the
    original nothing is measurable: the rates are None, and ``reason`` says so.
    """

    original: Count
    swapped: Count
    """In frames in which the original shows a face, as elsewhere nothing could match."""
    matched: Count
    tolerance_s: Amount
    precision: Share | None = None
    """Share of the swapped video's events that the original has; None when it has none."""
    recall: Share | None = None
    """Share of the original's events that the swapped video has."""
    f1: Share | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.matched > min(self.original, self.swapped):
            raise ValueError("more events are found again than there are")
        return self


class Kept(Frozen):
    """Of one pair of videos. Of the two, the original says which frames count."""

    faces_original: Count
    """Frames in which the original shows a face."""
    faces_kept: Count
    """Frames of these in which the swapped video shows a face too."""
    detection_rate: Share | None
    """faces_kept / faces_original; None without a face in the original."""
    blinks: Events
    mouth_openings: Events
    head_pose: Difference
    gaze: Difference
    landmarks: Difference | None = None

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.faces_kept > self.faces_original:
            raise ValueError("more faces are kept than there were")
        return self


class Utility(Frozen):
    """``floor`` is the same of the original against its own re-encoding: what the estimator makes
    of compression alone. Differences under it say nothing of the tool.
    """

    source: str
    """The estimator that looked at all three videos."""
    kept: Kept
    floor: Kept | None = None
    floor_note: str = ""
    """Note on how the re-encoding was made, or why there is no floor, as a sentence."""
