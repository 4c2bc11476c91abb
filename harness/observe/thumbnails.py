"""Tiny luminance pictures of every frame, enough to tell whether two videos are in step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.observe.store import locked, observation_path, read_table, write_table

OBSERVER = "thumbnails"
VERSION = "1"
WIDTH, HEIGHT = 32, 18


def observe_thumbnails(media: Path, sha256: str, home: Path) -> NDArray[np.float32]:
    """Frames x HEIGHT x WIDTH of luminance (0 to 255, resolution 1/256), by area averaging.

    Measured once per content. Raises UnusableInputError or StoreError.
    """
    path = observation_path(home, sha256, OBSERVER, VERSION)
    with locked(path):
        table = read_table(path)
        if table is None:
            from harness.media.frames import read_frames

            table = _table([thumbnail(picture) for picture in read_frames(media)])
            write_table(path, table)
    stored = b"".join(table.column("luminance_x256").to_pylist())
    pixels = np.frombuffer(stored, dtype="<u2").reshape(-1, HEIGHT, WIDTH)
    return (pixels / 256.0).astype(np.float32)


def keep_thumbnails(rows: Sequence[NDArray[np.uint16]], sha256: str, home: Path) -> None:
    """Store the ``thumbnail`` of every frame, taken while something else read the video."""
    path = observation_path(home, sha256, OBSERVER, VERSION)
    with locked(path):
        write_table(path, _table(rows))


def thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """A frame (height x width x 3, BGR) as HEIGHT x WIDTH of luminance, in steps of 1/256."""
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    small = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    whole: NDArray[np.uint16] = np.rint(small * 256).astype("<u2")
    return whole


def _table(rows: Sequence[NDArray[np.uint16]]) -> Any:
    import pyarrow as pa

    return pa.table(
        {
            "frame": pa.array(range(len(rows)), pa.int64()),
            "luminance_x256": pa.array([row.tobytes() for row in rows], pa.binary()),
        }
    )
