"""Calibration: how often the intervals and tests are wrong, on frames as they really are.

Each simulated actor has 100 neighbouring frames per tool (AR(1), phi 0.98, sd 0.05) and a
difference of their own between the tools (sd 0.03). A true 5 % shows within 4.0 % and 6.0 % of
4000 simulations, 3.7 % and 6.3 % of 2500, 3.3 % and 6.7 % of 1500 (three standard errors).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import signal, stats

from harness.statistics.intervals import bootstrap_t_bounds, resample_counts, t_interval
from harness.statistics.paired import paired_t_test
from harness.statistics.sign_flip import sign_flip_test
from harness.statistics.values import Array

SIMULATIONS = 4000
FRAMES = 100
PHI = 0.98
ACTORS = (5, 10, 24)


def frames_of(rng: np.random.Generator, *shape: int) -> Array:
    """Stationary AR(1) series of sd 0.05 along a last axis of FRAMES."""
    noise = rng.normal(0, 0.05 * np.sqrt(1 - PHI**2), (*shape, FRAMES))
    noise[..., 0] /= np.sqrt(1 - PHI**2)
    return np.asarray(signal.lfilter([1.0], [1.0, -PHI], noise, axis=-1))


@cache
def of_frames(n: int) -> Array:
    """(SIMULATIONS, n) differences of the means of an actor's frames under two tools."""
    rng = np.random.default_rng(n)
    blocks = []
    for _ in range(SIMULATIONS // 500):
        frames = frames_of(rng, 500, n, 2)
        blocks.append(frames[:, :, 1].mean(-1) - frames[:, :, 0].mean(-1))
    return np.concatenate(blocks)


@cache
def differences(n: int, *, skewed: bool = False) -> Array:
    """(SIMULATIONS, n) differences of two tools that do not differ, from actors' frames."""
    rng = np.random.default_rng(100 + n)
    shape = SIMULATIONS, n
    own = rng.exponential(0.03, shape) - 0.03 if skewed else rng.normal(0, 0.03, shape)
    return of_frames(n) + own


@pytest.mark.parametrize("n", ACTORS)
def test_a_t_interval_covers_the_truth_in_95_of_100_cases(n: int) -> None:
    found = [t_interval(row) for row in differences(n)]
    bounds = np.array([(one.low, one.high) for one in found], dtype=float)
    assert 0.92 <= np.mean((bounds[:, 0] <= 0) & (bounds[:, 1] >= 0)) <= 0.97


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("n", ACTORS)
def test_a_bootstrap_t_interval_covers_the_truth_in_95_of_100_cases(n: int, skewed: bool) -> None:
    low, high = bootstrap_t_bounds(
        differences(n, skewed=skewed), resample_counts(n, 999, seed=1), 0.95
    )
    assert 0.92 <= np.mean((low <= 0) & (high >= 0)) <= 0.97


@pytest.mark.parametrize("n", ACTORS)
def test_a_t_test_of_actors_raises_3_to_7_false_alarms_in_100(n: int) -> None:
    p = np.array([paired_t_test(row).p for row in differences(n)], dtype=float)
    assert 0.03 <= np.mean(p <= 0.05) <= 0.07


@pytest.mark.parametrize("n", [10, 24])
def test_the_sign_flip_test_raises_3_to_7_false_alarms_in_100(n: int) -> None:
    p = np.array([sign_flip_test(row).p for row in differences(n)[:2500]], dtype=float)
    assert 0.03 <= np.mean(p <= 0.05) <= 0.07


def test_the_sign_flip_test_of_5_actors_never_claims_anything() -> None:
    found = [sign_flip_test(row + 10) for row in differences(5)[:500]]
    assert not any(one.p is not None and one.p <= 0.05 for one in found)
    assert {one.verdict() for one in found} == {
        "cannot reach 0.05: the smallest p of so few differences is 0.062"
    }


def test_a_test_of_frames_would_raise_false_alarms_in_most_cases() -> None:
    # Why frames are never tested: the same simulation, its frames taken for independent.
    frames = frames_of(np.random.default_rng(3), 400, 10, 2)
    p = stats.ttest_ind(frames[:, :, 0].reshape(400, -1), frames[:, :, 1].reshape(400, -1), axis=1)
    assert np.mean(p.pvalue <= 0.05) > 0.5
