"""Measures the pixels of one frame, or of two consecutive ones, of two videos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""
Mask = NDArray[np.bool_]

FACE_PX = 96
"""Faces are compared at this size, whatever theirs is in the picture."""
MARGIN = 0.25
"""Of the face's size, around it, so that flow has something to hold on to at the face's edge."""
SIDE_PX = round(FACE_PX * (1 + 2 * MARGIN))
BACKGROUND_MARGIN = 0.5
"""Of the face's size: what is nearer to a face is not background."""
LEAST_BACKGROUND = 0.02
"""Of the picture: a smaller rest is not looked at."""
SSIM_SIGMA_PX, SSIM_RADIUS_PX = 1.5, 5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True)
class Crop:
    """A window of whole pixels around a face, that is scaled to SIDE_PX x SIDE_PX."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, picture: Frame) -> Frame:
        """The window of a picture (height x width x 3), edges repeated beyond the picture."""
        import cv2

        height, width = picture.shape[:2]
        inside = picture[
            max(0, self.top) : min(height, self.bottom), max(0, self.left) : min(width, self.right)
        ]
        beyond = (
            max(0, -self.top),
            max(0, self.bottom - height),
            max(0, -self.left),
            max(0, self.right - width),
        )
        if any(beyond):
            inside = cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
        shrinks = self.right - self.left > SIDE_PX
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(inside, (SIDE_PX, SIDE_PX), interpolation=way)  # type: ignore[return-value]


def crop_at(box: Box, shape: Sequence[int]) -> Crop | None:
    """The window for a face; None for one that lies mostly outside a picture of ``shape`` (height,
    width, ...) or is smaller than eight pixels.
    """
    x0, y0, x1, y1 = box
    height, width = shape[:2]
    if min(x1 - x0, y1 - y0) < 8 or not (0 < (x0 + x1) / 2 < width and 0 < (y0 + y1) / 2 < height):
        return None
    across, down = (x1 - x0) * MARGIN, (y1 - y0) * MARGIN
    return Crop(
        left=math.floor(x0 - across),
        top=math.floor(y0 - down),
        right=math.ceil(x1 + across),
        bottom=math.ceil(y1 + down),
    )


@cache
def face_mask() -> Mask:
    """The ellipse of the face in a crop, SIDE_PX x SIDE_PX."""
    return ellipse(SIDE_PX, SIDE_PX, FACE_PX / SIDE_PX)


def ellipse(height: int, width: int, share: float = 1.0) -> Mask:
    """True inside the ellipse that fills ``share`` of both sides."""
    y = (np.arange(height) + 0.5 - height / 2) / (height * share / 2)
    x = (np.arange(width) + 0.5 - width / 2) / (width * share / 2)
    inside: Mask = y[:, None] ** 2 + x[None, :] ** 2 <= 1
    return inside


def luminance(picture: Frame, box: Box) -> float:
    """Mean luminance (0 to 255) of the ellipse in a face's box; NaN outside the picture."""
    import cv2

    height, width = picture.shape[:2]
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
    if right - left < 2 or bottom - top < 2:
        return float("nan")
    grey = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    mask = ellipse(bottom - top, right - left).astype(np.uint8)
    return float(cv2.mean(grey, mask)[0])


def sharpness(crop: Frame) -> float:
    """Variance of the Laplacian of luminance inside the face."""
    import cv2

    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    edges: NDArray[np.float32] = cv2.Laplacian(grey, cv2.CV_32F)  # type: ignore[assignment]
    return float(edges[face_mask()].var())


def warping(
    original: tuple[Frame, Frame], swapped: tuple[Frame, Frame]
) -> tuple[tuple[float, float], float]:
    """Warping errors of two crops each (the frame before, this frame), and the share of the face
    that both frames show.

    The original's flow says where each pixel was in the frame before. The error is the mean squared
    difference over colours between this frame and the frame before brought here by that flow (Lai
    et al. 2018), over the pixels of the face that pass the test against occlusion
    |f + b|^2 <= 0.01 (|f|^2 + |b|^2) + 0.5 (Sundaram et al. 2010). NaN when none does.
    """
    import cv2

    then, now = (cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) for crop in original)
    forth, back = _flow(now, then), _flow(then, now)
    place = _grid() + forth
    returned = _brought(back, place)
    seen = face_mask() & _agree(forth, returned) & _inside(place)
    share = float(np.count_nonzero(seen) / np.count_nonzero(face_mask()))
    if not seen.any():
        return (float("nan"), float("nan")), share
    return (_error(original, place, seen), _error(swapped, place, seen)), share


