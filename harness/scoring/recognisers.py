"""Scores by other recognisers, from what they measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.model.recognised import RecogniserScore, Similarity
from harness.scoring.observations import RecogniserRows
from harness.vision.recognisers.base import RecogniserInfo, distances

if TYPE_CHECKING:
    import pandas as pd


def recogniser_scores(
    measured: Sequence[RecogniserRows], frames: Sequence[int]
) -> tuple[RecogniserScore, ...]:
    """One for each recogniser, of the sampled frames that a video has."""
    return tuple(
        score_of(rows.info, {"or": rows.original, "sw": rows.swapped}, rows.photo, frames)
        for rows in measured
    )


def score_of(
    info: RecogniserInfo,
    rows: Mapping[str, pd.DataFrame],
    face: NDArray[np.float32] | None,
    frames: Sequence[int],
) -> RecogniserScore:
    """From the rows (frame, embedding or None) of both videos and the vector of the photo."""
    similarities = {
        name: similarity(info, table[table["frame"].isin(frames)], face)
        for name, table in rows.items()
    }
    return RecogniserScore(
        name=info.name,
        version=info.version,
        licence=info.licence,
        distance=info.distance.value,
        threshold=info.threshold,
        or_or=similarities["or"],
        sw_or=similarities["sw"],
        preprocessing=info.preprocessing,
        note="" if face is not None else "The recogniser finds no face in the actor's photo.",
    )


def similarity(
    info: RecogniserInfo, rows: pd.DataFrame, face: NDArray[np.float32] | None
) -> Similarity:
    """Distances of the rows' vectors to ``face``."""
    vectors = [vector for vector in rows["embedding"] if vector is not None]
    if face is None or not vectors:
        return Similarity(asked=len(rows), used=len(vectors))
    measured = distances(np.stack(vectors), np.asarray(face)[None], info.distance)
    threshold = info.threshold
    return Similarity(
        asked=len(rows),
        used=len(vectors),
        mean=float(measured.mean()),
        sd=float(measured.std(ddof=1)) if len(measured) > 1 else None,
        minimum=float(measured.min()),
        p01=float(np.quantile(measured, 0.01)),
        share_at_or_under_threshold=(
            None if threshold is None else float((measured <= threshold).mean())
        ),
    )
