"""Finds when a swapped video shows the actor: a pure function of its frames' distances."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.core.base import Frozen
from harness.model.privacy import LeakingStretch, LeakProfile

if TYPE_CHECKING:
    import pandas as pd

STRETCHES_KEPT = 50


class FrameDistances(Frozen):
    """Distances to one reference face, for the frames of a video that were looked at."""

    frames: tuple[int, ...]
    """Ascending."""
    distances: tuple[float | None, ...]
    """L2; None where no face was found."""
    total: int
    """Frames in the video."""
    fps: float


def distances_to(
    observed: pd.DataFrame, reference: Sequence[float], total: int, fps: float
) -> FrameDistances:
    """From the rows of an identity observation (frame, embedding or None), in any order."""
    face = np.asarray(reference, dtype=np.float64)
    rows = observed.sort_values("frame")
    return FrameDistances(
        frames=tuple(int(frame) for frame in rows["frame"]),
        distances=tuple(
            None if vector is None else float(np.linalg.norm(np.asarray(vector) - face))
            for vector in rows["embedding"]
        ),
        total=total,
        fps=fps,
    )


def leak_profile(seen: FrameDistances, threshold: float) -> LeakProfile:
    """The leaks at or under ``threshold``; ``seen.fps`` must be above 0."""
    values = np.array([d for d in seen.distances if d is not None], dtype=np.float64)
    stretches = _stretches(seen, threshold)
    leaking = int((values <= threshold).sum())
    kept = sorted(stretches, key=lambda s: (-s.frames, s.first_frame))[:STRETCHES_KEPT]
    return LeakProfile(
        threshold=threshold,
        every_frame=len(seen.frames) == seen.total,
        asked=len(seen.frames),
        used=len(values),
        leaking=leaking,
        share_of_asked=leaking / len(seen.frames) if seen.frames else None,
        share_of_used=leaking / len(values) if len(values) else None,
        longest_run_frames=max((s.frames for s in stretches), default=0),
        longest_run_s=max((s.duration_s for s in stretches), default=0.0),
        first_leak_s=stretches[0].start_s if stretches else None,
        p01_l2=_first_percentile(values),
        stretches=tuple(sorted(kept, key=lambda s: s.first_frame)),
        stretches_found=len(stretches),
    )


def _first_percentile(values: NDArray[np.float64]) -> float | None:
    return float(np.quantile(values, 0.01)) if len(values) else None


def _stretches(seen: FrameDistances, threshold: float) -> list[LeakingStretch]:
    """Maximal runs of looked-at frames that leak, in order of time."""
    looked_at = zip(seen.frames, seen.distances, strict=True)
    runs = groupby(looked_at, key=lambda frame: frame[1] is not None and frame[1] <= threshold)
    return [
        _stretch([(frame, d) for frame, d in run if d is not None], seen.fps)
        for leaks, run in runs
        if leaks
    ]


def _stretch(run: Sequence[tuple[int, float]], fps: float) -> LeakingStretch:
    first, last = run[0][0], run[-1][0]
    return LeakingStretch(
        first_frame=first,
        last_frame=last,
        frames=len(run),
        start_s=first / fps,
        duration_s=(last - first + 1) / fps,
        minimum_l2=min(distance for _, distance in run),
    )
