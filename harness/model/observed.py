"""Observations as those who compute with them see them: names, columns, sizes and thresholds.

Observers write by these, scores read by them; nothing here measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.base import Frozen

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

EXPRESSIONS = "mediapipe-blendshapes"
"""Observer of blendshapes, mouth opening and head pose, and a source of action units."""
SECOND_DETECTOR = "centerface"

FACE_BOX = ("box_x0", "box_y0", "box_x1", "box_y1")
"""Columns of the main face's box, in pixels."""
HEAD_POSE = ("yaw_deg", "pitch_deg", "roll_deg")
THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT = 32, 18
SURE_SCORE = 0.5
"""From here on a find of the second detector counts as a face."""
SAME_FACE_IOU = 0.3
"""From here on two boxes show the same face."""
REENCODING_CRF = 28
"""The quality of the control ``reencode``: its default video has the same bytes, and is observed
only once.
"""
REENCODING_NOTE = f"The original encoded again by x264 at CRF {REENCODING_CRF}."


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
    """Indices of a group's points among POINTS."""
    return [POINTS.index(index) for index in GROUPS[group]]


@dataclass(frozen=True)
class FrameTables:
    """Measurements of every frame of one video."""

    expressions: pd.DataFrame
    """frame, time_s, faces, ``FACE_BOX``, ``BLENDSHAPES``, inner_lip_gap, ``HEAD_POSE``."""
    pictures: NDArray[np.float32]
    """Luminance, 0 to 255: frames x ``THUMBNAIL_HEIGHT`` x ``THUMBNAIL_WIDTH``."""
    landmarks: NDArray[np.float32]
    """Frames x ``POINTS`` x 2, pixels; NaN without a face."""


class UnitScale(Frozen):
    """The range of a source of action units; the guard against dead channels grows with it."""

    name: str
    factor: float

    @property
    def minimum_sd(self) -> float:
        return 0.01 * self.factor

    @property
    def minimum_range(self) -> float:
        """Of the 1st to the 99th percentile."""
        return 0.05 * self.factor

    @property
    def frozen_sd(self) -> float:
        """Under it a swapped unit stands still. Half of what the original must move, so that a
        unit that barely passes there is not lost to a little flattening.
        """
        return self.minimum_sd / 2


FACS_INTENSITY = UnitScale(name="0-5 (FACS intensity)", factor=5.0)
