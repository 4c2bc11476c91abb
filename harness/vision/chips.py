"""Aligned faces, as dlib's embedding network wants them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.vision.dlib_onnx import CHIP_PX
from harness.vision.hog import Face, Picture
from harness.vision.recognition import load_models

_PADDING = 0.25


class Aligner:
    """Cuts faces out; made by ``open_aligner``."""

    def __init__(self, predictor: Any) -> None:
        self._predictor = predictor

    def chip(self, picture: Picture, face: Face, size: int = CHIP_PX) -> NDArray[np.uint8]:
        """size x size x 3 (RGB), turned and scaled by dlib's five landmarks, as
        ``face_recognition.face_encodings`` does it by default.
        """
        import dlib

        top, right, bottom, left = face
        points = self._predictor(picture, dlib.rectangle(left, top, right, bottom))
        chip: NDArray[np.uint8] = dlib.get_face_chip(picture, points, size, _PADDING)
        return chip


@lru_cache
def open_aligner() -> Aligner:
    """With the five-point predictor of face_recognition_models, loaded once per process. Raises
    UnfitMachineError.
    """
    path = load_models().pose_predictor_five_point_model_location()
    import dlib

    return Aligner(dlib.shape_predictor(path))
