"""The interval of a statistic that is biased, from leaving out each actor in turn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.statistics.values import Array


class Limits(NamedTuple):
    """The ends of a 95 % interval; None where there is none."""

    low: float | None
    high: float | None


def jackknife_limits(value: float, rest: Array) -> Limits:
    """A 95 % interval of a share; ``rest`` (n,) is what it comes to without each actor.

    Student's, n - 1 degrees of freedom, with the jackknife's standard error (Efron & Tibshirani
    1993, chapter 11). It reaches beyond both the value and the value less the jackknife's estimate
    of its bias: of a statistic that is too large by itself either centre alone covers too little.
    Cut to 0 and 1. No limits of fewer than three actors, or where all of them leave the same value
    and so cannot show how far off it may be.
    """
    from scipy import special

    n = rest.size
    if n < 3 or not np.isfinite(rest).all() or np.ptp(rest) < 1e-9:
        return Limits(None, None)
    error = np.sqrt((n - 1) * np.mean((rest - rest.mean()) ** 2))
    half = float(special.stdtrit(n - 1, 0.975) * error)
    corrected = float(np.clip(n * value - (n - 1) * rest.mean(), 0.0, 1.0))
    low, high = min(value, corrected) - half, max(value, corrected) + half
    return Limits(max(0.0, low), min(1.0, high))
