"""Makes the face lighter and darker in turn, frame by frame: nothing else changes."""

from __future__ import annotations

import numpy as np

from containers.common.bench_driver import Job
from containers.embedded.editing import edit_main_face, start
from containers.embedded.faces import Face, Frame, blend, bounds, ellipse_mask


class Flicker:
    """Lightens every other frame's face by ``strength`` grey levels, and darkens the others'."""

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._sign = 1

    def __call__(self, frame: Frame, face: Face) -> Frame:
        """The frame with its face, within the ellipse of its outline, lighter or darker."""
        step, self._sign = self._sign * self._strength, -self._sign
        mask = ellipse_mask(face, frame.shape[:2], 1.0)
        box = bounds(mask, 8)
        if box is None:
            return frame
        lit = np.clip(np.rint(frame[box] + step), 0, 255).astype(np.uint8)
        changed = frame.copy()
        changed[box] = blend(frame[box], lit, mask[box], 0.02 * face.width_px)
        return changed


def run(job: Job) -> None:
    """Setting ``strength``: grey levels, of 255, up and down."""
    edit_main_face(job, Flicker(job.number("strength", 0, 128)))


if __name__ == "__main__":
    start(run)
