"""k-Same: the mean face of k people of a gallery in the place of each of them.

The face is a still one, made of the gallery alone. In each frame it is turned, scaled and shifted
to where the actor's face is, so the expression of the frame is lost by design.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from containers.common.bench_driver import InputUnusableError, Job
from containers.embedded.blending import Blender
from containers.embedded.editing import edit_main_face, start
from containers.embedded.faces import Face, Frame, bounds
from containers.embedded.k_same_faces import (
    CHIP_PX,
    Member,
    Points,
    apply,
    average_pixels,
    hull,
    pixel_distances,
    read_gallery,
    to_chip,
)
from containers.embedded.k_same_groups import Group, partition_by_class
from containers.embedded.landmarks import Landmarker, Smoother
from containers.embedded.warp import match_colour
from harness.core.hashing import file_sha256

MOST = 1000
"""The largest k."""
SURROUNDINGS = ("keep", "remove")
SELECTIONS = ("none", "sex", "expression")
_SMOOTHING = 0.5
_COLOUR_INERTIA = 0.8


@dataclass(frozen=True)
class Method:
    """Measure of how near two faces are, and of what the face of several is."""

    distances: Callable[[Sequence[Member]], NDArray[np.float64]]
    average: Callable[[Sequence[Member]], tuple[Frame, Points]]


PIXELS = Method(pixel_distances, average_pixels)


def groups_of(members: Sequence[Member], method: Method, k: int, select: str) -> tuple[Group, ...]:
    """The groups of the gallery, by place; ``select`` keeps them within a sex or an expression.

    Raises InputUnusableError for fewer than k members.
    """
    if len(members) < k:
        raise InputUnusableError(
            f"k is {k}, but the gallery shows a face of {len(members)} people only."
        )
    labels = {
        "none": [""] * len(members),
        "sex": [member.sex for member in members],
        "expression": [member.expression for member in members],
    }[select]
    return partition_by_class(method.distances(members), labels, k)


class Replacer:
    """Lays the face of the actor's group over the actor's, frame after frame.

    ``face`` is that face in the chip, ``numbers`` are the actors who share it.
    """

    def __init__(self, job: Job, method: Method, selections: Sequence[str]) -> None:
        # Settings first: a wrong one is a bad job, whatever the gallery shows.
        k = int(job.number("k", 2, MOST))
        select = job.choice("select", selections) if len(selections) > 1 else "none"
        self._alone = job.choice("surroundings", SURROUNDINGS) == "remove"
        self._blender = Blender(job)
        self._smoother = Smoother(_SMOOTHING)
        self._landmarker = Landmarker()
        members = read_gallery(job, self._landmarker)
        group = self._own_group(job, members, groups_of(members, method, k, select))
        self.numbers = [member.number for member in group]
        self.face, self._points = method.average(group)
        self._colour: NDArray[np.float64] | None = None
        self._stray = 0

    @staticmethod
    def _own_group(job: Job, members: list[Member], groups: tuple[Group, ...]) -> list[Member]:
        own = file_sha256(Path(job.input("actor_reference")))
        for group in groups:
            if any(members[place].sha256 == own for place in group):
                return [members[place] for place in group]
        raise InputUnusableError("The actor's reference face is not in the gallery, or shows none.")

    def __call__(self, frame: Frame, face: Face) -> Frame:
        """The frame with the group's face; unchanged if the face lies outside of it."""
        if self._alone:
            return face_alone(self.face, (frame.shape[0], frame.shape[1]))
        points = self._smoother.follow(self._landmarker.find(frame, face), face.width_px)
        back = np.asarray(cv2.invertAffineTransform(to_chip(points)), dtype=np.float64)
        # All of the actor's face must go, and the new one's outline must not be the actor's.
        shape = (frame.shape[0], frame.shape[1])
        mask = hull(face.oval, shape) | hull(points, shape) | hull(apply(back, self._points), shape)
        box = bounds(mask, round(0.1 * face.width_px) + 4)
        if box is None:
            self._stray += 1
            return frame
        view, mask = frame[box], mask[box]
        warped = self._warp(back, box)
        warped, self._colour = match_colour(warped, view, mask, self._colour, _COLOUR_INERTIA)
        changed = frame.copy()
        changed[box] = self._blender.mix(view, warped, mask, face.width_px)
        return changed

    def _warp(self, back: NDArray[np.float64], box: tuple[slice, slice]) -> Frame:
        """The chip where the face is, in the box of the frame."""
        rows, columns = box
        chip, matrix = self.face, back.copy()
        matrix[:, 2] -= (columns.start, rows.start)
        scale = float(np.hypot(*matrix[:, 0]))
        if scale < 1:
            side = max(2, round(CHIP_PX * scale))
            chip = np.asarray(cv2.resize(chip, (side, side), interpolation=cv2.INTER_AREA))
            matrix[:, :2] *= CHIP_PX / side
        size = (columns.stop - columns.start, rows.stop - rows.start)
        warped = cv2.warpAffine(
            chip, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(warped, dtype=np.uint8)

    def notes(self) -> tuple[str, ...]:
        """Notes on whose mean face is shown, and what else a reader of the result should know."""
        notes = [f"The mean face of actors {', '.join(map(str, self.numbers))}, a still one."]
        if self._blender.feathered:
            count = self._blender.feathered
            notes.append(f"{count} frames could not be cloned and were feathered.")
        if self._stray:
            notes.append(f"{self._stray} frames kept their pixels: the face lay outside.")
        return tuple(notes)


def face_alone(chip: Frame, shape: tuple[int, int]) -> Frame:
    """The chip in the middle of a black picture, as large as fits; ``shape`` is (height, width)."""
    height, width = shape
    side = min(shape)
    way = cv2.INTER_AREA if side < CHIP_PX else cv2.INTER_CUBIC
    top, left = (height - side) // 2, (width - side) // 2
    alone = np.zeros((height, width, 3), dtype=np.uint8)
    alone[top : top + side, left : left + side] = cv2.resize(chip, (side, side), interpolation=way)
    return alone


def replace_faces(job: Job, method: Method, selections: Sequence[str]) -> None:
    """Run one of the family; a single selection is no setting."""
    replacer = Replacer(job, method, selections)
    edit_main_face(job, replacer, replacer.notes)


def run(job: Job) -> None:
    """Settings: ``k``, ``blending``, ``surroundings``."""
    replace_faces(job, PIXELS, ("none",))


if __name__ == "__main__":
    start(run)
