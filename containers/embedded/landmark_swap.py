"""Puts the donor's photo on the actor's face: 68 landmarks, piecewise-affine warp, cloning.

The actor's landmarks drive the mesh, so the expression is the actor's; the skin, brows, eyes, nose
and lips are the donor's. What lies between the actor's lips is kept.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from containers.common import bench_driver
from containers.common.bench_driver import InputUnusableError, Job
from containers.embedded.blending import Blender
from containers.embedded.editing import edit_main_face, start
from containers.embedded.faces import Face, FaceFinder, Frame, MainFace, blend, bounds
from containers.embedded.landmarks import Landmarker, Smoother
from containers.embedded.warp import Mesh, match_colour

_MOUTH = slice(60, 68)
_OPEN_MOUTH = 0.02
_COLOUR_INERTIA = 0.8


class Swapper:
    """Swaps one face through a video, frame after frame."""

    def __init__(self, job: Job) -> None:
        # Settings first: a wrong one is a bad job, whatever the photo shows.
        self._smoother = Smoother(job.number("smoothing", 0, 0.95))
        self._blender = Blender(job)
        self._keep_mouth = job.flag("keep_mouth")
        self._landmarker = Landmarker()
        self._donor, self._donor_points = read_donor(job, self._landmarker)
        self._mesh: Mesh | None = None
        self._colour: NDArray[np.float64] | None = None
        self.stray = 0

    def __call__(self, frame: Frame, face: Face) -> Frame:
        """The frame with the donor's face; unchanged if the face lies outside of it."""
        points = self._smoother.follow(self._landmarker.find(frame, face), face.width_px)
        if self._mesh is None:
            self._mesh = Mesh(self._donor, self._donor_points, face.width_px)
        mask = _face_mask(points, frame.shape[:2])
        box = bounds(mask, round(0.1 * face.width_px) + 4)
        if box is None:
            self.stray += 1
            return frame
        corner = np.array([box[1].start, box[0].start], dtype=np.float32)
        view, mask = frame[box], mask[box]
        warped, drawn = self._mesh.warp(points - corner, (view.shape[0], view.shape[1]))
        mask = cv2.bitwise_and(mask, drawn).astype(np.uint8)
        if not (mask > 0).any():
            self.stray += 1
            return frame
        warped, self._colour = match_colour(warped, view, mask, self._colour, _COLOUR_INERTIA)
        mixed = self._blender.mix(view, warped, mask, face.width_px)
        if self._keep_mouth:
            mixed = _restore_mouth(mixed, view, points - corner, face.width_px)
        changed = frame.copy()
        changed[box] = mixed
        return changed

    def notes(self) -> tuple[str, ...]:
        """Notes for a reader of the result."""
        notes = []
        if self._blender.feathered:
            count = self._blender.feathered
            notes.append(f"{count} frames could not be cloned and were feathered.")
        if self.stray:
            notes.append(f"{self.stray} frames kept their pixels: the face lay outside.")
        return tuple(notes)


def _face_mask(points: NDArray[np.float32], shape: tuple[int, int]) -> Frame:
    """255 in the hull of all points, cut at the border."""
    mask = np.zeros(shape, dtype=np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(points).astype(np.int32)), 255)
    return mask


def _restore_mouth(
    mixed: Frame, view: Frame, points: NDArray[np.float32], width_px: float
) -> Frame:
    """The actor's own teeth and tongue, if the mouth is open."""
    lips = points[_MOUTH]
    if lips[:, 1].max() - lips[:, 1].min() < _OPEN_MOUTH * width_px:
        return mixed
    mask = np.zeros(mixed.shape[:2], dtype=np.uint8)
    cv2.fillPoly(mask, [np.rint(lips).astype(np.int32)], 255)
    return blend(mixed, view, mask, max(0.6, 0.006 * width_px))


def read_donor(job: Job, landmarker: Landmarker) -> tuple[Frame, NDArray[np.float32]]:
    """The donor's photo and its points; raises InputUnusableError without a face."""
    path = job.input("donor_reference")
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    if picture is None:
        raise InputUnusableError(f"The donor's photo is not a picture: {path}.")
    photo = np.asarray(picture, dtype=np.uint8)
    with FaceFinder(job.input("face_landmarker"), None) as finder:
        face = MainFace().pick(finder.find(photo))
    if face is None:
        raise InputUnusableError(f"The donor's photo shows no face: {path}.")
    return photo, landmarker.find(photo, face)


def run(job: Job) -> None:
    """Settings: ``smoothing``, ``blending``, ``keep_mouth``."""
    swapper = Swapper(job)
    bench_driver.emit("note", text="The donor's face was found.")
    edit_main_face(job, swapper, swapper.notes)


if __name__ == "__main__":
    start(run)
