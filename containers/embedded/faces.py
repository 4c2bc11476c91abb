"""Finding faces in a stream of frames, and staying with the main one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from harness.vision.landmarker import load_mediapipe, silent_stderr

Frame = NDArray[np.uint8]
Points = NDArray[np.float32]

MAX_FACES = 3

FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The outline of the face in MediaPipe's 478-point mesh, clockwise from the top of the forehead."""


@dataclass(frozen=True)
class Face:
    """MediaPipe's 478 landmarks of one face, in pixels, shape (478, 2)."""

    points: Points

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of all landmarks, in pixels; may reach out of the frame."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def width_px(self) -> float:
        left, _, right, _ = self.box
        return max(1.0, right - left)

    @property
    def area_px(self) -> float:
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)

    @property
    def oval(self) -> Points:
        """The face's outline, shape (36, 2)."""
        return self.points[list(FACE_OVAL)]


def overlap(first: Face, second: Face) -> float:
    """Intersection over union of two faces' boxes, 0 to 1."""
    left = max(first.box[0], second.box[0])
    top = max(first.box[1], second.box[1])
    right = min(first.box[2], second.box[2])
    bottom = min(first.box[3], second.box[3])
    shared = max(0.0, right - left) * max(0.0, bottom - top)
    union = first.area_px + second.area_px - shared
    return shared / union if union > 0 else 0.0


class FaceFinder:
    """MediaPipe's FaceLandmarker. ``fps`` None looks at single images, else at a video in order."""

    def __init__(self, model: str, fps: float | None) -> None:
        load_mediapipe()
        from mediapipe.tasks import python as tasks
        from mediapipe.tasks.python import vision

        mode = vision.RunningMode.IMAGE if fps is None else vision.RunningMode.VIDEO
        options = vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=model),
            running_mode=mode,
            num_faces=MAX_FACES,
        )
        # Its C++ writes warnings that mean nothing here, whatever its log level is.
        with silent_stderr():
            self._landmarker: Any = vision.FaceLandmarker.create_from_options(options)
        # Timestamps must grow by at least a millisecond, whatever the frame rate.
        self._step_ms = None if fps is None else max(1, round(1000 / fps))
        self._clock_ms = 0

    def find(self, frame: Frame) -> list[Face]:
        """All faces of the next frame (BGR, HxWx3), at most MAX_FACES."""
        mediapipe = load_mediapipe()
        height, width = frame.shape[:2]
        rgb = np.ascontiguousarray(frame[:, :, ::-1])
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
        if self._step_ms is None:
            result = self._landmarker.detect(image)
        else:
            result = self._landmarker.detect_for_video(image, self._clock_ms)
            self._clock_ms += self._step_ms
        scale = np.array([width, height], dtype=np.float32)
        return [
            Face(np.array([(mark.x, mark.y) for mark in marks], dtype=np.float32) * scale)
            for marks in result.face_landmarks
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._landmarker.close()


class MainFace:
    """Stays with one face: the largest at first, then the one that overlaps the last one most.

    A face that overlaps nothing seen last is taken when it is the only one, or the largest: after
    a cut or a gap the person may stand elsewhere.
    """

    def __init__(self) -> None:
        self._last: Face | None = None

    def pick(self, faces: list[Face]) -> Face | None:
        """The main face of a frame, or None when the frame has none."""
        if not faces:
            return None
        last = self._last
        if last is not None and max(overlap(face, last) for face in faces) > 0.05:
            self._last = max(faces, key=lambda face: overlap(face, last))
        else:
            self._last = max(faces, key=lambda face: face.area_px)
        return self._last


def ellipse_mask(face: Face, shape: tuple[int, int], coverage: float) -> Frame:
    """255 within the ellipse around the face's outline, scaled by ``coverage``; shape (H, W)."""
    import cv2

    centre, axes, angle = cv2.fitEllipse(face.oval)
    mask = np.zeros(shape, dtype=np.uint8)
    scaled = (axes[0] * coverage, axes[1] * coverage)
    cv2.ellipse(mask, (centre, scaled, angle), 255, -1)
    return mask


def hull_mask(face: Face, shape: tuple[int, int], dilation: float) -> Frame:
    """255 within the landmarks' convex hull, scaled about its centre by 1 + ``dilation``."""
    import cv2

    centre = face.oval.mean(axis=0)
    grown = (face.oval - centre) * (1 + dilation) + centre
    mask = np.zeros(shape, dtype=np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(grown).astype(np.int32)), 255)
    return mask


def bounds(mask: Frame, margin_px: int = 0) -> tuple[slice, slice] | None:
    """Rows and columns of the mask's box plus a margin, cut at the border; None if empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    height, width = mask.shape
    return (
        slice(max(0, rows[0] - margin_px), min(height, rows[-1] + 1 + margin_px)),
        slice(max(0, columns[0] - margin_px), min(width, columns[-1] + 1 + margin_px)),
    )


def blend(under: Frame, over: Frame, mask: Frame, feather_px: float) -> Frame:
    """``over`` where the mask is set, ``under`` elsewhere, mixed over about ``feather_px``."""
    import cv2

    alpha: NDArray[Any] = mask.astype(np.float32) / 255
    if feather_px >= 0.5:
        alpha = cv2.GaussianBlur(alpha, (0, 0), feather_px)
    alpha = alpha[:, :, None]
    mixed = over.astype(np.float32) * alpha + under.astype(np.float32) * (1 - alpha)
    return np.asarray(np.clip(np.rint(mixed), 0, 255), dtype=np.uint8)
