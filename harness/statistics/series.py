"""From frames to an actor: neighbouring frames are nearly copies of each other."""

from __future__ import annotations

import numpy as np

from harness.core.base import Frozen
from harness.statistics.values import Array, Values, as_values, is_constant


class EffectiveSize(Frozen):
    """Number of independent frames that a series is worth for its mean."""

    n: int
    ess: float | None
    reason: str = ""


def autocorrelation(series: Values) -> Array:
    """Autocorrelations of lags 0 to n-1, from the biased autocovariances (divided by n).

    Raises ValueError for a constant series.
    """
    x = as_values(series)
    if x.size == 0 or is_constant(x):
        raise ValueError("a series that does not move has no autocorrelation")
    centred = x - x.mean()
    spectrum = np.fft.rfft(centred, 2 * x.size)
    covariance = np.fft.irfft(spectrum * np.conj(spectrum))[: x.size]
    return np.asarray(covariance / covariance[0], dtype=np.float64)


def effective_size(series: Values) -> EffectiveSize:
    """n / (1 + 2 sum rho), summed over Geyer's initial positive sequence (Geyer 1992, 3.3).

    ``series``: one value per frame, in the order of time; between 1 and n. Raises ValueError for
    values that are not finite: leave out frames without a face.
    """
    x = as_values(series)
    if x.size < 4:
        return EffectiveSize(n=x.size, ess=None, reason="Fewer than four frames show no pattern.")
    if is_constant(x):
        return EffectiveSize(n=x.size, ess=None, reason="The series does not move.")
    rho = autocorrelation(x)
    pairs = rho[: x.size - x.size % 2].reshape(-1, 2).sum(axis=1)
    ends = np.flatnonzero(pairs <= 0)
    kept = pairs[: ends[0]] if ends.size else pairs
    time = max(2.0 * float(kept.sum()) - 1.0, 1.0)
    return EffectiveSize(n=x.size, ess=max(x.size / time, 1.0))
