"""Places where a video gives its person away."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from harness.core.base import Frozen
from harness.model.numbers import L2, Amount, Count, Share


class LeakingStretch(Frozen):
    """Frames that were looked at one after the other, all at or under the threshold."""

    first_frame: Count
    last_frame: Count
    """Included."""
    frames: Count
    """Of those looked at; fewer than last - first + 1 when only a sample was."""
    start_s: Amount
    duration_s: Amount
    """From the start of the first frame to the end of the last one."""
    minimum_l2: L2

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.last_frame < self.first_frame:
            raise ValueError("a stretch that ends before it begins")
        return self


class LeakProfile(Frozen):
    """Leaks of a swapped video, when and for how long, by the distance of its frames to the actor's
    own reference face (SW-OR).

    A frame in which no face is found is no leak, and ends a stretch. Everything but the counts is
    None (and there are no stretches) where no frame has a face.
    """

    threshold: Amount
    every_frame: bool
    """True when all frames were looked at; of a sample, times and lengths are what it shows, and
    frames in between may leak unseen."""
    asked: Count
    used: Count
    """Of the frames asked, those with a face."""
    leaking: Count
    share_of_asked: Share | None = None
    """None when no frame was asked."""
    share_of_used: Share | None = None
    longest_run_frames: Count = 0
    """Frames looked at, in the stretch that has most of them."""
    longest_run_s: Amount = 0.0
    """The longest stretch in time."""
    first_leak_s: Amount | None = None
    """Since the start of the video; None without a leak."""
    p01_l2: L2 | None = None
    """First percentile of the distance (linear interpolation)."""
    stretches: tuple[LeakingStretch, ...] = ()
    """In order of time; of more than are kept, the longest."""
    stretches_found: Count = 0

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if not self.leaking <= self.used <= self.asked:
            raise ValueError("more frames leak than were looked at")
        return self
