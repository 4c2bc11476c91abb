"""Showing that nothing that matters has changed; a test that finds nothing shows no such thing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.core.base import Frozen
from harness.model.estimates import Equivalence
from harness.statistics.intervals import refusal, t_interval
from harness.statistics.values import Array, Values, as_share, as_values


class NonInferiority(Frozen):
    """Test of whether the candidate is worse by less than the margin, at level ``alpha``."""

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
    p = max(_p_within(d, margin, (1, -1)))
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
    if why := refusal(d):
        return NonInferiority(margin=margin, alpha=alpha, p=None, shown=False, reason=why)
    (p,) = _p_within(d, margin, (1 if higher_is_better else -1,))
    return NonInferiority(margin=margin, alpha=alpha, p=p, shown=p <= alpha)


def _check(margin: float) -> None:
    if not (np.isfinite(margin) and margin > 0):
        raise ValueError(f"a margin must be a number above 0, not {margin}")


def _p_within(values: Array, margin: float, signs: Sequence[int]) -> list[float]:
    """For each sign the one-sided p that the mean, so signed, is above ``-margin``."""
    from scipy import special

    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(values.size)
    return [
        float(special.stdtr(values.size - 1, (-margin - sign * mean) / error)) for sign in signs
    ]
