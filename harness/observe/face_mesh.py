"""MediaPipe's face landmarker over a whole video: expressions, head pose and landmarks."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from math import asin, atan2, degrees, hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.model.observed import BLENDSHAPES, EXPRESSIONS, FACE_BOX, HEAD_POSE, POINTS
from harness.observe.observer import Row
from harness.observe.tracking import TrackedFrame

EXPRESSIONS_VERSION = 1
"""Raised whenever the rows would come out differently from the same MediaPipe version."""
LANDMARKS = "mediapipe-landmarks"
LANDMARKS_VERSION = 1
"""Raised whenever the points would come out differently from the same MediaPipe version."""
_INNER_LIPS = (13, 14)
_IRISES = (468, 473)
_EYE_CORNERS = ((33, 133), (362, 263))


_NAMES = ("frame", "time_s", "faces", *FACE_BOX, *BLENDSHAPES, "inner_lip_gap", *HEAD_POSE)


def expressions_version() -> str:
    """``<mediapipe>-m<measure version>``, as in the observation's file name."""
    return f"{version('mediapipe')}-m{EXPRESSIONS_VERSION}"


class Expressions:
    """One row per frame: frame, time_s, faces, box_x0, box_y0, box_x1, box_y1 (pixels), the 52
    blendshapes by name (0 to 1), inner_lip_gap (share of the interocular distance), yaw_deg,
    pitch_deg and roll_deg of the main face. Without a face, faces is 0 and the rest is NaN.
    """

    name = EXPRESSIONS

    def __init__(self) -> None:
        self.version = expressions_version()

    def schema(self) -> Any:
        import pyarrow as pa

        whole = {"frame", "faces"}
        return pa.schema([(name, pa.int64() if name in whole else pa.float64()) for name in _NAMES])

    def see(self, seen: TrackedFrame) -> Iterator[Row]:
        row = dict.fromkeys(_NAMES, float("nan"))
        row |= {"frame": seen.frame, "time_s": seen.time_s, "faces": len(seen.boxes)}
        if seen.main is not None:
            row |= _main(seen, seen.main)
        yield row

    def rest(self) -> Iterator[Row]:
        yield from ()


def _main(seen: TrackedFrame, main: int) -> dict[str, float]:
    pose = head_pose(seen.result.facial_transformation_matrixes[main])
    return {
        **dict(zip(FACE_BOX, seen.boxes[main], strict=True)),
        **{c.category_name: float(c.score) for c in seen.result.face_blendshapes[main]},
        "inner_lip_gap": inner_lip_gap(seen.meshes[main]),
        **dict(zip(HEAD_POSE, pose, strict=True)),
    }


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


class Landmarks:
    """One row per frame: frame, points (x and y of each of POINTS in pixels, as float32 bytes;
    NaN without a face).
    """

    name = LANDMARKS

    def __init__(self) -> None:
        self.version = f"{version('mediapipe')}-m{LANDMARKS_VERSION}"

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
