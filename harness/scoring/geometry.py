"""Head pose, gaze and landmarks: how far the swapped face is from the original's, per frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.model.observed import positions
from harness.model.utility import Difference

Array = NDArray[np.float64]

DEGREES = "degrees"
RIG_WEIGHTS = "rig weights (0-1)"
INTEROCULAR = "interocular distances"
EYES = positions("right_iris")[0], positions("left_iris")[0]
"""The centres of the irises among the observed landmarks."""
LOOKS = tuple(
    f"eyeLook{way}{side}" for way in ("In", "Out", "Up", "Down") for side in ("Left", "Right")
)


def rotations(yaw_deg: Array, pitch_deg: Array, roll_deg: Array) -> Array:
    """Frames x 3 x 3, R = Ry(yaw) Rx(pitch) Rz(roll): the inverse of ``head_pose``."""
    (cy, sy), (cp, sp), (cr, sr) = (
        (np.cos(angle), np.sin(angle))
        for angle in (np.radians(yaw_deg), np.radians(pitch_deg), np.radians(roll_deg))
    )
    zero, one = np.zeros_like(cy), np.ones_like(cy)
    ry = _matrices((cy, zero, sy), (zero, one, zero), (-sy, zero, cy))
    rx = _matrices((one, zero, zero), (zero, cp, -sp), (zero, sp, cp))
    rz = _matrices((cr, -sr, zero), (sr, cr, zero), (zero, zero, one))
    product: Array = ry @ rx @ rz
    return product


def _matrices(*rows: tuple[Array, Array, Array]) -> Array:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def geodesic_deg(first: Array, second: Array) -> Array:
    """The angle of the one rotation that turns ``first`` into ``second`` (frames x 3 x 3), degrees.

    2 asin(||R1 - R2||_F / (2 sqrt 2)), equal to the arc cosine of (trace(R1' R2) - 1) / 2 and exact
    near 0, where that one is not.
    """
    gap = np.linalg.norm(first - second, axis=(-2, -1)) / (2 * np.sqrt(2))
    angle: Array = np.degrees(2 * np.arcsin(np.minimum(gap, 1.0)))
    return angle


def gaze(look: dict[str, Array]) -> Array:
    """Frames x 2: where the eyes turn in the head, to the person's left and up, in rig weights from
    -1 to 1, from the eight blendshapes of ``LOOKS`` by name. The mean of both eyes.
    """
    left = (
        look["eyeLookOutLeft"]
        - look["eyeLookInLeft"]
        + look["eyeLookInRight"]
        - look["eyeLookOutRight"]
    )
    up = (
        look["eyeLookUpLeft"]
        - look["eyeLookDownLeft"]
        + look["eyeLookUpRight"]
        - look["eyeLookDownRight"]
    )
    return np.stack([left / 2, up / 2], axis=-1)


def interocular(points: Array, eyes: tuple[int, int]) -> Array:
    """Per frame, the distance of the two of ``points`` (frames x points x 2) that are the eyes'
    centres; NaN where there is no face.
    """
    distance: Array = np.linalg.norm(points[:, eyes[0]] - points[:, eyes[1]], axis=-1)
    return np.where(distance > 0, distance, np.nan)


def landmark_error(original: Array, swapped: Array, eyes: tuple[int, int]) -> Array:
    """Normalised mean error per frame: the mean distance of corresponding points (frames x points x
    2, pixels) over the original's interocular distance.
    """
    distance = np.linalg.norm(original - swapped, axis=-1).mean(axis=-1)
    error: Array = distance / interocular(original, eyes)
    return error


def difference(values: Array, unit: str, why_none: str) -> Difference:
    """Summary of per-frame differences, NaN where a video has none; ``why_none`` says what it
    means when no frame has one.
    """
    seen = values[np.isfinite(values)]
    if not len(seen):
        return Difference(unit=unit, frames=0, reason=why_none)
    median, p95 = (float(x) for x in np.quantile(seen, (0.5, 0.95)))
    return Difference(unit=unit, frames=len(seen), mean=float(seen.mean()), median=median, p95=p95)
