"""A gallery's faces, laid over each other; how near they are, and their averages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from containers.common.bench_driver import InputUnusableError, Job
from containers.embedded.faces import Face, Frame
from containers.embedded.landmarks import Landmarker
from containers.embedded.warp import Mesh
from harness.core.hashing import file_sha256
from harness.vision.landmarker import open_landmarker

Points = NDArray[np.float32]

CHIP_PX = 256
"""Side of the square in which faces lie over each other."""

ANCHORS = (36, 39, 42, 45, 33)
"""Corners of the eyes and base of the nose: of the 68 points those that expressions move least."""

_ANCHOR_PLACES = np.array(
    [(78, 105), (111, 105), (145, 105), (178, 105), (128, 160)], dtype=np.float32
)
"""Positions of the anchors in a chip; the outer corners of the eyes are 0.39 of its side apart."""

_EXPRESSIVE = 0.35
"""A blendshape from which on a photo counts as smiling or as open-mouthed."""


@dataclass(frozen=True)
class Member:
    """One person's face in the chip: pixels (BGR) and 77 points."""

    number: int
    sex: str
    expression: str
    sha256: str
    chip: Frame
    points: Points


def similarity(source: Points, target: Points) -> NDArray[np.float64]:
    """The 2x3 matrix that turns, scales and shifts ``source`` onto ``target``, least squares."""
    z = source[:, 0].astype(np.float64) + 1j * source[:, 1]
    w = target[:, 0].astype(np.float64) + 1j * target[:, 1]
    spread = z - z.mean()
    turn = np.vdot(spread, w - w.mean()) / max(float(np.vdot(spread, spread).real), 1e-12)
    shift = w.mean() - turn * z.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def apply(matrix: NDArray[np.float64], points: Points) -> Points:
    """Points, shape (n, 2), moved by a 2x3 matrix."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], dtype=np.float32)


def to_chip(points: Points) -> NDArray[np.float64]:
    """The similarity that lays 77 points of a picture into the chip."""
    return similarity(points[list(ANCHORS)], _ANCHOR_PLACES)


def cut_chip(photo: Frame, points: Points) -> tuple[Frame, Points]:
    """The face in the chip, and its points there."""
    scale = float(np.hypot(*to_chip(points)[:, 0]))
    if scale < 1:
        # Sampling a far larger photo point by point would alias.
        height, width = photo.shape[:2]
        size = (max(2, round(width * scale)), max(2, round(height * scale)))
        photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        points = (points * np.array([size[0] / width, size[1] / height])).astype(np.float32)
    matrix = to_chip(points)
    chip = cv2.warpAffine(
        photo, matrix, (CHIP_PX, CHIP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(chip, dtype=np.uint8), apply(matrix, points)


def read_gallery(job: Job, landmarker: Landmarker) -> list[Member]:
    """The gallery's members in whose photo there is a face, by number.

    Raises InputUnusableError for a gallery that cannot be read, or with one photo for two people.
    """
    folder = Path(job.folder("gallery"))
    try:
        people = json.loads((folder / "gallery.json").read_text(encoding="utf-8"))
        named = [(int(one["number"]), str(one["sex"]), folder / one["file"]) for one in people]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputUnusableError(f"The gallery {folder} cannot be read: {error}.") from error
    members = list(_members(sorted(named), Path(job.input("face_landmarker")), landmarker))
    if len({member.sha256 for member in members}) < len(members):
        raise InputUnusableError(
            "Two people of the gallery have the same photo; k-Same needs each person once."
        )
    return members


def _members(
    named: Sequence[tuple[int, str, Path]], model: Path, landmarker: Landmarker
) -> Iterator[Member]:
    with open_landmarker(model, faces=4, tracking=False) as finder:
        for number, sex, path in named:
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if picture is None:
                raise InputUnusableError(f"Actor {number}'s photo is not a picture: {path}.")
            photo = np.asarray(picture, dtype=np.uint8)
            found = _largest(finder.find(photo), photo)
            if found is not None:
                face, expression = found
                chip, points = cut_chip(photo, landmarker.find(photo, face))
                yield Member(number, sex, expression, file_sha256(path), chip, points)


def _largest(result: Any, photo: Frame) -> tuple[Face, str] | None:
    """The largest face and its expression, in a word."""
    scale = np.array([photo.shape[1], photo.shape[0]], dtype=np.float32)
    faces = [
        Face(np.array([(mark.x, mark.y) for mark in marks], dtype=np.float32) * scale)
        for marks in result.face_landmarks
    ]
    if not faces:
        return None
    place = max(range(len(faces)), key=lambda index: faces[index].area_px)
    weights = {shape.category_name: shape.score for shape in result.face_blendshapes[place]}
    return faces[place], expression_of(weights)


def expression_of(weights: dict[str, float]) -> str:
    """``smile``, ``open mouth`` or ``neutral``, by MediaPipe's blendshapes (0 to 1)."""
    if (
        weights.get("mouthSmileLeft", 0.0) + weights.get("mouthSmileRight", 0.0)
    ) / 2 >= _EXPRESSIVE:
        return "smile"
    return "open mouth" if weights.get("jawOpen", 0.0) >= _EXPRESSIVE else "neutral"


