"""Tiny luminance pictures of every frame, enough to decide whether two videos are in step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.model.observed import THUMBNAIL_HEIGHT as HEIGHT
from harness.model.observed import THUMBNAIL_WIDTH as WIDTH
from harness.observe.observer import Row
from harness.observe.tracking import TrackedFrame

OBSERVER = "thumbnails"
VERSION = "1"


class Thumbnails:
    """One row per frame: frame, luminance_x256 (HEIGHT x WIDTH uint16 as bytes)."""

    name = OBSERVER
    version = VERSION

    def schema(self) -> Any:
        import pyarrow as pa

        return pa.schema([("frame", pa.int64()), ("luminance_x256", pa.binary())])

    def see(self, seen: TrackedFrame) -> Iterator[Row]:
        yield {"frame": seen.frame, "luminance_x256": thumbnail(seen.bgr).tobytes()}

    def rest(self) -> Iterator[Row]:
        yield from ()


def pictures_of(table: Any) -> NDArray[np.float32]:
    """Frames x HEIGHT x WIDTH of luminance (0 to 255, resolution 1/256) of a stored table."""
    stored = b"".join(table.column("luminance_x256").to_pylist())
    pixels = np.frombuffer(stored, dtype="<u2").reshape(-1, HEIGHT, WIDTH)
    return (pixels / 256.0).astype(np.float32)


def thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """A frame (height x width x 3, BGR) as HEIGHT x WIDTH of luminance, in steps of 1/256, by area
    averaging.
    """
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    small = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    whole: NDArray[np.uint16] = np.rint(small * 256).astype("<u2")
    return whole