def _agree(forth: NDArray[np.float32], back: NDArray[np.float32]) -> Mask:
    """True where going there and back ends near the start: elsewhere one frame hides what the
    other shows. Both are height x width x 2.
    """
    fx, fy, bx, by = forth[..., 0], forth[..., 1], back[..., 0], back[..., 1]
    gap = (fx + bx) ** 2 + (fy + by) ** 2
    agree: Mask = gap <= 0.01 * (fx * fx + fy * fy + bx * bx + by * by) + 0.5
    return agree


def _inside(place: NDArray[np.float32]) -> Mask:
    x, y = place[..., 0], place[..., 1]
    inside: Mask = (x >= 0) & (y >= 0) & (x <= SIDE_PX - 1) & (y <= SIDE_PX - 1)
    return inside


def _error(pair: tuple[Frame, Frame], place: NDArray[np.float32], seen: Mask) -> float:
    before, now = pair
    # Remapping bytes would round, and a still picture moved by nothing is then no longer exact.
    brought = _brought(before.astype(np.float32), place)
    return float(np.mean((now[seen].astype(np.float32) - brought[seen]) ** 2))


def _brought(picture: NDArray[np.float32], place: NDArray[np.float32]) -> NDArray[np.float32]:
    """The picture's values at ``place`` (x, y), edges repeated."""
    import cv2

    brought: NDArray[np.float32] = cv2.remap(  # type: ignore[call-overload]
        picture, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return brought


def _flow(first: Any, second: Any) -> NDArray[np.float32]:
    import cv2

    # An instance keeps nothing between frames, so each call may have its own.
    flow: NDArray[np.float32] = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(
        first, second, None
    )  # type: ignore[call-overload]
    return flow


@cache
def _grid() -> NDArray[np.float32]:
    axis = np.arange(SIDE_PX, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis), axis=-1)


def background(original: Frame, swapped: Frame, faces: Sequence[Box]) -> dict[str, float]:
    """Similarity of the pixels that are far from all ``faces``: ``background_ssim``,
    ``background_mse`` (over colours) and ``background_share`` of the picture. Only the share when
    there are too few.
    """
    import cv2

    mask = far_from(faces, original.shape)
    share = float(mask.mean())
    if share < LEAST_BACKGROUND:
        return {"background_share": share}
    greys = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in (original, swapped)]
    whole = cv2.norm(original, swapped, cv2.NORM_L2SQR, mask.astype(np.uint8))
    return {
        "background_share": share,
        "background_mse": whole / (3 * float(mask.sum())),
        "background_ssim": float(ssim_map(*greys)[mask].mean()),
    }


def far_from(faces: Sequence[Box], shape: Sequence[int]) -> Mask:
    """True where a pixel of a picture of ``shape`` (height, width, ...) is further from each face's
    box than half of the face's size, and not in reach of SSIM's window from there.
    """
    height, width = shape[:2]
    mask = np.ones((height, width), dtype=bool)
    for x0, y0, x1, y1 in faces:
        across = BACKGROUND_MARGIN * (x1 - x0) + SSIM_RADIUS_PX
        down = BACKGROUND_MARGIN * (y1 - y0) + SSIM_RADIUS_PX
        rows = slice(max(0, math.floor(y0 - down)), max(0, math.ceil(y1 + down)))
        mask[rows, max(0, math.floor(x0 - across)) : max(0, math.ceil(x1 + across))] = False
    return mask


def ssim_map(first: Any, second: Any) -> Any:
    """Structural similarity at each pixel of two pictures of luminance (0 to 255): Gaussian windows
    of 11 x 11 with sigma 1.5, K1 = 0.01, K2 = 0.03, population moments (Wang et al. 2004).
    """
    x, y = first.astype(np.float32), second.astype(np.float32)
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x = _blurred(x * x) - mean_x * mean_x
    var_y = _blurred(y * y) - mean_y * mean_y
    both = _blurred(x * y) - mean_x * mean_y
    top = (2 * mean_x * mean_y + _C1) * (2 * both + _C2)
    return top / ((mean_x * mean_x + mean_y * mean_y + _C1) * (var_x + var_y + _C2))


def _blurred(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    import cv2

    size = 2 * SSIM_RADIUS_PX + 1
    smooth: NDArray[np.float32] = cv2.GaussianBlur(
        picture, (size, size), SSIM_SIGMA_PX, borderType=cv2.BORDER_REFLECT
    )  # type: ignore[assignment]
    return smooth
