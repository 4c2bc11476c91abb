"""Laying a new face into a frame so that its edge does not show."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from containers.common.bench_driver import Job
from containers.embedded.faces import Frame, blend, bounds
from containers.embedded.warp import match_colour

BLENDINGS = ("seamless", "feather")
_PAD = 4
_COLOUR_INERTIA = 0.8


class Blender:
    """Blends through a video, as the setting ``blending`` says: Poisson cloning, or a soft edge."""

    def __init__(self, job: Job) -> None:
        self._seamless = job.choice("blending", BLENDINGS) == "seamless"
        self._cast: NDArray[np.float64] | None = None
        self.feathered = 0
        """Frames that could not be cloned."""

    def mix(self, view: Frame, warped: Frame, mask: Frame, width_px: float) -> Frame:
        """``view`` with ``warped`` where ``mask`` is set; ``width_px`` is the face's width."""
        feather_px = max(1.0, 0.025 * width_px)
        inner = max(1, round(2 * feather_px))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (inner * 2 + 1, inner * 2 + 1))
        core = np.asarray(cv2.erode(mask, kernel, borderValue=0), dtype=np.uint8)
        if self._seamless:
            cloned = clone(view, warped, mask)
            if cloned is not None:
                # A dark or tinted edge of the photo spreads over the whole clone; undo the cast.
                cloned, self._cast = match_colour(cloned, view, core, self._cast, _COLOUR_INERTIA)
                return blend(view, cloned, core, feather_px)
            self.feathered += 1
        return blend(view, warped, core, feather_px)


def clone(view: Frame, warped: Frame, mask: Frame) -> Frame | None:
    """Poisson cloning in place: the gradients of ``warped`` on the colours along the mask's edge.

    None if OpenCV refuses. A frame of repeated pixels around the view keeps a face that leaves the
    picture from touching the border, where OpenCV would shift it or fail.
    """
    padded = cv2.copyMakeBorder(mask, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_CONSTANT, value=0)
    under = cv2.copyMakeBorder(view, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REPLICATE)
    over = cv2.copyMakeBorder(warped, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REPLICATE)
    over = np.where((padded > 0)[:, :, None], over, under)
    area = bounds(np.asarray(padded, dtype=np.uint8))
    if area is None:
        return None
    centre = ((area[1].start + area[1].stop) // 2, (area[0].start + area[0].stop) // 2)
    try:
        cloned = cv2.seamlessClone(over, under, padded, centre, cv2.NORMAL_CLONE)
    except cv2.error:
        return None
    return np.asarray(cloned[_PAD:-_PAD, _PAD:-_PAD], dtype=np.uint8)
