"""The fast path finds a face exactly where face_recognition does, above all where it was hidden."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from harness.media.frames import read_frames
from harness.observe.faces import FaceFinder
from harness.observe.identity import locate_faces
from harness.observe.tracking import TrackedFrame
from harness.vision.hog import Box, Face, Picture

pytestmark = pytest.mark.clips


@pytest.fixture(scope="module")
def square(sample_dir: Path) -> list[Picture]:
    """Eight frames of a man, 480 x 480."""
    frames = islice(read_frames(sample_dir / "single_face.mp4"), 0, 40, 5)
    return [
        np.asarray(
            cv2.resize(frame[:, 113:473, ::-1], (480, 480), interpolation=cv2.INTER_CUBIC), np.uint8
        )
        for frame in frames
    ]


def seen(number: int, picture: Picture, *boxes: Box) -> TrackedFrame:
    """A frame in which the landmark tracker sees faces in these places."""
    main = 0 if boxes else None
    return TrackedFrame(number, number / 25, picture, picture, (), boxes, main, None, 0)


def landmark_box(face: Face) -> Box:
    """About where the landmarks of a face lie that dlib found."""
    top, right, bottom, left = face
    side = bottom - top
    return left + side * 0.02, top - side * 0.05, right - side * 0.02, bottom + side * 0.1


def blurred(picture: Picture, sigma_px: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.uint8)


@pytest.mark.parametrize("sigma_px", [8.0, 9.0])
def test_a_blurred_face_is_found_in_the_frames_in_which_the_reference_finds_it(
    square: list[Picture], sigma_px: float
) -> None:
    finder, both = FaceFinder(), []
    for number, picture in enumerate(square):
        box = landmark_box(locate_faces(picture)[0])
        hidden = blurred(picture, sigma_px)
        faces, _ = finder.find(seen(number, hidden, box))
        both.append((bool(faces), bool(locate_faces(hidden))))
    assert any(found for found, _ in both)
    assert all(fast == reference for fast, reference in both)


def test_whoever_stands_beside_a_hidden_face_is_found_at_once_and_in_every_frame(
    square: list[Picture],
) -> None:
    finder, counts = FaceFinder(), []
    box: Box = (100.0, 100.0, 380.0, 420.0)
    for number, picture in enumerate(square):
        # Small, and nothing that the tracker sees; there from the third frame on.
        wide = np.zeros((480, 640, 3), np.uint8)
        if number >= 2:
            wide[300:420, 500:620] = cv2.resize(picture, (120, 120), interpolation=cv2.INTER_AREA)
        assert bool(locate_faces(wide)) == (number >= 2)
        counts.append(len(finder.find(seen(number, wide, *([] if number < 4 else [box])))[0]))
    assert counts == [0, 0, *[1] * (len(square) - 2)]


def test_a_face_that_is_shown_for_one_frame_is_found_without_the_tracker(
    square: list[Picture],
) -> None:
    finder = FaceFinder()
    black = [np.zeros_like(picture) for picture in square]
    shown = [*black[:5], square[5], *black[6:]]
    found = [bool(finder.find(seen(number, one))[0]) for number, one in enumerate(shown)]
    assert found == [number == 5 for number in range(len(shown))]
