"""The one pass over a video: each frame with the faces that MediaPipe's landmarker tracks in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.vision.boxes import Box, iou, main_face
from harness.vision.colour import bgr_to_rgb
from harness.vision.landmarker import open_landmarker

if TYPE_CHECKING:
    from harness.model.video import VideoInfo

MAX_FACES = 3
SAMPLED_FRAMES = 200
_SAME_FACE_IOU = 0.3

Points = NDArray[np.float64]
"""The face mesh in pixels, 478 x 2."""


class TrackedFrame(NamedTuple):
    """One frame."""

    frame: int
    time_s: float
    bgr: NDArray[np.uint8]
    rgb: NDArray[np.uint8]
    meshes: tuple[Points, ...]
    """Up to MAX_FACES faces."""
    boxes: tuple[Box, ...]
    """The outermost points of each."""
    main: int | None
    """The largest at first, then the one nearest to the last main face; None without a face."""
    result: Any
    """MediaPipe's FaceLandmarkerResult, faces in the same order."""
    total: int
    """Frames of the video, as far as it says; 0 when unknown."""


def is_sampled(seen: TrackedFrame) -> bool:
    """True when a frame is among the at most SAMPLED_FRAMES spread evenly over its video."""
    return seen.frame % max(1, -(-seen.total // SAMPLED_FRAMES)) == 0


def track(media: Path, info: VideoInfo, home: Path) -> Iterator[TrackedFrame]:
    """Every frame of a video, in order; one is in memory at a time.

    Raises UnusableInputError for a video that cannot be read, FetchError when the landmarker's
    model is unavailable.
    """
    from harness.media.frames import read_frames
    from harness.vision.assets import face_landmarker_path

    rate = info.rate
    last: Box | None = None
    model = face_landmarker_path(home)
    with (
        open_landmarker(model, faces=MAX_FACES, tracking=True) as landmarker,
        closing(read_frames(media, info)) as frames,  # type: ignore[type-var]
    ):
        for frame, bgr in zip(count(), frames, strict=False):
            rgb = bgr_to_rgb(bgr)
            result = landmarker.find_rgb(rgb, int(frame * 1000 / rate))
            height, width = bgr.shape[:2]
            meshes = _meshes(result, width, height)
            boxes = tuple(box_of_mesh(points) for points in meshes)
            main = main_face(boxes, last)
            if main is not None:
                last = boxes[main]
            yield TrackedFrame(
                frame, float(frame / rate), bgr, rgb, meshes, boxes, main, result, info.frames
            )


def box_of_mesh(points: Points) -> Box:
    """The box around a mesh's outermost points."""
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _meshes(result: Any, width: int, height: int) -> tuple[Points, ...]:
    return tuple(
        np.array([(p.x * width, p.y * height) for p in face]) for face in result.face_landmarks
    )


def meshes_in(rgb: NDArray[np.uint8], home: Path) -> tuple[Points, ...]:
    """The meshes of a single picture (height x width x 3, RGB). Raises as ``track``."""
    from harness.vision.assets import face_landmarker_path

    model = face_landmarker_path(home)
    with open_landmarker(model, faces=MAX_FACES, tracking=False) as landmarker:
        return _meshes(landmarker.find_rgb(rgb), rgb.shape[1], rgb.shape[0])


def mesh_at(meshes: Sequence[Points], box: Box) -> Points | None:
    """The mesh whose box overlaps ``box`` most, by 0.3 (intersection over union) at least."""
    near = [(iou(box_of_mesh(mesh), box), number) for number, mesh in enumerate(meshes)]
    overlap, best = max(near, default=(0.0, 0))
    return meshes[best] if overlap >= _SAME_FACE_IOU else None
