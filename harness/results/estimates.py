"""Numbers over actors with their intervals: each actor counts once, however many cells it has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from harness.core.base import Frozen
from harness.model.estimates import Interval
from harness.statistics.intervals import t_interval
from harness.statistics.rates import clustered_rate
from harness.statistics.values import actor_means

Pairs = Iterable[tuple[int, float | None]]
"""(actor, value) of cells; of several cells of one actor the mean counts, None is left out."""


class Estimate(Frozen):
    """A number over actors with its 95 % interval; ``reason`` says why one of them is missing."""

    n: int
    """Actors."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""
    """Method by which the interval was made: ``t``, or ``actor-shares``."""
    reason: str = ""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The interval, None where there is none."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def above_zero(self, least: int) -> bool:
        """True when the whole interval lies above 0. Values without any spread have none: then it
        takes ``least`` actors that all lie above 0."""
        if self.low is not None:
            return self.low > 0
        return self.value is not None and self.value > 0 and self.n >= least


def mean_estimate(
    pairs: Pairs, missing: str = "", bounds: tuple[float, float] = (-math.inf, math.inf)
) -> Estimate:
    """Mean over actors with Student's interval, cut to ``bounds``, which is what the number can be;
    ``missing`` says why there is none."""
    interval: Interval = t_interval(list(actor_means(pairs).values()))
    if interval.estimate is None:
        return Estimate(n=0, reason=missing)
    return Estimate(
        n=interval.n,
        value=interval.estimate,
        low=None if interval.low is None else max(interval.low, bounds[0]),
        high=None if interval.high is None else min(interval.high, bounds[1]),
        method=interval.method if interval.known else "",
        reason=interval.reason,
    )


def share_estimate(pairs: Pairs, missing: str = "") -> Estimate:
    """Mean over actors of each actor's share (0 to 1), with an interval for rates over actors."""
    return share_of_actors(actor_means(pairs), missing)


def share_of_actors(shares: Mapping[int, float], missing: str = "") -> Estimate:
    """The same of one share per actor."""
    if not shares:
        return Estimate(n=0, reason=missing)
    # A mean of several seeds may pass 1 by a rounding.
    hits = [min(1.0, max(0.0, share)) for share in shares.values()]
    rate = clustered_rate(hits, [1.0] * len(hits))
    known = rate.low is not None
    return Estimate(
        n=len(shares),
        value=rate.rate,
        low=rate.low,
        high=rate.high,
        method="actor-shares" if known else "",
        reason=rate.reason,
    )
