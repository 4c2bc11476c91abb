"""Confidence intervals of a mean over actors.

The percentile bootstrap is missing on purpose: of few actors it covers far less than it says (84 %
instead of 95 % of 5 actors). Student's t and the studentised bootstrap do not where actors' values
are about normal, as differences of two tools are. Where they are skewed the bootstrap is better,
and neither is right (docs/protocol.md has a table).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from harness.model.estimates import Interval
from harness.statistics.values import Array, Values, as_share, as_values, is_constant

BOOTSTRAP_LEAST = 5
"""Actors below which too few different resamples exist for a studentised bootstrap."""
_ROUNDING = 1e-12
"""Share of its mean square under which a resample's variance is the rounding of equal values."""
_ENDLESS, _LARGEST_RATIO = 1e15, 1e6
"""Stand-in for an infinite ratio, and the size that shows one has reached a quantile."""
RESAMPLES = 4999
SEED = 2020


def cut_to(interval: Interval, low: float | None, high: float | None) -> Interval:
    """The interval within what the quantity can be; None is no limit on that side."""
    if interval.low is None or interval.high is None:
        return interval
    floor = -np.inf if low is None else low
    ceiling = np.inf if high is None else high
    ends = [float(np.clip(end, floor, ceiling)) for end in (interval.low, interval.high)]
    if ends == [interval.low, interval.high]:
        return interval
    return interval.model_copy(update={"low": ends[0], "high": ends[1], "cut": True})


def t_interval(values: Values, confidence: float = 0.95) -> Interval:
    """Student's interval of the mean: mean +- t(n-1) sd / sqrt(n).

    ``values``: one number per actor. There is none below two actors, nor without any spread.
    Raises ValueError for values that are not finite.
    """
    from scipy import special

    array = as_values(values)
    if why := refusal(array):
        return _none(array, confidence, "t", why)
    half = special.stdtrit(array.size - 1, 0.5 + as_share(confidence, "confidence") / 2)
    half *= array.std(ddof=1) / np.sqrt(array.size)
    mean = float(array.mean())
    return Interval(
        n=array.size,
        estimate=mean,
        low=mean - float(half),
        high=mean + float(half),
        confidence=confidence,
        method="t",
    )


def bootstrap_t_interval(
    values: Values, confidence: float = 0.95, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval:
    """Studentised bootstrap interval of the mean (Efron & Tibshirani 1993, section 12.5).

    Actors are resampled; each resample's mean is divided by its own standard error, so that
    skewed values get the skewed interval they need. The same seed gives the same interval.
    Raises ValueError for values that are not finite.
    """
    array = as_values(values)
    why = refusal(array)
    if not why and array.size < BOOTSTRAP_LEAST:
        why = (
            f"A studentised bootstrap needs at least {BOOTSTRAP_LEAST} actors; "
            f"{array.size} have too few different resamples."
        )
    if why:
        return _none(array, confidence, "bootstrap-t", why)
    counts = resample_counts(array.size, resamples, seed)
    low, high = bootstrap_t_bounds(array[None, :], counts, as_share(confidence, "confidence"))
    if not np.isfinite([low[0], high[0]]).all():
        tied = (
            f"So many of the {array.size} actors have the same value that many a resample has no "
            "spread: a studentised bootstrap has no bound then."
        )
        return _none(array, confidence, "bootstrap-t", tied)
    return Interval(
        n=array.size,
        estimate=float(array.mean()),
        low=float(low[0]),
        high=float(high[0]),
        confidence=confidence,
        method="bootstrap-t",
    )


@lru_cache(maxsize=32)
def resample_counts(n: int, resamples: int, seed: int) -> Array:
    """Draws of each of n actors, one resample a row; each row adds up to n. Resamples of one
    actor alone have no spread and are left out.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=resamples).astype(np.float64)
    counts: Array = drawn[(drawn > 0).sum(axis=1) > 1]
    counts.flags.writeable = False
    return counts


def bootstrap_t_bounds(values: Array, counts: Array, confidence: float) -> tuple[Array, Array]:
    """Lower and upper bounds, each (m,), for m samples of n actors (m, n), all resampled alike.

    ``counts`` (resamples, n) is ``resample_counts``'. Ties can leave a resample of several without
    spread too: its ratio is infinite, and where that reaches a bound, the bound is NaN.
    """
    n = values.shape[1]
    mean = values.mean(axis=1)
    error = values.std(axis=1, ddof=1) / np.sqrt(n)
    centred = values - mean[:, None]
    shift = centred @ counts.T / n
    squares = centred**2 @ counts.T / n
    spread = squares - shift**2
    some = spread > _ROUNDING * squares
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(some, shift / np.sqrt(spread / (n - 1)), np.sign(shift) * _ENDLESS)
    tail = (1 - confidence) / 2
    ratio.sort(axis=1)
    lower, upper = (_quantile(ratio, share) for share in (tail, 1 - tail))
    low, high = (np.where(np.abs(t) < _LARGEST_RATIO, t, np.nan) for t in (upper, lower))
    return mean - low * error, mean - high * error


def _quantile(ordered: Array, share: float) -> Array:
    """numpy's quantile of each row; it would search for the places of values that are in order."""
    place = (ordered.shape[1] - 1) * share
    below = int(place)
    low, high = ordered[:, below], ordered[:, min(below + 1, ordered.shape[1] - 1)]
    part, step = place - below, high - low
    value: Array = high - step * (1 - part) if part >= 0.5 else low + step * part
    return value


def _none(array: Array, confidence: float, method: str, reason: str) -> Interval:
    estimate = float(array.mean()) if array.size else None
    return Interval(
        n=array.size, estimate=estimate, confidence=confidence, method=method, reason=reason
    )


def refusal(array: Array) -> str:
    """Reason for the lack of an interval, in a sentence; empty where there is one."""
    if array.size == 0:
        return "There is no actor with a value."
    if array.size == 1:
        return "One actor alone says nothing of the spread over actors, so there is no interval."
    if is_constant(array):
        return f"All {array.size} actors have the same value: there is no spread to make one from."
    return ""
