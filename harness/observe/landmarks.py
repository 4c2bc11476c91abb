"""Positions of the main face's features in every frame: a choice of MediaPipe's 478 points."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.model.observed import POINTS
from harness.observe.observer import Row
from harness.observe.tracking import TrackedFrame

OBSERVER = "mediapipe-landmarks"
MEASURE_VERSION = 1
"""Raised whenever the points would come out differently from the same MediaPipe version."""


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

    def see(self, seen: TrackedFrame) -> Iterator[Row]:
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
