"""Steps in a history of nights, and the noise from run to run."""

from __future__ import annotations

import numpy as np
import pytest

from harness.statistics.noise import run_noise
from harness.statistics.steps import fit_steps


def test_a_step_is_found_on_its_night_with_both_levels() -> None:
    rng = np.random.default_rng(1)
    values = np.r_[rng.normal(0.70, 0.003, 12), rng.normal(0.66, 0.003, 8)]
    before, after = fit_steps(values, 0.001)
    assert (before.start, before.end, after.start, after.end) == (0, 11, 12, 19)
    assert before.level == pytest.approx(0.70, abs=0.003)
    assert after.level == pytest.approx(0.66, abs=0.003)


def test_two_steps_are_told_apart() -> None:
    values = [0.7, 0.701, 0.7] * 3 + [0.6, 0.601, 0.6] * 3 + [0.8, 0.801, 0.8] * 3
    assert [s.start for s in fit_steps(values, 0.001)] == [0, 9, 18]


def test_noise_alone_has_steps_in_at_most_one_of_twenty_histories() -> None:
    rng = np.random.default_rng(0)
    found = [len(fit_steps(rng.normal(0, 1, n), 0.01)) > 1 for n in (10, 20, 30) for _ in range(40)]
    assert np.mean(found) <= 0.05


def test_one_odd_night_is_no_step() -> None:
    values = [0.7] * 10 + [0.4] + [0.7] * 10
    assert len(fit_steps(values, 0.001)) == 1


def test_changes_far_below_the_resolution_are_no_steps() -> None:
    values = [0.7] * 10 + [0.7001] * 10
    assert len(fit_steps(values, 0.01)) == 1
    assert len(fit_steps(values, 0.000001)) == 2


@pytest.mark.parametrize("values", [[], [0.5], [0.5, 0.9]])
def test_a_history_too_short_for_steps_is_one_segment_at_most(values: list[float]) -> None:
    assert len(fit_steps(values, 0.01)) == min(len(values), 1)


def test_a_resolution_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="resolution"):
        fit_steps([1.0, 2.0], 0.0)


def test_the_noise_of_runs_is_pooled_within_groups_and_never_between_them() -> None:
    groups = [[0.70, 0.71, 0.72], [0.30, 0.31, 0.32], [0.5]]
    found = run_noise(groups)
    assert found.sd == pytest.approx(0.01)
    assert found.degrees == 4


def test_noise_without_repetition_is_unknown_and_not_zero() -> None:
    assert run_noise([[0.7], [0.8]]).sd is None
    assert run_noise([[0.7, 0.7]]).sd == 0.0
