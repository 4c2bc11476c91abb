"""CenterFace, a face detector that shares nothing with dlib's or MediaPipe's.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (2019): for every
fourth pixel the network says how surely a face is centred there, and the face's size and shift.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.vision.boxes import Box, iou
from harness.vision.onnx_runtime import keep_fed_inputs, open_session

Picture = NDArray[np.uint8]
"""Height x width x 3, RGB."""
Maps = tuple[NDArray[np.float32], ...]

LONG_SIDE_PX = 320
LEAST_SCORE = 0.2
"""Least score of a face: what is less sure is no face at all."""
_STRIDE, _MULTIPLE = 4, 32
_SAME_FACE_IOU = 0.3


class Found(NamedTuple):
    """A face: its box in pixels of the picture, and how sure it is (0 to 1)."""

    box: Box
    score: float


class CenterFace:
    """The detector; made by ``open_centerface``."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def find(self, picture: Picture) -> list[Found]:
        """The faces of a picture, the surest first."""
        import cv2

        height, width = picture.shape[:2]
        scale = LONG_SIDE_PX / max(height, width)
        size = tuple(
            max(1, round(side * scale / _MULTIPLE)) * _MULTIPLE for side in (width, height)
        )
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        pixels = np.ascontiguousarray(np.asarray(small, np.float32).transpose(2, 0, 1)[None])
        maps = self._session.run(None, {self._input: pixels})
        return decode(tuple(maps[:3]), (width / size[0], height / size[1]))


def decode(maps: Maps, pixels: tuple[float, float]) -> list[Found]:
    """Faces from the network's maps: heat (1 x 1 x rows x columns, 0 to 1), size (1 x 2 x ...:
    logarithm of height and width, in strides) and shift (1 x 2 x ...: down and right, in strides).

    ``pixels`` is how many of the picture's pixels one of the network's is, across and down. Of
    boxes that overlap the surest is kept.
    """
    heat, size, shift = maps
    rows, columns = np.nonzero(heat[0, 0] >= LEAST_SCORE)
    order = np.argsort(-heat[0, 0, rows, columns], kind="stable")
    kept: list[Found] = []
    for row, column in zip(rows[order], columns[order], strict=True):
        high, wide = np.exp(size[0, :, row, column]) * _STRIDE
        down, right = (np.array([row, column]) + shift[0, :, row, column] + 0.5) * _STRIDE
        box = (
            float((right - wide / 2) * pixels[0]),
            float((down - high / 2) * pixels[1]),
            float((right + wide / 2) * pixels[0]),
            float((down + high / 2) * pixels[1]),
        )
        if all(iou(box, other.box) < _SAME_FACE_IOU for other in kept):
            kept.append(Found(box, float(heat[0, 0, row, column])))
    return kept


def open_centerface(model: Path) -> CenterFace:
    """From ``centerface.onnx``, whose fixed picture size is taken away. Raises UnfitMachineError
    for a file that ONNX Runtime cannot load.
    """
    import onnx

    network = onnx.load(str(model))
    keep_fed_inputs(network)
    for value in (*network.graph.input, *network.graph.output):
        for number, extent in enumerate(value.type.tensor_type.shape.dim):
            if number != 1:
                extent.dim_param = f"{value.name}_{number}"
    return CenterFace(open_session(network.SerializeToString()))
