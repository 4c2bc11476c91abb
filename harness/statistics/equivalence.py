"""Showing that nothing that matters has changed; a test that finds nothing shows no such thing."""

from __future__ import annotations

import numpy as np

from harness.model.estimates import Equivalence
from harness.statistics.intervals import t_interval
from harness.statistics.values import Array, Values, as_share, as_values


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


def _check(margin: float) -> None:
    if not (np.isfinite(margin) and margin > 0):
        raise ValueError(f"a margin must be a number above 0, not {margin}")


def _p_above(values: Array, limit: float) -> float:
    """The one-sided p that the mean is above ``limit``."""
    from scipy import special

    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(values.size)
    return float(special.stdtr(values.size - 1, (limit - mean) / error))
