"""The score of a cell: a pure function of its observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.model.identity import RECOGNISER
from harness.model.protocol import Protocol
from harness.model.score import CellScore, Comparison, Distances, Identity
from harness.model.video import ByVideo
from harness.scoring.attributes import Length, blendshape_scores, outside_scores
from harness.scoring.identity import (
    References,
    SwappedFace,
    choose_face,
    donor_face,
    embeddings_of,
    evidence,
    frame_distances,
    medoid_face,
    summarise,
    swapped_identity,
)
from harness.scoring.leaks import distances_to, leak_profile
from harness.scoring.observations import Observations
from harness.scoring.quality import side_by_side
from harness.scoring.recognisers import recogniser_scores
from harness.scoring.utility import utility

if TYPE_CHECKING:
    import pandas as pd

SCORING_VERSION = 9
"""Raised whenever the same observations would give another score."""


class ScoredCell(NamedTuple):
    """A score with its values per frame."""

    score: CellScore
    frames: pd.DataFrame
    """One row per sampled frame: the columns of ``frame_distances``."""


def score(observations: Observations) -> ScoredCell:
    """The score of a cell. A swapped video without any face is a score (nothing could be
    compared), not an error.
    """
    seen, alignment = observations, observations.alignment
    info = seen.original.info
    length = Length(frames=info.frames, fps=float(info.rate))
    identity, frames = _identity(seen)
    expressions = ByVideo(*(tables.expressions for tables in seen.frames))
    leaks = distances_to(
        seen.swapped.faces,
        seen.reference,
        seen.swapped.info.frames,
        float(seen.swapped.info.rate),
    )
    result = CellScore(
        cell_id=seen.cell_id,
        protocol=seen.protocol.name,
        inputs=dict(seen.inputs),
        alignment=alignment,
        recognisers=recogniser_scores(seen.recognisers, seen.sampled),
        identity=identity,
        leaks=leak_profile(leaks, seen.protocol.threshold),
        attributes=(
            blendshape_scores(expressions, alignment, length),
            *(
                attributes
                for units in seen.outside
                for attributes in outside_scores(units, alignment, length)
            ),
        ),
        utility=utility(seen.frames, alignment, length.fps),
        quality=side_by_side(seen.original, seen.swapped, alignment, seen.pixels, length.fps),
    )
    return ScoredCell(result, frames)


def _identity(seen: Observations) -> tuple[Identity, pd.DataFrame]:
    """The four comparisons under the chosen reading, both readings side by side, and the
    per-frame table of the chosen one.
    """
    protocol = seen.protocol
    original, swapped = (
        video.faces[video.faces["frame"].isin(seen.sampled)]
        for video in (seen.original, seen.swapped)
    )
    donor = donor_face(
        seen.donor.embedding if seen.donor else None, seen.donor.name if seen.donor else None
    )
    medoid = medoid_face(embeddings_of(swapped))
    chosen = choose_face(donor, medoid)

    def compare(face: SwappedFace) -> tuple[pd.DataFrame, dict[Comparison, Distances]]:
        references = References(original=seen.reference, swapped=face)
        rows = frame_distances(seen.sampled, original, swapped, references)
        return rows, summarise(rows, protocol.threshold, face.frame)

    table, comparisons = compare(chosen)
    leak = table[np.isfinite(table[Comparison.SWAPPED_ORIGINAL.value].to_numpy(float))]
    identity = Identity(
        recogniser=recogniser_of(protocol),
        threshold=protocol.threshold,
        comparisons=comparisons,
        swapped_reading=chosen.reading,
        swapped_note=chosen.note,
        swapped_identities=tuple(
            swapped_identity(face, compare(face)[1]) for face in (donor, medoid)
        ),
        evidence=evidence(dict(zip(leak["frame"].tolist(), leak["sw_or"].tolist(), strict=True))),
        seed=protocol.seed,
        frames=seen.original.info.frames,
    )
    return identity, table


def recogniser_of(protocol: Protocol) -> str:
    """The recogniser's name in reports: the path that made the numbers is part of it."""
    return f"{RECOGNISER}, {protocol.identity} path"
