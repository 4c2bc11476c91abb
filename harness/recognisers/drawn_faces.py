"""Two drawn faces, in the place of real ones, which no program may carry with it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.vision.aligning import ARCFACE, ARCFACE_PX


class _Look(NamedTuple):
    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    eye: tuple[int, int, int]
    width: int
    brow: int
    mouth: int


_LOOKS = (
    _Look((224, 186, 160), (60, 38, 26), (70, 110, 150), 37, 2, 3),
    _Look((140, 96, 72), (200, 190, 185), (40, 26, 20), 46, 4, 6),
)


def drawn_face(kind: int, size: int) -> NDArray[np.uint8]:
    """size x size x 3 (RGB): face 0 or 1, its eyes, nose and mouth where ArcFace has them."""
    import cv2

    look = _LOOKS[kind]
    picture = np.full((ARCFACE_PX, ARCFACE_PX, 3), (118, 124, 130), np.uint8)
    points = [(round(x), round(y)) for x, y in ARCFACE]
    middle = (56, 66)
    cv2.ellipse(picture, (56, 58), (look.width + 6, 58), 0, 0, 360, look.hair, -1)
    cv2.ellipse(picture, middle, (look.width, 50), 0, 0, 360, look.skin, -1)
    for x, y in points[:2]:
        cv2.ellipse(picture, (x, y), (7, 4), 0, 0, 360, (245, 245, 245), -1)
        cv2.circle(picture, (x, y), 3, look.eye, -1)
        cv2.line(picture, (x - 8, y - 9), (x + 8, y - 10), look.hair, look.brow)
    shade = tuple(int(0.7 * part) for part in look.skin)
    cv2.line(picture, (55, 56), points[2], shade, 3)
    cv2.ellipse(picture, points[2], (6, 3), 0, 0, 180, shade, -1)
    left, right = points[3:]
    cv2.line(picture, left, right, (160, 60, 60), look.mouth)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
    return np.asarray(cv2.resize(soft, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
