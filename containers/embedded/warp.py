"""Piecewise-affine warping over a triangle mesh, and colour matching."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from containers.embedded.faces import Frame

Points = NDArray[np.float32]
Triangles = NDArray[np.intp]

_SPREAD_LIMITS = (0.6, 1.6)


def triangulate(points: Points) -> Triangles:
    """Delaunay triangles over the points, as rows of three indices."""
    from scipy.spatial import Delaunay

    return np.asarray(Delaunay(points).simplices, dtype=np.intp)


class Mesh:
    """The donor's photo as a triangle mesh, at about the size at which it will be shown."""

    def __init__(self, photo: Frame, points: Points, shown_width_px: float) -> None:
        width_px = float(points[:17, 0].max() - points[:17, 0].min())
        # Sampling a far larger photo point by point would alias; it is shrunk once instead.
        scale = min(1.0, 1.25 * shown_width_px / max(1.0, width_px))
        height, width = photo.shape[:2]
        size = (max(2, round(width * scale)), max(2, round(height * scale)))
        self._photo = np.asarray(
            cv2.resize(photo, size, interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
        self._points = (points * np.array([size[0] / width, size[1] / height])).astype(np.float32)
        self._triangles = triangulate(self._points)

    def warp(self, target: Points, shape: tuple[int, int]) -> tuple[Frame, Frame]:
        """The photo with its points moved to ``target`` (same order), and 255 where it was drawn.

        ``shape`` is (height, width). Triangles that the target turns over are left out.
        """
        source, triangles = self._points, self._triangles
        height, width = shape
        owner = np.zeros(shape, dtype=np.int32)
        affine = np.zeros((len(triangles) + 1, 2, 3), dtype=np.float32)
        for number, corners in enumerate(triangles, 1):
            after = target[corners]
            area = _area(after)
            if area * _area(source[corners]) <= 0 or abs(area) < 0.5:
                continue
            affine[number] = cv2.getAffineTransform(after, source[corners])
            cv2.fillConvexPoly(owner, np.rint(after).astype(np.int32), number)
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        ways = affine[owner]
        map_x = ways[:, :, 0, 0] * columns + ways[:, :, 0, 1] * rows + ways[:, :, 0, 2]
        map_y = ways[:, :, 1, 0] * columns + ways[:, :, 1, 1] * rows + ways[:, :, 1, 2]
        warped = cv2.remap(
            self._photo, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        drawn = np.where(owner > 0, 255, 0).astype(np.uint8)
        return np.asarray(warped, dtype=np.uint8), drawn


def _area(triangle: Points) -> float:
    """Twice the signed area."""
    (ax, ay), (bx, by), (cx, cy) = triangle.tolist()
    return float((bx - ax) * (cy - ay) - (cx - ax) * (by - ay))


def match_colour(
    warped: Frame,
    view: Frame,
    mask: Frame,
    before: NDArray[np.float64] | None,
    inertia: float,
) -> tuple[Frame, NDArray[np.float64]]:
    """``warped`` with the mean and spread that ``view`` has within the mask, in LAB.

    ``before`` is the transfer (rows: gain and offset; columns: L, a, b) of the last frame, into
    which this frame's is mixed so that the colour does not flicker; the new one is returned too.
    """
    inside = mask > 0
    if not inside.any():
        return warped, np.stack([np.ones(3), np.zeros(3)]) if before is None else before
    lab = cv2.cvtColor(warped, cv2.COLOR_BGR2LAB).astype(np.float32)
    wanted = cv2.cvtColor(view, cv2.COLOR_BGR2LAB)[inside].astype(np.float64)
    given = lab[inside].astype(np.float64)
    gain = np.clip(wanted.std(axis=0) / np.maximum(given.std(axis=0), 1e-3), *_SPREAD_LIMITS)
    offset = wanted.mean(axis=0) - gain * given.mean(axis=0)
    transfer = np.stack([gain, offset])
    if before is not None:
        transfer = inertia * before + (1 - inertia) * transfer
    matched = np.clip(np.rint(lab * transfer[0] + transfer[1]), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(matched, cv2.COLOR_LAB2BGR), dtype=np.uint8), transfer
