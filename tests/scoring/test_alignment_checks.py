"""Count, size, rate and lag, on pictures whose timing is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.model.video import VideoInfo
from harness.scoring.alignment import MAXIMUM_LAG, Thumbnails, align


def video(frames: int, width: int = 64, fps: str = "25/1") -> VideoInfo:
    return VideoInfo(
        frames=frames,
        width=width,
        height=36,
        fps=fps,
        duration_s=frames / 25,
        codec="h264",
        pixel_format="yuv420p",
        has_audio=False,
    )


def moving(frames: int, seed: int = 1) -> Thumbnails:
    steps = np.random.default_rng(seed).normal(size=(frames, 18, 32))
    return (128 + np.cumsum(steps, axis=0)).astype(np.float32)


BACKGROUND: NDArray[np.bool_] = np.ones((18, 32), dtype=bool)


def test_equal_videos_are_aligned() -> None:
    picture = moving(80)
    found = align(video(80), video(80), (picture, picture), BACKGROUND)
    assert found.aligned
    assert found.lag_frames == 0
    assert found.lag_correlation == pytest.approx(1.0)


@pytest.mark.parametrize("shift", [-7, -1, 1, 5])
def test_a_shifted_video_is_found_out(shift: int) -> None:
    long = moving(120)
    original, swapped = long[20:100], long[20 - shift : 100 - shift]
    found = align(video(80), video(80), (original, swapped), BACKGROUND)
    assert found.lag_frames == shift
    assert not found.aligned
    assert "cannot be paired" in found.reason


def test_a_still_video_is_paired_by_count() -> None:
    still = np.full((80, 18, 32), 90, np.float32)
    found = align(video(80), video(80), (still, still), BACKGROUND)
    assert found.lag_frames is None
    assert found.aligned


def test_another_scene_leaves_the_lag_undecided() -> None:
    found = align(video(80), video(80), (moving(80, 1), moving(80, 2)), BACKGROUND)
    assert found.lag_frames is None
    assert found.aligned


def test_another_frame_count_is_never_paired() -> None:
    picture = moving(80)
    found = align(video(80), video(78), (picture, picture[:78]), BACKGROUND)
    assert not found.aligned
    assert "78 frames" in found.reason


def test_another_size_and_rate_are_told_but_frames_still_pair() -> None:
    picture = moving(80)
    found = align(video(80), video(80, 128, "30/1"), (picture, picture), BACKGROUND)
    assert found.aligned
    assert not found.same_size
    assert not found.same_rate
    assert "128x36" in found.reason
    assert "30/1" in found.reason


def test_a_lag_beyond_the_reach_is_undecided_and_never_guessed() -> None:
    long = moving(400)
    original, swapped = long[100:300], long[100 - MAXIMUM_LAG - 5 : 300 - MAXIMUM_LAG - 5]
    found = align(video(200), video(200), (original, swapped), BACKGROUND)
    assert found.lag_frames is None
    assert "at no shift of up to 50 frames" in found.reason


def test_a_lost_frame_is_told_by_the_two_halves() -> None:
    picture = moving(120)
    slipped = np.concatenate([picture[:60], picture[61:], picture[-1:]])
    found = align(video(120), video(120), (picture, slipped), BACKGROUND)
    assert not found.aligned
    assert found.lag_halves == (0, -1)
    assert "the first half of the swapped video is in step, the second 1 frame early" in (
        found.reason
    )


def test_a_rate_that_a_coarse_clock_rounded_is_the_same_rate() -> None:
    picture = moving(80)
    found = align(
        video(80, 64, "24000/1001"), video(80, 64, "23976/1000"), (picture,) * 2, BACKGROUND
    )
    assert found.same_rate
    assert found.reason == "Same count, size, rate and timing."


def test_videos_of_one_frame_are_undecided() -> None:
    found = align(video(1), video(1), (moving(1), moving(1)), BACKGROUND)
    assert found.lag_frames is None
