"""The mean of correlations over actors."""

from __future__ import annotations

import numpy as np

from harness.core.base import Frozen
from harness.statistics.intervals import t_interval
from harness.statistics.values import Array, Values, as_values

CLIP = 0.999999
"""artanh(1) is infinite; a correlation is taken for at most this."""


class MeanCorrelation(Frozen):
    """The plain mean alongside Fisher's, with the t interval of the latter over actors."""

    n: int
    raw: float | None
    fisher: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


def fisher_z(correlations: Values) -> Array:
    """artanh of each correlation, clipped to +-CLIP (Fisher 1915). Raises ValueError beyond 1."""
    r = as_values(correlations)
    if (np.abs(r) > 1 + 1e-9).any():
        raise ValueError("a correlation cannot be beyond 1")
    return np.arctanh(np.clip(r, -CLIP, CLIP))


def mean_correlation(correlations: Values, confidence: float = 0.95) -> MeanCorrelation:
    """Raw mean and tanh of the mean of artanh(r), one correlation per actor."""
    r = as_values(correlations)
    if r.size == 0:
        return MeanCorrelation(n=0, raw=None, fisher=None, reason="No actor has a correlation.")
    interval = t_interval(fisher_z(r), confidence)
    return MeanCorrelation(
        n=r.size,
        raw=float(r.mean()),
        fisher=_back(interval.estimate),
        low=_back(interval.low),
        high=_back(interval.high),
        reason=interval.reason,
    )


def _back(z: float | None) -> float | None:
    return None if z is None else float(np.tanh(z))
