"""Covers the face with one colour, that of its skin, within the landmarks' hull."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from containers.common.bench_driver import Job
from containers.embedded.editing import edit_main_face, start
from containers.embedded.faces import Face, Frame, blend, bounds, hull_mask

_COLOUR_INERTIA = 0.9


class Masker:
    """Masks one person through a video; the colour follows slowly, so that it does not flicker."""

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._colour: NDArray[np.float64] | None = None

    def __call__(self, frame: Frame, face: Face) -> Frame:
        """The frame with the hull, grown by the strength, in the face's median colour."""
        shape = frame.shape[:2]
        skin = hull_mask(face, shape, -0.15) > 0
        mask = hull_mask(face, shape, self._strength)
        box = bounds(mask, 8)
        if box is None or not skin.any():
            return frame
        now = np.median(frame[skin], axis=0).astype(np.float64)
        before = now if self._colour is None else self._colour
        self._colour = _COLOUR_INERTIA * before + (1 - _COLOUR_INERTIA) * now
        flat = np.empty_like(frame[box])
        flat[:] = np.rint(self._colour).astype(np.uint8)
        changed = frame.copy()
        changed[box] = blend(frame[box], flat, mask[box], 1.0)
        return changed


def run(job: Job) -> None:
    """Setting ``strength``: how far the hull is grown, as a share of its size."""
    edit_main_face(job, Masker(job.number("strength", -0.5, 1)))


if __name__ == "__main__":
    start(run)
