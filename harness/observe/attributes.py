"""MediaPipe's face landmarker over a whole video: blendshapes, mouth opening and head pose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from importlib.metadata import version
from itertools import count
from math import asin, atan2, degrees, hypot
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.observe.boxes import Box, main_face
from harness.observe.store import locked, observation_path, read_table, write_table
from harness.vision.landmarker import open_landmarker

if TYPE_CHECKING:
    import pandas as pd

    from harness.model.dataset import VideoInfo

OBSERVER = "mediapipe-blendshapes"
MEASURE_VERSION = 1
"""Raised whenever the rows would come out differently from the same MediaPipe version."""
MAX_FACES = 3
_INNER_LIPS = (13, 14)
_IRISES = (468, 473)
_EYE_CORNERS = ((33, 133), (362, 263))


_BOX = ("box_x0", "box_y0", "box_x1", "box_y1")
_POSE = ("yaw_deg", "pitch_deg", "roll_deg")


def _both(stem: str) -> tuple[str, str]:
    return f"{stem}Left", f"{stem}Right"


BLENDSHAPES: tuple[str, ...] = (
    "_neutral", *_both("browDown"), "browInnerUp", *_both("browOuterUp"), "cheekPuff",
    *_both("cheekSquint"), *_both("eyeBlink"), *_both("eyeLookDown"), *_both("eyeLookIn"),
    *_both("eyeLookOut"), *_both("eyeLookUp"), *_both("eyeSquint"), *_both("eyeWide"),
    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", *_both("mouthDimple"),
    *_both("mouthFrown"), "mouthFunnel", "mouthLeft", *_both("mouthLowerDown"),
    *_both("mouthPress"), "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", *_both("mouthSmile"), *_both("mouthStretch"),
    *_both("mouthUpperUp"), *_both("noseSneer"),
)  # fmt: skip
"""The 52 channels, in the model's order."""

Listen = Callable[[int, int], None]
"""Progress: frames done, frames in all (0 when unknown)."""
Watch = Callable[[NDArray[np.uint8]], None]
"""Sees each frame (height x width x 3, BGR)."""


def attributes_version() -> str:
    """``<mediapipe>-m<measure version>``, as in the observation's file name."""
    return f"{version('mediapipe')}-m{MEASURE_VERSION}"


def observe_attributes(
    media: Path,
    sha256: str,
    home: Path,
    listen: Listen | None = None,
    *,
    info: VideoInfo | None = None,
    watch: Watch | None = None,
) -> pd.DataFrame:
    """One row per frame of ``media``: frame, time_s, faces, box_x0, box_y0, box_x1, box_y1
    (pixels), the 52 blendshapes by name (0 to 1), inner_lip_gap (share of the
    interocular distance), yaw_deg, pitch_deg and roll_deg. Without a face,
    faces is 0 and the rest is NaN.

    With several faces the row shows the main one: the largest at first, then the one nearest to
    the last main face. Measured once per content and version; ``watch`` is shown every frame of
    that one pass, and none when the rows were stored before. ``info`` saves probing. Raises
    UnusableInputError for a video that cannot be read, StoreError when the store cannot be written.
    """
    path = observation_path(home, sha256, OBSERVER, attributes_version())
    with locked(path):
        table = read_table(path)
        if table is None:
            table = _table(_measure(media, info, home, listen, watch))
            write_table(path, table)
    return _frame(table)


def _frame(table: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _table(rows: Sequence[dict[str, float]]) -> Any:
    import pyarrow as pa

    names = ["frame", "time_s", "faces", *_BOX, *BLENDSHAPES, "inner_lip_gap", *_POSE]
    whole = {"frame", "faces"}
    return pa.table(
        {
            name: pa.array(
                [row.get(name, float("nan")) for row in rows],
                pa.int64() if name in whole else pa.float64(),
            )
            for name in names
        }
    )


def _measure(
    media: Path,
    info: VideoInfo | None,
    home: Path,
    listen: Listen | None,
    watch: Watch | None,
) -> list[dict[str, float]]:
    from harness.assets import face_landmarker_path
    from harness.media.frames import read_frames
    from harness.media.probe import probe

    info = info or probe(media)
    rate = Fraction(info.fps) or Fraction(25)
    rows: list[dict[str, float]] = []
    last: Box | None = None
    with open_landmarker(face_landmarker_path(home), faces=MAX_FACES, tracking=True) as landmarker:
        for index, picture in zip(count(), read_frames(media), strict=False):
            if watch is not None:
                watch(picture)
            result = landmarker.find(picture, int(index * 1000 / rate))
            height, width = picture.shape[:2]
            row, last = _row(result, width, height, last)
            rows.append({"frame": index, "time_s": float(index / rate), **row})
            if listen is not None:
                listen(index + 1, info.frames)
    return rows


def _row(
    result: Any, width: int, height: int, last: Box | None
) -> tuple[dict[str, float], Box | None]:
    """The row of one detection, and the box to look near in the next frame."""
    points = [
        np.array([(p.x * width, p.y * height) for p in face]) for face in result.face_landmarks
    ]
    boxes: list[Box] = [
        (float(p[:, 0].min()), float(p[:, 1].min()), float(p[:, 0].max()), float(p[:, 1].max()))
        for p in points
    ]
    chosen = main_face(boxes, last)
    if chosen is None:
        return {"faces": 0}, last
    shapes = {c.category_name: float(c.score) for c in result.face_blendshapes[chosen]}
    row = {
        "faces": len(boxes),
        **dict(zip(_BOX, boxes[chosen], strict=True)),
        **shapes,
        "inner_lip_gap": inner_lip_gap(points[chosen]),
        **dict(zip(_POSE, head_pose(result.facial_transformation_matrixes[chosen]), strict=True)),
    }
    return row, boxes[chosen]


def inner_lip_gap(points: NDArray[np.float64]) -> float:
    """Distance of the inner lips over the interocular distance (iris centres, or the means of the
    eye corners); ``points`` are the face mesh in pixels, 468 or 478 x 2.
    """
    if len(points) > max(_IRISES):
        left, right = points[_IRISES[0]], points[_IRISES[1]]
    else:
        left, right = (points[list(pair)].mean(axis=0) for pair in _EYE_CORNERS)
    eyes = hypot(*(left - right))
    lips = hypot(*(points[_INNER_LIPS[0]] - points[_INNER_LIPS[1]]))
    return lips / eyes if eyes > 0 else float("nan")


def head_pose(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of a 4 x 4 pose matrix, rotations applied in the order
    roll, pitch, yaw (R = Ry Rx Rz; x right, y up, z towards the camera).
    """
    yaw = atan2(matrix[0, 2], matrix[2, 2])
    pitch = asin(max(-1.0, min(1.0, -float(matrix[1, 2]))))
    roll = atan2(matrix[1, 0], matrix[1, 1])
    return degrees(yaw), degrees(pitch), degrees(roll)
