"""Choice of the frames that are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.score import Comparison
from harness.scoring.sampling import sample_frames
from harness.store.score_files import ScoreStore

if TYPE_CHECKING:
    from tests.scoring.conftest import Bench


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


@pytest.mark.clips
def test_odd_videos_are_seen_at_the_original_s_frames_as_far_as_they_have_them(
    bench: Bench,
) -> None:
    frames = sample_frames(len(bench.source), bench.protocol.frames, bench.protocol.seed)
    doubled = [cv2.resize(frame, (320, 180)) for frame in bench.source]
    videos = {
        "small-and-fast": bench.write(doubled, "small.mp4", "30/1"),  # type: ignore[arg-type]
        "long": bench.write([*bench.source, *bench.source[-3:]], "long.mp4"),
        "short": bench.write(bench.source[: frames[2]], "short.mp4"),
    }
    scores = {name: bench.score(name, path) for name, path in videos.items()}
    for name, score in scores.items():
        table = pd.read_parquet(
            ScoreStore(bench.home).frames_path(bench.spec(name), bench.protocol.name)
        )
        assert tuple(table["frame"]) == frames
        own = score.identity.comparisons[Comparison.ORIGINAL_ORIGINAL]
        assert (own.asked, own.used) == (len(frames), len(frames))

    small = scores["small-and-fast"]
    assert small.alignment.aligned
    assert not small.alignment.same_size
    assert not small.alignment.same_rate
    assert small.attributes[0].paired == len(bench.source)
    assert "The size changed from 640x360 to 320x180." in small.alignment.reason
    assert "The frame rate changed from 24/1 to 30/1." in small.alignment.reason

    for name in ("long", "short"):
        assert not scores[name].alignment.aligned
        assert scores[name].attributes[0].units_used == 0
    swapped = scores["short"].identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    assert (swapped.asked, swapped.used, swapped.fta) == (2, 2, 0)
    table = pd.read_parquet(
        ScoreStore(bench.home).frames_path(bench.spec("short"), bench.protocol.name)
    )
    assert table["faces_swapped"].tolist() == [1, 1, -1, -1, -1]


EXPECTED = (393, 4682, 5143, 7211)
