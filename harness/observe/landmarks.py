"""Positions of the main face's features in every frame: a choice of MediaPipe's 478 points."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.observe.observer import Row
from harness.observe.tracking import Seen

OBSERVER = "mediapipe-landmarks"
MEASURE_VERSION = 1
"""Raised whenever the points would come out differently from the same MediaPipe version."""

GROUPS: dict[str, tuple[int, ...]] = {
    "right_eye": (33, 160, 159, 158, 133, 153, 145, 144),
    "left_eye": (362, 385, 386, 387, 263, 373, 374, 380),
    "right_iris": (468, 469, 470, 471, 472),
    "left_iris": (473, 474, 475, 476, 477),
    "right_brow": (70, 63, 105, 66, 107),
    "left_brow": (336, 296, 334, 293, 300),
    "nose": (168, 6, 197, 195, 1, 2, 98, 327),
    "outer_lips": (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),
    "inner_lips": (78, 82, 13, 312, 308, 317, 14, 87),
    "outline": (10, 109, 54, 162, 234, 58, 172, 150, 152, 379, 397, 288, 454, 389, 284, 338),
}
"""Points of MediaPipe's face mesh by feature; right and left are the person's own. Eyes run from
one corner over the upper lid to the other corner and back over the lower lid; an iris is its centre
and four points on its rim; lips run from the right corner over the upper lip; the outline runs from
the forehead over the person's right cheek to the chin and back over the left."""
POINTS: tuple[int, ...] = tuple(index for group in GROUPS.values() for index in group)
"""All of them, in the order in which they are stored."""


def positions(group: str) -> list[int]:
    """Places of a group's points among POINTS."""
    return [POINTS.index(index) for index in GROUPS[group]]


class Landmarks:
    """One row per frame: frame, points (x and y of each of POINTS in pixels, as float32 bytes;
    NaN without a face).
    """

    name = OBSERVER

    def __init__(self) -> None:
        self.version = f"{version('mediapipe')}-m{MEASURE_VERSION}"

    def schema(self) -> Any:
        import pyarrow as pa

        width_bytes = len(POINTS) * 2 * 4
        return pa.schema([("frame", pa.int64()), ("points", pa.binary(width_bytes))])

    def see(self, seen: Seen) -> Iterator[Row]:
        if seen.main is None:
            points = np.full((len(POINTS), 2), np.nan, "<f4")
        else:
            points = seen.meshes[seen.main][list(POINTS)].astype("<f4")
        yield {"frame": seen.frame, "points": points.tobytes()}

    def rest(self) -> Iterator[Row]:
        yield from ()


def points_of(table: Any) -> NDArray[np.float32]:
    """Frames x points x 2 (x and y in pixels) of a stored table."""
    stored = b"".join(table.column("points").to_pylist())
    return np.frombuffer(stored, dtype="<f4").reshape(-1, len(POINTS), 2)
