"""Checks that frame i of the swapped video shows the same instant as frame i of the original."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.core.base import Frozen
from harness.model.observed import FACE_BOX, THUMBNAIL_HEIGHT, THUMBNAIL_WIDTH
from harness.model.score import Alignment
from harness.model.video import VideoInfo
from harness.scoring.observations import VideoObservations

if TYPE_CHECKING:
    import pandas as pd

Thumbnails = NDArray[np.float32]
"""Frames x height x width of luminance, 0 to 255."""
Mask = NDArray[np.bool_]
Changes = NDArray[np.float64]
"""Frame-to-frame changes, frames x pixels."""

MAXIMUM_LAG = 50
"""Reach of the search in frames; what is shifted further counts as undecided."""
STILL = 0.05
"""Root mean square change per frame, in luminance steps of a thumbnail, under which a picture
stands still. Encoding noise on a still picture: at most 0.026; a picture with a living face: at
least 0.19 (docs/protocol.md, as for the next two)."""
CONVINCING = 0.5
"""A weaker correlation says that the pictures differ, not when they were taken. Unrelated pictures:
at most 0.17; at the right shift: at least 0.54, and 0.70 unless heavily compressed."""
MARGIN = 0.1
"""Least lead of a shift over no shift. Of aligned videos no other shift ever fitted
better; a shift of one frame fits at least 0.27 better than none."""


class Timing(Frozen):
    """The shift of a video as a whole, and of its two halves (None: undecided)."""

    lag: int | None = None
    correlation: float | None = None
    halves: tuple[int | None, int | None] = (None, None)

    @property
    def slips(self) -> bool:
        """True when frames were lost or repeated on the way: the halves are shifted differently."""
        first, second = self.halves
        return first is not None and second is not None and first != second


def timing(original: Thumbnails, swapped: Thumbnails, mask: Mask) -> Timing:
    """``best_lag`` of the whole videos and of their halves, over the pixels of ``mask``."""
    lag, correlation = best_lag(original, swapped, mask)
    middle = min(len(original), len(swapped)) // 2
    first, _ = best_lag(original[:middle], swapped[:middle], mask)
    second, _ = best_lag(original[middle:], swapped[middle:], mask)
    return Timing(lag=lag, correlation=correlation, halves=(first, second))


def best_lag(
    original: Thumbnails, swapped: Thumbnails, mask: Mask
) -> tuple[int | None, float | None]:
    """The shift in frames by which ``swapped`` fits ``original`` best (frame t of the original is
    frame t + lag of the swapped video), and the correlation of the frame-to-frame changes there.

    Only pixels where ``mask`` is True count. (None, None) for a still picture; (None, correlation)
    where no shift fits convincingly.
    """
    x, y = _changes(original, mask), _changes(swapped, mask)
    if is_still(x) or is_still(y):
        return None, None
    reach = search_reach(1 + min(len(x), len(y)))
    energies = np.sum(x * x, axis=1), np.sum(y * y, axis=1)
    fits = {lag: _correlation((x, y), energies, lag) for lag in range(-reach, reach + 1)}
    lag = max(fits, key=lambda k: (fits[k], -abs(k)))
    if fits[lag] < CONVINCING:
        return None, fits[lag]
    if fits[lag] - fits[0] < MARGIN:
        lag = 0
    return lag, fits[lag]


def search_reach(frames: int) -> int:
    """The largest shift that is looked for in a video of so many frames."""
    return min(MAXIMUM_LAG, max(0, frames - 1) // 3)


def _changes(pictures: Thumbnails, mask: Mask) -> Changes:
    return np.diff(pictures[:, mask].astype(np.float64), axis=0)


def is_still(changes: Changes) -> bool:
    """True when frame-to-frame changes (frames x pixels) are no more than encoding noise."""
    return changes.size == 0 or float(np.sqrt(np.mean(changes**2))) < STILL


def _correlation(
    changes: tuple[Changes, Changes], energies: tuple[Changes, Changes], lag: int
) -> float:
    """Of the changes of all pixels at once, over the frames that overlap at this lag."""
    x, y = changes
    start = max(0, -lag)
    stop = min(len(x), len(y) - lag)
    product = np.vdot(x[start:stop], y[start + lag : stop + lag])
    norm = np.sqrt(energies[0][start:stop].sum() * energies[1][start + lag : stop + lag].sum())
    return float(product / norm) if norm > 0 else 0.0


def align(
    original: VideoInfo,
    swapped: VideoInfo,
    pictures: tuple[Thumbnails, Thumbnails],
    outside_faces: Mask,
) -> Alignment:
    """Compare count, size, rate and timing. The lag is taken outside of the face first, as that is
    what a tool leaves alone, and over the whole picture when the background stands still.
    """
    everywhere = np.ones_like(outside_faces)
    measured = Timing()
    for mask in (outside_faces, everywhere):
        if mask.any():
            measured = timing(*pictures, mask)
        if measured.lag is not None or measured.slips:
            break
    still = tuple(is_still(_changes(video, everywhere)) for video in pictures)
    same_count = original.frames == swapped.frames
    return Alignment(
        frames_original=original.frames,
        frames_swapped=swapped.frames,
        same_size=(original.width, original.height) == (swapped.width, swapped.height),
        same_rate=_same_rate(original, swapped),
        lag_frames=measured.lag,
        lag_correlation=measured.correlation,
        lag_halves=measured.halves,
        aligned=same_count and measured.lag in (0, None) and not measured.slips,
        reason=" ".join([*_faults(original, swapped, measured), *_undecided(measured, still)])
        or "Same count, size, rate and timing.",
    )


def _faults(original: VideoInfo, swapped: VideoInfo, measured: Timing) -> list[str]:
    """Faults of the timing, in sentences."""
    parts = []
    if original.frames != swapped.frames:
        parts.append(
            f"The swapped video has {swapped.frames} frames and the original {original.frames}, "
            "so frames cannot be paired."
        )
    if measured.slips:
        parts.append(
            "Frames were lost or repeated on the way: the first half of the swapped video is "
            f"{_shift(measured.halves[0])}, the second {_shift(measured.halves[1])}, so frames "
            "cannot be paired."
        )
    elif measured.lag:
        parts.append(f"The swapped video is {_shift(measured.lag)}, so frames cannot be paired.")
    if (original.width, original.height) != (swapped.width, swapped.height):
        parts.append(
            f"The size changed from {original.width}x{original.height} to "
            f"{swapped.width}x{swapped.height}."
        )
    if not _same_rate(original, swapped):
        parts.append(f"The frame rate changed from {original.fps} to {swapped.fps}.")
    return parts


def _same_rate(original: VideoInfo, swapped: VideoInfo) -> bool:
    """Within 1e-4, as containers with coarse clocks round rates."""
    return abs(Fraction(swapped.fps) / Fraction(original.fps) - 1) <= Fraction(1, 10_000)


def _shift(lag: int | None) -> str:
    if not lag:
        return "in step"
    return f"{abs(lag)} frame{'s' * (abs(lag) > 1)} {'late' if lag > 0 else 'early'}"


def _undecided(measured: Timing, still: tuple[bool, ...]) -> list[str]:
    """Reason why the timing cannot be read from the pictures, or nothing."""
    if measured.lag is not None or measured.slips:
        return []
    original_still, swapped_still = still
    if original_still:
        why = "the original stands still"
    elif swapped_still:
        why = "the swapped video stands still while the original moves"
    else:
        why = (
            f"at no shift of up to {MAXIMUM_LAG} frames do the pictures move alike: what moves "
            "was covered, or the videos show different scenes"
        )
    return [f"The timing cannot be told from the pictures ({why}); frames are paired by count."]


def align_videos(original: VideoObservations, swapped: VideoObservations) -> Alignment:
    """``align``, with the place of the original's face left out."""
    return align(
        original.info,
        swapped.info,
        (original.frames.pictures, swapped.frames.pictures),
        outside_faces(original.frames.expressions, original.info),
    )


def outside_faces(expressions: pd.DataFrame, info: VideoInfo) -> Mask:
    """Thumbnail pixels that the main face never touches, with half a face's size around it."""
    mask = np.ones((THUMBNAIL_HEIGHT, THUMBNAIL_WIDTH), dtype=bool)
    seen = expressions[expressions["faces"] > 0]
    if seen.empty:
        return mask
    x0, y0, x1, y1 = (seen[side].to_numpy(float) for side in FACE_BOX)
    width, height = (x1 - x0) / 2, (y1 - y0) / 2
    across, down = THUMBNAIL_WIDTH / info.width, THUMBNAIL_HEIGHT / info.height
    left, right = int((x0 - width).min() * across), int(np.ceil((x1 + width).max() * across))
    top, bottom = int((y0 - height).min() * down), int(np.ceil((y1 + height).max() * down))
    mask[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = False
    return mask
