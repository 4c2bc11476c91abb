"""Two tools, versions or configs on the same actors."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from harness.model.base import Frozen
from harness.statistics.intervals import (
    SEED,
    Interval,
    bootstrap_t_interval,
    refusal,
    t_interval,
)
from harness.statistics.sign_flip import TestResult, sign_flip_test, signed_ranks, wilcoxon_test
from harness.statistics.values import Array, Values, as_values


class PairedComparison(Frozen):
    """Candidate minus baseline, one difference per actor."""

    n: int
    mean_difference: float | None
    shift: float | None
    """Hodges-Lehmann: the median of the means of all pairs of differences."""
    interval: Interval
    """Of the mean difference: Student's."""
    bootstrap: Interval
    """The same by bootstrap-t; of skewed differences the better one."""
    sign_flip: TestResult
    wilcoxon: TestResult
    t_test: TestResult
    dz: float | None
    """Mean difference in standard deviations of the differences (Cohen 1988)."""
    rank_biserial: float | None
    """-1 to 1: share of rank sum above 0 minus share below (Kerby 2014)."""
    wins: int
    """Actors whose candidate value is larger."""
    losses: int
    ties: int
    reason: str = ""
    """Reason for what cannot be computed."""


def compare_paired(
    baseline: Values, candidate: Values, *, confidence: float = 0.95, seed: int = SEED
) -> PairedComparison:
    """Compare two values per actor, in the same order of actors.

    Raises ValueError when the lengths differ or a value is not finite.
    """
    before, after = as_values(baseline), as_values(candidate)
    if before.size != after.size:
        raise ValueError(f"{before.size} baseline actors cannot be paired with {after.size}")
    return compare_differences(after - before, confidence=confidence, seed=seed)


def compare_differences(
    differences: Values, *, confidence: float = 0.95, seed: int = SEED
) -> PairedComparison:
    """The same for differences (candidate minus baseline), one per actor."""
    d = as_values(differences)
    interval = t_interval(d, confidence)
    sd = float(d.std(ddof=1)) if interval.known else None
    return PairedComparison(
        n=d.size,
        mean_difference=interval.estimate,
        shift=hodges_lehmann(d),
        interval=interval,
        bootstrap=bootstrap_t_interval(d, confidence, seed=seed),
        sign_flip=sign_flip_test(d, seed=seed),
        wilcoxon=wilcoxon_test(d, seed=seed),
        t_test=paired_t_test(d),
        dz=None if sd is None else float(d.mean()) / sd,
        rank_biserial=rank_biserial(d),
        wins=int((d > 0).sum()),
        losses=int((d < 0).sum()),
        ties=int((d == 0).sum()),
        reason=interval.reason,
    )


def paired_t_test(differences: Values) -> TestResult:
    """Student's paired t test. It assumes normal differences, and so has no smallest p."""
    from scipy import special

    d = as_values(differences)
    if why := refusal(d):
        return TestResult(name="t", p=None, reason=why)
    statistic = abs(d.mean()) / (d.std(ddof=1) / np.sqrt(d.size))
    p = 2 * float(special.stdtr(d.size - 1, -statistic))
    return TestResult(name="t", p=p, smallest_p=0.0)


def hodges_lehmann(differences: Values) -> float | None:
    """Median of the Walsh averages (Hodges & Lehmann 1963); None without any difference."""
    d = as_values(differences)
    if d.size == 0:
        return None
    first, second = _pairs(d.size)
    return float(np.median((d[first] + d[second]) / 2))


@lru_cache(maxsize=32)
def _pairs(n: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Indices of all pairs of n, each with itself too."""
    return np.triu_indices(n)


def rank_biserial(differences: Values) -> float | None:
    """Matched-pairs rank-biserial correlation; None when every difference is 0."""
    ranks: Array = signed_ranks(as_values(differences))
    total = float(np.abs(ranks).sum())
    return float(ranks.sum()) / total if total else None
