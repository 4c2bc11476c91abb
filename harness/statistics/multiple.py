"""Several tools on the same actors, and p-values that are asked together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from harness.core.base import Frozen
from harness.model.estimates import PairedComparison
from harness.statistics.paired import compare_paired
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


class Pairwise(Frozen):
    """``candidate`` minus ``baseline``, with p adjusted over all pairs of tools."""

    baseline: str
    candidate: str
    comparison: PairedComparison
    p_holm: float | None
    p_fdr: float | None


class ToolComparison(Frozen):
    overall: Friedman
    pairs: tuple[Pairwise, ...]


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p in the given order; controls the chance of any false alarm (Holm 1979)."""
    p = _checked(p_values)
    m = p.size
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate((m - np.arange(m)) * p[order])
    return _in_order(np.minimum(stepped, 1.0), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p in the given order; controls the share of false alarms among all alarms
    (Benjamini & Hochberg 1995). For exploration, not for a gate."""
    p = _checked(p_values)
    m = p.size
    order = np.argsort(p, kind="stable")
    scaled = p[order] * m / np.arange(1, m + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _in_order(np.minimum(stepped, 1.0), order)


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


def compare_tools(values: Mapping[str, Values], *, seed: int = 2020) -> ToolComparison:
    """Friedman over all tools and every pair of them: exact sign-flip p, adjusted over the pairs.

    ``values``: tool name to one value per actor, the same actors in the same order for all.
    """
    overall = friedman(list(values.values()))
    pairs = list(combinations(values, 2))
    comparisons = [compare_paired(values[a], values[b], seed=seed) for a, b in pairs]
    p_values = [comparison.sign_flip.p for comparison in comparisons]
    known = [p for p in p_values if p is not None]
    adjusted = iter(zip(holm(known), benjamini_hochberg(known), strict=True))
    rows = []
    for (a, b), comparison, p in zip(pairs, comparisons, p_values, strict=True):
        p_holm, p_fdr = next(adjusted) if p is not None else (None, None)
        rows.append(
            Pairwise(baseline=a, candidate=b, comparison=comparison, p_holm=p_holm, p_fdr=p_fdr)
        )
    return ToolComparison(overall=overall, pairs=tuple(rows))


def _no_friedman(n: int, k: int, reason: str) -> Friedman:
    return Friedman(actors=n, tools=k, chi2=None, p=None, kendall_w=None, reason=reason)


def _checked(p_values: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    p = as_values(p_values)
    if ((p < 0) | (p > 1)).any():
        raise ValueError("a p-value must lie between 0 and 1")
    return p


def _in_order(
    stepped: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    order: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
) -> list[float]:
    out = np.empty_like(stepped)
    out[order] = stepped
    return [float(value) for value in out]
