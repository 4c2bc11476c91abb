"""The points that drive the swap: dlib's 68 landmarks and the forehead from MediaPipe's mesh."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.common.bench_driver import ToolFailedError
from containers.embedded.faces import Face, Frame

Points = NDArray[np.float32]

_FOREHEAD = (54, 103, 67, 109, 10, 338, 297, 332, 284)
_UNDER_FOREHEAD = (68, 104, 69, 108, 151, 337, 299, 333, 298)
"""MediaPipe's outline above the brows, and the mesh points under it towards the brows."""

_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)


def predictor_path() -> Path:
    """dlib's 68-landmark model, as face_recognition_models ships it; raises ToolFailedError.

    The package is located, not imported: its import ends the process when setuptools has no
    pkg_resources.
    """
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise ToolFailedError("The package face_recognition_models is not installed.")
    path = Path(spec.origin).parent / "models" / "shape_predictor_68_face_landmarks.dat"
    if not path.is_file():
        raise ToolFailedError(f"face_recognition_models lacks its landmark model: {path}.")
    return path


class Landmarker:
    """dlib's predictor, started from a face that MediaPipe found."""

    def __init__(self) -> None:
        import dlib

        self._predictor: Any = dlib.shape_predictor(str(predictor_path()))

    def find(self, frame: Frame, face: Face) -> Points:
        """68 landmarks, then 9 points on the forehead; pixels, shape (77, 2)."""
        import dlib

        # dlib was trained on its own detector's boxes: square, from the brows to the chin.
        brow_y = float(face.points[list(_BROWS), 1].min())
        left, _, right, chin_y = face.box
        side = 0.94 * max(right - left, chin_y - brow_y)
        middle_x, middle_y = (left + right) / 2, (brow_y + chin_y) / 2
        box = dlib.rectangle(
            int(middle_x - side / 2),
            int(middle_y - side / 2),
            int(middle_x + side / 2),
            int(middle_y + side / 2),
        )
        shape = self._predictor(np.ascontiguousarray(frame[:, :, ::-1]), box)
        marks = np.array([(part.x, part.y) for part in shape.parts()], dtype=np.float32)
        # Half way up: the mesh's own top lies in many people's hair.
        forehead = (face.points[list(_FOREHEAD)] + face.points[list(_UNDER_FOREHEAD)]) / np.float32(
            2
        )
        return np.concatenate([marks, forehead]).astype(np.float32)


class Smoother:
    """Averages points over time while they rest, and lets go when they move."""

    def __init__(self, inertia: float) -> None:
        self._inertia = inertia
        self._last: Points | None = None

    def follow(self, points: Points, width_px: float) -> Points:
        """The smoothed points; a jump of a fifth of the face's width starts again.

        The shared motion of the head is followed at once; only what each point does beyond it is
        averaged, less so the more it moves (landmarks jitter by about one per cent of the width).
        """
        last = self._last
        if last is None or last.shape != points.shape:
            self._last = points
            return points
        shift = np.median(points - last, axis=0)
        if float(np.hypot(*shift)) > 0.2 * width_px:
            self._last = points
            return points
        expected = last + shift
        moved = np.linalg.norm(points - expected, axis=1, keepdims=True) / (0.02 * width_px)
        weight = self._inertia * np.exp(-(moved**2))
        self._last = (weight * expected + (1 - weight) * points).astype(np.float32)
        return self._last
