"""Several tools on the same actors, and p-values that are asked together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.core.base import Frozen
from harness.statistics.values import Values, as_values


class Friedman(Frozen):
    """Test of whether any of k tools differs, from ranks within each actor."""

    actors: int
    tools: int
    chi2: float | None
    p: float | None
    kendall_w: float | None
    """Agreement of the actors on the order of the tools, 0 to 1."""
    reason: str = ""


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p in the given order; controls the chance of any false alarm (Holm 1979). Raises
    ValueError for a p-value that is not between 0 and 1.
    """
    p = as_values(p_values)
    if ((p < 0) | (p > 1)).any():
        raise ValueError("a p-value must lie between 0 and 1")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate((p.size - np.arange(p.size)) * p[order])
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]


def friedman(columns: Sequence[Values]) -> Friedman:
    """Friedman's test (1937), one column of actors per tool, with the correction for ties.

    Raises ValueError when the columns differ in length or hold values that are not finite.
    """
    from scipy import stats

    arrays = [as_values(column) for column in columns]
    sizes = {array.size for array in arrays}
    if len(sizes) > 1:
        raise ValueError(f"every tool needs the same actors, not {sorted(sizes)}")
    k, n = len(arrays), sizes.pop() if sizes else 0
    if k < 3:
        return _no_friedman(n, k, "Friedman's test needs at least three tools; two are compared.")
    if n < 2:
        return _no_friedman(n, k, "Friedman's test needs at least two actors.")
    table = np.stack(arrays, axis=1)
    if (np.ptp(table, axis=1) == 0).all():
        return _no_friedman(n, k, "All tools have the same values for every actor.")
    test = stats.friedmanchisquare(*arrays)
    w = float(test.statistic) / (n * (k - 1))
    return Friedman(
        actors=n, tools=k, chi2=float(test.statistic), p=float(test.pvalue), kendall_w=w
    )


def _no_friedman(n: int, k: int, reason: str) -> Friedman:
    return Friedman(actors=n, tools=k, chi2=None, p=None, kendall_w=None, reason=reason)
