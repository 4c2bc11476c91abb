"""Faces turned upright and scaled, by five points of MediaPipe's mesh or by dlib's landmarks."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.vision.dlib_onnx import CHIP_PX
from harness.vision.hog import Face, Picture
from harness.vision.recognition import load_models

Points = NDArray[np.float64]

_FIVE = ((33, 133), (362, 263), (1,), (61,), (291,))
"""Each point is the mean of these of the mesh: right eye, left eye, tip of the nose, right and left
corner of the mouth (the person's own)."""
ARCFACE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Positions of the five points in ArcFace's training pictures, in pixels of 112 x 112."""
ARCFACE_PX = 112
_FINEST = 8
_PADDING = 0.25


def five_points(mesh: Points) -> Points:
    """5 x 2 from a mesh of 468 or 478 points."""
    return np.array([mesh[list(indices)].mean(axis=0) for indices in _FIVE])


def similarity(points: Points, targets: Points) -> NDArray[np.float64]:
    """The 2 x 3 matrix of the rotation, uniform scaling and shift that brings ``points`` nearest to
    ``targets`` in the sense of least squares; a mirror image is never made.

    With points as complex numbers it is a linear regression: target = a point + b.
    """
    source, target = (p[:, 0] + 1j * p[:, 1] for p in (points, targets))
    centred = source - source.mean()
    turn = (np.conj(centred) * (target - target.mean())).sum() / (np.abs(centred) ** 2).sum()
    shift = target.mean() - turn * source.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def aligned(picture: Picture, mesh: Points, size: int) -> Picture:
    """The face of a mesh as size x size x 3, laid out as ArcFace's training pictures are.

    A large face is drawn larger first and then averaged, so that nothing aliases.
    """
    import cv2

    matrix = similarity(five_points(mesh), ARCFACE * (size / ARCFACE_PX))
    finer = min(_FINEST, max(1, ceil(1 / max(1e-6, float(np.hypot(matrix[0, 0], matrix[1, 0]))))))
    # Pixel centres stay pixel centres.
    matrix = matrix * finer + np.array([[0, 0, (finer - 1) / 2], [0, 0, (finer - 1) / 2]])
    large = cv2.warpAffine(picture, matrix, (size * finer, size * finer))
    if finer > 1:
        large = cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(large, np.uint8)


class Aligner:
    """Cuts faces out as dlib's embedding network needs them; made by ``open_aligner``."""

    def __init__(self, predictor: Any) -> None:
        self._predictor = predictor

    def chip(self, picture: Picture, face: Face, size: int = CHIP_PX) -> NDArray[np.uint8]:
        """size x size x 3 (RGB), turned and scaled by dlib's five landmarks, as
        ``face_recognition.face_encodings`` does it by default.
        """
        import dlib

        top, right, bottom, left = face
        points = self._predictor(picture, dlib.rectangle(left, top, right, bottom))
        chip: NDArray[np.uint8] = dlib.get_face_chip(picture, points, size, _PADDING)
        return chip


@lru_cache
def open_aligner() -> Aligner:
    """An aligner with the five-point predictor of face_recognition_models, loaded once per process.
    Raises UnfitMachineError.
    """
    path = load_models().pose_predictor_five_point_model_location()
    import dlib

    return Aligner(dlib.shape_predictor(path))
