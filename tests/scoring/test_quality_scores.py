"""Steadiness, flicker, jitter, gaps and background of series whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from harness.model.quality import Steadiness, Warping
from harness.scoring.quality import (
    BEST_PSNR_DB,
    BLURRED_SHARPNESS,
    MINIMUM_STEPS,
    UNSTEADY_RATIO,
    background,
    detail_fair,
    fast_power,
    flicker,
    gaps,
    identity_jitter,
    landmark_jitter,
    psnr,
    verdict,
    warping,
)

FPS = 25.0
EYES = (0, 1)


def pairs(
    count: int = 20, warp: float = 4.0, sharp: float = 100.0, times: float = 1.0, keeps: float = 1.0
) -> pd.DataFrame:
    """Rows as ``observe_pair`` leaves them, NaN in every second frame."""
    here = np.where(np.arange(2 * count) % 2, 1.0, np.nan)
    return pd.DataFrame(
        {
            "warp_original": warp * here,
            "warp_swapped": warp * times * here,
            "sharpness_original": sharp * here,
            "sharpness_swapped": sharp * keeps * here,
        }
    )


def test_a_copy_is_as_steady_and_as_sharp() -> None:
    found, note = warping(pairs())
    assert found is not None
    assert (found.pairs, found.ratio, found.sharpness_ratio) == (20, 1, 1)
    assert (found.detail_fair_ratio, found.verdict, note) == (1, Steadiness.STEADY, "")


def test_blur_lowers_the_warping_error_and_wins_nothing_by_it() -> None:
    found, _ = warping(pairs(times=0.5, keeps=0.1))
    assert found is not None
    assert found.ratio == 0.5
    assert found.verdict is Steadiness.BLURRED
    assert found.detail_fair_ratio == pytest.approx(5)


def test_sharpening_earns_no_credit_and_a_face_without_detail_has_no_fair_ratio() -> None:
    assert detail_fair(1.2, 3.0) == 1.2
    assert detail_fair(0.5, 0.0) is None


@pytest.mark.parametrize(
    ("ratio", "sharpness", "expected"),
    [
        (UNSTEADY_RATIO + 0.01, 1.0, Steadiness.UNSTEADY),
        (UNSTEADY_RATIO + 0.01, 0.1, Steadiness.UNSTEADY),
        (UNSTEADY_RATIO, BLURRED_SHARPNESS, Steadiness.STEADY),
        (0.9, BLURRED_SHARPNESS - 0.01, Steadiness.BLURRED),
    ],
)
def test_the_verdict_needs_both_ratios(
    ratio: float, sharpness: float, expected: Steadiness
) -> None:
    assert verdict(ratio, sharpness) is expected


def test_a_warping_error_cannot_be_told_without_its_sharpness() -> None:
    with pytest.raises(ValidationError, match="sharpness_ratio"):
        Warping.model_validate(
            {"pairs": 1, "original": 1, "swapped": 1, "ratio": 0.5, "detail_fair_ratio": 1}
        )


def test_too_few_pairs_and_a_still_original_have_no_ratio_and_a_reason() -> None:
    found, note = warping(pairs(MINIMUM_STEPS - 1))
    assert found is None
    assert "Only 9 pairs" in note
    found, note = warping(pairs(warp=0.0))
    assert found is None
    assert "stands still" in note


def test_a_pulse_above_5_hz_is_measured_by_its_effective_value_and_a_slow_one_is_not() -> None:
    time = np.arange(200) / FPS
    original = 100 + 5 * np.sin(2 * np.pi * 0.4 * time)
    fast = original + 3 * np.sin(2 * np.pi * 8 * time)
    slow = original + 3 * np.sin(2 * np.pi * 1 * time) + 20
    found = flicker(original, fast, FPS)
    assert found.added == pytest.approx(3 / np.sqrt(2), rel=0.01)
    assert found.original == pytest.approx(0, abs=0.01)
    assert flicker(original, slow, FPS).added == pytest.approx(0, abs=0.02)
    assert flicker(original, original, FPS).added == 0
    assert flicker(fast, original, FPS).original == pytest.approx(found.added, rel=0.02)


def test_white_noise_has_the_share_of_its_power_that_lies_above_5_hz() -> None:
    noise = np.random.default_rng(3).normal(0, 2, 5000)
    share = (FPS / 2 - 5) / (FPS / 2)
    assert fast_power(noise, FPS, 5) == pytest.approx(4 * share, rel=0.05)
    assert fast_power(noise, FPS, -1) == pytest.approx(4, rel=0.05)
    assert fast_power(noise[:-1], FPS, -1) == pytest.approx(4, rel=0.05)


def test_light_that_fades_all_along_a_short_clip_is_no_flicker() -> None:
    fading = np.linspace(0, 60, 20)
    assert fast_power(fading, FPS, 5) == pytest.approx(0, abs=1e-12)


def test_flicker_is_taken_of_stretches_with_a_face_and_says_why_it_is_missing() -> None:
    time = np.arange(100) / FPS
    original = np.full(100, 50.0)
    swapped = original + 3 * np.sin(2 * np.pi * 8 * time)
    original[40:45] = np.nan
    original[47:50] = np.nan
    found = flicker(original, swapped, FPS)
    assert found.frames == 90
    assert found.added == pytest.approx(3 / np.sqrt(2), rel=0.02)
    assert "10 frames a second" in flicker(original, swapped, 10.0).reason
    assert "no stretch" in flicker(original[38:52], swapped[38:52], FPS).reason


def test_gaps_are_where_only_the_swapped_video_has_no_face() -> None:
    original = np.ones(50, bool)
    swapped = original.copy()
    original[:5] = swapped[:5] = False
    swapped[10:13] = swapped[40:50] = False
    found = gaps(original, swapped, FPS)
    assert (found.frames, found.count, found.longest_frames, found.longest_s) == (13, 2, 10, 0.4)
    assert gaps(original, original, FPS).longest_frames == 0


def test_psnr_is_that_of_the_mean_error_and_ends_at_100_db() -> None:
    assert psnr(255**2 / 1000) == pytest.approx(30)
    assert psnr(0) == psnr(1e-9) == BEST_PSNR_DB
    rows = pd.DataFrame({"background_ssim": [1.0, 0.9, np.nan], "background_mse": [0, 2, np.nan]})
    found = background(rows)
    assert found.frames == 2
    assert found.ssim == pytest.approx(0.95)
    assert found.psnr_db == pytest.approx(10 * np.log10(255**2))
    none = background(rows.iloc[2:])
    assert (none.frames, none.ssim) == (0, None)
    assert "no background" in none.reason


def walk(frames: int, step: float) -> dict[int, NDArray[np.float64]]:
    """Embeddings that move by ``step`` from each frame to the next."""
    return {frame: np.array([step * (frame % 2), 0.5]) for frame in range(frames)}


def test_identity_jitter_is_the_mean_step_of_pairs_that_both_videos_have() -> None:
    original, swapped = walk(40, 0.1), walk(40, 0.25)
    assert identity_jitter(original, original).ratio == 1
    del swapped[20]
    found = identity_jitter(original, swapped)
    assert found.steps == 37
    assert found.original == pytest.approx(0.1)
    assert found.swapped == pytest.approx(0.25)
    assert found.ratio == pytest.approx(2.5)


def test_sampled_frames_give_few_pairs_and_then_no_ratio() -> None:
    original = {frame: vector for frame, vector in walk(60, 0.1).items() if frame % 6 < 2}
    found = identity_jitter(original, original)
    assert (found.steps, found.ratio) == (10, 1)
    del original[0]
    found = identity_jitter(original, original)
    assert (found.steps, found.ratio) == (9, None)
    assert "too few: 9 pairs" in found.reason


def test_an_original_that_never_moves_has_no_ratio() -> None:
    found = identity_jitter(walk(40, 0.0), walk(40, 0.1))
    assert found.original == 0
    assert found.swapped == pytest.approx(0.1)
    assert found.ratio is None
    assert "does not move" in found.reason


def face(frames: int, tremble: float) -> NDArray[np.float64]:
    """Ten points that glide, eyes 50 pixels apart, and jump by ``tremble`` to and fro."""
    still = np.random.default_rng(4).uniform(0, 100, (10, 2))
    still[list(EYES)] = (10, 10), (40, 50)
    time = np.arange(frames)[:, None, None]
    points: NDArray[np.float64] = (
        still + 3.0 * time + tremble * np.where(time % 2, 1.0, 0.0) * np.array([1.0, 0.0])
    )
    return points


def test_landmark_jitter_ignores_a_glide_and_counts_trembling() -> None:
    found = landmark_jitter(face(30, 1.0), face(30, 2.5), EYES)
    assert found.steps == 28
    # Second differences of 0, a, 0, a are 2 a.
    assert found.original == pytest.approx(2 * 1.0 / 50)
    assert found.ratio == pytest.approx(2.5)
    assert landmark_jitter(face(30, 0.0), face(30, 1.0), EYES).ratio is None


def test_a_lost_face_costs_the_triples_it_is_in() -> None:
    lost = face(30, 1.0)
    lost[10] = np.nan
    assert landmark_jitter(face(30, 1.0), lost, EYES).steps == 25
    short = landmark_jitter(face(2, 1.0), face(2, 1.0), EYES)
    assert (short.steps, short.ratio) == (0, None)
