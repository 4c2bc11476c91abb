"""Expressions, events, pose and gaze of real clips whose right answer is known."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from harness.media.frames import Encoding
from harness.model.identity import IdentityPath
from harness.model.measurement import MeasurementRequest
from harness.model.utility import Kept
from harness.observe.measure import measure
from harness.observe.reencoding import known_reencoding, reencoding
from harness.observe.video import observe_attributes, observe_video
from harness.scoring.action_units import action_units
from harness.scoring.attributes import BLENDSHAPE_SCALE, Length, score_attributes
from harness.scoring.geometry import EYES, interocular
from harness.scoring.utility import kept
from tests.scoring.conftest import first_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.scoring.conftest import Bench, Frames

pytestmark = pytest.mark.clips


@pytest.fixture
def man(make_bench: Callable[[Frames], Bench], sample_dir: Path) -> Bench:
    """The man's clip, in which he blinks once and opens his mouth once (72 frames)."""
    return make_bench(first_frames(sample_dir / "single_face.mp4", 72))


def untouched(bench: Bench) -> Path:
    copy = bench.home / "copy.mp4"
    shutil.copyfile(bench.original_path, copy)
    return copy


def compared(bench: Bench, swapped: Frames) -> Kept:
    """Of the original and a video of these frames."""
    path = bench.write(swapped, "swapped.mp4")
    videos = bench.video, bench.as_video(path)
    original, changed = (observe_video(video, bench.observations) for video in videos)
    return kept(original, changed, 24.0)


def rates(found: Kept) -> set[float | None]:
    return {
        value
        for events in (found.blinks, found.mouth_openings)
        for value in (events.precision, events.recall, events.f1)
    }


def test_an_untouched_copy_keeps_everything_and_its_floor_is_a_re_encoding(man: Bench) -> None:
    score = man.score("noop", untouched(man))
    assert score.utility is not None
    same, floor = score.utility.kept, score.utility.floor
    assert (same.detection_rate, same.faces_original) == (1, 72)
    assert (same.blinks.original, same.mouth_openings.original) == (1, 1)
    assert rates(same) == {1}
    assert same.landmarks is not None
    for found in (same.head_pose, same.gaze, same.landmarks):
        assert (found.mean, found.p95, found.frames) == (0, 0, 72)
    (units,) = score.attributes
    for unit in (unit for unit in units.units if unit.measurable):
        assert unit.slope == pytest.approx(1)
        assert (unit.rmse_neutral, unit.lag_frames) == (0, 0)
        assert unit.floor_pcc is not None
        assert unit.floor_rmse is not None
        assert unit.floor_rmse > 0
        assert unit.floor_pcc < 1
    assert units.floor_mean_pcc is not None
    assert units.floor_mean_pcc > 0.5
    assert floor is not None
    assert rates(floor) == {1}
    assert floor.head_pose.mean is not None
    assert 0 < floor.head_pose.mean < 2
    assert floor.gaze.mean is not None
    assert 0 < floor.gaze.mean < 0.1
    assert floor.landmarks is not None
    assert floor.landmarks.mean is not None
    assert 0 < floor.landmarks.mean < 0.05


def test_the_re_encoding_is_made_and_observed_once_and_is_what_the_control_makes(
    man: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = man.original.sha256
    assert known_reencoding(sha256, man.home) is None
    request = MeasurementRequest(
        label="a", video=man.video, identity=IdentityPath.FAST, reencode=True
    )
    measure(request, man.home)
    made = known_reencoding(sha256, man.home)
    assert made is not None
    assert made.info is not None
    assert made.info.frames == 72
    frames = first_frames(man.original_path, 72)
    control = man.write(frames, "control.mp4", made.info.fps, Encoding(28))
    assert man.media.path(made).read_bytes() == control.read_bytes()

    def refuse(*_: object) -> None:
        raise AssertionError("done twice")

    monkeypatch.setattr("harness.observe.video.track", refuse)
    monkeypatch.setattr("harness.observe.reencoding._make", refuse)
    measure(request, man.home)
    assert reencoding(man.video, man.home) == made


def test_a_mirrored_swap_is_seen_by_pose_and_gaze_and_keeps_the_blink(man: Bench) -> None:
    found = compared(man, [cv2.flip(frame, 1) for frame in man.source])  # type: ignore[misc]
    assert found.blinks.recall == 1
    assert found.head_pose.mean is not None
    assert found.head_pose.mean > 2
    assert found.gaze.mean is not None
    assert found.gaze.mean > 0.1


def test_a_picture_shifted_by_ten_pixels_is_off_by_ten_pixels_of_the_eyes_distance(
    man: Bench,
) -> None:
    found = compared(man, [np.roll(frame, 10, axis=1) for frame in man.source])
    points = observe_video(man.video, man.observations).landmarks
    eyes_px = interocular(points.astype(float), EYES).mean()
    assert found.landmarks is not None
    assert found.landmarks.median == pytest.approx(10 / eyes_px, rel=0.15)
    assert found.head_pose.mean is not None
    assert found.head_pose.mean < 3


def test_a_cropped_picture_is_off_by_where_it_puts_the_face(man: Bench) -> None:
    height, width = man.source[0].shape[:2]
    cropped = [
        cv2.resize(f[: height * 4 // 5, : width * 4 // 5], (width, height)) for f in man.source
    ]
    found = compared(man, cropped)  # type: ignore[arg-type]
    assert found.landmarks is not None
    assert found.landmarks.mean is not None
    assert found.landmarks.mean > 0.3


def test_a_swap_that_loses_the_face_in_the_blink_loses_the_blink_and_the_rate_says_so(
    man: Bench,
) -> None:
    lost = list(man.source)
    lost[22:32] = [frame * 0 for frame in lost[22:32]]
    found = compared(man, lost)
    assert found.detection_rate is not None
    assert 0.8 < found.detection_rate < 0.9
    assert found.blinks.recall == 0
    assert found.mouth_openings.original == 1


def test_a_late_video_pairs_nothing_and_every_part_says_why(man: Bench) -> None:
    late = man.write([man.source[0]] * 4 + man.source[:68], "late.mp4")
    score = man.score("late", late)
    assert score.utility is not None
    nothing = score.utility.kept
    assert score.alignment.lag_frames == 4
    assert nothing.detection_rate is None
    assert nothing.landmarks is not None
    for part in (nothing.blinks, nothing.head_pose, nothing.gaze, nothing.landmarks):
        assert "4 frames late" in part.reason
    assert score.utility.floor is not None


def test_units_of_a_late_video_correlate_worse_and_say_by_how_much_they_are_late(
    man: Bench,
) -> None:
    """The alignment keeps such units out of a score; these are what it keeps out."""
    rows = observe_attributes(man.video, man.observations)
    units = action_units(rows)
    late = units.iloc[:-6].assign(frame=units["frame"].iloc[6:].to_numpy())
    length = Length(frames=len(units), fps=24.0)
    scores = score_attributes("s", BLENDSHAPE_SCALE, length, units, late)
    blink = next(unit for unit in scores.units if unit.unit == "AU45")
    assert (blink.lag_frames, blink.lag_s) == (6, 0.25)
    assert blink.lag_pcc == pytest.approx(1)
    assert blink.pcc is not None
    assert blink.pcc < 0.3
