"""Quality of real clips that were changed in a known way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from harness.media.frames import Encoding
from harness.media.probe import probe
from harness.model.quality import Quality, Steadiness
from harness.observe.pair import observe_pair
from harness.observe.video import observe_video
from harness.scoring.alignment import align_videos
from harness.scoring.observations import VideoObservations
from harness.scoring.quality import side_by_side, why_not_side_by_side
from tests.scoring.conftest import first_frames

if TYPE_CHECKING:
    import pandas as pd

    from tests.scoring.conftest import Bench, Frame, Frames

pytestmark = pytest.mark.clips

FPS = 24.0
NO_EMBEDDINGS = {"frame": range(0), "embedding": ()}


@pytest.fixture
def man(make_bench: Callable[[Frames], Bench], sample_dir: Path) -> Bench:
    """The first 48 frames of the man's clip."""
    return make_bench(first_frames(sample_dir / "single_face.mp4", 48))


def expressions(bench: Bench, path: Path) -> pd.DataFrame:
    return observe_video(bench.as_video(path), bench.observations).expressions


def judged(bench: Bench, changed: Frames | Path) -> Quality:
    """The quality of a video of these frames, as a score would have it."""
    import pandas as pd

    path = changed if isinstance(changed, Path) else bench.write(changed, "swapped.mp4", "24/1")
    videos = bench.as_video(bench.original_path), bench.as_video(path)
    none = pd.DataFrame(NO_EMBEDDINGS)
    original, swapped = (
        VideoObservations(probe(video.path), observe_video(video, bench.observations), none)
        for video in videos
    )
    alignment = align_videos(original, swapped)
    pixels = None
    if not why_not_side_by_side(original, swapped, alignment):
        pixels = observe_pair(*videos, bench.observations)
    return side_by_side(original, swapped, alignment, pixels, FPS)


def test_an_untouched_copy_is_perfect_in_every_part(bench: Bench) -> None:
    copy = bench.home / "copy.mp4"
    shutil.copyfile(bench.original_path, copy)
    found = bench.score("noop", copy).quality
    assert found is not None
    assert found.reason == ""
    assert found.warping is not None
    assert (found.warping.ratio, found.warping.sharpness_ratio) == (1, 1)
    assert found.warping.verdict is Steadiness.STEADY
    assert found.flicker is not None
    assert found.flicker.added == 0
    for jitter in (found.identity_jitter, found.landmark_jitter):
        assert jitter is not None
        assert jitter.ratio == 1
        assert jitter.steps > 20
    assert found.gaps is not None
    assert (found.gaps.frames, found.gaps.longest_s) == (0, 0)
    assert found.background is not None
    assert found.background.ssim == pytest.approx(1, abs=1e-6)
    assert found.background.psnr_db == 100


def face_of(bench: Bench) -> np.ndarray:
    """The boxes of the original's face, frame by frame."""
    names = [f"box_{corner}" for corner in ("x0", "y0", "x1", "y1")]
    return expressions(bench, bench.original_path)[names].to_numpy().round().astype(int)


def edited(bench: Bench, edit: Callable[[Frame, int], Frame]) -> Frames:
    """The original with the box of its face replaced by ``edit`` of it and the frame's number."""
    frames = [frame.copy() for frame in bench.source]
    for number, (x0, y0, x1, y1) in enumerate(face_of(bench)):
        frames[number][y0:y1, x0:x1] = edit(frames[number][y0:y1, x0:x1], number)
    return frames


def test_a_blurred_face_is_no_steadier_for_it(man: Bench) -> None:
    blurred = edited(man, lambda face, _: cv2.GaussianBlur(face, (0, 0), 6))  # type: ignore[arg-type, return-value]
    found = judged(man, blurred)
    assert found.warping is not None
    assert found.warping.ratio < 0.8
    assert found.warping.sharpness_ratio < 0.4
    assert found.warping.verdict is Steadiness.BLURRED
    assert found.warping.detail_fair_ratio is not None
    assert found.warping.detail_fair_ratio > 1.5
    assert found.background is not None
    assert found.background.ssim is not None
    assert found.background.ssim > 0.98


