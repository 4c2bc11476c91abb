"""dlib's HOG face detector: on whole frames, and where a face is expected for a tenth of the work.

``face_recognition`` doubles a frame and looks at it in levels, each 5/6 of the one before, for a
window of nine cells of eight pixels. A face is found in a level or two, on that level's grid of
cells. So the part of a level that shows a face, cut on the same grid, gives the same box and the
same score; nothing else of the picture has to be looked at.

Scores react to single grey levels where a face was blurred or painted over: such a part is the
same only when it is cut from dlib's own levels, each interpolated from the one before
(``exactly``). A part interpolated in one step (``near``) gives a score that is off by some tenths;
it settles what is clearly a face, and what is clearly none.
"""

from __future__ import annotations

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
CLEAR_SCORE = 0.5
"""Score of ``near`` from which on dlib finds the face in the whole frame too."""
HOPELESS_SCORE = -0.6
"""Score that ``near`` must reach for dlib to find a face there at all."""
_SHRINK = 1.2
_WINDOW_AT_MOST_PX = 79
_CELL_PX = 8
_GRID_PX = 48
"""A multiple of 8 whose 5/6 is one too: the grids of a level and of the next are both kept."""
_SIDE = 0.97
"""Side of dlib's box, as a share of the root of the area of the landmarks' box: 0.95 to 1.01 on
the sample's clips."""
_REACHES = ((0, 1.4), (2, 1.8))
"""Levels before the expected one, and the side of what is looked at in sides of the expected box.
The detector shrinks the part further, so levels after the first are looked at too."""
_SOFTNESS_PX2 = 0.38
"""Variance of the blur that dlib's repeated interpolation adds up to, in a level's pixels: each
step adds 1/6 and shrinks what was there by 25/36."""
_AROUND_PX = 48
_UNSEEN_PX = 20
"""Reach of the pixels that weigh in beyond a window's box: half a cell of its frame and two cells
around."""
_SMALLEST_PX = 80
_SMALLEST_LEVEL_PX = 64
THOROUGH_PX = 400_000
"""Largest picture that ``anywhere`` looks at: of a frame of 16:9, faces of 8.5 % of its width or
more are found."""


class Level(NamedTuple):
    """One level of the pyramid over the doubled frame."""

    number: int
    width: int
    height: int


class Found(NamedTuple):
    """A face, or what looks a little like one: dlib calls it a face when the score is above 0."""

    score: float
    face: Face


class Around(NamedTuple):
    """The faces that dlib finds around a place, the surest first."""

    found: list[Found]
    clear: bool
    """False when there may be more: of boxes that overlap, the detector gives the surest, and that
    was none of the whole frame's."""


