"""Results of statistics: an interval, a test, a paired comparison, a permutation null."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from harness.core.base import Frozen
from harness.model.numbers import Correlation, Count, Share, in_order


class Interval(Frozen):
    """An estimate with its interval; without one, ``reason`` says why in a sentence."""

    n: Count
    estimate: float | None
    low: float | None = None
    high: float | None = None
    confidence: Share = 0.95
    method: str = ""
    """``t`` or ``bootstrap-t``."""
    cut: bool = False
    """True when an end lies where the quantity ends, and would lie beyond."""
    reason: str = ""

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if not in_order(self.low, self.high):
            raise ValueError("an interval that ends before it begins")
        return self

    @property
    def known(self) -> bool:
        """True when there is an interval."""
        return self.low is not None and self.high is not None


class TestResult(Frozen):
    """A two-sided p-value with what it could have been at best."""

    __test__ = False  # or pytest takes the name for a test's

    name: str
    p: Share | None
    """None where ``reason`` says why there is none."""
    smallest_p: Share | None = None
    """The least p that these many actors can reach, whatever they show."""
    exact: bool = True
    error: float | None = None
    """Standard error of a Monte-Carlo p; None for an exact one."""
    reason: str = ""

    def can_reach(self, alpha: float) -> bool:
        """True when this test could have been significant at all."""
        return self.smallest_p is not None and self.smallest_p <= alpha

    def verdict(self, alpha: float = 0.05) -> str:
        """``significant``, ``not significant``, or that alpha cannot be reached, in words."""
        if self.p is None or self.smallest_p is None:
            return self.reason
        if not self.can_reach(alpha):
            return (
                f"cannot reach {alpha:g}: the smallest p of so few differences is "
                f"{self.smallest_p:.2g}"
            )
        return "significant" if self.p <= alpha else "not significant"


class PairedComparison(Frozen):
    """Candidate minus baseline, one difference per actor."""

    n: Count
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
    rank_biserial: Correlation | None
    """-1 to 1: share of rank sum above 0 minus share below (Kerby 2014)."""
    wins: Count
    """Actors whose candidate value is larger."""
    losses: Count
    ties: Count
    reason: str = ""
    """Reason for what cannot be computed."""

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.wins + self.losses + self.ties > self.n:
            raise ValueError("more actors are compared than there are")
        return self


class Equivalence(Frozen):
    """Test of whether the mean difference lies within the margin, at level ``alpha``."""

    margin: float
    alpha: Share
    p: Share | None
    shown: bool
    interval: Interval
    """Of confidence 1 - 2 alpha: equivalence is shown when it lies within the margin."""
    reason: str = ""


class Null(Frozen):
    """A number of an attack when who is who is permuted, and so nothing can be identified."""

    draws: Count
    """Permutations that were tried: all there are, or as many at random."""
    mean: float
    high: float
    """95th percentile."""
    p: Share
    """(1 + draws that reach the attack's own value) / (1 + draws)."""

    @property
    def smallest_p(self) -> float:
        """The least p that there could have been: 1 / (1 + draws)."""
        return 1 / (1 + self.draws)
