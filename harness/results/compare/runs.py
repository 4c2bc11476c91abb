"""Swapped videos of one actor on both sides of a comparison, as the gate of people sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.model.score import Distances
from harness.statistics.values import Array

POINTS = 100
"""Percentiles that stand for a video's sampled frames."""
_AT = (np.arange(POINTS) + 0.5) / POINTS


@dataclass(frozen=True)
class Run:
    """One swapped video: what its sampled frames show of the actor."""

    frames: Array
    """(100,): percentiles of the SW-OR distance over all sampled frames, ascending; infinite where
    no face is found."""
    recognised: float
    """Share of all sampled frames at or under the threshold."""
    found: float
    """Share of all sampled frames with a face."""
    asked: int


@dataclass(frozen=True)
class ActorRuns:
    """One actor's runs on both sides, by donor: the runs of a donor are alike but for their seed.

    Both sides have the same donors and the same number of runs of each.
    """

    actor: int
    baseline: Mapping[str, Sequence[Run]]
    candidate: Mapping[str, Sequence[Run]]

    @cached_property
    def before(self) -> Pooled:
        return pooled([run for donor in self.baseline.values() for run in donor])

    @cached_property
    def after(self) -> Pooled:
        return pooled([run for donor in self.candidate.values() for run in donor])


@dataclass(frozen=True)
class Pooled:
    """Runs of one side as one: shares are means over runs, ``frames`` those of all, ascending."""

    frames: Array
    recognised: float
    found: float
    asked: int
    """Frames of the shortest run."""

    @cached_property
    def known(self) -> Array:
        """The distances of frames with a face."""
        return self.frames[np.isfinite(self.frames)]

    @cached_property
    def _sums(self) -> list[float]:
        return np.cumsum(self.known).tolist()  # type: ignore[no-any-return]

    def nearest(self, share: float) -> float | None:
        """Mean distance of the nearest ``share`` of all frames (at least one, and of those with a
        face only); None without a face."""
        if not self._sums:
            return None
        count = min(max(1, round(share * self.frames.size)), len(self._sums))
        return self._sums[count - 1] / count


def run_of(distances: Distances, threshold: float, recognised: float | None = None) -> Run:
    """A run from the summary of its SW-OR distances.

    ``recognised`` replaces the share at the protocol's threshold. Percentiles are linear between
    those that the summary keeps; a summary that has but a mean has it everywhere.
    """
    found_share = distances.used / distances.asked if distances.asked else 0.0
    share = (distances.share_at_or_under_threshold or 0.0) * found_share
    frames = np.full(POINTS, np.inf)
    if distances.used and distances.mean is not None:
        with_face = found_share >= _AT
        with_face[0] = True
        frames[with_face] = _percentiles(distances, threshold, _AT[with_face] / found_share)
    return Run(frames, share if recognised is None else recognised, found_share, distances.asked)


def _percentiles(of: Distances, threshold: float, at: Array) -> Array:
    kept = (
        (0.0, of.minimum),
        (0.01, of.p01),
        (0.25, of.q1),
        (0.5, of.median),
        (0.75, of.q3),
        (0.99, of.p99),
        (1.0, of.maximum),
    )
    known = [(place, value) for place, value in kept if value is not None]
    if len(known) < len(kept):
        return np.full(at.shape, of.mean)
    share = of.share_at_or_under_threshold
    if share is not None and 0.0 < share < 1.0:
        known = sorted([*known, (share, threshold)])
    places, values = (np.array(column) for column in zip(*known, strict=True))
    # A share and quartiles that were rounded apart must not make a percentile fall.
    return np.interp(at, places, np.maximum.accumulate(values))


def pooled(runs: Sequence[Run]) -> Pooled:
    """Several runs as one; of one run, its frames can be asked for the nearest."""
    return Pooled(
        frames=np.sort(np.concatenate([run.frames for run in runs])),
        recognised=float(np.mean([run.recognised for run in runs])),
        found=float(np.mean([run.found for run in runs])),
        asked=min(run.asked for run in runs),
    )
