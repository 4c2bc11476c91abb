"""Small pictures of frames: luminance for the timing, aligned faces for those who learn on them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.model.observed import THUMBNAIL_HEIGHT as HEIGHT
from harness.model.observed import THUMBNAIL_WIDTH as WIDTH
from harness.observe.observer import Row
from harness.observe.tracking import TrackedFrame, is_sampled
from harness.vision.aligning import aligned

THUMBNAILS = "thumbnails"
THUMBNAILS_VERSION = "1"
FACE_CROPS = "face-crops"
FACE_CROPS_VERSION = 1
CROP_PX = 64


class Thumbnails:
    """One row per frame: frame, luminance_x256 (HEIGHT x WIDTH uint16 as bytes)."""

    name = THUMBNAILS
    version = THUMBNAILS_VERSION

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


class FaceCrops:
    """A row for each of at most 200 frames, evenly spread: frame, pixels (CROP_PX x CROP_PX of grey
    as bytes; null without a face).

    Cut out wherever MediaPipe's tracker sees a face, under a blur too: who learns to see through
    one is not stopped by a detector that does not.
    """

    name = FACE_CROPS

    def __init__(self) -> None:
        self.version = f"{version('mediapipe')}-m{FACE_CROPS_VERSION}"

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
    face = aligned(seen.rgb, seen.meshes[seen.main], CROP_PX)
    grey = np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), np.uint8)
    return grey.tobytes()


def crops_of(table: Any) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Frames that have a face (n), and their pictures (n x CROP_PX x CROP_PX), of a table."""
    rows = [row for row in table.to_pylist() if row["pixels"] is not None]
    frames = np.array([row["frame"] for row in rows], np.int64)
    pixels = np.frombuffer(b"".join(row["pixels"] for row in rows), np.uint8)
    return frames, pixels.reshape(-1, CROP_PX, CROP_PX)
