"""Stand-in: see ../README.md."""

from __future__ import annotations

from typing import Any

import numpy as np
from wish import WISH, asked_for  # type: ignore[import-not-found]


class MTCNNFaceDetector:
    def __init__(self, sess: Any, model_path: str = "./mtcnn_weights/") -> None:
        assert not sess.closed
        assert model_path.endswith("/mtcnn_weights/")
        # The weights are dictionaries in .npy files.
        if not getattr(np.load, "keywords", {}).get("allow_pickle"):
            raise ValueError("Object arrays cannot be loaded when allow_pickle=False")
        self._frame = 0

    def detect_face(
        self,
        image: Any,
        minsize: int = 20,
        threshold: float = 0.7,
        factor: float = 0.709,
        use_auto_downscaling: bool = True,
        min_face_area: int = 25 * 25,
    ) -> tuple[Any, Any]:
        self._frame += 1
        none = any(asked_for(role) for role in WISH["faceless"])
        if asked_for("convert_gan"):
            none = none or self._frame in WISH["blind"]
        if none:
            return np.array([]), np.array([]).transpose()
        height, width = image.shape[:2]
        # (x0, y1, x1, y0, confidence): x counts rows. The bystander is smaller, and comes first.
        faces = [(height / 4, width / 2, height * 3 / 4, width / 8, 0.98)]
        if asked_for("convert_gan") and self._frame in WISH["small"]:
            faces = [(0.0, 60.0, 7.0, 20.0, 0.98)]
        if self._frame in WISH["crowd"]:
            faces.insert(0, (0.0, width, height / 4, width * 3 / 4, 0.99))
        return np.array(faces), np.full((10, len(faces)), 5.0)
