"""Video quality as pure functions: steadiness with sharpness, flicker, jitter, gaps, background."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.model.quality import Background, Flicker, Gaps, Jitter, Quality, Steadiness, Warping
from harness.model.score import Alignment
from harness.scoring.geometry import EYES, INTEROCULAR, interocular
from harness.scoring.identity import embeddings_of
from harness.scoring.observations import VideoObservations

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Shown = NDArray[np.bool_]
"""True for each frame that shows a face."""
Embeddings = Mapping[int, Array]

EMBEDDING = "L2 distance of embeddings"
MINIMUM_STEPS = 10
"""Fewer consecutive frames say nothing of unrest."""
STILL_ERROR = 0.01
"""Warping error, in squared luminance steps, of a face that does not change at all; no ratio to it
means anything."""
STILL_JITTER = 1e-9
UNSTEADY_RATIO = 1.5
BLURRED_SHARPNESS = 0.6
FLICKER_ABOVE_HZ = 5.0
"""Faster than faces and light move the mean brightness of a face; what pulses beyond it is seen as
flicker."""
FLICKER_LEAST_S = 0.5
BEST_PSNR_DB = 100.0


class MainFace(NamedTuple):
    """Observations of the main face of one video."""

    seen: Shown
    landmarks: Array
    """Frames x points x 2, pixels, NaN without a face; the points of ``POINTS``."""
    embeddings: Embeddings
    """Of every frame, or of those that were sampled."""


def side_by_side(
    original: VideoObservations,
    swapped: VideoObservations,
    alignment: Alignment,
    pixels: pd.DataFrame | None,
    fps: float,
) -> Quality:
    """``quality`` of the two videos and the rows of ``observe_pair``; without rows, the reason."""
    reason = why_not_side_by_side(original, swapped, alignment)
    if reason or pixels is None:
        return Quality(reason=reason)
    return quality(_main_face(original), _main_face(swapped), pixels, fps)


def why_not_side_by_side(
    original: VideoObservations, swapped: VideoObservations, alignment: Alignment
) -> str:
    """The reason why the pixels of two videos must not be compared; empty when they may."""
    reason = unpairable(alignment)
    lengths = {len(video.frames.expressions) for video in (original, swapped)}
    if not reason and len(lengths) > 1:
        reason = "The videos have different numbers of frames that can be decoded."
    return reason


def _main_face(video: VideoObservations) -> MainFace:
    return MainFace(
        seen=video.frames.expressions["faces"].to_numpy() > 0,
        landmarks=video.frames.landmarks.astype(np.float64),
        embeddings=embeddings_of(video.faces),
    )


def quality(original: MainFace, swapped: MainFace, rows: pd.DataFrame, fps: float) -> Quality:
    """Of two videos of the same size and length, in step, and the rows of ``observe_pair``."""
    warped, note = warping(rows)
    light, swapped_light = (
        rows[f"luminance_{name}"].to_numpy(float) for name in ("original", "swapped")
    )
    return Quality(
        warping=warped,
        warping_note=note,
        flicker=flicker(light, swapped_light, fps),
        identity_jitter=identity_jitter(original.embeddings, swapped.embeddings),
        landmark_jitter=landmark_jitter(original.landmarks, swapped.landmarks, EYES),
        gaps=gaps(original.seen, swapped.seen, fps),
        background=background(rows),
    )


def unpairable(alignment: Alignment) -> str:
    """The reason why the frames of two videos must not be compared; empty when they may."""
    if alignment.aligned and alignment.same_size and alignment.same_rate:
        return ""
    return alignment.reason


def warping(rows: pd.DataFrame) -> tuple[Warping | None, str]:
    """From the rows of ``observe_pair``: the errors over the pairs that could be measured, and
    the sharpness of the same frames. None with a sentence where there is nothing to compare to.
    """
    names = ("warp_original", "warp_swapped", "sharpness_original", "sharpness_swapped")
    values = rows[list(names)].to_numpy(float)
    original, swapped, sharp, sharp_swapped = values[np.isfinite(values).all(axis=1)].T
    if len(original) < MINIMUM_STEPS:
        return None, (
            f"Only {len(original)} pairs of consecutive frames show a face, of at least "
            f"{MINIMUM_STEPS}."
        )
    if original.mean() < STILL_ERROR or sharp.mean() <= 0:
        return None, "The original's face stands still, so there is nothing to compare to."
    ratio = float(swapped.mean() / original.mean())
    sharpness_ratio = float(sharp_swapped.mean() / sharp.mean())
    return (
        Warping(
            pairs=len(original),
            original=float(original.mean()),
            swapped=float(swapped.mean()),
            ratio=ratio,
            sharpness_ratio=sharpness_ratio,
            detail_fair_ratio=detail_fair(ratio, sharpness_ratio),
            verdict=verdict(ratio, sharpness_ratio),
        ),
        "",
    )


def detail_fair(ratio: float, sharpness_ratio: float) -> float | None:
    """A warping ratio at equal detail. Both numbers grow with the square of contrast, so what a
    blur takes from the one it must not win in the other; sharpening earns nothing.
    """
    share = min(1.0, sharpness_ratio)
    return ratio / share if share > 0 else None


def verdict(ratio: float, sharpness_ratio: float) -> Steadiness:
    """Verdict of both ratios together."""
    if ratio > UNSTEADY_RATIO:
        return Steadiness.UNSTEADY
    if sharpness_ratio < BLURRED_SHARPNESS:
        return Steadiness.BLURRED
    return Steadiness.STEADY


def flicker(original: Array, swapped: Array, fps: float) -> Flicker:
    """Of the face's mean luminance per frame (0 to 255, NaN without a face)."""
    both = np.isfinite(original) & np.isfinite(swapped)
    long = [run for run in _runs(both) if len(run) >= max(8, FLICKER_LEAST_S * fps)]
    frames = sum(len(run) for run in long)
    if fps / 2 <= FLICKER_ABOVE_HZ:
        reason = f"{fps:g} frames a second cannot show changes above {FLICKER_ABOVE_HZ:g} Hz"
        return Flicker(above_hz=FLICKER_ABOVE_HZ, frames=0, reason=reason)
    if not long:
        reason = f"no stretch of {FLICKER_LEAST_S:g} s shows a face in the original"
        return Flicker(above_hz=FLICKER_ABOVE_HZ, frames=0, reason=reason)

    def unrest(values: Array) -> float:
        power = sum(len(run) * fast_power(values[run], fps, FLICKER_ABOVE_HZ) for run in long)
        return math.sqrt(power / frames)

    return Flicker(
        above_hz=FLICKER_ABOVE_HZ,
        frames=frames,
        added=unrest(swapped - original),
        original=unrest(original),
    )


