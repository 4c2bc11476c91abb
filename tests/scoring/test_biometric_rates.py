"""Error rates with known answers, and against scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from harness.scoring.biometrics import (
    chance_corrected,
    det,
    fta,
    linkability,
    rank_shares,
    scores_of,
    tar_at,
    thresholds_at,
)
from harness.statistics.identities import Scores, auc, fmr, fnmr

Array = NDArray[np.float64]
EDGES = np.linspace(0.0, 2.0, 41)
DISTANCES = arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 12).map(lambda x: x / 8))


def scores(mated: Sequence[float], non_mated: Sequence[float]) -> Scores:
    return scores_of([np.array(mated, float)], [np.array(non_mated, float)])


def labelled(found: Scores) -> tuple[Array, Array, Array]:
    """Labels, similarities and weights as scikit-learn takes them."""
    return (
        np.repeat([1, 0], [len(found.mated), len(found.non_mated)]),
        -np.concatenate([found.mated, found.non_mated]),
        np.concatenate([found.mated_weight, found.non_mated_weight]),
    )


def test_a_distance_at_the_threshold_matches() -> None:
    found = scores([0.5, 0.6, 0.7, 0.8], [0.6])
    assert tar_at(found, 0.6) == 0.5
    assert fnmr(0.6)(found) == 0.5
    assert fmr(0.6)(found) == 1


def test_each_pair_of_persons_weighs_the_same_however_many_frames_it_has() -> None:
    found = scores_of([np.array([0.1] * 9), np.array([0.9]), np.array([])], [])
    assert tar_at(found, 0.5) == pytest.approx(0.5)
    assert found.mated_weight.sum() == pytest.approx(1)
    assert len(found.non_mated) == 0


def test_frames_without_a_face_are_failures_to_acquire() -> None:
    assert fta(10, 8) == pytest.approx(0.2)
    assert fta(0, 0) == 1


@given(DISTANCES, st.floats(0, 1))
def test_a_threshold_holds_its_far_and_no_larger_one_does(distances: Array, far: float) -> None:
    found = scores_of([], [distances])
    (threshold,) = thresholds_at(found, [far])
    assert fmr(threshold)(found) <= far + 1e-9
    if np.isfinite(threshold):
        assert fmr(float(np.nextafter(threshold, np.inf)))(found) > far


def test_tar_is_taken_at_the_threshold_of_the_non_mated_pairs() -> None:
    found = scores([0.05, 0.099, 0.5, 0.6], list(np.arange(1, 101) / 100))
    assert tar_at(found, thresholds_at(found, [0.1])[0]) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="no non-mated"):
        thresholds_at(scores([0.1], []), [0.1])


@given(DISTANCES, DISTANCES, DISTANCES)
def test_the_area_under_the_curve_is_that_of_scikit_learn(a: Array, b: Array, c: Array) -> None:
    found = scores_of([a, b], [c])
    labels, similarity, weights = labelled(found)
    from sklearn.metrics import roc_auc_score

    expected = roc_auc_score(labels, similarity, sample_weight=weights)
    assert auc(found) == pytest.approx(expected)


@given(DISTANCES, DISTANCES, DISTANCES)
def test_every_point_of_scikit_learns_det_curve_is_on_ours(a: Array, b: Array, c: Array) -> None:
    found = scores_of([a], [b, c])
    labels, similarity, weights = labelled(found)
    from sklearn.metrics import det_curve

    false, missed, _ = det_curve(labels, similarity, sample_weight=weights)
    ours = det(found)
    points = np.stack([ours.fmr, ours.fnmr], axis=1)
    for point in np.stack([false, missed], axis=1):
        assert np.abs(points - point).max(axis=1).min() < 1e-9


def test_a_trade_off_starts_where_nothing_matches_and_ends_where_all_does() -> None:
    curve = det(scores([0.1, 0.3], [0.2, 0.4]))
    assert curve.thresholds.tolist() == [-np.inf, 0.1, 0.2, 0.3, 0.4]
    assert curve.fmr.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve.fnmr.tolist() == [1, 0.5, 0.5, 0, 0]
    with pytest.raises(ValueError, match="needs mated and non-mated"):
        det(scores([0.1], []))


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
    low, high = [0.11, 0.12], [0.91, 0.92]
    assert linkability(scores(low, low), EDGES) == 0
    assert linkability(scores(low, high), EDGES) == 1
    assert linkability(scores([-1.0], [5.0]), EDGES) == 1


def test_linkability_by_hand() -> None:
    # Bin A: 3/4 of the mated, 1/4 of the others, so LR 3 and D 1/2; bin B: LR 1/3 and D 0.
    found = scores([0.1, 0.1, 0.1, 0.9], [0.1, 0.9, 0.9, 0.9])
    assert linkability(found, EDGES) == pytest.approx(0.75 * 0.5)
