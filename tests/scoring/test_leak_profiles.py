"""Leaks are found at the right frame, counted, and bounded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scoring.leaks import STRETCHES_KEPT, FrameDistances, distances_to, leak_profile

THRESHOLD = 0.6


def video(*distances: float | None, fps: float = 25.0) -> FrameDistances:
    """A video of which every frame was looked at."""
    count = len(distances)
    return FrameDistances(frames=tuple(range(count)), distances=distances, total=count, fps=fps)


@pytest.mark.parametrize("frame", [0, 137, 249])
def test_one_injected_leaked_frame_is_found_exactly_and_at_the_right_time(frame: int) -> None:
    distances: list[float | None] = [0.8] * 250
    distances[frame] = 0.4
    found = leak_profile(video(*distances), THRESHOLD)
    assert found.leaking == found.longest_run_frames == found.stretches_found == 1
    assert found.every_frame
    assert found.share_of_asked == pytest.approx(1 / 250)
    assert found.first_leak_s == pytest.approx(frame / 25)
    (stretch,) = found.stretches
    assert (stretch.first_frame, stretch.last_frame, stretch.minimum_l2) == (frame, frame, 0.4)
    assert stretch.duration_s == pytest.approx(1 / 25)


def test_a_video_without_leaks_has_no_first_one() -> None:
    found = leak_profile(video(0.7, 0.61, 0.9), THRESHOLD)
    assert (found.leaking, found.longest_run_s, found.first_leak_s) == (0, 0.0, None)
    assert found.p01_l2 == pytest.approx(np.quantile([0.7, 0.61, 0.9], 0.01))


def test_a_face_that_leaves_and_comes_back_ends_a_run_and_is_no_leak_meanwhile() -> None:
    found = leak_profile(video(0.6, 0.5, None, None, 0.4, 0.5, 0.5, 0.9), THRESHOLD)
    assert [(s.first_frame, s.last_frame) for s in found.stretches] == [(0, 1), (4, 6)]
    assert (found.asked, found.used, found.leaking, found.longest_run_frames) == (8, 6, 5, 3)
    assert found.share_of_used == pytest.approx(5 / 6)
    assert found.longest_run_s == pytest.approx(3 / 25)


def test_no_face_at_all_is_no_leak_and_no_percentile() -> None:
    found = leak_profile(video(None, None), THRESHOLD)
    assert (found.asked, found.used, found.leaking) == (2, 0, 0)
    assert found.share_of_asked == 0
    assert found.share_of_used is None
    assert found.p01_l2 is None


def test_of_a_sample_frames_are_those_looked_at_and_times_those_of_the_video() -> None:
    sample = FrameDistances(
        frames=(10, 40, 45, 90), distances=(0.9, 0.5, 0.5, 0.9), total=100, fps=10.0
    )
    found = leak_profile(sample, THRESHOLD)
    assert not found.every_frame
    assert (found.longest_run_frames, found.first_leak_s) == (2, 4.0)
    assert found.longest_run_s == pytest.approx(0.6)


def test_the_longest_stretches_are_kept_in_order_and_all_are_counted() -> None:
    single = [0.5, 0.9] * (STRETCHES_KEPT + 5)
    found = leak_profile(video(*single, 0.5, 0.5, 0.5), THRESHOLD)
    assert found.stretches_found == STRETCHES_KEPT + 6
    assert len(found.stretches) == STRETCHES_KEPT
    assert found.stretches[-1].frames == found.longest_run_frames == 3
    firsts = [stretch.first_frame for stretch in found.stretches]
    assert firsts == sorted(firsts)


@given(st.lists(st.none() | st.floats(0, 1.2), max_size=60))
def test_stretches_cover_exactly_the_leaking_frames(distances: list[float | None]) -> None:
    found = leak_profile(video(*distances), THRESHOLD)
    leaking = {i for i, d in enumerate(distances) if d is not None and d <= THRESHOLD}
    covered = [f for s in found.stretches for f in range(s.first_frame, s.last_frame + 1)]
    assert set(covered) == leaking
    assert len(covered) == found.leaking == len(leaking)


def test_distances_are_to_the_reference_in_order_of_frames() -> None:
    observed = pd.DataFrame(
        {"frame": [7, 3, 5], "embedding": [np.array([0.0, 3.0]), None, np.array([0.0, 1.0])]}
    )
    found = distances_to(observed, (0.0, 1.0), 9, 25.0)
    assert found.frames == (3, 5, 7)
    assert found.distances == (None, 0.0, 2.0)
