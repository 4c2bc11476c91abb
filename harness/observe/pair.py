"""The pixels of two videos side by side: read once, in step, one frame of each in memory.

What comes out are plain numbers per frame; what they mean is scored elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UnusableInputError
from harness.model.observed import FACE_BOX
from harness.model.video import VideoRef
from harness.observe.face_mesh import expressions_version
from harness.observe.pair_pixels import (
    Box,
    Crop,
    background,
    crop_at,
    luminance,
    sharpness,
    warping,
)
from harness.observe.video import observe_attributes
from harness.store.observations import ObservationKey, ObservationStore
from harness.store.records import VerifiedFile

if TYPE_CHECKING:
    import pandas as pd

OBSERVER = "pair"
VERSION = "1"
WARPED_PAIRS = (50, 150)
"""Consecutive frames whose flow is taken: half of them all, but no fewer and no more than this."""
BACKGROUND_FRAMES = (10, 40)
"""Frames whose background is compared: an eighth of them all, but no fewer and no more."""

Frame = NDArray[np.uint8]
Listen = Callable[[int, int], None]

COLUMNS = (
    "luminance_original",
    "luminance_swapped",
    "sharpness_original",
    "sharpness_swapped",
    "warp_original",
    "warp_swapped",
    "warp_share",
    "background_ssim",
    "background_mse",
    "background_share",
)


Boxes = NDArray[np.float64]
"""Of a video's main face: frames x 4 (x0, y0, x1, y1 in pixels, NaN without a face)."""


def observe_pair(
    original: VideoRef, swapped: VideoRef, store: ObservationStore, listen: Listen | None = None
) -> pd.DataFrame:
    """One row per frame of two videos of the same size and length: ``frame`` and ``COLUMNS``, NaN
    where something was not measured.

    luminance: mean of the face, 0 to 255, in every frame in which the original has one. sharpness:
    variance of the Laplacian there; warp: mean squared colour error after the original's flow from
    the frame before, with warp_share of the face visible in both; both in an even subset
    (``WARPED_PAIRS``). background: further than half a face from both faces, in an even subset
    (``BACKGROUND_FRAMES``), with the share of the picture that this is.

    Kept alongside the swapped video's observations, for both contents and the version of the
    observer whose boxes say where the faces are. Raises UnusableInputError for videos of different
    lengths or sizes or that cannot be read, StoreError for the store.
    """
    version = f"{VERSION}-{expressions_version()}-{original.sha256[:16]}"
    key = ObservationKey(swapped.sha256, OBSERVER, version)
    with store.locked(key):
        table = store.read(key)
        if table is None:
            both = original, swapped
            contents = [VerifiedFile(video.path, video.sha256) for video in both]
            faces = [observe_attributes(video, store)[list(FACE_BOX)] for video in both]
            first, second = (boxes.to_numpy(float) for boxes in faces)
            table = _table(_measure((original.path, swapped.path), (first, second), listen))
            for content in contents:
                content.check()
            store.write(key, table)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _table(rows: list[dict[str, float]]) -> Any:
    import pyarrow as pa

    nothing = float("nan")
    columns = {
        name: pa.array([row.get(name, nothing) for row in rows], pa.float64()) for name in COLUMNS
    }
    return pa.table({"frame": pa.array(range(len(rows)), pa.int64()), **columns})


def spread(total: int, wanted: int, limits: tuple[int, int]) -> frozenset[int]:
    """``wanted`` of the frames 0 to ``total`` - 1, within ``limits``, evenly spread; all of them
    where there are no more.
    """
    least, most = limits
    count = min(total, most, max(least, wanted))
    return frozenset(int(frame) for frame in np.linspace(0, total - 1, count).round())


def _measure(
    paths: tuple[Path, Path], faces: tuple[Boxes, Boxes], listen: Listen | None
) -> list[dict[str, float]]:
    total = len(faces[0])
    # The first frame has none before it.
    warped = {frame + 1 for frame in spread(total - 1, total // 2, WARPED_PAIRS)}
    compared = spread(total, total // 8, BACKGROUND_FRAMES)
    rows: list[dict[str, float]] = []
    before: tuple[Frame, Frame] | None = None
    for frame, pictures in enumerate(_in_step(*paths)):
        here = tuple(_box(boxes, frame) for boxes in faces)
        row: dict[str, float] = {}
        face = here[0]
        if face is not None:
            row |= _named("luminance", *(luminance(picture, face) for picture in pictures))
            crop = crop_at(face, pictures[0].shape) if frame in warped else None
            if crop is not None and before is not None:
                row |= _detail(crop, pictures, before)
        if frame in compared:
            row |= background(*pictures, [box for box in here if box is not None])
        rows.append(row)
        before = pictures
        if listen is not None:
            listen(frame + 1, total)
    return rows


def _detail(
    crop: Crop, pictures: tuple[Frame, Frame], before: tuple[Frame, Frame]
) -> dict[str, float]:
    now, then = (tuple(crop.of(picture) for picture in pair) for pair in (pictures, before))
    row = _named("sharpness", *(sharpness(face) for face in now))
    errors, share = warping((then[0], now[0]), (then[1], now[1]))
    return row | _named("warp", *errors) | {"warp_share": share}


def _named(name: str, original: float, swapped: float) -> dict[str, float]:
    return {f"{name}_original": original, f"{name}_swapped": swapped}


def _box(boxes: Boxes, frame: int) -> Box | None:
    if frame >= len(boxes) or not np.isfinite(boxes[frame]).all():
        return None
    x0, y0, x1, y1 = (float(side) for side in boxes[frame])
    return x0, y0, x1, y1


def _in_step(first: Path, second: Path) -> Iterator[tuple[Frame, Frame]]:
    from harness.media.frames import read_frames

    streams = read_frames(first), read_frames(second)
    try:
        for picture, other in zip(*streams, strict=True):
            if picture.shape != other.shape:
                raise UnusableInputError(
                    f"{first} and {second} differ in size, so their pixels cannot be compared."
                )
            yield picture, other
    except ValueError as error:
        raise UnusableInputError(
            f"{first} and {second} differ in length, so their frames cannot be compared."
        ) from error
