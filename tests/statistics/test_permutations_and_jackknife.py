"""Nulls by permuted names, and intervals that leave out each actor in turn."""

from __future__ import annotations

import numpy as np
import pytest

from harness.statistics.jackknife import jackknife_limits
from harness.statistics.permutations import arrangements, null_of, permuted_means


def test_few_people_change_places_in_all_ways_but_the_true_one() -> None:
    ways = arrangements("aabbb")
    assert len(ways) == 2 * 6 - 1
    assert len({tuple(way) for way in ways}) == 11
    assert (0, 1, 2, 3, 4) not in {tuple(way) for way in ways}
    assert {tuple(sorted(way[:2])) for way in ways} == {(0, 1)}
    assert arrangements("abc").shape == (0, 3)


def test_many_people_change_places_at_random_within_their_kind() -> None:
    kinds = ["a"] * 8 + ["b"] * 4 + ["c"]
    ways = arrangements(kinds, draws=2000)
    assert ways.shape == (2000, 13)
    assert (np.sort(ways[:, :8], axis=1) == np.arange(8)).all()
    assert (ways[:, 12] == 12).all()
    assert np.mean(ways[:, 0] == 0) == pytest.approx(1 / 8, abs=0.03)
    assert np.array_equal(ways, arrangements(kinds, draws=2000))


def test_p_counts_the_true_way_and_what_is_equal_but_for_rounding() -> None:
    table = np.array([[0.3, 0.0, 0.0], [0.0, 0.3, 0.0], [0.0, 0.0, 0.3]])
    draws = permuted_means(table, arrangements("aaa"))
    found = null_of(0.3, draws)
    assert found is not None
    assert (found.draws, found.p) == (5, 1 / 6)
    assert found.high == pytest.approx(0.1)
    assert found.mean == pytest.approx(0.06)
    tied = null_of(0.1 + 1e-13, draws)
    assert tied is not None
    assert tied.p == pytest.approx(4 / 6)
    assert null_of(0.3, draws[:0]) is None


def test_of_24_people_p_is_at_most_005_once_in_20_and_half_the_time_at_most_05() -> None:
    random = np.random.default_rng(3)
    ways = arrangements(["a"] * 24, draws=199)
    found = []
    for _ in range(400):
        table = random.normal(size=(24, 24)) + random.normal(0, 3, 24)
        null = null_of(float(np.diag(table).mean()), permuted_means(table, ways))
        assert null is not None
        found.append(null.p)
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(np.array(found) <= 0.5) == pytest.approx(0.5, abs=0.07)


def test_the_jackknife_of_a_mean_is_students_interval_and_a_bias_widens_it() -> None:
    values = np.array([0.2, 0.35, 0.4, 0.5, 0.55])
    rest = (values.sum() - values) / 4
    low, high = jackknife_limits(float(values.mean()), rest)
    half = 2.7764451 * values.std(ddof=1) / np.sqrt(5)
    assert low == pytest.approx(0.4 - half)
    assert high == pytest.approx(0.4 + half)
    # Each actor left out raises the value: it is too large by 4 times as much.
    biased_low, biased_high = jackknife_limits(0.4, rest + 0.02)
    assert biased_low == pytest.approx(0.4 - half - 0.08)
    assert biased_high == pytest.approx(0.4 + half)


@pytest.mark.parametrize("rest", [[0.4, 0.5], [0.3] * 6, [0.3, 0.2, float("nan")]])
def test_the_jackknife_refuses_limits_that_would_say_nothing(rest: list[float]) -> None:
    assert jackknife_limits(0.3, np.array(rest)) == (None, None)
