"""Reasons name what decided, and no number lies where its metric cannot be."""

from __future__ import annotations

import re

import numpy as np
import pytest

from harness.model.compare import MetricResult
from harness.model.verdict import Verdict
from harness.results.compare.judge import judge
from harness.statistics.power import detectable_dz, detectable_dz_by_signs
from harness.statistics.sign_flip import sign_flip_test
from tests.results.compare.made_up import Numbers
from tests.results.compare.test_verdicts import cell, pairs_of, sw_or


def scaled(mean: float, p_ratio: float, n: int = 7) -> list[float]:
    """n differences of this mean whose t is ``p_ratio``."""
    values = np.random.default_rng(0).normal(size=n)
    values = (values - values.mean()) / values.std(ddof=1)
    return [float(x) for x in mean + values * mean * np.sqrt(n) / p_ratio]


def found_of(differences: list[float]) -> MetricResult:
    """Of SW-OR; the other metrics but the lost faces move a little, so five are tested."""
    pairs = []
    for k, shift in enumerate(differences, 1):
        noise = 0.001 * (k % 3 - 1)
        after = Numbers(
            sw_or=0.5 + shift, match_rate=0.1 + noise, pcc=0.7 + noise, rmse=0.1 + noise
        )
        pairs.append((cell(k, Numbers(sw_or=0.5)), cell(k, after, version="2")))
    return next(one for one in judge(pairs) if one.key == "sw_or")


def test_an_interval_wholly_beyond_the_margin_is_explained_by_holm() -> None:
    # A t of 3.7 with 6 degrees: p is just above a fifth of 0.05.
    found = found_of(scaled(0.197, 3.69))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.p_adjusted == pytest.approx(0.0508, abs=0.0004)
    assert "is wholly beyond the margin of 0.01, but the shift is not significant after Holm" in (
        found.reason
    )
    assert f"after Holm: p = {found.p_adjusted:.4f} where" in found.reason
    assert "0.05 is asked (p = 0.010 before; t test" in found.reason
    assert "wider" not in found.reason


@pytest.mark.parametrize(
    ("mean", "ratio", "words"),
    [
        (0.03, 1.2, "reaches beyond the margin of 0.01 on both sides"),
        (0.03, 2.2, "is wider than the margin of 0.01 allows: it reaches from within it"),
        (0.009, 2.2, "reaches from within the margin of 0.01 to beyond it"),
    ],
)
def test_an_interval_is_described_by_where_it_reaches(
    mean: float, ratio: float, words: str
) -> None:
    found = found_of(scaled(mean, ratio))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert words in found.reason


def test_the_shift_that_can_be_found_is_that_of_the_level_and_the_test_that_are_used() -> None:
    found = found_of(scaled(0.03, 2.2))
    assert found.comparison is not None
    assert found.comparison.dz is not None
    assert found.level == pytest.approx(0.05 / 5)
    sd = 0.03 / found.comparison.dz
    assert found.detectable == pytest.approx(detectable_dz(7, alpha=0.05 / 5) * sd)
    # Of six metrics dz 1.87, not the 1.27 of alpha 0.05.
    assert detectable_dz(7, alpha=0.05 / 6) == pytest.approx(1.87, abs=0.01)
    assert "80 % power (by the t test at p 0.01, the first step of Holm)" in found.reason
    ten = found_of(scaled(0.03, 2.2, n=10))
    assert "by the sign-flip test" in ten.reason
    assert ten.comparison is not None
    assert ten.comparison.dz is not None
    assert ten.level == pytest.approx(0.05 / 6)
    by_signs = detectable_dz_by_signs(10, alpha=ten.level)
    assert by_signs is not None
    assert ten.detectable == pytest.approx(by_signs * 0.03 / ten.comparison.dz)


def test_the_sign_flip_tests_effect_has_80_percent_power() -> None:
    rng = np.random.default_rng(4)
    dz = detectable_dz_by_signs(9, alpha=0.0067)
    assert dz is not None
    hits = [(sign_flip_test(rng.normal(dz, 1, 9)).p or 0) <= 0.0067 for _ in range(800)]
    assert np.mean(hits) == pytest.approx(0.8, abs=0.05)
    # Many actors find what the t test finds; too few find nothing.
    assert detectable_dz_by_signs(24, alpha=0.01) == pytest.approx(
        detectable_dz(24, alpha=0.01), rel=0.06
    )
    assert detectable_dz_by_signs(7, alpha=0.0067) is None


def rates(before: list[float], after: list[float]) -> list[MetricResult]:
    return judge(
        [
            (cell(k, Numbers(match_rate=a)), cell(k, Numbers(match_rate=b), version="2"))
            for k, (a, b) in enumerate(zip(before, after, strict=True), 1)
        ]
    )


def test_no_interval_of_a_share_reaches_beyond_what_a_difference_of_shares_can_be() -> None:
    found = next(one for one in rates([0.9, 0.5, 0.9], [0.0, 0.2, 0.1]) if one.key == "match_rate")
    assert found.comparison is not None
    interval = found.comparison.interval
    assert (interval.low, interval.cut) == (-1.0, True)
    assert found.equivalence is not None
    assert (found.equivalence.interval.low or 0) >= -1
    for text in re.findall(r"[-+]\d\.\d+", found.reason):
        assert -1 <= float(text) <= 1


def test_a_shift_that_cannot_be_is_not_named_as_one_that_can_be_found() -> None:
    found = next(one for one in rates([0.9, 0.1], [0.0, 0.3]) if one.key == "match_rate")
    assert found.detectable is not None
    assert found.detectable > 1
    assert "2 actors with this spread cannot find even the largest shift there can be, 1, with" in (
        found.reason
    )


def test_a_distance_cannot_fall_below_zero_nor_a_correlation_move_by_more_than_two() -> None:
    distance = sw_or(pairs_of([0.3, 0.7], [0.0, 0.69]))
    assert distance.comparison is not None
    assert distance.comparison.interval.low == pytest.approx(-0.5)
    pairs = [
        (cell(k, Numbers(pcc=a)), cell(k, Numbers(pcc=b), version="2"))
        for k, a, b in ((1, 0.9, -0.9), (2, 0.9, 0.4))
    ]
    pcc = next(one for one in judge(pairs) if one.key == "pcc")
    assert pcc.comparison is not None
    assert (pcc.comparison.interval.low, pcc.comparison.interval.high) == (-2.0, 2.0)
