"""Controls that inject what a metric must find: a shift in time, flicker, a leak."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.controls import FLICKER, LEAK, TIME_SHIFT
from containers.common.bench_driver import InputUnusableError
from containers.embedded.leak import leaked
from harness.media.frames import read_frames
from harness.model.job import ExitCode

clips_needed = pytest.mark.clips


def _frames(path: Path) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.stack(list(read_frames(path))).astype(np.int64)


@clips_needed
@pytest.mark.parametrize(("shift_s", "late"), [(0.2, 5), (0.0, 0), (0.7, 5)])
def test_a_shifted_video_shows_the_same_frames_later(
    shift_s: float, late: int, driver: Any, clips: Path
) -> None:
    ended = driver.run(TIME_SHIFT, clips / "woman.mp4", {"shift_s": shift_s})
    assert ended.code == ExitCode.DONE, ended.errors
    before, after = _frames(clips / "woman.mp4"), _frames(ended.swapped)
    assert ended.report.notes == (f"Late by {late} frames.",)
    assert np.abs(after - np.roll(before, late, axis=0)).mean() < 2


@clips_needed
def test_flicker_is_in_the_face_up_and_down_by_its_strength(driver: Any, clips: Path) -> None:
    ended = driver.run(FLICKER, clips / "woman.mp4", {"strength": 10.0})
    change = _frames(ended.swapped) - _frames(clips / "woman.mp4")
    face = np.abs(change).mean(axis=(0, 3)) > 8
    levels = change[:, face].mean(axis=(1, 2))
    np.testing.assert_allclose(levels, [10.0 * (-1) ** frame for frame in range(12)], atol=1)
    assert 0.05 < face.mean() < 0.5
    assert np.abs(change[:, :, :150]).mean() < 2


@clips_needed
def test_only_the_leaked_frames_show_the_face(driver: Any, clips: Path) -> None:
    ended = driver.run(LEAK, clips / "woman.mp4", {"at_s": 0.16, "frames": 2})
    before, after = _frames(clips / "woman.mp4"), _frames(ended.swapped)
    untouched = [frame for frame in range(12) if np.abs(after[frame] - before[frame]).mean() < 2]
    assert untouched == [4, 5]
    assert ended.report.notes == ("Frames 4 to 5 leak.",)


def test_the_leak_begins_with_the_frame_that_is_shown_then() -> None:
    assert leaked(0.5, 1, Fraction(25), 100) == range(12, 13)
    assert leaked(1.0, 3, Fraction(30000, 1001), 33) == range(30, 33)
    with pytest.raises(InputUnusableError, match=r"Frames 30 to 32 .* has 32 frames"):
        leaked(1.0, 3, Fraction(30000, 1001), 32)
