"""Effects that single tools must have on the picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.controls import BLACKBOX, NOOP, ORACLE, REENCODE
from adapters.landmark_swap import LANDMARK_SWAP
from adapters.naive import BLUR, MASK, PIXELATE
from containers.embedded.blackbox import hold
from containers.embedded.faces import FaceFinder
from containers.embedded.oracle import back_and_forth, fit
from harness.media.frames import read_frames
from harness.model.tool import Tool
from tests.containers.embedded.conftest import Ran, each, looks_at_runs_of

clips_needed = pytest.mark.clips


def _difference(first: Path, second: Path) -> float:
    pairs = zip(read_frames(first), read_frames(second), strict=True)
    return float(np.mean([np.abs(a.astype(int) - b.astype(int)).mean() for a, b in pairs]))


@clips_needed
@looks_at_runs_of(NOOP)
def test_noop_is_identical(ran: Ran, clips: Path) -> None:
    ended = ran(NOOP, "woman.mp4")
    assert ended.swapped.read_bytes() == (clips / "woman.mp4").read_bytes()


@clips_needed
def test_a_higher_crf_costs_more(driver: Any, clips: Path) -> None:
    low = driver.run(REENCODE, clips / "woman.mp4", {"crf": 10}).swapped
    high = driver.run(REENCODE, clips / "woman.mp4", {"crf": 40}).swapped
    original = clips / "woman.mp4"
    assert _difference(low, original) < _difference(high, original)


@clips_needed
@looks_at_runs_of(BLACKBOX)
def test_blackbox_leaves_nothing_for_either_detector(ran: Ran, face_landmarker: Path) -> None:
    import face_recognition

    ended = ran(BLACKBOX, "woman.mp4")
    with FaceFinder(str(face_landmarker), None) as finder:
        for frame in list(read_frames(ended.swapped))[::4]:
            assert face_recognition.face_locations(np.ascontiguousarray(frame[:, :, ::-1])) == []
            assert finder.find(frame) == []


@clips_needed
@looks_at_runs_of(ORACLE)
def test_oracle_shows_the_other_person(ran: Ran, clips: Path) -> None:
    ended = ran(ORACLE, "woman.mp4")
    shown = list(read_frames(ended.swapped))
    donor = [fit(frame, 640, 360) for frame in read_frames(clips / "man.mp4")]
    assert np.abs(shown[0].astype(int) - donor[0].astype(int)).mean() < 4
    assert np.abs(shown[-1].astype(int) - list(read_frames(clips / "woman.mp4"))[-1]).mean() > 20


def test_a_short_donor_runs_back_and_forth() -> None:
    assert [back_and_forth(i, 3) for i in range(7)] == [0, 1, 2, 1, 0, 1, 2]
    assert [back_and_forth(i, 1) for i in range(3)] == [0, 0, 0]


def test_the_blackbox_holds_over_gaps_from_both_ends_and_no_further() -> None:
    box = (0, 0, 1, 1)
    painted = hold([[], [], [], [box], [], [], []], 2)
    assert [bool(boxes) for boxes in painted] == [False, True, True, True, True, True, False]


@clips_needed
@each([BLUR, PIXELATE, MASK, LANDMARK_SWAP])
def test_the_face_changes_and_the_background_does_not(tool: Tool, ran: Ran, clips: Path) -> None:
    ended = ran(tool, "woman.mp4")
    before = np.stack(list(read_frames(clips / "woman.mp4"))).astype(int)
    change = np.abs(np.stack(list(read_frames(ended.swapped))).astype(int) - before)
    assert change[:, :, :150].mean() < 3
    assert (change.max(axis=3) > 15).mean() > 0.02


@clips_needed
def test_a_donor_photo_without_a_face_is_an_unusable_input(
    driver: Any, clips: Path, tmp_path: Path
) -> None:
    import cv2

    photo = tmp_path / "grey.png"
    cv2.imwrite(str(photo), np.full((200, 200, 3), 128, np.uint8))
    job = driver.job(LANDMARK_SWAP, clips / "empty.mp4").model_dump(mode="json")
    job["inputs"]["donor_reference"] = str(photo)
    ended = driver.run_json(LANDMARK_SWAP, json.dumps(job), Path(job["out"]))
    assert ended.code == 65
    assert "shows no face" in ended.errors


@clips_needed
def test_a_setting_out_of_bounds_is_a_bad_job(driver: Any, clips: Path) -> None:
    ended = driver.run(BLUR, clips / "empty.mp4", {"strength": 7.0})
    assert ended.code == 64
    assert "strength" in ended.errors
