"""Behaviour, video quality, noise floors and paired tools on the page, from synthetic scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.quality import Background, Flicker, Gaps, Jitter, Quality, Steadiness, Warping
from harness.model.recognised import RecogniserScore, Similarity
from harness.model.score import Comparison
from harness.model.utility import Difference, Events, Kept, Utility
from reports.aggregate import DASH
from reports.behaviour import behaviour_view
from reports.build import page
from reports.model import ReportCell, ReportData
from reports.paired import paired_table
from reports.quality import quality_table
from reports.recognisers import recognisers_table
from reports.units import CCC, PCC, RMSE, unit_table
from reports.verdict import judge
from tests.reports.cohorts import cohort, with_cohorts

Maker = Callable[..., ReportData]
SOURCE = "mediapipe-blendshapes"


def kept(degrees: float, f1: float | None = 0.5) -> Kept:
    events = Events(original=4, swapped=3, matched=2, tolerance_s=0.25, recall=0.5, f1=f1)
    none = Events(original=0, swapped=0, matched=0, tolerance_s=0.25, reason="No event.")
    return Kept(
        faces_original=100,
        faces_kept=90,
        detection_rate=0.9,
        blinks=events,
        mouth_openings=none,
        head_pose=Difference(unit="degrees", frames=90, mean=degrees),
        gaze=Difference(unit="rig weights (0-1)", frames=90, mean=0.125),
    )


UTILITY = Utility(
    source=SOURCE, kept=kept(4.0), floor=kept(0.5), floor_note="Re-encoded with x264."
)
QUALITY = Quality(
    warping=Warping(
        pairs=90,
        original=2.0,
        swapped=1.0,
        ratio=0.5,
        sharpness_ratio=0.25,
        detail_fair_ratio=2.0,
        verdict=Steadiness.BLURRED,
    ),
    flicker=Flicker(above_hz=5.0, frames=90, added=1.5),
    identity_jitter=Jitter(unit="L2", steps=90, ratio=1.25),
    landmark_jitter=Jitter(unit="L2", steps=0, reason="No three frames in a row."),
    gaps=Gaps(frames=6, count=2, longest_frames=4, longest_s=0.16),
    background=Background(frames=90, ssim=0.987, psnr_db=41.25),
)


def rescored(data: ReportData, variant: str, **update: Any) -> ReportData:
    """All scored cells of a column with other parts."""

    def changed(cell: ReportCell) -> ReportCell:
        if cell.variant != variant or cell.score is None:
            return cell
        return cell.model_copy(update={"score": cell.score.model_copy(update=update)})

    return data.model_copy(update={"cells": tuple(changed(cell) for cell in data.cells)})


@pytest.fixture(scope="module")
def three(make_data: Maker) -> ReportData:
    return make_data(actors=3)


def test_behaviour_stands_beside_what_compression_alone_makes_of_it(three: ReportData) -> None:
    view = behaviour_view(rescored(three, "blur", utility=UTILITY), SOURCE)
    assert view is not None
    row = next(r for r in view.kept.rows if r[0].text == "blur")
    by_name = dict(zip(view.kept.columns, row, strict=True))
    assert by_name["Head pose (°)"].text == "4.00 (0.50)"
    assert by_name["Face kept"].text == "90.0 % (90.0 %)"
    assert by_name["Blinks F1"].text == "0.500 (0.500)"
    assert by_name["Mouth openings F1"].text == DASH
    assert by_name["Mouth openings F1"].reason
    assert "x264" in view.floor_note
    other = next(r for r in view.kept.rows if r[0].text == "landmark-swap")
    assert "bench score" in other[1].reason


def test_events_are_counted_over_actors_with_their_tolerance(three: ReportData) -> None:
    view = behaviour_view(rescored(three, "blur", utility=UTILITY), SOURCE)
    assert view is not None
    blinks = next(r for r in view.events.rows if [c.text for c in r[:2]] == ["blur", "Blinks"])
    assert [c.text for c in blinks[2:5]] == ["12", "9", "6"]
    assert "within 0.25 s" in view.events.note


def test_slope_is_the_units_median_and_a_frozen_unit_has_none_left(three: ReportData) -> None:
    (attributes,) = next(c.score for c in three.cells if c.variant == "blur" and c.score).attributes
    slopes = (0.5, 0.7, 0.9)
    units = tuple(
        u.model_copy(update={"measurable": True, "slope": s, "lag_s": 0.25, "frozen": False})
        for u, s in zip(attributes.units, slopes, strict=False)
    )
    still = units[2].model_copy(update={"slope": None, "frozen": True})
    for chosen, expected in ((units, "0.70"), ((*units[:2], still), "0.50")):
        own = attributes.model_copy(update={"units": chosen})
        data = rescored(three, "blur", utility=UTILITY, attributes=(own,))
        view = behaviour_view(data, SOURCE)
        assert view is not None
        row = next(r for r in view.kept.rows if r[0].text == "blur")
        assert [c.text for c in row[2:4]] == [expected, "0.25"]


def test_a_warping_error_never_stands_without_the_sharpness(three: ReportData) -> None:
    table = quality_table(rescored(three, "blur", quality=QUALITY))
    assert table is not None
    at = table.columns.index("Warping error ratio")
    assert table.columns[at + 1] == "Sharpness ratio"
    row = next(r for r in table.rows if r[0].text == "blur")
    assert [c.text for c in row[at : at + 4]] == [
        *("0.500", "0.250", "2.000", Steadiness.BLURRED.value)
    ]
    assert [c.text for c in row[5:]] == ["1.500", "1.250", DASH, "6", "0.16", "0.987", "41.2"]
    assert row[7].reason == "No three frames in a row."
    other = next(r for r in table.rows if r[0].text == "landmark-swap")
    assert "bench score" in other[1].reason


def test_steadiness_that_differs_among_cells_is_counted(three: ReportData) -> None:
    assert QUALITY.warping is not None
    steady = QUALITY.warping.model_copy(update={"verdict": Steadiness.STEADY})
    data = rescored(three, "blur", quality=QUALITY)
    first = next(k for k, c in enumerate(data.cells) if c.variant == "blur")
    one = rescored(
        data.model_copy(update={"cells": (data.cells[first],)}),
        "blur",
        quality=QUALITY.model_copy(update={"warping": steady}),
    ).cells[0]
    cells = (*data.cells[:first], one, *data.cells[first + 1 :])
    table = quality_table(data.model_copy(update={"cells": cells}))
    assert table is not None
    row = next(r for r in table.rows if r[0].text == "blur")
    assert "(1)" in row[4].text
    assert "(2)" in row[4].text


def test_older_scores_say_how_to_get_the_missing_parts(three: ReportData) -> None:
    html = page(three)
    assert behaviour_view(three, SOURCE) is None
    assert quality_table(three) is None
    assert "without events, pose and gaze" in html
    assert "without video quality" in html
    full = page(rescored(three, "blur", utility=UTILITY, quality=QUALITY))
    assert "without video quality" not in full
    assert "never alone" in full


def test_the_noise_floor_stands_beside_pcc_and_rmse_and_not_beside_ccc(three: ReportData) -> None:
    (attributes,) = next(c.score for c in three.cells if c.variant == "blur" and c.score).attributes
    units = tuple(
        u.model_copy(update={"floor_pcc": 0.875, "floor_rmse": 0.0125}) for u in attributes.units
    )
    data = rescored(three, "blur", attributes=(attributes.model_copy(update={"units": units}),))
    for metric, floor in ((PCC, "0.875"), (RMSE, "0.013")):
        table = unit_table(data, SOURCE, metric)
        assert table.columns[1] == "Noise floor"
        assert table.rows[0][1].text.startswith(floor)
        assert "only as good as its floor" in table.note
        assert {len(row) for row in (*table.rows, *table.footer)} == {len(table.columns)}
    assert "Noise floor" not in unit_table(data, SOURCE, CCC).columns
    assert "Noise floor" not in unit_table(three, SOURCE, PCC).columns


def with_distance(data: ReportData, variant: str, by_actor: dict[int, float]) -> ReportData:
    """A column whose cells have the given mean SW-OR distances."""

    def changed(cell: ReportCell) -> ReportCell:
        if cell.variant != variant or cell.score is None:
            return cell
        found = cell.score.identity.comparisons
        mean = by_actor[cell.spec.actor.number]
        swapped = found[Comparison.SWAPPED_ORIGINAL].model_copy(update={"mean": mean})
        identity = cell.score.identity.model_copy(
            update={"comparisons": {**found, Comparison.SWAPPED_ORIGINAL: swapped}}
        )
        return cell.model_copy(
            update={"score": cell.score.model_copy(update={"identity": identity})}
        )

    return data.model_copy(update={"cells": tuple(changed(cell) for cell in data.cells)})


def test_three_actors_cannot_reach_five_per_cent_and_eight_can(make_data: Maker) -> None:
    for actors, verdict in ((3, "cannot reach 0.05 with n = 3"), (12, "differ")):
        data = make_data(actors=actors)
        numbers = range(1, actors + 1)
        data = with_distance(data, "blur", {k: 0.5 + 0.01 * k for k in numbers})
        data = with_distance(data, "landmark-swap", {k: 0.75 + 0.011 * k for k in numbers})
        table = paired_table(data, SOURCE, judge(data).verdict)
        assert table is not None
        row = next(r for r in table.rows if r[1].text == "SW-OR distance")
        assert row[0].text == "landmark-swap minus blur"
        assert row[7].text == verdict
        assert "noop" not in {word for r in table.rows for word in r[0].text.split()}
    assert row[3].text == "0.257", "actor 5 of the swap has no score"
    assert row[2].text == "11"
    assert 0.25 < float(row[4].text.split(" to ")[0]) < 0.257


def test_the_pairs_that_decide_the_ranks_come_first(make_data: Maker) -> None:
    """With the verdict's own p, so that table and ranks cannot disagree."""
    data = make_data(actors=24)
    data = with_cohorts(
        data, cohort(data, "blur", naive=0.2), cohort(data, "landmark-swap", naive=0.6)
    )
    verdict = judge(data).verdict
    table = paired_table(data, SOURCE, verdict)
    assert table is not None
    found, kept = table.rows[:2]
    assert [c.text for c in found[:4]] == [
        *("blur minus landmark-swap", "Found by worst attacker", "24", "-0.417")
    ]
    assert found[7].text == "differ"
    assert kept[1].text == "Mean PCC"
    assert kept[6].sort == verdict.keeping[0].p_adjusted
    assert [row[1].text for row in table.rows].count("Mean PCC") == 1