def fast_power(values: Array, fps: float, above_hz: float) -> float:
    """Mean square of what in ``values`` (evenly sampled) changes faster than ``above_hz``: a line
    is taken off first, and a Hann window keeps slow changes from leaking in.
    """
    count = len(values)
    time = np.arange(count) - (count - 1) / 2
    level = values - values.mean()
    level = level - time * (time @ level) / (time @ time)
    window = np.hanning(count)
    power = np.abs(np.fft.rfft(level * window)) ** 2
    # All bins but the first and, of an even count, the last stand for two.
    power[1 : (count + 1) // 2] *= 2
    fast = np.fft.rfftfreq(count, 1 / fps) > above_hz
    return float(power[fast].sum() / (count * (window @ window)))


def gaps(original: Shown, swapped: Shown, fps: float) -> Gaps:
    """Frames in which the original shows a face and the swapped video does not."""
    lost = [len(run) for run in _runs(original & ~swapped)]
    longest = max(lost, default=0)
    return Gaps(frames=sum(lost), count=len(lost), longest_frames=longest, longest_s=longest / fps)


def _runs(mask: Shown) -> Iterator[NDArray[np.intp]]:
    """The indices of each stretch of True."""
    places = np.flatnonzero(mask)
    if len(places):
        yield from np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)


def background(rows: pd.DataFrame) -> Background:
    """From the rows of ``observe_pair``."""
    values = rows[["background_ssim", "background_mse"]].to_numpy(float)
    ssim, error = values[np.isfinite(values).all(axis=1)].T
    if not len(ssim):
        return Background(frames=0, reason="the face leaves no background to compare")
    return Background(frames=len(ssim), ssim=float(ssim.mean()), psnr_db=psnr(float(error.mean())))


def psnr(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in decibels of pictures of 0 to 255, at most ``BEST_PSNR_DB``."""
    if mean_squared_error <= 0:
        return BEST_PSNR_DB
    return min(BEST_PSNR_DB, 10 * math.log10(255**2 / mean_squared_error))


def identity_jitter(original: Embeddings, swapped: Embeddings) -> Jitter:
    """Mean distance of the embeddings of consecutive frames, over the pairs that have all four."""
    frames = [
        frame
        for frame in sorted(original)
        if frame + 1 in original and frame in swapped and frame + 1 in swapped
    ]
    if len(frames) < MINIMUM_STEPS:
        return _too_few(EMBEDDING, len(frames), "pairs")
    steps = (
        np.array([np.linalg.norm(video[frame + 1] - video[frame]) for frame in frames])
        for video in (original, swapped)
    )
    return _jitter(EMBEDDING, *steps)


def landmark_jitter(original: Array, swapped: Array, eyes: tuple[int, int]) -> Jitter:
    """Mean norm of the points' second differences over the interocular distance, at the triples of
    consecutive frames that show a face in both videos (frames x points x 2, pixels, NaN without).
    """
    first, second = (_second_differences(points, eyes) for points in (original, swapped))
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < MINIMUM_STEPS:
        return _too_few(INTEROCULAR, int(both.sum()), "triples")
    return _jitter(INTEROCULAR, first[both], second[both])


def _second_differences(points: Array, eyes: tuple[int, int]) -> Array:
    if len(points) < 3:
        return np.empty(0)
    bend = np.linalg.norm(np.diff(points, 2, axis=0), axis=-1).mean(axis=-1)
    relative: Array = bend / interocular(points[1:-1], eyes)
    return relative


def _jitter(unit: str, original: Array, swapped: Array) -> Jitter:
    still = original.mean() < STILL_JITTER
    return Jitter(
        unit=unit,
        steps=len(original),
        original=float(original.mean()),
        swapped=float(swapped.mean()),
        ratio=None if still else float(swapped.mean() / original.mean()),
        reason="the original does not move at all" if still else "",
    )


def _too_few(unit: str, steps: int, samples: str) -> Jitter:
    reason = (
        f"too few: {steps} {samples} of consecutive frames seen in both videos, of at least "
        f"{MINIMUM_STEPS}"
    )
    return Jitter(unit=unit, steps=steps, reason=reason)
