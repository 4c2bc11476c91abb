"""Error rates of a table of pairwise scores, with identities resampled and never pairs.

Pairs that share a person depend on each other, so resampling pairs makes intervals far too narrow.
The vertex bootstrap (Snijders & Borgatti 1999) draws identities; a pair counts as often as both of
its identities were drawn. A pair of one identity with itself is no non-mated pair and is left out.
Where pairs hardly depend on each other its intervals are wider than they need be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.core.base import Frozen
from harness.statistics.values import Array, as_share

RESAMPLES = 1000
SEED = 2020


@dataclass(frozen=True)
class Order:
    """Places of mated pairs among the non-mated: the same however much each pair counts."""

    mated: Array
    non_mated: Array

    @cached_property
    def ascending(self) -> npt.NDArray[np.intp]:
        """Places of the non-mated pairs, the least first."""
        return np.argsort(self.non_mated, kind="stable")

    @cached_property
    def bounds(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """For each mated pair, how many of the non-mated are under it, and at or under it."""
        others = self.non_mated[self.ascending]
        left = np.searchsorted(others, self.mated, side="left")
        return left, np.searchsorted(others, self.mated, side="right")


@dataclass(frozen=True)
class Scores:
    """Dissimilarities of mated and non-mated pairs, each (n,), and how much each pair counts."""

    mated: Array
    non_mated: Array
    mated_weight: Array
    non_mated_weight: Array
    order: Order | None = field(default=None, kw_only=True)
    """Of these pairs, where it is known beforehand."""


Statistic = Callable[[Scores], float]
"""A number between 0 and 1; NaN where the pairs that were drawn have none."""


class StatisticInterval(Frozen):
    """A statistic of pairs with its interval over identities, or the reason for none."""

    estimate: float | None
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    identities: int
    mated: int
    non_mated: int
    reason: str = ""


def fmr(threshold: float) -> Statistic:
    """Share of non-mated pairs at or under a threshold."""
    return lambda s: _share(s.non_mated <= threshold, s.non_mated_weight)


def fnmr(threshold: float) -> Statistic:
    """Share of mated pairs above a threshold."""
    return lambda s: _share(s.mated > threshold, s.mated_weight)


def auc(scores: Scores) -> float:
    """P(mated < non-mated) + P(equal) / 2."""
    order = scores.order or Order(scores.mated, scores.non_mated)
    below = np.concatenate([[0.0], np.cumsum(scores.non_mated_weight[order.ascending])])
    total, weight = below[-1], float(scores.mated_weight.sum())
    if total == 0 or weight == 0:
        return float("nan")
    left, right = order.bounds
    above = 1 - (below[left] + below[right]) / (2 * total)
    return float((above * scores.mated_weight).sum() / weight)


def eer(scores: Scores) -> float:
    """The rate at which FMR equals FNMR, between the two thresholds where they cross.

    Of the thresholds that are scores, the last with FNMR >= FMR and the next one; the crossing of
    the lines between them.
    """
    thresholds = np.unique(np.concatenate([scores.mated, scores.non_mated]))
    matched = _at_or_under(scores.mated, scores.mated_weight, thresholds)
    false = _at_or_under(scores.non_mated, scores.non_mated_weight, thresholds)
    # Below the least score nothing matches.
    missed = np.concatenate([[1.0], 1.0 - matched])
    false = np.concatenate([[0.0], false])
    gap = missed - false
    if np.isnan(gap).any():
        return float("nan")
    after = int(np.argmax(gap <= 0))
    step = gap[after - 1] - gap[after]
    part = gap[after - 1] / step
    return float(false[after - 1] + part * (false[after] - false[after - 1]))


def vertex_bootstrap(
    scores: npt.ArrayLike,
    statistic: Statistic,
    *,
    weights: npt.ArrayLike | None = None,
    estimate: float | None = None,
    probes: Sequence[int] | None = None,
    references: Sequence[int] | None = None,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> StatisticInterval:
    """A statistic of a (P, R) table of dissimilarities, with its interval over identities.

    ``probes`` (P) and ``references`` (R) say whose each row and column is; without them the table
    is square and its diagonal mated. NaN marks a pair without a score, and ``weights`` (P, R) say
    how much a pair counts. Of a table that is a sample of a larger one, ``estimate`` is the
    statistic of the larger one, around which the interval is laid. The interval is Student's
    on the logit scale, with the bootstrap's standard error and one degree of freedom less than
    identities, so that it stays within 0 and 1. Raises ValueError for labels that do not fit.
    """
    from scipy import special

    table = np.asarray(scores, dtype=np.float64)
    rows, columns, people = _labels(table, probes, references)
    known = np.isfinite(table)
    base = np.ones(table.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    mated = (rows[:, None] == columns[None, :]) & known
    other = (rows[:, None] != columns[None, :]) & known
    pairs_mated, pairs_other = np.nonzero(mated), np.nonzero(other)
    own, first, second = rows[pairs_mated[0]], rows[pairs_other[0]], columns[pairs_other[1]]
    base_mated, base_other = base[pairs_mated], base[pairs_other]
    order = Order(table[pairs_mated], table[pairs_other])

    def drawn(counts: Array) -> Scores:
        # A mated pair has one identity, so it counts as often as that one was drawn.
        drawn_mated = counts[own] * base_mated
        drawn_other = counts[first] * counts[second] * base_other
        return Scores(order.mated, order.non_mated, drawn_mated, drawn_other, order=order)

    if estimate is None:
        estimate = statistic(drawn(np.ones(people)))
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(people, np.full(people, 1 / people), size=resamples)
    resampled = np.array([statistic(drawn(row.astype(np.float64))) for row in counts])
    resampled = resampled[np.isfinite(resampled)]
    bare = StatisticInterval(
        estimate=estimate if np.isfinite(estimate) else None,
        confidence=as_share(confidence, "confidence"),
        identities=people,
        mated=int(mated.sum()),
        non_mated=int(other.sum()),
    )
    reason = _refusal(estimate, resampled, people)
    if reason:
        return bare.model_copy(update={"reason": reason})
    centre = np.log(estimate / (1 - estimate))
    quantile = special.stdtrit(people - 1, 0.5 + confidence / 2)
    half = quantile * resampled.std(ddof=1) / (estimate * (1 - estimate))
    low, high = (float(1 / (1 + np.exp(-(centre + side * half)))) for side in (-1, 1))
    return bare.model_copy(update={"low": low, "high": high})


def _refusal(estimate: float, resampled: Array, people: int) -> str:
    if not np.isfinite(estimate):
        return "There are no pairs that this statistic could be taken from."
    if people < 3:
        return f"{people} identities are too few to resample."
    if resampled.size < 2 or resampled.std() == 0:
        return (
            f"The value is the same whichever of the {people} identities are drawn; resampling "
            "cannot say how far it may be off."
        )
    if not 0 < estimate < 1:
        return (
            f"The value is {estimate:zg}, at the end of its scale, where resampling has no width."
        )
    return ""


def _labels(
    table: Array, probes: Sequence[int] | None, references: Sequence[int] | None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], int]:
    """Rows and columns as numbers of identities, and how many identities there are."""
    if table.ndim != 2:
        raise ValueError(f"expected a table of probes and references, not shape {table.shape}")
    rows = range(table.shape[0]) if probes is None else probes
    columns = range(table.shape[1]) if references is None else references
    if (len(rows), len(columns)) != table.shape:
        raise ValueError("every probe and every reference needs an identity")
    people, where = np.unique(np.array([*rows, *columns]), return_inverse=True)
    return where[: len(rows)], where[len(rows) :], int(people.size)


def _share(hits: npt.NDArray[np.bool_], weight: Array) -> float:
    total = float(weight.sum())
    return float(weight[hits].sum()) / total if total else float("nan")


def _at_or_under(values: Array, weight: Array, thresholds: Array) -> Array:
    """Weighted share of values at or under each threshold; NaN without weight."""
    order = np.argsort(values, kind="stable")
    summed = np.concatenate([[0.0], np.cumsum(weight[order])])
    if summed[-1] == 0:
        return np.full(thresholds.size, np.nan)
    return np.asarray(summed[np.searchsorted(values[order], thresholds, side="right")] / summed[-1])
