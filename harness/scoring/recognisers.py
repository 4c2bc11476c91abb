"""Scores by other recognisers, from their stored observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.model.recognised import RecogniserScore, Similarity
from harness.observe.acceptance import open_recogniser
from harness.observe.recognised import PREFIX, read_recognised, stored_recognisers, version_of
from harness.vision.recognisers.base import RecogniserInfo, distances

if TYPE_CHECKING:
    import pandas as pd


class Hashes(NamedTuple):
    """Content hashes of the original video, the swapped video and the actor's photo."""

    original: str
    swapped: str
    photo: str


def measured_by(hashes: Hashes, home: Path) -> dict[str, tuple[Path, Path, Path]]:
    """The observations of every recogniser that has seen all three."""
    original, swapped, photo = (stored_recognisers(sha256, home) for sha256 in hashes)
    names = sorted(original.keys() & swapped.keys() & photo.keys())
    return {name: (original[name], swapped[name], photo[name]) for name in names}


def recogniser_inputs(hashes: Hashes, asked: Sequence[str], home: Path) -> dict[str, str]:
    """Inputs of a score: the recognisers that have measured, and those that are asked to."""
    opened = (open_recogniser(name, home).info for name in asked)
    wanted = {f"{PREFIX}{info.name}@{version_of(info)}" for info in opened}
    known = {name.removesuffix(".parquet") for name in measured_by(hashes, home)}
    return dict.fromkeys(sorted(known | wanted), "measured")


def recogniser_scores(
    hashes: Hashes, frames: Sequence[int], home: Path
) -> tuple[RecogniserScore, ...]:
    """One for each of ``measured_by``, of the sampled frames that a video has."""
    scores = []
    for paths in measured_by(hashes, home).values():
        (info, original), (_, swapped), (_, photo) = (read_recognised(path) for path in paths)
        face = photo["embedding"].iloc[0]
        scores.append(score_of(info, {"or": original, "sw": swapped}, face, frames))
    return tuple(scores)


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
