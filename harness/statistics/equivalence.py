"""Showing that nothing that matters has changed; a test that finds nothing shows no such thing."""

from __future__ import annotations

import numpy as np

from harness.model.base import Frozen
from harness.statistics.intervals import Interval, t_interval
from harness.statistics.values import Values, as_share, as_values


class Equivalence(Frozen):
    """Whether the mean difference lies within the margin, at level ``alpha``."""

    margin: float
    alpha: float
    p: float | None
    shown: bool
    interval: Interval
    """Of confidence 1 - 2 alpha: equivalence is shown when it lies within the margin."""
    reason: str = ""


class NonInferiority(Frozen):
    """Whether the candidate is worse by less than the margin, at level ``alpha``."""

    margin: float
    alpha: float
    p: float | None
    shown: bool
    reason: str = ""


def equivalence(differences: Values, margin: float, alpha: float = 0.05) -> Equivalence:
    """Two one-sided t tests (TOST; Schuirmann 1987) of differences, one per actor.

    p is the larger of the two. Raises ValueError unless the margin is above 0.
    """
    d = as_values(differences)
    _check(margin)
    interval = t_interval(d, 1 - 2 * as_share(alpha, "alpha"))
    if not interval.known:
        return Equivalence(
            margin=margin,
            alpha=alpha,
            p=None,
            shown=False,
            interval=interval,
            reason=interval.reason,
        )
    p = max(_p_above(d, -margin), _p_above(-d, -margin))
    return Equivalence(margin=margin, alpha=alpha, p=p, shown=p <= alpha, interval=interval)


def non_inferiority(
    differences: Values, margin: float, *, higher_is_better: bool, alpha: float = 0.05
) -> NonInferiority:
    """One-sided t test that the candidate is not worse by ``margin`` or more.

    ``differences`` are candidate minus baseline. Raises ValueError unless the margin is above 0.
    """
    d = as_values(differences)
    _check(margin)
    as_share(alpha, "alpha")
    interval = t_interval(d)
    if not interval.known:
        return NonInferiority(
            margin=margin, alpha=alpha, p=None, shown=False, reason=interval.reason
        )
    p = _p_above(d if higher_is_better else -d, -margin)
    return NonInferiority(margin=margin, alpha=alpha, p=p, shown=p <= alpha)


def _check(margin: float) -> None:
    if not (np.isfinite(margin) and margin > 0):
        raise ValueError(f"a margin must be a number above 0, not {margin}")


def _p_above(values: np.ndarray[tuple[int], np.dtype[np.float64]], bound: float) -> float:
    """One-sided p that the mean is above ``bound``."""
    from scipy import special

    error = values.std(ddof=1) / np.sqrt(values.size)
    return float(special.stdtr(values.size - 1, (bound - values.mean()) / error))
