"""The same numbers as statsmodels and scipy, and the properties no correct version can lack."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics
from statsmodels.stats import multitest, power, proportion, weightstats

from harness.statistics.correlations import CLIP, mean_correlation
from harness.statistics.equivalence import equivalence
from harness.statistics.identities import Scores, auc, eer, fmr, fnmr, vertex_bootstrap
from harness.statistics.intervals import bootstrap_t_interval, resample_counts, t_interval
from harness.statistics.multiple import friedman, holm
from harness.statistics.paired import compare_paired
from harness.statistics.power import detectable_dz
from harness.statistics.rates import wilson
from harness.statistics.sign_flip import sign_flip_test, smallest_p, wilcoxon_test

RNG = np.random.default_rng(11)
BEFORE = RNG.normal(0.7, 0.05, 12)
AFTER = BEFORE + RNG.normal(0.02, 0.03, 12)
# Eighths are exact in binary: sums of them tie, or do not, without rounding.
EIGHTHS = st.integers(-40, 40).map(lambda k: k / 8)


def test_the_t_interval_is_statsmodels() -> None:
    found = t_interval(AFTER)
    low, high = weightstats.DescrStatsW(AFTER).tconfint_mean()
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)


def test_the_bootstrap_interval_is_near_the_t_interval_of_normal_values() -> None:
    values = np.random.default_rng(2).normal(0, 1, 60)
    t, b = t_interval(values), bootstrap_t_interval(values)
    assert t.low is not None
    assert b.low is not None
    assert b.low == pytest.approx(t.low, abs=0.03)
    assert b == bootstrap_t_interval(values)
    assert b != bootstrap_t_interval(values, seed=1)


def test_the_bootstrap_interval_of_skewed_values_reaches_further_to_their_long_side() -> None:
    quantiles = stats.norm.ppf((np.arange(12) + 0.5) / 12)
    values = np.exp(1.2 * quantiles)
    found = bootstrap_t_interval(values)
    assert found.low is not None
    assert found.high is not None
    assert found.high - values.mean() > 1.3 * (values.mean() - found.low)


@pytest.mark.parametrize("resamples", [200, 999])
def test_the_bootstrap_interval_is_made_of_numpys_quantiles(resamples: int) -> None:
    mean, error = AFTER.mean(), AFTER.std(ddof=1) / np.sqrt(AFTER.size)
    drawn = [np.repeat(AFTER, row.astype(int)) for row in resample_counts(AFTER.size, resamples, 1)]
    ratios = [(one.mean() - mean) / (one.std(ddof=1) / np.sqrt(one.size)) for one in drawn]
    lower, upper = np.quantile(ratios, (0.05, 0.95))
    found = bootstrap_t_interval(AFTER, 0.9, resamples=resamples, seed=1)
    assert found.low == pytest.approx(mean - upper * error)
    assert found.high == pytest.approx(mean - lower * error)


@given(st.lists(EIGHTHS, min_size=1, max_size=9))
@settings(deadline=None, max_examples=40)
def test_the_exact_sign_flip_p_is_that_of_trying_all_signs(differences: list[float]) -> None:
    moved = [abs(d) for d in differences if d]
    sums = [
        abs(sum(s * d for s, d in zip(signs, moved, strict=True)))
        for signs in product((-1, 1), repeat=len(moved))
    ]
    expected = sum(total >= abs(sum(differences)) for total in sums) / len(sums)
    assert sign_flip_test(differences).p == pytest.approx(expected)


@given(st.lists(EIGHTHS, min_size=1, max_size=30), st.sampled_from([-1.0, 0.001, 1000.0]))
@settings(deadline=None, max_examples=50)
def test_neither_order_nor_sign_nor_unit_changes_p(differences: list[float], factor: float) -> None:
    p = sign_flip_test(differences).p
    assert sign_flip_test([factor * d for d in reversed(differences)]).p == pytest.approx(p)
    assert p is not None
    assert smallest_p(sum(d != 0 for d in differences)) <= p * (1 + 1e-9)


def test_the_sign_flip_test_is_scipys_permutation_test() -> None:
    found = stats.permutation_test(
        (AFTER - BEFORE,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert sign_flip_test(AFTER - BEFORE).p == pytest.approx(float(found.pvalue))


def test_a_monte_carlo_p_is_within_its_own_error_of_the_exact_one() -> None:
    exact = sign_flip_test(AFTER - BEFORE)
    drawn = sign_flip_test(AFTER - BEFORE, exact_up_to=0)
    assert exact.p is not None
    assert drawn.p is not None
    assert drawn.error is not None
    assert not drawn.exact
    assert abs(drawn.p - exact.p) < 4 * drawn.error + 1e-5
    assert drawn == sign_flip_test(AFTER - BEFORE, exact_up_to=0)


def test_forty_actors_are_counted_exactly_and_forty_one_are_drawn() -> None:
    assert sign_flip_test(np.arange(1.0, 41.0)).p == pytest.approx(2.0**-39)
    drawn = sign_flip_test(np.arange(1.0, 42.0), draws=999)
    assert drawn.smallest_p == drawn.p == 0.001


def test_wilcoxon_is_scipys_exact_test_where_nothing_ties() -> None:
    expected = stats.wilcoxon(AFTER - BEFORE, method="exact").pvalue
    assert wilcoxon_test(AFTER - BEFORE).p == pytest.approx(float(expected))


def test_the_smallest_p_is_what_the_literature_lists() -> None:
    listed = {5: 0.0625, 6: 0.03125, 8: 0.0078125, 10: 0.001953125}
    assert {n: smallest_p(n) for n in listed} == listed


def test_the_detectable_effect_has_80_percent_power() -> None:
    for n in (3, 5, 10, 24, 100):
        found = power.TTestPower().power(detectable_dz(n), n, 0.05)
        assert found == pytest.approx(0.8, abs=1e-4)
    assert [round(detectable_dz(n), 2) for n in (5, 10, 24)] == [1.68, 1.0, 0.6]


def test_two_actors_have_a_detectable_effect_too() -> None:
    # scipy's noncentral t is NaN there, so the power is simulated.
    values = np.random.default_rng(6).normal(detectable_dz(2), 1, (200_000, 2))
    found = stats.ttest_1samp(values, 0, axis=1).pvalue <= 0.05
    assert np.mean(found) == pytest.approx(0.8, abs=0.004)


def test_effects_of_known_pairs() -> None:
    found = compare_paired([0, 0, 0, 0], [1, 2, -3, 4])
    assert found.mean_difference == 1.0
    assert (found.wins, found.losses, found.ties) == (3, 1, 0)
    assert found.rank_biserial == pytest.approx((1 + 2 + 4 - 3) / 10)
    assert found.dz == pytest.approx(1 / np.std([1, 2, -3, 4], ddof=1))
    # Walsh averages of 1, 2, -3, 4 in order: -3 -1 -.5 .5 1 1.5 2 2.5 3 4.
    assert found.shift == pytest.approx(1.25)


@pytest.mark.parametrize("m", [1, 2, 5, 17])
def test_holm_is_statsmodels(m: int) -> None:
    # One decimal: ties.
    p_values = list(np.random.default_rng(m).random(m).round(1) / 5)
    expected = multitest.multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(list(expected))


def test_nothing_to_adjust_is_nothing() -> None:
    assert holm([]) == []


def test_friedman_is_scipys() -> None:
    tools = [BEFORE, AFTER, BEFORE + 0.5]
    expected = stats.friedmanchisquare(*tools)
    assert friedman(tools).p == pytest.approx(float(expected.pvalue))
    assert "three tools" in friedman([BEFORE, AFTER]).reason


def test_the_thesiss_order_of_four_tools_is_found_with_full_agreement() -> None:
    columns = [BEFORE + k for k in range(4)]
    assert friedman(columns).kendall_w == pytest.approx(1.0)


@pytest.mark.parametrize("margin", [0.01, 0.04, 0.06])
def test_equivalence_is_statsmodels_and_fits_its_interval(margin: float) -> None:
    found = equivalence(AFTER - BEFORE, margin)
    p, _, _ = weightstats.ttost_paired(AFTER, BEFORE, -margin, margin)
    assert found.p == pytest.approx(p)
    low, high = found.interval.low, found.interval.high
    assert low is not None
    assert high is not None
    assert found.shown == (-margin < low and high < margin)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(deadline=None, max_examples=40)
def test_wilson_is_statsmodels(case: tuple[int, int]) -> None:
    expected = proportion.proportion_confint(*case, method="wilson")
    assert wilson(*case) == pytest.approx(expected, abs=1e-12)


def scores(seed: int, mated: int = 30, other: int = 200) -> Scores:
    rng = np.random.default_rng(seed)
    # One decimal: ties, which curves are easily wrong about.
    near, far = rng.normal(0.5, 0.3, mated).round(1), rng.normal(1, 0.3, other).round(1)
    return Scores(near, far, np.ones(mated), np.ones(other))


@pytest.mark.parametrize("seed", range(5))
def test_auc_and_error_rates_are_sklearns(seed: int) -> None:
    s = scores(seed)
    labels = np.r_[np.ones(s.mated.size), np.zeros(s.non_mated.size)]
    values = -np.r_[s.mated, s.non_mated]
    assert auc(s) == pytest.approx(metrics.roc_auc_score(labels, values))
    far, frr, thresholds = metrics.det_curve(labels, values)
    for a, b, t in zip(far, frr, thresholds, strict=True):
        assert fmr(-t)(s) == pytest.approx(a)
        assert fnmr(-t)(s) == pytest.approx(b)
    near = int(np.argmin(np.abs(far - frr)))
    low, high = sorted((far[near], frr[near]))
    assert low - 1e-9 <= eer(s) <= high + 1e-9


def test_weights_count_a_pair_as_often_as_copies_of_it_would() -> None:
    s, rng = scores(9), np.random.default_rng(0)
    w, v = rng.integers(0, 3, s.mated.size), rng.integers(0, 3, s.non_mated.size)
    weighted = Scores(s.mated, s.non_mated, w.astype(float), v.astype(float))
    near, far = np.repeat(s.mated, w), np.repeat(s.non_mated, v)
    copied = Scores(near, far, np.ones(near.size), np.ones(far.size))
    for statistic in (auc, eer, fmr(0.7), fnmr(0.7)):
        assert statistic(weighted) == pytest.approx(statistic(copied))


def test_identities_are_resampled_and_never_pairs() -> None:
    rng = np.random.default_rng(3)
    own = rng.normal(0, 1, 20)
    table = own[:, None] + own[None, :] + 4
    np.fill_diagonal(table, 0)
    found = vertex_bootstrap(table, fmr(3.0))
    assert found.estimate is not None
    assert found.low is not None
    assert found.high is not None
    naive = wilson(found.estimate * 380, 380)
    assert found.high - found.low > 2 * (naive[1] - naive[0])
    assert (found.identities, found.mated, found.non_mated) == (20, 20, 380)


def test_several_probes_of_an_identity_go_together() -> None:
    rng = np.random.default_rng(8)
    table = rng.random((6, 6)) + 1 - np.eye(6)
    doubled = np.repeat(table, 2, axis=0)
    ids = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    twice = vertex_bootstrap(doubled, auc, probes=ids, references=range(6))
    once = vertex_bootstrap(table, auc)
    assert (twice.estimate, twice.low) == (once.estimate, once.low)
    assert (twice.mated, once.mated) == (12, 6)


def test_fishers_mean_stands_beside_the_raw_one_and_survives_a_perfect_correlation() -> None:
    found = mean_correlation([0.2, 0.9, 1.0])
    z = np.arctanh([0.2, 0.9, CLIP])
    assert found.raw == pytest.approx(0.7)
    assert found.fisher == pytest.approx(np.tanh(z.mean()))
    assert found.fisher is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.fisher < found.high < 1
