"""The reference face: one picture that stands for a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UnusableInputError
from harness.datasets.photo_files import read_photo
from harness.media.frames import Frame, read_frames_at
from harness.model.dataset import Photo
from harness.model.video import VideoInfo
from harness.vision.hog import open_hog
from harness.vision.landmarker import Landmarker, open_landmarker

SAMPLED_FRAMES = 40
LONGEST_SIDE_PX = 1280
"""Larger photos are shrunk: looking for a face in 12 megapixels takes 800 MB and 5 s of CPU."""

_EXPRESSION = (
    "jawOpen",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthPucker",
    "mouthFunnel",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "cheekPuff",
)

_DEGREES_PER_UNIT = 15.0
"""Turning the head by this much weighs as much as one full expression."""


class Chosen(NamedTuple):
    """A reference face, and how it was chosen, as a sentence for the report."""

    picture: Frame
    note: str


class _Candidate(NamedTuple):
    cost: float
    frame: int
    picture: Frame
    angle_deg: float


def best_frame(video: Path, info: VideoInfo, landmarker: Path) -> Chosen | None:
    """The most frontal, most neutral of ``SAMPLED_FRAMES`` evenly spaced frames.

    The face must also be found by face_recognition's HOG detector, which scores use; if none is,
    the best frame of the landmarker is taken, and the note says so. Of several faces the largest
    counts. None when no sampled frame shows a face.
    """
    count = min(SAMPLED_FRAMES, info.frames)
    # Middles of equal stretches: the first and last frames of a take are often blends.
    indices = {int((k + 0.5) * info.frames / count) for k in range(count)}
    candidates: list[_Candidate] = []
    with open_landmarker(landmarker, faces=4, tracking=False) as detector:
        for index, frame in read_frames_at(video, indices):
            if (judged := _judge(detector, frame)) is not None:
                cost, angle_deg = judged
                candidates.append(_Candidate(cost, index, frame, angle_deg))
    candidates.sort(key=lambda candidate: (candidate.cost, candidate.frame))
    for candidate in candidates:
        if count_faces(candidate.picture):
            return Chosen(candidate.picture, _note(candidate, len(indices)))
    if not candidates:
        return None
    warning = " The identity detector finds no face in it: expect no identity scores."
    return Chosen(candidates[0].picture, _note(candidates[0], len(indices)) + warning)


def from_photo(photo: Photo) -> Chosen:
    """The photo, turned as its EXIF says, cropped, then shrunk to ``LONGEST_SIDE_PX``.

    Of several faces the largest counts, and the note says so. Raises UnusableInputError when the
    photo cannot be read or shows no face.
    """
    import cv2

    picture = read_photo(photo.path)
    note = f"the photo {photo.path.name}"
    if photo.crop is not None:
        box = photo.crop
        height, width = picture.shape[:2]
        if not (
            0 <= box.x < box.x + box.width <= width and 0 <= box.y < box.y + box.height <= height
        ):
            raise UnusableInputError(
                f"The crop of {photo.path} reaches outside its {width} x {height} pixels.",
                hint="Correct the crop in the dataset's manifest.",
            )
        picture = picture[box.y : box.y + box.height, box.x : box.x + box.width]
        note += f", cropped to {box.width} x {box.height} pixels"
    height, width = picture.shape[:2]
    scale = LONGEST_SIDE_PX / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        note += f", shrunk to {size[0]} x {size[1]} pixels"
    result = np.ascontiguousarray(picture, dtype=np.uint8)
    faces = count_faces(result)
    if not faces:
        raise UnusableInputError(
            f"No face was found in {note} ({photo.path}).",
            hint="Give a photo in which one face is large, frontal and well lit.",
        )
    if faces > 1:
        note += f"; of its {faces} faces the largest counts"
    return Chosen(result, f"{note}.")


def count_faces(picture: Frame) -> int:
    """Number of faces that face_recognition's HOG detector, as used for scores, finds."""
    return len(open_hog().whole(np.ascontiguousarray(picture[:, :, ::-1])))


def save_png(picture: Frame, path: Path) -> None:
    """Write ``picture`` (BGR) as PNG; the same pixels give the same bytes."""
    import cv2

    encoded, data = cv2.imencode(".png", picture)
    if not encoded:
        raise UnusableInputError(f"The picture for {path.name} could not be encoded as PNG.")
    path.write_bytes(data.tobytes())


def _note(chosen: _Candidate, sampled: int) -> str:
    return (
        f"Frame {chosen.frame} of the training material, the most frontal and neutral of {sampled} "
        f"sampled frames ({chosen.angle_deg:.0f} degrees off the camera's axis)."
    )


def _judge(detector: Landmarker, frame: Frame) -> tuple[float, float] | None:
    """Cost (lower is better) and head angle in degrees of the largest face, or None."""
    detected = detector.find(frame)
    if not detected.face_landmarks:
        return None
    areas = [_area(points) for points in detected.face_landmarks]
    largest = int(np.argmax(areas))
    angle_deg = _angle_deg(np.asarray(detected.facial_transformation_matrixes[largest]))
    weights = {shape.category_name: shape.score for shape in detected.face_blendshapes[largest]}
    expression = sum(weights.get(name, 0.0) for name in _EXPRESSION)
    return angle_deg / _DEGREES_PER_UNIT + expression, angle_deg


def _area(points: Sequence[Any]) -> float:
    x = [point.x for point in points]
    y = [point.y for point in points]
    return float((max(x) - min(x)) * (max(y) - min(y)))


def _angle_deg(matrix: NDArray[np.float64]) -> float:
    """Angle between the face's forward axis and the camera's, from the 4 x 4 head pose."""
    forward = matrix[:3, 2]
    cosine = forward[2] / np.linalg.norm(forward)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
