"""Angles, gaze and landmarks against synthetic poses and points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from harness.observe.face_mesh import head_pose
from harness.scoring.geometry import (
    DEGREES,
    LOOKS,
    difference,
    gaze,
    geodesic_deg,
    interocular,
    landmark_error,
    rotations,
)

_ANGLE = st.floats(-80, 80)
_POSE = st.tuples(_ANGLE, _ANGLE, _ANGLE)


def pose(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    return rotations(*(np.array([angle], dtype=float) for angle in (yaw, pitch, roll)))


@given(_POSE)
def test_rotations_are_what_the_observed_angles_came_from(
    angles: tuple[float, float, float],
) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = pose(*angles)[0]
    assert head_pose(matrix) == pytest.approx(angles, abs=1e-9)


@given(_POSE, _POSE)
def test_the_angle_between_two_poses_is_the_one_scipy_finds(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> None:
    yxz = [Rotation.from_euler("YXZ", angles, degrees=True) for angles in (first, second)]
    expected = np.degrees((yxz[0].inv() * yxz[1]).magnitude())
    assert geodesic_deg(pose(*first), pose(*second))[0] == pytest.approx(expected, abs=1e-6)


def test_turns_about_one_axis_add_up_and_the_same_pose_is_exactly_zero() -> None:
    assert geodesic_deg(pose(30, 5, 2), pose(30, 5, 2))[0] == 0
    assert geodesic_deg(pose(30, 0, 0), pose(-15, 0, 0))[0] == pytest.approx(45)
    assert geodesic_deg(pose(0, 0, 0), pose(0, 0, 1e-7))[0] == pytest.approx(1e-7, rel=1e-3)


def test_a_mirrored_head_is_off_by_twice_its_yaw() -> None:
    assert geodesic_deg(pose(20, 0, 0), pose(-20, 0, 0))[0] == pytest.approx(40)


def test_eyes_that_turn_together_are_seen_and_crossed_eyes_cancel() -> None:
    rest = {name: np.zeros(3) for name in LOOKS}
    left = rest | {"eyeLookOutLeft": np.full(3, 0.4), "eyeLookInRight": np.full(3, 0.6)}
    assert gaze(left) == pytest.approx(np.tile([0.5, 0.0], (3, 1)))
    down = rest | {"eyeLookDownLeft": np.full(3, 0.2), "eyeLookDownRight": np.full(3, 0.4)}
    assert gaze(down) == pytest.approx(np.tile([0.0, -0.3], (3, 1)))
    crossed = rest | {"eyeLookInLeft": np.full(3, 0.5), "eyeLookInRight": np.full(3, 0.5)}
    assert gaze(crossed) == pytest.approx(np.zeros((3, 2)))


EYES = (3, 7)


def mesh(frames: int) -> NDArray[np.float64]:
    """A cloud of points whose eyes are 100 pixels apart."""
    cloud = np.random.default_rng(2).uniform(0, 300, (frames, 20, 2))
    cloud[:, EYES[0]], cloud[:, EYES[1]] = (100.0, 100.0), (160.0, 180.0)
    return cloud


def test_a_face_moved_by_ten_pixels_is_a_tenth_of_its_eyes_distance_off() -> None:
    still = mesh(4)
    assert interocular(still, EYES) == pytest.approx(np.full(4, 100.0))
    moved = still + np.array([6.0, 8.0])
    assert landmark_error(still, moved, EYES) == pytest.approx(np.full(4, 0.1))
    assert landmark_error(still, still, EYES).tolist() == [0.0] * 4
    # One of twenty points, off by as much as the eyes are apart.
    moved = still.copy()
    moved[:, 0, 0] += 100
    assert landmark_error(still, moved, EYES) == pytest.approx(np.full(4, 1 / 20))


def test_frames_without_a_face_are_left_out_and_counted() -> None:
    still = mesh(4)
    moved = still + np.array([6.0, 8.0])
    moved[1] = np.nan
    found = difference(landmark_error(still, moved, EYES), "x", "none")
    assert (found.frames, found.reason) == (3, "")
    assert found.mean == pytest.approx(0.1)
    still[:] = np.nan
    found = difference(landmark_error(still, moved, EYES), "x", "no face")
    assert (found.frames, found.mean, found.reason) == (0, None, "no face")


def test_mean_median_and_95th_percentile_are_of_the_frames() -> None:
    found = difference(np.array([0.0, 1.0, 2.0, 97.0, np.nan]), DEGREES, "")
    assert (found.mean, found.median) == (25.0, 1.5)
    assert found.p95 == pytest.approx(np.quantile([0, 1, 2, 97], 0.95))
