"""Faces turned upright and scaled, by five points of MediaPipe's mesh."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Height x width x 3, RGB."""
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