def test_tools_without_two_common_actors_are_not_compared(make_data: Maker) -> None:
    one = make_data(actors=1)
    assert paired_table(one, SOURCE, judge(one).verdict) is None
    assert "nothing to compare" in page(one)


def recognised(name: str, threshold: float | None) -> RecogniserScore:
    seen = Similarity(asked=100, used=80, mean=0.8, minimum=0.25)
    if threshold is not None:
        seen = seen.model_copy(update={"share_at_or_under_threshold": 0.125})
    return RecogniserScore(
        name=name,
        version="1",
        licence="MIT",
        distance="cosine",
        threshold=threshold,
        or_or=Similarity(asked=100, used=100, mean=0.1, minimum=0.05),
        sw_or=seen,
    )


def test_other_recognisers_are_shown_each_in_its_scale_and_never_judged_without_a_threshold(
    three: ReportData,
) -> None:
    assert recognisers_table(three) is None
    scores = (recognised("calibrated", 0.5), recognised("own-file", None))
    data = rescored(three, "blur", recognisers=scores)
    table = recognisers_table(data)
    assert table is not None
    with_threshold, without = table.rows
    assert [c.text for c in with_threshold] == [
        *("blur", "calibrated 1", "MIT", "cosine", "0.100", "0.800", "0.250", "0.500"),
        *("12.5 %", "80.0 %"),
    ]
    assert [c.text for c in without[7:9]] == [DASH, DASH]
    assert "nobody calibrated a threshold" in without[8].reason
    assert "own-file" in page(data)
