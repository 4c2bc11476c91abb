"""Turns the face into a mosaic of squares, within an ellipse."""

from __future__ import annotations

import numpy as np

from containers.common.bench_driver import Job
from containers.embedded.editing import edit_main_face, start
from containers.embedded.faces import Face, Frame, bounds, ellipse_mask


def mosaic(image: Frame, cell_px: int) -> Frame:
    """Squares of ``cell_px`` with their mean colour; those at the right and bottom may be cut."""
    import cv2

    height, width = image.shape[:2]
    rows, columns = -(-height // cell_px), -(-width // cell_px)
    padded = cv2.copyMakeBorder(
        image,
        0,
        rows * cell_px - height,
        0,
        columns * cell_px - width,
        cv2.BORDER_REPLICATE,
    )
    small = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA).astype(image.dtype)
    return small.repeat(cell_px, axis=0).repeat(cell_px, axis=1)[:height, :width]


def pixelate_face(frame: Frame, face: Face, strength: float, coverage: float) -> Frame:
    """The frame with ``strength`` squares across the face, wherever the ellipse touches."""
    mask = ellipse_mask(face, frame.shape[:2], coverage)
    box = bounds(mask)
    if box is None:
        return frame
    cell_px = max(1, round(face.width_px / strength))
    touched = mosaic(mask[box], cell_px) > 0
    changed = frame.copy()
    changed[box] = np.where(touched[:, :, None], mosaic(frame[box], cell_px), frame[box])
    return changed


def run(job: Job) -> None:
    """Settings: ``strength`` (squares across the face), ``coverage`` (ellipse / face outline)."""
    strength, coverage = job.number("strength", 1, 200), job.number("coverage", 0.5, 3)
    edit_main_face(job, lambda frame, face: pixelate_face(frame, face, strength, coverage))


if __name__ == "__main__":
    start(run)
