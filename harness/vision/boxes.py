"""Choosing the main face among several, by plain geometry."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""


def box_of(face: tuple[int, int, int, int]) -> Box:
    """Of dlib's order: top, right, bottom, left."""
    top, right, bottom, left = face
    return (left, top, right, bottom)


def area(box: Box) -> float:
    """Square pixels; 0 for an empty box."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def iou(first: Box, second: Box) -> float:
    """Intersection over union, 0 to 1."""
    inner = (
        max(first[0], second[0]),
        max(first[1], second[1]),
        min(first[2], second[2]),
        min(first[3], second[3]),
    )
    shared = area(inner) if inner[0] < inner[2] and inner[1] < inner[3] else 0.0
    union = area(first) + area(second) - shared
    return shared / union if union > 0 else 0.0


def centre_distance(first: Box, second: Box) -> float:
    """Pixels between the centres."""
    return (
        hypot(
            first[0] + first[2] - second[0] - second[2], first[1] + first[3] - second[1] - second[3]
        )
        / 2
    )


def main_face(boxes: Sequence[Box], near: Box | None) -> int | None:
    """Index of the main face: the one that best overlaps ``near`` (then the nearest centre), or
    the largest when ``near`` is None. Ties go to the first; None without faces.
    """
    if not boxes:
        return None
    order = range(len(boxes))
    if near is None:
        return max(order, key=lambda i: (area(boxes[i]), -i))
    return max(order, key=lambda i: (iou(boxes[i], near), -centre_distance(boxes[i], near), -i))
