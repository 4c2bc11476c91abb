"""Faces are turned upright by their own points, whatever their size and angle."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.vision.aligning import ARCFACE, aligned, five_points, similarity


def turned(degrees: float, scale: float, shift: tuple[float, float]) -> NDArray[np.float64]:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.hstack([turn * scale, np.array(shift)[:, None]])


def mesh_with(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A mesh of which only the five points mean something."""
    mesh = np.zeros((478, 2))
    places = ((33, 133), (362, 263), (1,), (61,), (291,))
    for indices, point in zip(places, points, strict=True):
        mesh[list(indices)] = point
    return mesh


@given(
    st.floats(-180, 180),
    st.floats(0.1, 10),
    st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_turned_scaled_and_shifted_face_is_brought_back(
    degrees: float, scale: float, shift: tuple[float, float]
) -> None:
    matrix = turned(degrees, scale, shift)
    moved = ARCFACE @ matrix[:, :2].T + matrix[:, 2]
    back = similarity(moved, ARCFACE)
    assert moved @ back[:, :2].T + back[:, 2] == pytest.approx(ARCFACE, abs=1e-6)


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    back = similarity(ARCFACE * [-1, 1], ARCFACE)
    assert np.linalg.det(back[:, :2]) > 0


@pytest.mark.parametrize(("size", "scale"), [(64, 0.5), (64, 4.0), (112, 1.0), (112, 3.3)])
def test_the_five_points_land_where_arcface_has_them(size: int, scale: float) -> None:
    matrix = turned(20, scale, (300, 120))
    points = ARCFACE @ matrix[:, :2].T + matrix[:, 2]
    mesh = mesh_with(points)
    assert five_points(mesh) == pytest.approx(points)
    for number, point in enumerate(points):
        picture = np.zeros((900, 900, 3), np.uint8)
        cv2.circle(
            picture, (round(point[0]), round(point[1])), max(2, int(4 * scale)), (255,) * 3, -1
        )
        face = aligned(picture, mesh, size)
        assert face.shape == (size, size, 3)
        found = np.argwhere(face[:, :, 0] > 100).mean(axis=0)[::-1]
        assert found == pytest.approx(ARCFACE[number] * size / 112, abs=1.2)


def test_a_fine_pattern_does_not_alias_when_a_large_face_becomes_small() -> None:
    picture = np.zeros((900, 900, 3), np.uint8)
    picture[:, ::2] = 255
    face = aligned(picture, mesh_with(ARCFACE * 6 + 60), 64)
    assert np.abs(face[8:-8, 8:-8].astype(int) - 128).max() < 20
