"""Limits of the data are said in a sentence, and are never a number."""

from __future__ import annotations

import numpy as np
import pytest

from harness.statistics.correlations import mean_correlation
from harness.statistics.equivalence import equivalence
from harness.statistics.identities import auc, fmr, vertex_bootstrap
from harness.statistics.intervals import bootstrap_t_interval, t_interval
from harness.statistics.multiple import friedman, holm
from harness.statistics.paired import compare_differences, compare_paired
from harness.statistics.rates import (
    check_fmr,
    identities_needed,
    resolvable_fmr,
    wilson,
)
from harness.statistics.values import actor_means


@pytest.mark.parametrize("make", [t_interval, bootstrap_t_interval])
def test_no_actor_one_actor_and_no_spread_have_no_interval(make: type) -> None:
    none, one, same = make([]), make([0.5]), make([0.7] * 6)
    assert "no actor" in none.reason
    assert "One actor" in one.reason
    assert "All 6 actors have the same value" in same.reason
    assert not any(found.known for found in (none, one, same))
    assert (one.estimate, same.estimate) == (0.5, pytest.approx(0.7))


def test_a_bootstrap_of_four_actors_is_refused_and_five_are_not() -> None:
    assert "at least 5" in bootstrap_t_interval([1, 2, 3, 4]).reason
    assert bootstrap_t_interval([1, 2, 3, 4, 6]).known


@pytest.mark.parametrize(
    "tied", [[1, 1, 1, 1, 2], [0.05] * 9 + [0.3], [0.7750526139900492] * 4 + [0.9695, 0.9481]]
)
def test_a_bootstrap_of_mostly_tied_actors_is_refused_and_never_explodes(
    tied: list[float],
) -> None:
    found = bootstrap_t_interval(tied)
    assert (found.low, found.high) == (None, None)
    assert "the same value" in found.reason


def test_a_bootstrap_with_a_tie_among_many_actors_has_bounds_near_students() -> None:
    values = [0.5, 0.5, 0.61, 0.58, 0.47, 0.55, 0.63, 0.52, 0.49, 0.6]
    found, student = bootstrap_t_interval(values), t_interval(values)
    assert found.low == pytest.approx(student.low, abs=0.03)
    assert found.high == pytest.approx(student.high, abs=0.03)


def test_a_missing_value_is_refused_and_never_averaged() -> None:
    with pytest.raises(ValueError, match="NaN or infinite"):
        t_interval([1.0, float("nan")])
    with pytest.raises(ValueError, match="cannot be paired"):
        compare_paired([1.0], [1.0, 2.0])


def test_five_actors_get_the_reason_instead_of_not_significant() -> None:
    found = compare_differences([1.0, 1.1, 1.2, 0.9, 1.05])
    assert found.sign_flip.p == 0.0625
    assert found.sign_flip.verdict().startswith("cannot reach 0.05")
    assert not found.sign_flip.can_reach(0.05)
    assert found.t_test.verdict() == "significant"
    assert compare_differences([1.0, 1.1, 1.2, 0.9, 1.05, 1.0]).sign_flip.verdict() == "significant"


def test_zeros_lower_what_can_be_reached() -> None:
    found = compare_differences([0.0] * 4 + [1.0, 2.0]).sign_flip
    assert (found.p, found.smallest_p) == (0.5, 0.5)


def test_a_single_actor_has_a_difference_and_nothing_else() -> None:
    found = compare_differences([0.1])
    assert found.mean_difference == 0.1
    assert (found.dz, found.t_test.p) == (None, None)
    assert "One actor alone" in found.reason


def test_no_change_at_all_is_p_1_and_no_effect_size() -> None:
    found = compare_differences([0.0, 0.0, 0.0])
    assert found.sign_flip.p == 1.0
    assert found.sign_flip.reason == "All differences are 0."
    assert (found.rank_biserial, found.ties) == (None, 3)


def test_equivalence_is_not_shown_without_spread_or_margin() -> None:
    assert not equivalence([0.0], 0.1).shown
    assert equivalence([0.0, 0.0], 0.1).reason
    with pytest.raises(ValueError, match="margin"):
        equivalence([0.1, 0.2], 0.0)


def test_an_fmr_that_24_actors_cannot_resolve_becomes_the_floor_and_the_reason() -> None:
    found = check_fmr(1e-3, 24)
    assert not found.resolvable
    assert found.floor == pytest.approx(3 / 276)
    assert found.sentence == (
        "24 identities make 276 non-mated pairs, which resolve no FMR under 0.011; "
        "an FMR of 0.001 needs at least 78 identities."
    )
    assert check_fmr(0.05, 24).resolvable
    assert "known loosely" in check_fmr(0.05, 24).sentence
    assert check_fmr(0.2, 24).sentence.endswith("an FMR of 0.2 is resolved.")
    assert not check_fmr(0.5, 1).resolvable


def test_the_floors_are_those_of_the_literature() -> None:
    floor = resolvable_fmr(24)
    assert floor.pairs == 276
    assert floor.rule_of_30 == pytest.approx(0.109, abs=5e-4)
    assert [identities_needed(f, e) for f in (1e-3, 1e-4) for e in (3, 30)] == [78, 246, 246, 776]
    for n in (2, 3, 24, 78):
        assert identities_needed(max(resolvable_fmr(n).rule_of_3, 1e-9) * 0.999, 3) >= n


def test_none_of_n_is_never_a_rate_of_zero_for_sure() -> None:
    assert wilson(0, 24)[1] == pytest.approx(0.138, abs=5e-4)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="impossible"):
        wilson(3, 2)


def test_resampling_says_what_it_cannot() -> None:
    apart = np.ones((5, 5)) - np.eye(5)
    assert "whichever of the 5 identities" in vertex_bootstrap(apart, fmr(0.5)).reason
    assert "too few" in vertex_bootstrap(np.eye(2), auc).reason
    assert "no pairs" in vertex_bootstrap(np.full((4, 4), np.nan), auc).reason
    with pytest.raises(ValueError, match="needs an identity"):
        vertex_bootstrap(apart, auc, probes=[1, 2])


def test_pairs_without_a_score_are_left_out_and_counted() -> None:
    table = np.random.default_rng(1).random((8, 8))
    table[0, 1] = table[2, 2] = np.nan
    found = vertex_bootstrap(table, auc)
    assert (found.mated, found.non_mated) == (7, 55)
    assert found.low is not None


def test_friedman_of_one_actor_or_equal_tools_says_so() -> None:
    assert "two actors" in friedman([[1.0], [2.0], [3.0]]).reason
    assert "same values" in friedman([[1.0, 2.0]] * 3).reason
    with pytest.raises(ValueError, match="same actors"):
        friedman([[1.0], [1.0, 2.0]])


def test_impossible_p_values_and_correlations_are_refused() -> None:
    with pytest.raises(ValueError, match="p-value"):
        holm([1.2])
    with pytest.raises(ValueError, match="beyond 1"):
        mean_correlation([1.5])
    assert mean_correlation([]).reason


def test_donors_are_averaged_within_their_actor_first() -> None:
    values = [(2, 0.4), (1, 0.1), (1, 0.3), (3, None), (2, float("nan"))]
    assert actor_means(values) == {1: 0.2, 2: 0.4}
