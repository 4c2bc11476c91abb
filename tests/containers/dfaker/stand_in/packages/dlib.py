"""A stand-in for dlib: its detector finds what the stand-in's wishes say for the frame at hand."""

from __future__ import annotations

import json
import os
from typing import Any


class Rectangle:
    def __init__(self, size: int) -> None:
        self.size = size

    def left(self) -> int:
        return 4

    def top(self) -> int:
        return 4

    def right(self) -> int:
        return 4 + self.size

    def bottom(self) -> int:
        return 4 + self.size


def cnn_face_detection_model_v1(path: str) -> Any:
    raise RuntimeError("DFaker never loads dlib's CNN")


def get_frontal_face_detector() -> Any:
    wish = json.loads(os.environ.get("STAND_IN", "{}"))

    def detect(image: Any, upsample: int) -> list[Rectangle]:
        assert upsample == 1
        role, _, number = os.environ["STAND_IN_FRAME"].rpartition("/")
        test = role == "test_video"
        if role in wish.get("faceless", []) or (test and int(number) in wish.get("blind", [])):
            return []
        crowd = test and int(number) in wish.get("crowd", [])
        return [Rectangle(20), Rectangle(40)] if crowd else [Rectangle(30)]

    return detect