def test_a_flickering_face_is_seen_by_flicker_and_by_the_warping_error(man: Bench) -> None:
    jumps = np.random.default_rng(1).normal(0, 4, 48)
    lit = edited(man, lambda face, number: np.clip(face + jumps[number], 0, 255).astype(np.uint8))
    found = judged(man, lit)
    assert found.flicker is not None
    assert found.flicker.added is not None
    assert found.flicker.original is not None
    # Of white noise of sd 4, seven twelfths of the power lie between 5 and 12 Hz.
    assert found.flicker.added == pytest.approx(4 * np.sqrt(7 / 12), rel=0.3)
    assert found.flicker.original < 0.5
    assert found.warping is not None
    assert found.warping.ratio > 2
    assert found.warping.verdict is Steadiness.UNSTEADY


def test_a_mirrored_or_shifted_picture_is_exposed_by_its_background(man: Bench) -> None:
    mirrored = judged(man, [cv2.flip(frame, 1) for frame in man.source])  # type: ignore[misc]
    shifted = judged(man, [np.roll(frame, 6, axis=1) for frame in man.source])
    for found in (mirrored, shifted):
        assert found.background is not None
        assert found.background.ssim is not None
        assert found.background.ssim < 0.9


def test_a_face_that_is_lost_and_comes_back_leaves_gaps_and_no_wrong_numbers(man: Bench) -> None:
    lost = list(man.source)
    for span in (slice(10, 14), slice(30, 40)):
        lost[span] = [frame * 0 for frame in lost[span]]
    found = judged(man, lost)
    assert found.gaps is not None
    assert found.gaps.count == 2
    assert 10 <= found.gaps.longest_frames <= 12
    assert found.gaps.longest_s == found.gaps.longest_frames / FPS


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda frames: frames[:40], "40 frames"),
        (lambda frames: [cv2.resize(f, (320, 180)) for f in frames], "size changed"),
        (lambda frames: [frames[0]] * 3 + frames[:-3], "3 frames late"),
    ],
)
def test_videos_that_do_not_match_are_not_compared_and_the_reason_is_told(
    man: Bench,
    change: Callable[[Frames], Frames],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("pixels were read")

    monkeypatch.setattr("harness.observe.pair._measure", refuse)
    found = judged(man, change(man.source))
    assert reason in found.reason
    assert found.warping is None
    assert found.gaps is None


def test_a_pair_is_read_once_and_a_clip_of_twelve_frames_has_what_it_can_carry(
    make_bench: Callable[[Frames], Bench], sample_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(first_frames(sample_dir / "single_face.mp4", 12))
    path = bench.write(bench.source, "swapped.mp4", "24/1", Encoding(28, "veryfast"))
    found = judged(bench, path)
    assert found.warping is not None
    assert found.warping.pairs == 11
    assert found.background is not None
    assert found.identity_jitter is not None
    assert "too few: 0 pairs" in found.identity_jitter.reason

    def refuse(*_: object) -> None:
        raise AssertionError("pixels were read again")

    monkeypatch.setattr("harness.observe.pair._measure", refuse)
    assert judged(bench, path) == found


@pytest.mark.own_observations
def test_the_frames_of_two_videos_are_never_paired_wrongly(man: Bench) -> None:
    from harness.core.errors import UnusableInputError

    short = man.write(man.source[:20], "short.mp4")
    with pytest.raises(UnusableInputError, match="length"):
        observe_pair(man.video, man.as_video(short), man.observations)
    small = man.write([cv2.resize(f, (320, 180)) for f in man.source], "small.mp4")  # type: ignore[misc]
    with pytest.raises(UnusableInputError, match="size"):
        observe_pair(man.video, man.as_video(small), man.observations)
    assert not list((man.home / "observations").glob("*/pair@*"))
