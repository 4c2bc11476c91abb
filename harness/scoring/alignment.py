"""Whether frame i of the swapped video shows the same instant as frame i of the original."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from harness.model.dataset import VideoInfo
from harness.model.score import Alignment

Thumbnails = NDArray[np.float32]
"""Frames x height x width of luminance, 0 to 255."""
Mask = NDArray[np.bool_]

MAXIMUM_LAG = 15
_STILL = 0.02
"""Root mean square change per frame (in luminance steps) under which a picture stands still."""
_CONVINCING = 0.5
"""A weaker correlation says that the pictures differ, not when they were taken."""
_MARGIN = 0.1
"""How much better than no shift a shift must fit before the video is called shifted."""


def best_lag(
    original: Thumbnails, swapped: Thumbnails, mask: Mask
) -> tuple[int | None, float | None]:
    """The shift in frames by which ``swapped`` fits ``original`` best (frame t of the original is
    frame t + lag of the swapped video), and the correlation of the frame-to-frame changes there.

    Only pixels where ``mask`` is True count. (None, None) for a still picture; (None, correlation)
    where no shift fits convincingly.
    """
    x = np.diff(original[:, mask].astype(np.float64), axis=0)
    y = np.diff(swapped[:, mask].astype(np.float64), axis=0)
    if _is_still(x) or _is_still(y):
        return None, None
    reach = min(MAXIMUM_LAG, len(x) // 3, len(y) // 3)
    fits = {lag: _correlation(x, y, lag) for lag in range(-reach, reach + 1)}
    lag = max(fits, key=lambda k: (fits[k], -abs(k)))
    if fits[lag] < _CONVINCING:
        return None, fits[lag]
    if fits[lag] - fits[0] < _MARGIN:
        lag = 0
    return lag, fits[lag]


def _is_still(changes: NDArray[np.float64]) -> bool:
    return changes.size == 0 or float(np.sqrt(np.mean(changes**2))) < _STILL


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64], lag: int) -> float:
    """Of the changes of all pixels at once, over the frames that overlap at this lag."""
    start = max(0, -lag)
    stop = min(len(x), len(y) - lag)
    a, b = x[start:stop], y[start + lag : stop + lag]
    norm = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.sum(a * b)) / norm if norm > 0 else 0.0


def align(
    original: VideoInfo,
    swapped: VideoInfo,
    pictures: tuple[Thumbnails, Thumbnails],
    outside_faces: Mask,
) -> Alignment:
    """Compare count, size, rate and timing. The lag is taken outside of the face first, as that is
    what a tool leaves alone, and over the whole picture when the background stands still.
    """
    lag, correlation = None, None
    for mask in (outside_faces, np.ones_like(outside_faces)):
        if mask.any():
            lag, correlation = best_lag(*pictures, mask)
        if lag is not None:
            break
    same_size = (original.width, original.height) == (swapped.width, swapped.height)
    same_rate = Fraction(original.fps) == Fraction(swapped.fps)
    same_count = original.frames == swapped.frames
    return Alignment(
        frames_original=original.frames,
        frames_swapped=swapped.frames,
        same_size=same_size,
        same_rate=same_rate,
        lag_frames=lag,
        lag_correlation=correlation,
        aligned=same_count and lag in (0, None),
        reason=_reason(original, swapped, lag),
    )


def _reason(original: VideoInfo, swapped: VideoInfo, lag: int | None) -> str:
    """Everything that is not as it should be, in sentences."""
    parts = []
    if original.frames != swapped.frames:
        parts.append(
            f"The swapped video has {swapped.frames} frames and the original {original.frames}, "
            "so frames cannot be paired."
        )
    if lag:
        parts.append(
            f"The swapped video is {abs(lag)} frames {'late' if lag > 0 else 'early'}, so frames "
            "cannot be paired."
        )
    if (original.width, original.height) != (swapped.width, swapped.height):
        parts.append(
            f"The size changed from {original.width}x{original.height} to "
            f"{swapped.width}x{swapped.height}."
        )
    if Fraction(original.fps) != Fraction(swapped.fps):
        parts.append(f"The frame rate changed from {original.fps} to {swapped.fps}.")
    if lag is None:
        parts.append("The timing cannot be checked from the pictures; frames are paired by count.")
    return " ".join(parts) or "Same count, size, rate and timing."
