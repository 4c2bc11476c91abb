"""Error rates with known answers, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import det_curve, roc_auc_score

from harness.scoring.biometrics import (
    Comparisons,
    auc,
    chance_corrected,
    comparisons,
    det,
    eer,
    fnmr,
    fta,
    gfrr,
    linkability,
    match_rate,
    rank_shares,
    tar_at_far,
    threshold_at,
)

Array = NDArray[np.float64]
EDGES = np.linspace(0.0, 2.0, 41)
DISTANCES = arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 12).map(lambda x: x / 8))


def pairs(*distances: float) -> Comparisons:
    return comparisons([np.array(distances)])


def labelled(mated: Comparisons, non_mated: Comparisons) -> tuple[Array, Array, Array]:
    """Labels, similarities and weights as scikit-learn takes them."""
    return (
        np.repeat([1, 0], [len(mated.distances), len(non_mated.distances)]),
        -np.concatenate([mated.distances, non_mated.distances]),
        np.concatenate([mated.weights, non_mated.weights]),
    )


def test_a_distance_at_the_threshold_matches() -> None:
    assert match_rate(pairs(0.5, 0.6, 0.7, 0.8), 0.6) == 0.5
    assert fnmr(pairs(0.5, 0.6, 0.7, 0.8), 0.6) == 0.5


def test_each_pair_of_persons_weighs_the_same_however_many_frames_it_has() -> None:
    found = comparisons([np.array([0.1] * 9), np.array([0.9]), np.array([])])
    assert match_rate(found, 0.5) == pytest.approx(0.5)
    assert found.weights.sum() == pytest.approx(1)


def test_lost_probes_are_rejected_probes() -> None:
    assert fta(10, 8) == pytest.approx(0.2)
    assert fta(0, 0) == 1
    assert gfrr(0.2, 0.5) == pytest.approx(0.6)


@given(DISTANCES, st.floats(0, 1))
def test_a_threshold_holds_its_far_and_no_larger_one_does(distances: Array, far: float) -> None:
    impostors = comparisons([distances])
    threshold = threshold_at(impostors, far)
    assert match_rate(impostors, threshold) <= far + 1e-9
    if np.isfinite(threshold):
        assert match_rate(impostors, float(np.nextafter(threshold, np.inf))) > far


def test_tar_is_taken_at_the_threshold_of_the_non_mated_pairs() -> None:
    impostors = pairs(*np.arange(1, 101) / 100)
    assert tar_at_far(pairs(0.05, 0.099, 0.5, 0.6), impostors, 0.1) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="no non-mated"):
        threshold_at(comparisons([]), 0.1)


@given(DISTANCES, DISTANCES, DISTANCES)
def test_the_area_under_the_curve_is_that_of_scikit_learn(a: Array, b: Array, c: Array) -> None:
    mated, non_mated = comparisons([a, b]), comparisons([c])
    labels, similarity, weights = labelled(mated, non_mated)
    expected = roc_auc_score(labels, similarity, sample_weight=weights)
    assert auc(mated, non_mated) == pytest.approx(expected)


@given(DISTANCES, DISTANCES, DISTANCES)
def test_every_point_of_scikit_learns_det_curve_is_on_ours(a: Array, b: Array, c: Array) -> None:
    mated, non_mated = comparisons([a]), comparisons([b, c])
    labels, similarity, weights = labelled(mated, non_mated)
    fmr, miss, _ = det_curve(labels, similarity, sample_weight=weights)
    ours = det(mated, non_mated)
    points = np.stack([ours.fmr, ours.fnmr], axis=1)
    for point in np.stack([fmr, miss], axis=1):
        assert np.abs(points - point).max(axis=1).min() < 1e-9


def test_equal_error_rates_with_known_answers() -> None:
    assert eer(det(pairs(0.1, 0.2), pairs(0.8, 0.9))) == 0
    assert eer(det(pairs(0.8, 0.9), pairs(0.1, 0.2))) == 1
    assert eer(det(pairs(0.1, 0.2, 0.7, 0.8), pairs(0.1, 0.2, 0.7, 0.8))) == pytest.approx(0.5)
    # One mated and one non-mated distance of four on the wrong side.
    assert eer(det(pairs(0.1, 0.2, 0.3, 0.8), pairs(0.25, 0.7, 0.9, 1.0))) == pytest.approx(0.25)


def test_two_normal_distributions_have_the_error_rate_and_area_of_theory() -> None:
    from scipy.stats import norm

    generator = np.random.default_rng(3)
    mated, non_mated = (pairs(*generator.normal(mean, 1, 20_000)) for mean in (0, 2))
    assert eer(det(mated, non_mated)) == pytest.approx(norm.cdf(-1), abs=0.005)
    assert auc(mated, non_mated) == pytest.approx(norm.cdf(2 / np.sqrt(2)), abs=0.005)


def test_ranks_count_probes_whose_own_face_is_among_the_nearest() -> None:
    distances = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.2, 0.1, 0.3], [0.1, 0.5, 0.4]])
    assert rank_shares(distances, 0, 3).tolist() == [0.5, 0.75, 1.0]


@pytest.mark.parametrize("size", [2, 3, 24])
def test_probes_that_say_nothing_are_right_as_often_as_chance(size: int) -> None:
    shares = rank_shares(np.full((7, size), 0.4), 1, size)
    assert shares == pytest.approx(np.arange(1, size + 1) / size)
    assert chance_corrected(float(shares[0]), 1 / size) == pytest.approx(0)
    assert chance_corrected(1.0, 1 / size) == 1
    assert chance_corrected(0.0, 1 / size) < 0


def test_linkability_is_0_for_equal_and_1_for_separate_distributions() -> None:
    low, high = pairs(0.11, 0.12), pairs(0.91, 0.92)
    assert linkability(low, low, EDGES) == 0
    assert linkability(low, high, EDGES) == 1
    assert linkability(pairs(-1.0), pairs(5.0), EDGES) == 1


def test_linkability_by_hand() -> None:
    # Bin A: 3/4 of the mated, 1/4 of the others, so LR 3 and D 1/2; bin B: LR 1/3 and D 0.
    mated, non_mated = pairs(0.1, 0.1, 0.1, 0.9), pairs(0.1, 0.9, 0.9, 0.9)
    assert linkability(mated, non_mated, EDGES) == pytest.approx(0.75 * 0.5)
