"""Distances, the two readings of "ID swapped", and the evidence frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from harness.model.score import Comparison, SwappedReading
from harness.scoring.identity import (
    References,
    choose_face,
    distances,
    donor_face,
    embeddings_of,
    evidence,
    frame_distances,
    medoid_face,
    medoid_frame,
    summarise,
    swapped_identity,
)


def at(*values: float) -> NDArray[np.float64]:
    """A 128-vector that starts with the values."""
    return np.pad(np.array(values, float), (0, 128 - len(values)))


def observed(rows: Sequence[tuple[int, int, NDArray[np.float64] | None]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["frame", "faces", "embedding"])


def references(
    original: NDArray[np.float64], donor: NDArray[np.float64] | None, swapped: pd.DataFrame
) -> References:
    face = choose_face(
        donor_face(donor, None if donor is None else "d"), medoid_face(embeddings_of(swapped))
    )
    return References(original=tuple(original), swapped=face)


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
    swapped = observed([(0, 2, at(0.75)), (1, 1, at(1.0))])
    chosen = references(at(0.25), at(1.5), swapped)
    rows = frame_distances((0, 1), original, swapped, chosen)
    distances_l2 = rows[["or_or", "or_sw", "sw_or", "sw_sw"]].to_numpy()[0]
    assert distances_l2.tolist() == [0.25, 1.5, 0.5, 0.75]
    found = summarise(rows, 0.6, chosen.swapped.frame)
    assert chosen.swapped.reading is SwappedReading.DONOR_PHOTO
    assert found[Comparison.ORIGINAL_ORIGINAL].used == 1
    assert found[Comparison.ORIGINAL_ORIGINAL].asked == 2
    assert found[Comparison.SWAPPED_ORIGINAL].several_faces == 1


def test_without_a_donor_the_medoid_swapped_frame_is_the_reference_and_left_out() -> None:
    swapped = observed([(0, 1, at(0.0)), (4, 1, at(0.25)), (7, 1, at(1.25))])
    chosen = references(at(0.25), None, swapped)
    rows = frame_distances((0, 4, 7), swapped, swapped, chosen)
    found = summarise(rows, 0.6, chosen.swapped.frame)[Comparison.SWAPPED_SWAPPED]
    assert (chosen.swapped.reading, chosen.swapped.frame) == (SwappedReading.SWAPPED_FRAME, 4)
    assert (found.asked, found.used, found.minimum, found.maximum) == (2, 2, 0.25, 1.0)
    assert rows["sw_sw"].isna().tolist() == [False, True, False]
    assert rows["or_sw"].isna().tolist() == [False, True, False]


def test_a_frame_that_the_swapped_video_lacks_is_not_asked_of_it() -> None:
    original = observed([(0, 1, at(0.0)), (9, 1, at(0.0))])
    swapped = observed([(0, 1, at(0.75))])
    chosen = references(at(0.25), at(1.5), swapped)
    found = summarise(frame_distances((0, 9), original, swapped, chosen), 0.6, None)
    assert found[Comparison.ORIGINAL_ORIGINAL].asked == 2
    assert found[Comparison.SWAPPED_ORIGINAL].asked == 1


def test_no_swapped_face_leaves_no_swapped_reference() -> None:
    swapped = observed([(0, 0, None)])
    chosen = references(at(1.0), None, swapped)
    rows = frame_distances((0,), observed([(0, 1, at(0.0))]), swapped, chosen)
    found = summarise(rows, 0.6, chosen.swapped.frame)
    assert medoid_frame({}) is None
    assert found[Comparison.SWAPPED_ORIGINAL].fta == 1
    assert found[Comparison.ORIGINAL_SWAPPED].used == 0
    assert chosen.swapped.reading is SwappedReading.NONE


def test_a_donor_photo_without_a_face_gives_way_to_a_swapped_frame_and_says_so() -> None:
    swapped = observed([(0, 1, at(0.0)), (4, 1, at(0.25)), (7, 1, at(1.25))])
    donor, medoid = donor_face(None, "giulia"), medoid_face(embeddings_of(swapped))
    chosen = choose_face(donor, medoid)
    assert chosen.reading is SwappedReading.SWAPPED_FRAME
    assert chosen.note.startswith("The recogniser finds no face in the photo of donor giulia. ")
    assert "Frame 4 of the swapped video" in chosen.note
    rows = frame_distances(
        (0, 4, 7), swapped, swapped, References(original=tuple(at(0.0)), swapped=chosen)
    )
    found = summarise(rows, 0.6, chosen.frame)
    without, with_frame = swapped_identity(donor, found), swapped_identity(medoid, found)
    assert (without.or_sw, without.sw_sw) == (None, None)
    assert with_frame.sw_sw is not None
    assert with_frame.sw_sw.asked == 2


def test_both_readings_stand_side_by_side_and_the_donor_photo_is_preferred() -> None:
    swapped = observed([(0, 1, at(0.75)), (1, 1, at(1.0))])
    donor, medoid = donor_face(at(1.5), "giorgio"), medoid_face(embeddings_of(swapped))
    assert choose_face(donor, medoid) == donor
    means = []
    for face in (donor, medoid):
        rows = frame_distances(
            (0, 1), swapped, swapped, References(original=tuple(at(0.0)), swapped=face)
        )
        one = swapped_identity(face, summarise(rows, 0.6, face.frame))
        assert one.sw_sw is not None
        means.append(one.sw_sw.mean)
    assert means == [0.625, 0.25]
