"""A4: how a face moves, after Agarwal and Farid (CVPR Workshops 2019); pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.model.video import WhichVideo
from harness.scoring.action_units import UNITS, Trust, action_units
from harness.scoring.cohort.trials import (
    Array,
    FrameVectors,
    Member,
    Probe,
    Trial,
    by_actor,
    euclidean,
    halves,
)

if TYPE_CHECKING:
    import pandas as pd

SEGMENT_S, STEP_S = 2.0, 1.0
LEAST_FRAMES = 25
"""The least for a PCC: a correlation of fewer frames is an accident (docs/protocol.md)."""
LEAST_SEEN = 0.8
"""Share of a segment's frames that must show the face."""

CHANNELS = (
    *(source.unit for source in UNITS if source.standing is not Trust.DEAD),
    "yaw_deg",
    "pitch_deg",
    "roll_deg",
)


def motion_of(expressions: pd.DataFrame, fps: float) -> FrameVectors:
    """Action units that can move and the head's angles, for every frame; from the rows of
    ``observe_attributes``.
    """
    units = action_units(expressions)
    columns = [units[c] if c in units.columns else expressions[c] for c in CHANNELS]
    return FrameVectors(
        frames=expressions["frame"].to_numpy(np.int64),
        vectors=np.stack([column.to_numpy(np.float64) for column in columns], axis=1),
        total=len(expressions),
        fps=fps,
    )


def segments(part: FrameVectors) -> tuple[Array, int]:
    """(features of the usable segments, how many segments there were) of consecutive frames."""
    length = max(LEAST_FRAMES, round(SEGMENT_S * part.fps))
    step = max(1, round(STEP_S * part.fps))
    starts = range(0, len(part.frames) - length + 1, step)
    vectors = [features(part.vectors[s : s + length], part.fps) for s in starts]
    usable = [vector for vector in vectors if vector is not None]
    width = 2 * len(CHANNELS) + len(CHANNELS) * (len(CHANNELS) - 1) // 2
    return (np.stack(usable) if usable else np.empty((0, width))), len(vectors)


def features(values: Array, fps: float) -> Array | None:
    """Standard deviations, mean speeds (per second) and pairwise correlations of the channels of
    one segment; None when the face is seen in too few frames.

    The means are left out: they show what a face looks like at rest, not how it moves. A channel
    that stands still correlates with none: 0.
    """
    seen: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
    if seen.sum() < max(LEAST_FRAMES, LEAST_SEEN * len(values)):
        return None
    moves = values[seen] - values[seen].mean(axis=0)
    deviations = moves.std(axis=0)
    speeds = np.abs(np.diff(values, axis=0))[seen[1:] & seen[:-1]].mean(axis=0) * fps
    scaled = moves / np.where(deviations > 1e-9, deviations, np.inf)
    correlations = scaled.T @ scaled / len(moves)
    upper = np.triu_indices(values.shape[1], 1)
    return np.concatenate([deviations, speeds, correlations[upper]])


def motion_trial(members: Sequence[Member], probed: WhichVideo) -> Trial:
    """Segments of the later part of the probed video against the mean of the original's earlier
    part. Features are scaled by their spread over all enrolled segments, and the distance is the
    root mean square over features. Empty where fewer than two actors can be enrolled.
    """
    people = by_actor(members)
    enrolled = {
        actor: early
        for actor, own in people.items()
        if (seen := own[0].motion.get(WhichVideo.ORIGINAL)) is not None
        and len(early := segments(halves(seen)[0])[0])
    }
    if len(enrolled) < 2:
        return Trial((), ())
    together = np.concatenate(list(enrolled.values()))
    spread: Array = together.std(axis=0)
    telling = spread > 1e-9
    weights = np.zeros_like(spread)
    weights[telling] = 1 / spread[telling] / np.sqrt(telling.sum())
    gallery = np.stack([early.mean(axis=0) for early in enrolled.values()]) * weights
    probes = []
    for actor, own in people.items():
        parts = [segments(halves(m.motion[probed])[1]) for m in own if probed in m.motion]
        rows = [euclidean(late * weights, gallery) for late, _ in parts]
        distances = np.concatenate([np.empty((0, len(gallery))), *rows])
        probes.append(Probe(actor, distances, sum(count for _, count in parts)))
    return Trial(tuple(enrolled), tuple(probes))
