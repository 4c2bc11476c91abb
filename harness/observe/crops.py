"""Small aligned pictures of the main face, for recognisers that learn on the benchmark's actors."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.observe.observer import Row
from harness.observe.tracking import TrackedFrame, is_sampled
from harness.vision.aligning import aligned

OBSERVER = "face-crops"
MEASURE_VERSION = 1
SIZE = 64


class FaceCrops:
    """A row for each of at most 200 frames, evenly spread: frame, pixels (SIZE x SIZE of grey as
    bytes; null without a face).

    Cut out wherever MediaPipe's tracker sees a face, under a blur too: who learns to see through
    one is not stopped by a detector that does not.
    """

    name = OBSERVER

    def __init__(self) -> None:
        self.version = f"{version('mediapipe')}-m{MEASURE_VERSION}"

    def schema(self) -> Any:
        import pyarrow as pa

        return pa.schema([("frame", pa.int64()), ("pixels", pa.binary())])

    def see(self, seen: TrackedFrame) -> Iterator[Row]:
        if is_sampled(seen):
            yield {"frame": seen.frame, "pixels": _pixels(seen)}

    def rest(self) -> Iterator[Row]:
        yield from ()


def _pixels(seen: TrackedFrame) -> bytes | None:
    import cv2

    if seen.main is None:
        return None
    face = aligned(seen.rgb, seen.meshes[seen.main], SIZE)
    grey = np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), np.uint8)
    return grey.tobytes()


def crops_of(table: Any) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Frames that have a face (n), and their pictures (n x SIZE x SIZE), of a stored table."""
    rows = [row for row in table.to_pylist() if row["pixels"] is not None]
    frames = np.array([row["frame"] for row in rows], np.int64)
    pixels = np.frombuffer(b"".join(row["pixels"] for row in rows), np.uint8)
    return frames, pixels.reshape(-1, SIZE, SIZE)
