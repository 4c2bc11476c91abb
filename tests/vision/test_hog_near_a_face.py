"""The detector on a part of the frame gives what it gives on the whole one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.media.frames import read_frames
from harness.vision.hog import CLEAR_SCORE, THOROUGH_PX, Box, Face, Picture, Pyramid, open_hog

pytestmark = pytest.mark.clips

Change = Callable[[Picture], NDArray[np.generic]]


def picture_at(clip: Path, number: int, change: Change) -> Picture:
    """A frame of a clip, RGB, changed."""
    frame = next(islice(read_frames(clip), number, None))
    changed: Picture = np.ascontiguousarray(np.asarray(change(frame))[:, :, ::-1], dtype=np.uint8)
    return changed


def landmark_box(face: Face) -> Box:
    """About where the landmarks of a face lie that dlib found."""
    top, right, bottom, left = face
    side = bottom - top
    return left + side * 0.02, top - side * 0.05, right - side * 0.02, bottom + side * 0.1


CHANGES: list[Change] = [
    lambda frame: frame,
    lambda frame: cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC),
    lambda frame: cv2.resize(frame, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA),
    lambda frame: cv2.GaussianBlur(frame, (0, 0), 5),
    lambda frame: frame[:, 150:],
]


@pytest.mark.parametrize("number", range(len(CHANGES)))
@pytest.mark.parametrize("clip", ["WolfgangLanger_Pexels.mp4", "single_face.mp4"])
def test_the_box_is_the_one_of_the_whole_frame(sample_dir: Path, clip: str, number: int) -> None:
    import face_recognition

    picture = picture_at(sample_dir / clip, 20, CHANGES[number])
    (expected,) = face_recognition.face_locations(picture)
    found = open_hog().near(picture, landmark_box(expected))
    side = expected[2] - expected[0]
    # A neighbouring cell or level at most: dlib's own boxes jump by as much from frame to frame.
    assert np.abs(np.subtract(found[0].face, expected)).max() <= 0.2 * side


def test_a_face_that_was_painted_over_or_blurred_away_is_not_found(sample_dir: Path) -> None:
    import face_recognition

    picture = picture_at(sample_dir / "WolfgangLanger_Pexels.mp4", 20, CHANGES[0])
    (face,) = face_recognition.face_locations(picture)
    top, right, bottom, left = face
    hog, box = open_hog(), landmark_box(face)
    black, blurred, coarse = picture.copy(), picture.copy(), picture.copy()
    place = np.s_[max(0, top - 60) : bottom + 60, max(0, left - 60) : right + 60]
    black[place] = 0
    blurred[place] = cv2.GaussianBlur(picture[place], (0, 0), 40)
    small = cv2.resize(picture[place], (6, 6), interpolation=cv2.INTER_AREA)
    size = picture[place].shape[1], picture[place].shape[0]
    coarse[place] = cv2.resize(small, size, interpolation=cv2.INTER_NEAREST)
    assert hog.near(picture, box)[0].score >= CLEAR_SCORE
    for hidden in (black, blurred, coarse):
        assert not face_recognition.face_locations(hidden)
        assert all(one.score <= 0 for one in hog.near(hidden, box))
        assert hog.exactly(Pyramid(hidden), face) == ([], True)
        assert hog.anywhere(hidden, THOROUGH_PX) == []


def test_a_face_is_found_anywhere_in_the_frame(sample_dir: Path) -> None:
    import face_recognition

    picture = picture_at(sample_dir / "WolfgangLanger_Pexels.mp4", 20, CHANGES[1])
    (expected,) = face_recognition.face_locations(picture)
    (found,) = open_hog().anywhere(picture, THOROUGH_PX)
    assert np.abs(np.subtract(found.face, expected)).max() <= 0.2 * (expected[2] - expected[0])


# The last: a face so large that it is found in the last level that dlib looks at.
CROPS: list[Change] = [
    *CHANGES,
    lambda frame: cv2.resize(frame[:, 180:420], (360, 540), interpolation=cv2.INTER_CUBIC)[40:-41],
]


@pytest.mark.parametrize("number", range(len(CROPS)))
def test_a_part_of_dlibs_own_levels_gives_the_very_score_of_the_whole_frame(
    sample_dir: Path, number: int
) -> None:
    import face_recognition

    picture, hog = picture_at(sample_dir / "single_face.mp4", 20, CROPS[number]), open_hog()
    (whole,) = hog.whole(picture)
    assert [whole.face] == face_recognition.face_locations(picture)
    # A level is given up for a neighbour that is less sure only where both see the face.
    around = hog.exactly(Pyramid(picture), whole.face)
    assert all(one.score <= whole.score for one in around.found)
    assert whole in around.found or around.found[0].score > 0.2 or not around.clear


@pytest.mark.parametrize("shape", [(1, 1, 3), (30, 30, 3), (2000, 60, 3)])
def test_odd_pictures_and_places_have_no_face(shape: tuple[int, int, int]) -> None:
    picture = np.full(shape, 90, np.uint8)
    for box in ((0.0, 0.0, 1.0, 1.0), (-500.0, -500.0, -400.0, -400.0), (0.0, 0.0, 9e3, 9e3)):
        assert open_hog().near(picture, box) == []
    assert open_hog().anywhere(picture, THOROUGH_PX) == []
    assert open_hog().exactly(Pyramid(picture), (0, 20, 20, 0)) == ([], True)
