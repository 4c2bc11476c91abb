"""Distances, the two readings of "ID swapped", and the evidence frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from harness.model.score import Comparison
from harness.scoring.identity import (
    choose_references,
    distances,
    embeddings_of,
    evidence,
    frame_distances,
    medoid_frame,
    summarise,
)


def at(*values: float) -> NDArray[np.float64]:
    """A 128-vector that starts with the values."""
    return np.pad(np.array(values, float), (0, 128 - len(values)))


def observed(rows: Sequence[tuple[int, int, NDArray[np.float64] | None]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["frame", "faces", "embedding"])


def test_statistics_are_those_of_numpy() -> None:
    values = np.array([0.1, 0.5, 0.55, 0.6, 0.65, 0.7, 2.0])
    summary = distances(values, asked=10, several_faces=1, threshold=0.6)
    assert summary.mean == pytest.approx(values.mean())
    assert summary.sd == pytest.approx(np.std(values, ddof=1))
    assert summary.median == 0.6
    assert summary.share_at_or_under_threshold == pytest.approx(4 / 7)
    assert summary.fta == pytest.approx(0.3)
    assert summary.outliers == (0.1, 2.0)
    assert (summary.whisker_low, summary.whisker_high) == (0.5, 0.7)


def test_no_usable_frame_gives_no_statistics() -> None:
    summary = distances(np.array([]), asked=5, several_faces=0, threshold=0.6)
    assert summary.used == 0
    assert summary.fta == 1
    assert summary.mean is None


def test_the_worst_frame_is_the_smallest_distance_to_the_original() -> None:
    found = evidence({3: 0.5, 8: 0.2, 9: 0.9})
    assert [(e.kind, e.frame, e.distance_l2) for e in found] == [
        ("worst", 8, 0.2),
        ("median", 3, 0.5),
        ("best", 9, 0.9),
    ]


def test_the_four_comparisons_are_told_apart() -> None:
    original = observed([(0, 1, at(0.0)), (1, 0, None)])
    swapped = observed([(0, 2, at(3.0)), (1, 1, at(4.0))])
    references = choose_references(at(1.0), at(10.0), embeddings_of(swapped))
    rows = frame_distances((0, 1), original, swapped, references)
    assert rows[["or_or", "or_sw", "sw_or", "sw_sw"]].to_numpy()[0].tolist() == [1, 10, 2, 7]
    found = summarise(rows, 0.6, references.excluded)
    assert references.reading == "donor photo"
    assert found[Comparison.ORIGINAL_ORIGINAL].used == 1
    assert found[Comparison.ORIGINAL_ORIGINAL].asked == 2
    assert found[Comparison.SWAPPED_ORIGINAL].several_faces == 1


def test_without_a_donor_the_medoid_swapped_frame_is_the_reference_and_left_out() -> None:
    swapped = observed([(0, 1, at(0.0)), (4, 1, at(1.0)), (7, 1, at(5.0))])
    references = choose_references(at(1.0), None, embeddings_of(swapped))
    rows = frame_distances((0, 4, 7), swapped, swapped, references)
    found = summarise(rows, 0.6, references.excluded)[Comparison.SWAPPED_SWAPPED]
    assert (references.reading, references.excluded) == ("swapped frame", 4)
    assert (found.asked, found.used, found.minimum, found.maximum) == (2, 2, 1.0, 4.0)


def test_a_frame_that_the_swapped_video_lacks_is_not_asked_of_it() -> None:
    original = observed([(0, 1, at(0.0)), (9, 1, at(0.0))])
    swapped = observed([(0, 1, at(3.0))])
    references = choose_references(at(1.0), at(10.0), embeddings_of(swapped))
    found = summarise(frame_distances((0, 9), original, swapped, references), 0.6, None)
    assert found[Comparison.ORIGINAL_ORIGINAL].asked == 2
    assert found[Comparison.SWAPPED_ORIGINAL].asked == 1


def test_no_swapped_face_leaves_no_swapped_reference() -> None:
    swapped = observed([(0, 0, None)])
    references = choose_references(at(1.0), None, embeddings_of(swapped))
    rows = frame_distances((0,), observed([(0, 1, at(0.0))]), swapped, references)
    found = summarise(rows, 0.6, references.excluded)
    assert medoid_frame({}) is None
    assert found[Comparison.SWAPPED_ORIGINAL].fta == 1
    assert found[Comparison.ORIGINAL_SWAPPED].used == 0
