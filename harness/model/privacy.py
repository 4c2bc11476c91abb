"""Places where a video gives its person away."""

from __future__ import annotations

from harness.core.base import Frozen


class LeakingStretch(Frozen):
    """Frames that were looked at one after the other, all at or under the threshold."""

    first_frame: int
    last_frame: int
    """Included."""
    frames: int
    """Of those looked at; fewer than last - first + 1 when only a sample was."""
    start_s: float
    duration_s: float
    """From the start of the first frame to the end of the last one."""
    minimum_l2: float


class LeakProfile(Frozen):
    """Leaks of a swapped video, when and for how long, by the distance of its frames to the actor's
    own reference face (SW-OR).

    A frame in which no face is found is no leak, and ends a stretch. Everything but the counts is
    None (and there are no stretches) where no frame has a face.
    """

    threshold: float
    every_frame: bool
    """True when all frames were looked at; of a sample, times and lengths are what it shows, and
    frames in between may leak unseen."""
    asked: int
    used: int
    """Of the frames asked, those with a face."""
    leaking: int
    share_of_asked: float | None = None
    """None when no frame was asked."""
    share_of_used: float | None = None
    longest_run_frames: int = 0
    """Frames looked at, in the stretch that has most of them."""
    longest_run_s: float = 0.0
    """The longest stretch in time."""
    first_leak_s: float | None = None
    """Since the start of the video; None without a leak."""
    p01_l2: float | None = None
    """First percentile of the distance (linear interpolation)."""
    stretches: tuple[LeakingStretch, ...] = ()
    """In order of time; of more than are kept, the longest."""
    stretches_found: int = 0
