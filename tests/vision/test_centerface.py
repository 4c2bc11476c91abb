"""The second detector: its arithmetic on synthetic maps, and real faces at the right places."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from harness.observe.second_detector import surest
from harness.vision.assets import centerface_path
from harness.vision.boxes import box_of, iou
from harness.vision.centerface import Found, decode, open_centerface


def test_a_face_is_read_from_the_maps_by_the_papers_formulas() -> None:
    heat = np.zeros((1, 1, 8, 10), np.float32)
    size, shift = np.zeros((1, 2, 8, 10), np.float32), np.zeros((1, 2, 8, 10), np.float32)
    heat[0, 0, 3, 5], heat[0, 0, 3, 6], heat[0, 0, 0, 0], heat[0, 0, 7, 9] = 0.9, 0.8, 0.3, 0.1
    size[0, :, 3, 5:7] = np.log([[5, 5], [4, 4]])
    shift[0, :, 3, 5] = 0.25, 0.5
    face, faint = decode((heat, size, shift), (2.0, 3.0))
    # Centre: (5 + 0.5 + 0.5) x 4 across and (3 + 0.25 + 0.5) x 4 down; 4 x 4 wide, 5 x 4 high.
    assert face.box == pytest.approx((16 * 2, 5 * 3, 32 * 2, 25 * 3))
    assert face.score == pytest.approx(0.9)
    assert faint.score == pytest.approx(0.3)


def test_the_surest_face_near_the_place_counts() -> None:
    here, there = Found((90, 90, 150, 150), 0.6), Found((500, 0, 560, 60), 0.9)
    place = (100.0, 100.0, 140.0, 140.0)
    assert surest([there, here], place) == here
    assert surest([there, here], None) == there
    assert surest([there], place) is None
    assert surest([], None) is None


@pytest.mark.clips
def test_real_faces_are_found_where_dlib_finds_them(sample_cache: Path, sample_dir: Path) -> None:
    import face_recognition

    detector = open_centerface(centerface_path(sample_cache))
    with Image.open(sample_dir / "multi_face.jpg") as photo:
        group = np.asarray(photo.convert("RGB"))
    expected = [box_of(face) for face in face_recognition.face_locations(group)]
    found = detector.find(group)
    sure = [one for one in found if one.score >= 0.5]
    assert len(sure) == 5
    for box in expected:
        assert max(iou(box, one.box) for one in sure) > 0.4
    # A blur that hides the persons leaves faces to this detector, a box does not.
    blurred = np.asarray(cv2.GaussianBlur(group, (0, 0), 6), np.uint8)
    assert any(one.score >= 0.5 for one in detector.find(blurred))
    assert detector.find(np.zeros_like(group)) == []
    assert detector.find(np.zeros((1, 1, 3), np.uint8)) == []