def pixel_distances(members: Sequence[Member]) -> NDArray[np.float64]:
    """Between each two faces, of the grey values inside both outlines' mean, light evened out."""
    outline = np.mean([member.points for member in members], axis=0)
    inside = hull(outline.astype(np.float32), (CHIP_PX, CHIP_PX)) > 0
    greys = np.stack([cv2.cvtColor(m.chip, cv2.COLOR_BGR2GRAY)[inside] for m in members])
    values = greys.astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    values /= np.maximum(values.std(axis=1, keepdims=True), 1e-6)
    return _between(values / np.sqrt(values.shape[1]))


def model_distances(members: Sequence[Member]) -> NDArray[np.float64]:
    """Between each two faces, of shape and texture together, as active appearance models do.

    Shapes are weighted so that they vary as much over the gallery as textures do.
    """
    mean = mean_shape(members)
    textures = np.stack([_straightened(member, mean).reshape(-1) for member in members])
    shapes = np.stack([member.points.reshape(-1) for member in members]).astype(np.float64)
    textures = textures.astype(np.float64)
    ratio = textures.var(axis=0).sum() / max(float(shapes.var(axis=0).sum()), 1e-9)
    both = np.concatenate([textures, shapes * np.sqrt(ratio)], axis=1)
    return _between(both / np.sqrt(both.shape[1]))


def _between(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(values[:, None] - values[None], axis=2))


def mean_shape(members: Sequence[Member]) -> Points:
    """The 77 points' mean in the chip."""
    mean = np.mean([member.points for member in members], axis=0)
    return np.asarray(mean, dtype=np.float32)


def average_pixels(members: Sequence[Member]) -> tuple[Frame, Points]:
    """The mean of the chips, pixel by pixel, and of their points."""
    mean = np.mean([member.chip.astype(np.float64) for member in members], axis=0)
    return np.rint(mean).astype(np.uint8), mean_shape(members)


def average_shape_and_texture(members: Sequence[Member]) -> tuple[Frame, Points]:
    """The mean shape, filled with the mean of the textures warped to it."""
    shape = mean_shape(members)
    textures = [_straightened(member, shape).astype(np.float64) for member in members]
    return np.rint(np.mean(textures, axis=0)).astype(np.uint8), shape


def _straightened(member: Member, shape: Points) -> Frame:
    """The member's chip with its points moved to ``shape``; the chip's border stays."""
    border = _border()
    mesh = Mesh(member.chip, np.concatenate([member.points, border]), CHIP_PX)
    return mesh.warp(np.concatenate([shape, border]), (CHIP_PX, CHIP_PX))[0]


def _border() -> Points:
    last, middle = CHIP_PX - 1, CHIP_PX // 2
    places = [(x, y) for x in (0, middle, last) for y in (0, middle, last)]
    places.remove((middle, middle))
    return np.array(places, dtype=np.float32)


def hull(points: Points, shape: tuple[int, int]) -> Frame:
    """255 in the convex hull of the points, cut at the border; ``shape`` is (height, width)."""
    mask = np.zeros(shape, dtype=np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(points).astype(np.int32)), 255)
    return mask
