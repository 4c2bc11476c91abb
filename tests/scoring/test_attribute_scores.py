"""PCC, RMSE, CCC and the guard against dead channels, against closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from harness.model.observed import FACS_INTENSITY as OPENFACE_SCALE
from harness.scoring.attributes import (
    BLENDSHAPE_SCALE,
    MINIMUM_PAIRED,
    Length,
    concordance,
    moves,
    peak_lag,
    pearson,
    rmse,
    rmse_neutral,
    score_attributes,
    slope,
    with_floor,
)

LENGTH = Length(frames=200, fps=25.0)
WAVE = 0.5 + 0.4 * np.sin(np.linspace(0, 12, 200))


def table(frames: int = 200, **units: NDArray[np.float64]) -> pd.DataFrame:
    return pd.DataFrame({"frame": range(frames), **units})


@given(
    arrays(np.float64, 20, elements=st.floats(0, 1, width=16), unique=True),
    st.floats(0.1, 3),
    st.floats(-2, 2),
)
def test_a_linear_map_keeps_pcc_at_one_and_lowers_ccc_as_lin_says(
    x: NDArray[np.float64], gain: float, offset: float
) -> None:
    if x.std() < 1e-3:
        return
    y = gain * x + offset
    variance = x.var()
    gap = x.mean() - y.mean()
    assert pearson(x, y) == pytest.approx(1.0, abs=1e-9)
    assert pearson(x, -y) == pytest.approx(-1.0, abs=1e-9)
    assert concordance(x, y) == pytest.approx(
        2 * gain * variance / (variance + gain**2 * variance + gap**2), abs=1e-9
    )


def test_the_moments_agree_with_numpy_on_random_series() -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 500))
    assert pearson(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-12)
    assert rmse(x, y) == pytest.approx(np.linalg.norm(x - y) / np.sqrt(500), abs=1e-12)


def test_a_copy_scores_one_and_zero_exactly() -> None:
    scores = score_attributes("s", BLENDSHAPE_SCALE, LENGTH, table(AU12=WAVE), table(AU12=WAVE))
    assert scores.mean_pcc == pytest.approx(1.0, abs=1e-12)
    assert scores.mean_rmse == 0
    assert scores.mean_ccc == pytest.approx(1.0, abs=1e-12)
    assert scores.paired == 200


def test_a_dead_channel_is_not_measurable_however_well_it_correlates() -> None:
    dead = WAVE * 1e-5
    scores = score_attributes(
        "s", BLENDSHAPE_SCALE, LENGTH, table(AU06=dead, AU12=WAVE), table(AU06=dead, AU12=WAVE / 2)
    )
    au06, au12 = scores.units
    assert not au06.measurable
    assert au06.pcc is None
    assert au06.reason == "does not move in the original"
    assert scores.mean_rmse == au12.rmse


def test_the_guard_grows_with_the_scale() -> None:
    faint = 0.03 * np.sin(np.linspace(0, 12, 200))
    assert moves(faint, BLENDSHAPE_SCALE)
    assert not moves(faint, OPENFACE_SCALE)


def test_a_frozen_face_has_no_pcc_but_a_ccc_of_zero() -> None:
    frozen = np.full(200, 0.3)
    (unit,) = score_attributes(
        "s", BLENDSHAPE_SCALE, LENGTH, table(AU12=WAVE), table(AU12=frozen)
    ).units
    assert unit.measurable
    assert unit.pcc is None
    assert unit.ccc == pytest.approx(0, abs=1e-12)
    assert unit.frozen
    assert "stands still in the swapped video" in unit.reason
    assert unit.rmse == pytest.approx(np.sqrt(np.mean((WAVE - 0.3) ** 2)))
    assert unit.nrmse == pytest.approx((unit.rmse or 0) / WAVE.std())


def test_only_frames_with_a_face_in_both_videos_are_paired() -> None:
    original, swapped = WAVE.copy(), WAVE.copy()
    original[:10] = np.nan
    swapped[190:] = np.nan
    scores = score_attributes(
        "s", BLENDSHAPE_SCALE, LENGTH, table(AU12=original), table(AU12=swapped)
    )
    assert scores.paired == 180
    assert scores.mean_rmse == 0


def test_a_video_without_a_face_scores_nothing_and_says_why() -> None:
    none = np.full(200, np.nan)
    scores = score_attributes("s", BLENDSHAPE_SCALE, LENGTH, table(AU12=WAVE), table(AU12=none))
    assert scores.paired == 0
    assert scores.mean_pcc is None
    assert "too few frames: 0" in scores.units[0].reason


def test_a_frozen_unit_counts_as_nothing_kept_and_not_as_left_out() -> None:
    trembling = 0.3 + 0.001 * np.random.default_rng(3).normal(size=200)
    scores = score_attributes(
        "s",
        BLENDSHAPE_SCALE,
        LENGTH,
        table(AU01=WAVE, AU12=WAVE),
        table(AU01=WAVE, AU12=trembling),
    )
    assert scores.units[1].pcc is None
    assert (scores.units_used, scores.units_frozen) == (2, 1)
    assert scores.mean_pcc == pytest.approx(0.5)
    rmses = [unit.rmse for unit in scores.units if unit.rmse is not None]
    assert scores.mean_rmse == pytest.approx(np.mean(rmses))


@pytest.mark.parametrize(("paired", "measurable"), [(24, False), (25, True)])
def test_too_few_paired_frames_give_no_correlation(paired: int, measurable: bool) -> None:
    swapped = WAVE.copy()
    swapped[paired:] = np.nan
    (unit,) = score_attributes(
        "s", BLENDSHAPE_SCALE, LENGTH, table(AU12=WAVE), table(AU12=swapped)
    ).units
    assert MINIMUM_PAIRED == 25
    assert (unit.paired, unit.measurable) == (paired, measurable)
    assert ("too few frames: 24" in unit.reason) is not measurable
    assert (unit.rmse is not None) is measurable


def test_each_unit_says_how_many_frames_it_rests_on() -> None:
    holes = WAVE.copy()
    holes[:50] = np.nan
    scores = score_attributes(
        "s", BLENDSHAPE_SCALE, LENGTH, table(AU01=WAVE, AU12=WAVE), table(AU01=WAVE, AU12=holes)
    )
    assert [unit.paired for unit in scores.units] == [200, 150]
    assert (scores.frames, scores.paired) == (200, 150)
    assert (scores.seen_original, scores.seen_swapped) == (200, 150)


def test_a_unit_that_moves_only_where_the_swapped_face_is_lost_is_not_measurable() -> None:
    original = np.where(np.arange(200) < 100, 0.2, WAVE)
    swapped = np.where(np.arange(200) < 100, WAVE, np.nan)
    (unit,) = score_attributes(
        "s", BLENDSHAPE_SCALE, LENGTH, table(AU12=original), table(AU12=swapped)
    ).units
    assert not unit.measurable
    assert "where both videos show a face" in unit.reason


def test_tables_of_two_sources_are_never_paired() -> None:
    with pytest.raises(ValueError, match="one source"):
        score_attributes("s", BLENDSHAPE_SCALE, LENGTH, table(AU12=WAVE), table(AU01=WAVE))


SPEECH = np.random.default_rng(7).normal(size=240).cumsum()
"""A series that never repeats itself, so that one shift fits better than any other."""


def test_half_the_amplitude_and_another_resting_level_are_told_apart() -> None:
    flattened = 0.5 * WAVE + 0.2
    assert slope(WAVE, flattened) == pytest.approx(0.5)
    assert slope(WAVE, 0.8 - WAVE) == pytest.approx(-1.0)
    assert slope(np.full(9, 0.3), WAVE[:9]) is None
    offset = WAVE + 0.2
    assert rmse(WAVE, offset) == pytest.approx(0.2)
    assert rmse_neutral(WAVE, offset) == pytest.approx(0.0, abs=1e-12)
    resting = np.quantile(WAVE, 0.1)
    assert rmse_neutral(WAVE, flattened) == pytest.approx(
        np.sqrt(np.mean((0.5 * (WAVE - resting)) ** 2))
    )


@pytest.mark.parametrize("late", [-7, -1, 0, 1, 12])
def test_the_lag_of_a_shifted_series_is_found_and_signed_like_the_alignment(late: int) -> None:
    x, y = SPEECH[20:220], SPEECH[20 - late : 220 - late]
    found = peak_lag(x, y, reach=25)
    assert found.frames == late
    assert found.pcc == pytest.approx(1.0)
    holes = y.copy()
    holes[50:60] = np.nan
    assert peak_lag(x, holes, reach=25).frames == late


def test_a_lag_beyond_reach_is_not_found_and_an_unrelated_unit_has_none_with_a_good_pcc() -> None:
    found = peak_lag(SPEECH[20:220], SPEECH[5:205], reach=10)
    assert found.frames != 15
    assert peak_lag(WAVE[:20], WAVE[:20], reach=5).frames is None
    assert peak_lag(WAVE, np.full(200, 0.4), reach=5).frames is None


def test_a_slow_series_under_noise_fits_at_many_shifts_and_is_then_taken_as_in_step() -> None:
    noise = np.random.default_rng(9).normal(0, 0.25, (2, 200))
    slow = np.sin(np.linspace(0, 3, 200))
    x, y = slow + noise[0], slow + noise[1]
    found = peak_lag(x[3:], y[:-3], reach=25)
    assert found.frames == 0
    assert found.pcc == pearson(x[3:], y[:-3])


def test_series_that_agree_at_no_shift_have_no_lag_but_say_how_badly_they_agree() -> None:
    x, y = np.random.default_rng(8).normal(size=(2, 200))
    found = peak_lag(x, y, reach=25)
    assert found.frames is None
    assert found.pcc is not None
    assert found.pcc < 0.5


def test_a_late_unit_says_how_late_in_seconds_while_its_pcc_falls() -> None:
    noise = np.random.default_rng(5).normal(size=220)
    x = 0.5 + 0.1 * np.convolve(noise, np.ones(5) / 5, "same")
    (unit,) = score_attributes(
        "s", BLENDSHAPE_SCALE, LENGTH, table(AU12=x[20:]), table(AU12=x[10:-10])
    ).units
    assert unit.pcc is not None
    assert abs(unit.pcc) < 0.3
    assert (unit.lag_frames, unit.lag_s) == (10, 0.4)
    assert unit.lag_pcc == pytest.approx(1.0)


def test_frames_that_a_source_leaves_out_do_not_shorten_a_lag() -> None:
    original, swapped = table(AU12=SPEECH[20:220]), table(AU12=SPEECH[14:214])
    listed = original[original["frame"] % 2 == 0]
    scores = score_attributes("s", BLENDSHAPE_SCALE, LENGTH, listed, swapped)
    assert (scores.frames, scores.seen_original, scores.paired) == (200, 100, 100)
    assert scores.units[0].lag_frames == 6


def test_a_frozen_unit_has_no_lag_and_the_lag_is_sought_no_further_than_a_second() -> None:
    (frozen,) = score_attributes(
        "s", BLENDSHAPE_SCALE, LENGTH, table(AU12=WAVE), table(AU12=np.full(200, 0.3))
    ).units
    assert (frozen.lag_frames, frozen.lag_pcc) == (None, None)
    assert frozen.slope == pytest.approx(0, abs=1e-12)
    slow = Length(frames=200, fps=5.0)
    (unit,) = score_attributes(
        "s", BLENDSHAPE_SCALE, slow, table(AU12=SPEECH[20:220]), table(AU12=SPEECH[10:210])
    ).units
    assert unit.lag_frames is not None
    assert abs(unit.lag_frames) <= 5


def test_the_noise_floor_stands_beside_each_unit_and_its_mean_is_over_the_same_units() -> None:
    tremble = 0.02 * np.random.default_rng(3).normal(size=200)
    original = table(AU01=WAVE, AU06=WAVE * 1e-5)
    scores = score_attributes("s", BLENDSHAPE_SCALE, LENGTH, original, original)
    floor = score_attributes(
        "s", BLENDSHAPE_SCALE, LENGTH, original, table(AU01=WAVE + tremble, AU06=WAVE)
    )
    both = with_floor(scores, floor)
    au01, au06 = both.units
    assert (au01.pcc, au01.floor_pcc) == (scores.units[0].pcc, floor.units[0].pcc)
    assert au01.floor_rmse == pytest.approx(np.sqrt(np.mean(tremble**2)))
    assert (au06.floor_pcc, au06.floor_rmse) == (None, None)
    assert both.floor_mean_rmse == au01.floor_rmse
    assert both.floor_mean_pcc == au01.floor_pcc


def test_a_series_half_a_period_late_is_late_and_not_without_a_lag() -> None:
    t = np.arange(200)
    noise = np.random.default_rng(3).normal(0, 0.015, (2, 200))
    x = 0.5 + 0.3 * np.sin(2 * np.pi * t / 20) + noise[0]
    y = 0.5 + 0.3 * np.sin(2 * np.pi * (t - 10) / 20) + noise[1]
    found = peak_lag(x, y, reach=15)
    assert found.frames in (-10, 10)
    assert found.pcc is not None
    assert found.pcc > 0.9


def test_a_unit_that_compression_alone_freezes_counts_as_0_in_the_floor_as_in_the_score() -> None:
    original = table(AU12=WAVE, AU25=WAVE)
    frozen = table(AU12=WAVE, AU25=np.full(200, 0.3))
    scores = score_attributes("s", BLENDSHAPE_SCALE, LENGTH, original, frozen)
    beside = with_floor(scores, scores)
    assert beside.floor_mean_pcc == beside.mean_pcc == pytest.approx(0.5)