class Pyramid:
    """dlib's own levels of a picture, pixel by pixel, each made when it is first asked for."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._levels: list[Any] = []

    def level(self, number: int) -> Any:
        """Height x width x 3, uint8."""
        import dlib

        while len(self._levels) <= number:
            size = _level(_size(self.picture), len(self._levels))
            last = self._levels[-1] if self._levels else self.picture
            self._levels.append(dlib.resize_image(last, size.height, size.width))
        return self._levels[number]


class Hog:
    """The detector; made by ``open_hog``."""

    def __init__(self, detector: Any) -> None:
        self._detector = detector

    def whole(self, picture: Picture, least: float = 0.0) -> list[Found]:
        """The faces that ``face_recognition`` finds, upsampling once, with a score above ``least``;
        the surest first.
        """
        boxes, scores, _ = self._detector.run(picture, 1, least)
        edges = ((b.top(), b.right(), b.bottom(), b.left()) for b in boxes)
        faces = (Found(s, _within(e, picture)) for e, s in zip(edges, scores, strict=True))
        return sorted(faces, reverse=True)

    def near(self, picture: Picture, box: Box) -> list[Found]:
        """The faces around ``box`` (a face's outermost landmarks) with a score above
        HOPELESS_SCORE, the surest first: in the two levels in which dlib would find a face of that
        size, or, when nothing is sure there, in those next to them too.
        """
        size = _size(picture)
        side = _SIDE * sqrt(max(1.0, (box[2] - box[0]) * (box[3] - box[1])))
        expected = min(floor(log(2 * side / WINDOW_PX, _SHRINK)), _last_level(size))
        faces: list[Found] = []
        for before, reach in _REACHES:
            level = _level(size, max(0, expected - before))
            faces += self._search(picture, level, _part(size, level, box, reach * side / 2))
            if any(face.score >= CLEAR_SCORE for face in faces):
                break
        return sorted(faces, reverse=True)

    def exactly(self, pyramid: Pyramid, face: Face) -> Around:
        """The faces that dlib finds in the whole frame around ``face``, of about its size, with its
        scores and boxes. Of a face that is found in several levels, the surest may be left out.
        """
        size = _size(pyramid.picture)
        top, right, bottom, left = face
        side = max(1, bottom - top, right - left)
        expected = round(log(2 * side / WINDOW_PX, _SHRINK))
        kept: list[Found] = []
        dropped = False
        for number in range(max(0, expected - 1), min(expected + 1, _last_level(size)) + 1):
            level = _level(size, number)
            reach = side / 2 + _AROUND_PX * (size[0] - 1) / (level.width - 1)
            part = _part(size, level, (left, top, right, bottom), reach, _CELL_PX)
            if not _is_worth_a_look(level, part):
                continue
            x, y = part[:2]
            cut = np.ascontiguousarray(pyramid.level(number)[y : part[3], x : part[2]])
            for box, score in zip(*self._detector.run(cut, 0, 0.0)[:2], strict=True):
                # The part's own further levels are not those of the frame.
                if box.width() < _WINDOW_AT_MOST_PX and _is_whole(box, level, part):
                    kept.append(Found(score, _face(box, level, (x, y), pyramid.picture)))
                else:
                    dropped = True
        return Around(sorted(kept, reverse=True), clear=bool(kept) or not dropped)

    def anywhere(self, picture: Picture, area_px: int) -> list[Found]:
        """The faces of a whole picture, looked at in a size of at most ``area_px``; the surest
        first. The larger the size, the smaller the faces that are found.
        """
        size = _size(picture)
        number = 0
        while (level := _level(size, number)).width * level.height > area_px:
            number += 1
        faces = self._search(picture, level, (0, 0, level.width, level.height))
        return [face for face in faces if face.score > 0]

    def _search(
        self, picture: Picture, level: Level, part: tuple[int, int, int, int]
    ) -> list[Found]:
        if not _is_worth_a_look(level, part):
            return []
        boxes, scores, _ = self._detector.run(_cut(picture, level, part), 0, HOPELESS_SCORE)
        faces = (_face(box, level, part[:2], picture) for box in boxes)
        return sorted(map(Found, scores, faces), reverse=True)


@lru_cache
def open_hog() -> Hog:
    """With dlib's frontal face detector, once per process. Raises UnfitMachineError."""
    return Hog(frontal_detector())


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


@lru_cache(maxsize=256)
def _level(size: tuple[int, int], number: int) -> Level:
    # dlib's doubling moves a corner by 1.25 and 0.75 pixels before it rounds.
    width, height = 2 * size[0] + 2, 2 * size[1] + 1
    for _ in range(number):
        width, height = 5 * width // 6, 5 * height // 6
    return Level(number, width, height)


@lru_cache(maxsize=256)
def _last_level(size: tuple[int, int]) -> int:
    """Up to which level dlib looks; the first it always does."""
    number, last = 0, min(2 * size[0] + 1, 2 * size[1])
    while (last := floor((last - 0.3) / _SHRINK + 0.5)) + 1 >= _SMALLEST_LEVEL_PX:
        number += 1
    return number


def _part(
    size: tuple[int, int], level: Level, box: Box, reach: float, grid_px: int = _GRID_PX
) -> tuple[int, int, int, int]:
    """The part to look at, up to ``reach`` from a box's middle: left, top, right, bottom in the
    level's pixels.
    """
    edges = []
    for low, high, frame, whole in (
        (box[0], box[2], size[0], level.width),
        (box[1], box[3], size[1], level.height),
    ):
        middle, scale = (low + high) / 2, (whole - 1) / max(1, frame - 1)
        first = floor((middle - reach) * scale / grid_px) * grid_px
        edges.append((max(0, first), min(whole, ceil((middle + reach) * scale))))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom


def _is_worth_a_look(level: Level, part: tuple[int, int, int, int]) -> bool:
    """True when a window fits in, but for what it may stick out of the level."""
    left, top, right, bottom = part
    return right - left >= min(_SMALLEST_PX, level.width) and bottom - top >= min(
        _SMALLEST_PX, level.height
    )


def _is_whole(box: Any, level: Level, part: tuple[int, int, int, int]) -> bool:
    """True when a window of a part has all its surroundings in it that the level has."""
    left, top, right, bottom = part
    return (
        (left == 0 or box.left() >= _UNSEEN_PX)
        and (top == 0 or box.top() >= _UNSEEN_PX)
        and (right == level.width or box.right() < right - left - _UNSEEN_PX)
        and (bottom == level.height or box.bottom() < bottom - top - _UNSEEN_PX)
    )


def _cut(picture: Picture, level: Level, part: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The part of a level, made from the picture's own pixels: averaged by a whole factor first, so
    that nothing aliases, then interpolated.
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
    # In colour: the detector takes each pixel's steepest channel.
    source = picture[y0:y1, x0:x1]
    if factor > 1:
        rows, columns = source.shape[0] // factor, source.shape[1] // factor
        source = cv2.resize(  # type: ignore[assignment]
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


def _face(box: Any, level: Level, offset: tuple[int, int], picture: Picture) -> Face:
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
    return _within((top, right, bottom, left), picture)


def _within(face: Face, picture: Picture) -> Face:
    top, right, bottom, left = face
    return max(top, 0), min(right, picture.shape[1]), min(bottom, picture.shape[0]), max(left, 0)


def _down(value: float, levels: int) -> int:
    for _ in range(levels):
        value = (value - 0.3) / _SHRINK
    return round(value)


def _to_frame(value: float, levels: int, half: float) -> int:
    for _ in range(levels):
        value = value * _SHRINK + 0.3
    return floor(value / 2 - half + 0.5)
