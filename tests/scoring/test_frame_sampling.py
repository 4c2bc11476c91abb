"""Which frames are looked at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.scoring.frames import sample_frames


@given(st.integers(0, 3000), st.integers(1, 1200), st.integers(0, 2**32))
def test_a_sample_is_ascending_distinct_and_inside_the_video(total: int, n: int, seed: int) -> None:
    frames = sample_frames(total, n, seed)
    assert len(frames) == min(total, n)
    assert list(frames) == sorted(set(frames))
    assert all(0 <= frame < total for frame in frames)
    assert frames == sample_frames(total, n, seed)


def test_another_seed_gives_other_frames() -> None:
    assert sample_frames(5000, 100, 1) != sample_frames(5000, 100, 2)


def test_the_frames_of_a_seed_never_change() -> None:
    assert sample_frames(10_000, 4, 2020) == EXPECTED


EXPECTED = (393, 4682, 5143, 7211)
