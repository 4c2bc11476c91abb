"""dlib's HOG face detector where a face is expected: what the full frame would give, for less.

``face_recognition`` doubles a frame and looks at it in levels, each 5/6 of the one before, for a
window of nine cells of eight pixels. A face is found in a level or two, on that level's grid of
cells. So the part of a level that shows the expected face, cut on the same grid, gives the same
boxes; nothing else of the picture has to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import ceil, floor, log, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.vision.recognition import frontal_detector

Face = tuple[int, int, int, int]
"""top, right, bottom, left in pixels, within the picture, as ``face_recognition`` gives them."""
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""
Picture = NDArray[np.uint8]
"""Height x width x 3, RGB."""

WINDOW_PX = 72.2
"""Side of the box that the detector reports at the level in which it finds a face."""
_SHRINK = 1.2
_GRID_PX = 48
"""A multiple of 8 whose 5/6 is one too: the grids of a level and of the next are both kept."""
_SIDE = 0.97
"""Side of dlib's box, as a share of the root of the area of the landmarks' box: 0.95 to 1.01 on
the sample's clips."""
_REACH = 1.4
"""Side of what is looked at, in sides of the expected box."""
_SOFTNESS_PX2 = 0.38
"""Variance of the blur that dlib's repeated interpolation adds up to, in a level's pixels: each
step adds 1/6 and shrinks what was there by 25/36."""
_SMALLEST_PX = 80
QUICK_PX, THOROUGH_PX = 240_000, 400_000
"""How large the picture may be when the whole frame is looked at: of a frame of 16:9, faces of 11 %
of its width or more are found in the one, of 8.5 % in the other."""


class Level(NamedTuple):
    """One level of the pyramid over the doubled frame."""

    number: int
    width: int
    height: int


class Hog:
    """The detector; made by ``open_hog``."""

    def __init__(self, detector: Any) -> None:
        self._detector = detector

    def near(self, picture: Picture, box: Box) -> list[Face]:
        """The faces around ``box`` (a face's outermost landmarks) in the two levels in which dlib
        would find a face of that size, or else in those beside them; the surest first.
        """
        size = picture.shape[1], picture.shape[0]
        side = _SIDE * sqrt(max(1.0, (box[2] - box[0]) * (box[3] - box[1])))
        expected = floor(log(2 * side / WINDOW_PX, _SHRINK))
        for number in _starts(expected):
            level = _level(size, number)
            found = self._search(picture, level, _part(size, level, box, side))
            if found:
                return found
        return []

    def anywhere(self, picture: Picture, area_px: int) -> list[Face]:
        """The faces of a whole picture, looked at in a size of at most ``area_px``; the surest
        first. The larger the size, the smaller the faces that are found.
        """
        size = picture.shape[1], picture.shape[0]
        number = 0
        while (level := _level(size, number)).width * level.height > area_px:
            number += 1
        return self._search(picture, level, (0, 0, level.width, level.height))

    def _search(
        self, picture: Picture, level: Level, part: tuple[int, int, int, int]
    ) -> list[Face]:
        left, top, right, bottom = part
        if min(right - left, bottom - top) < _SMALLEST_PX:
            return []
        boxes, scores, _ = self._detector.run(_cut(picture, level, part), 0, 0.0)
        order = sorted(range(len(boxes)), key=lambda i: -scores[i])
        return [_face(boxes[i], level, (left, top), picture.shape) for i in order]


@lru_cache
def open_hog() -> Hog:
    """With dlib's frontal face detector, once per process. Raises UnfitMachineError."""
    return Hog(frontal_detector())


def _starts(expected: int) -> Iterator[int]:
    """The first of the levels to look at: the expected one, then two before it.

    The picture of a level is shrunk further by the detector, so the later ones are in it.
    """
    yield max(0, expected)
    if expected > 0:
        yield max(0, expected - 2)


@lru_cache(maxsize=256)
def _level(size: tuple[int, int], number: int) -> Level:
    width, height = (2 * side + 1 for side in size)
    for _ in range(number):
        width, height = 5 * width // 6, 5 * height // 6
    return Level(number, width, height)


def _part(size: tuple[int, int], level: Level, box: Box, side: float) -> tuple[int, int, int, int]:
    """What to look at around a box: left, top, right, bottom in the level's pixels."""
    reach = _REACH * side / 2
    edges = []
    for low, high, frame, whole in (
        (box[0], box[2], size[0], level.width),
        (box[1], box[3], size[1], level.height),
    ):
        middle, scale = (low + high) / 2, (whole - 1) / max(1, frame - 1)
        first = floor((middle - reach) * scale / _GRID_PX) * _GRID_PX
        edges.append((max(0, first), min(whole, ceil((middle + reach) * scale))))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom


def _cut(picture: Picture, level: Level, part: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The part of a level in grey, made from the picture's own pixels: averaged by a whole factor
    first, so that nothing aliases, then interpolated.
    """
    import cv2

    height, width = picture.shape[:2]
    left, top, right, bottom = part
    across, down = (level.width - 1) / max(1, width - 1), (level.height - 1) / max(1, height - 1)
    factor = max(1, int(1 / max(across, down)))
    x0, y0 = (
        max(0, int(first / scale) - 2 * factor) for first, scale in ((left, across), (top, down))
    )
    x1, y1 = int(right / across) + 3 * factor, int(bottom / down) + 3 * factor
    # In colour the detector takes each pixel's steepest channel, for three times the work; boxes
    # differ in a few frames of a hundred, by a cell.
    source = cv2.cvtColor(picture[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY)
    if factor > 1:
        rows, columns = source.shape[0] // factor, source.shape[1] // factor
        source = cv2.resize(
            source[: rows * factor, : columns * factor],
            (columns, rows),
            interpolation=cv2.INTER_AREA,
        )
    matrix = np.array(
        [
            [1 / (across * factor), 0, (left / across - x0 + 0.5) / factor - 0.5],
            [0, 1 / (down * factor), (top / down - y0 + 0.5) / factor - 0.5],
        ]
    )
    cut: Picture = cv2.warpAffine(
        source,
        matrix,
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # type: ignore[assignment]
    softness = _SOFTNESS_PX2 - (factor * max(across, down)) ** 2 / 4
    if softness > 0:
        cut = cv2.GaussianBlur(cut, (0, 0), sqrt(softness))  # type: ignore[assignment]
    return cut


def _face(box: Any, level: Level, offset: tuple[int, int], shape: tuple[int, ...]) -> Face:
    """A box of a part of a level in the picture's pixels, by dlib's own steps: up level by level,
    then from the doubled frame to the frame, then cut to it.

    The detector shrank the part itself and rounded the box on its way back up: that is undone.
    """
    deeper = max(0, round(log(max(1, box.width()) / WINDOW_PX, _SHRINK)))
    left, top, right, bottom = (
        _to_frame(_down(value, deeper) + shift / _SHRINK**deeper, level.number + deeper, half)
        for value, shift, half in (
            (box.left(), offset[0], 1.25),
            (box.top(), offset[1], 0.75),
            (box.right(), offset[0], 1.25),
            (box.bottom(), offset[1], 0.75),
        )
    )
    return max(top, 0), min(right, shape[1]), min(bottom, shape[0]), max(left, 0)


def _down(value: float, levels: int) -> int:
    for _ in range(levels):
        value = (value - 0.3) / _SHRINK
    return round(value)


def _to_frame(value: float, levels: int, half: float) -> int:
    for _ in range(levels):
        value = value * _SHRINK + 0.3
    return floor(value / 2 - half + 0.5)
