"""A stand-in for face_alignment 1.3.5."""

from __future__ import annotations

from enum import Enum
from typing import Any


class LandmarksType(Enum):
    _2D = 1


class FaceAlignment:
    def __init__(
        self, kind: Any, device: str = "cuda", flip_input: bool = False, face_detector: str = "sfd"
    ) -> None:
        assert (kind, device, face_detector) == (LandmarksType._2D, "cpu", "folder")

    def get_landmarks_from_image(self, image: Any, detected_faces: Any) -> list[list[list[float]]]:
        """68 points for each face; lists, for NumPy takes longer to import than all else here."""
        return [[[float(box[2] - box[0])] * 2 for _ in range(68)] for box in detected_faces]
