"""The exact sign-flip permutation test of paired differences.

Under the hypothesis of no difference each actor's difference is as likely to have either sign. So
all 2^n signs are equally probable, and p is the share of them whose sum is at least as far from 0
(Fisher 1935; Pitman 1937). The sums are counted by halves (Horowitz & Sahni 1974), which makes the
enumeration exact up to 40 actors instead of 20.
"""

from __future__ import annotations

import numpy as np

from harness.model.base import Frozen
from harness.statistics.values import Array, Values, as_values

EXACT_UP_TO = 40
"""Non-zero differences up to which all signs are counted: two halves of at most 2^20 sums."""
DRAWS = 99_999
SEED = 2020
_CHUNK = 4096


class TestResult(Frozen):
    """A two-sided p-value with what it could have been at best."""

    __test__ = False  # or pytest takes the name for a test's

    name: str
    p: float | None
    """None where ``reason`` says why there is none."""
    smallest_p: float | None = None
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


def smallest_p(n: int) -> float:
    """The least two-sided p of n differences that are not 0: 2 / 2^n, at most 1."""
    if n < 0:
        raise ValueError(f"a number of differences cannot be {n}")
    return min(1.0, 2.0 ** (1 - n))


def sign_flip_test(
    differences: Values, *, draws: int = DRAWS, seed: int = SEED, exact_up_to: int = EXACT_UP_TO
) -> TestResult:
    """Two-sided sign-flip test of paired differences, one per actor.

    Exact up to ``exact_up_to`` differences that are not 0 (zeros change no sum); beyond that, p is
    (hits + 1) / (draws + 1) of seeded draws, with its standard error. Raises ValueError for
    differences that are not finite.
    """
    return _test("sign-flip", as_values(differences), draws, seed, exact_up_to)


def wilcoxon_test(
    differences: Values, *, draws: int = DRAWS, seed: int = SEED, exact_up_to: int = EXACT_UP_TO
) -> TestResult:
    """Wilcoxon's signed-rank test (1945): the sign-flip test of signed ranks.

    Differences of 0 are dropped, ties get their mean rank, and p is exact with ties as well.
    """
    return _test("Wilcoxon", signed_ranks(as_values(differences)), draws, seed, exact_up_to)


def signed_ranks(differences: Array) -> Array:
    """Mean ranks of the sizes of the differences that are not 0, with their signs."""
    moved = differences[differences != 0]
    sizes = np.abs(moved)
    ordered = np.sort(sizes)
    before, upto = (np.searchsorted(ordered, sizes, side) for side in ("left", "right"))
    ranks: Array = (before + upto + 1) / 2 * np.sign(moved)
    return ranks


def _test(name: str, values: Array, draws: int, seed: int, exact_up_to: int) -> TestResult:
    moved = values[values != 0]
    if moved.size == 0:
        reason = "All differences are 0." if values.size else "There is no actor to compare."
        p = 1.0 if values.size else None
        return TestResult(name=name, p=p, smallest_p=1.0 if values.size else None, reason=reason)
    least = smallest_p(moved.size)
    if moved.size <= min(exact_up_to, EXACT_UP_TO):
        return TestResult(name=name, p=_exact(moved), smallest_p=least)
    p, error = _monte_carlo(moved, draws, seed)
    return TestResult(
        name=name, p=p, smallest_p=max(least, 1 / (draws + 1)), exact=False, error=error
    )


def _exact(values: Array) -> float:
    """Share of all 2^n signs whose sum is at least as far from 0 as that of ``values``."""
    # Scaled, so that one tolerance serves all units; equal sums must count as equal.
    scaled = np.abs(values) / np.abs(values).sum()
    observed = abs(float(values.sum())) / float(np.abs(values).sum()) - 1e-12
    half = values.size // 2
    left, right = _sums(scaled[:half]), np.sort(_sums(scaled[half:]))
    # A sum s = l + r reaches the upper side when r >= observed - l; the lower side is its mirror.
    above = right.size - np.searchsorted(right, observed - left, side="left")
    if observed <= 0:
        return 1.0
    return min(1.0, 2.0 * float(above.sum()) / 2.0**values.size)


def _sums(values: Array) -> Array:
    """All 2^n signed sums."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums - value, sums + value])
    return sums


def _monte_carlo(values: Array, draws: int, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    observed = abs(float(values.sum())) * (1 - 1e-12)
    hits = 0
    for start in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - start)
        signs = rng.integers(0, 2, (size, values.size)) * 2.0 - 1.0
        hits += int((np.abs(signs @ values) >= observed).sum())
    p = (hits + 1) / (draws + 1)
    return p, float(np.sqrt(p * (1 - p) / draws))
