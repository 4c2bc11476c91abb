"""A stand-in for face_alignment 1.3.5."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np


class LandmarksType(Enum):
    _2D = 1


class FaceAlignment:
    def __init__(
        self, kind: Any, device: str = "cuda", flip_input: bool = False, face_detector: str = "sfd"
    ) -> None:
        assert (kind, device, face_detector) == (LandmarksType._2D, "cpu", "folder")

    def get_landmarks_from_image(self, image: Any, detected_faces: Any) -> list[Any]:
        return [np.full((68, 2), float(box[2] - box[0])) for box in detected_faces]
