"""Where the names beside points go, so that they cover neither each other nor a point."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.base import Frozen

WIDTHS_PX = (290, 640, 1080)
"""Of a plot on a phone, on paper and on a desk: a label should be free in all of them."""
CHARACTER_PX = 7.5
LINE_PX = 17
POINT_PX = 22
DOT_PX = 9
SHIFTS_PX = (0, -20, 20, -38, 38, -56, 56, -76, 76)
SIDE_PX = 18


class Label(Frozen):
    """A name and its point, in data coordinates."""

    text: str
    x: float
    y: float


class Offset(Frozen):
    """From the point to the near end of the text; negative is left or up."""

    right_px: int
    down_px: int


Box = tuple[float, float, float, float]
Spans = tuple[tuple[float, float], tuple[float, float]]
Point = tuple[float, float]


class _Plane:
    """A plot of one width, and what is on it already."""

    def __init__(self, width_px: int, height_px: int, spans: Spans) -> None:
        self.width_px, self.height_px, self.spans = width_px, height_px, spans
        self.taken: list[Box] = []

    def pixels(self, point: Point) -> Point:
        (left, right), (low, high) = self.spans
        x = (point[0] - left) / (right - left) * self.width_px
        return x, (high - point[1]) / (high - low) * self.height_px

    def mark(self, point: Point, size_px: float) -> None:
        x, y = self.pixels(point)
        half = size_px / 2
        self.taken.append((x - half, y - half, x + half, y + half))

    def box(self, label: Label, offset: Offset) -> Box:
        x, y = self.pixels((label.x, label.y))
        width = len(label.text) * CHARACTER_PX
        near = x + offset.right_px
        left = near if offset.right_px > 0 else near - width
        middle = y + offset.down_px
        return left, middle - LINE_PX / 2, left + width, middle + LINE_PX / 2

    def cost(self, box: Box) -> float:
        """Square pixels covered, and much for leaving the plot."""
        out = max(0.0, -box[0], box[2] - self.width_px, -box[1], box[3] - self.height_px)
        return 1000 * out + sum(_overlap(box, other) for other in self.taken)


def place_labels(
    labels: Sequence[Label], dots: Sequence[Point], spans: Spans, height_px: int
) -> list[Offset]:
    """An offset for each label: the first of right and left, then higher and lower, that covers
    neither a label, nor a labelled point, nor one of the ``dots``; else the one that covers least.
    ``spans`` are the ranges of both axes.
    """
    planes = [_Plane(width, height_px, spans) for width in WIDTHS_PX]
    for plane in planes:
        for label in labels:
            plane.mark((label.x, label.y), POINT_PX)
        for dot in dots:
            plane.mark(dot, DOT_PX)
    offsets = []
    for label in labels:
        offset = min(_candidates(), key=lambda o: _total_cost(planes, label, o))
        for plane in planes:
            plane.taken.append(plane.box(label, offset))
        offsets.append(offset)
    return offsets


def _candidates() -> list[Offset]:
    return [
        Offset(right_px=side, down_px=down) for down in SHIFTS_PX for side in (SIDE_PX, -SIDE_PX)
    ]


def _total_cost(planes: Sequence[_Plane], label: Label, offset: Offset) -> float:
    """Covered area over all widths; distance decides between equals."""
    covered = sum(plane.cost(plane.box(label, offset)) for plane in planes)
    return covered + abs(offset.down_px) / 100


def _overlap(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0
