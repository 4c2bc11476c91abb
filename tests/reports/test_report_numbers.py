"""Grounds of the shares, the verdicts and the warnings: synthetic cells with known numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.model.job import Setting
from harness.model.privacy import LeakingStretch, LeakProfile
from harness.model.quality import Flicker, Quality
from harness.model.score import (
    Attributes,
    CellScore,
    Comparison,
    Distances,
    Identity,
    SwappedIdentity,
    SwappedReading,
    UnitScore,
)
from harness.model.video import VideoInfo
from reports.aggregate import (
    DASH,
    Detection,
    actor_ranges,
    detection,
    leak,
    listing,
    lost_share,
    units_frozen,
    units_used,
)
from reports.boxes import box_figure, undetected_sentences
from reports.build import page, view
from reports.cautions import cautions
from reports.controls import control_checks
from reports.headline import headline
from reports.labels import Label, place_labels
from reports.model import ReportCell, ReportData
from reports.readings import readings_table
from reports.scatter import scatter_figure
from reports.site.leaderboard import leaderboard
from reports.tables import actor_table, actor_tables, failure_table, overview_table, verdict
from reports.units import PCC, coverage_table, unit_table
from reports.verdict import judge

Maker = Callable[..., ReportData]
BLENDSHAPES = "mediapipe-blendshapes"
CLIP = VideoInfo(
    frames=50,
    width=640,
    height=360,
    fps="25/1",
    duration_s=2.0,
    codec="h264",
    pixel_format="yuv420p",
    has_audio=False,
)


def faces(used: int, mean: float | None, share: float | None, asked: int = 60) -> Distances:
    """Distances with so many frames with a face, all near the mean."""
    if mean is None:
        return Distances(asked=asked, used=0, several_faces=0)
    return Distances(
        asked=asked,
        used=used,
        several_faces=0,
        mean=mean,
        sd=0.01,
        share_at_or_under_threshold=share,
        whisker_low=mean,
        q1=mean,
        median=mean,
        q3=mean,
        whisker_high=mean,
    )


def with_identity(
    cell: ReportCell, original: Distances, swapped: Distances, **others: Distances
) -> ReportCell:
    assert cell.score is not None
    comparisons = {
        Comparison.ORIGINAL_ORIGINAL: original,
        Comparison.SWAPPED_ORIGINAL: swapped,
        **{Comparison(name): value for name, value in others.items()},
    }
    identity = cell.score.identity.model_copy(update={"comparisons": comparisons})
    return _rescored(cell, identity=identity)


def _rescored(cell: ReportCell, **update: Identity | tuple[Attributes, ...]) -> ReportCell:
    assert isinstance(cell.score, CellScore)
    return cell.model_copy(update={"score": cell.score.model_copy(update=dict(update))})


def only(data: ReportData, *cells: ReportCell) -> ReportData:
    return data.model_copy(update={"cells": cells})


@pytest.fixture(scope="module")
def three(make_data: Maker) -> ReportData:
    """Three actors; the cells serve as moulds."""
    return make_data(actors=3)


@pytest.fixture(scope="module")
def blur(three: ReportData) -> list[ReportCell]:
    return [cell for cell in three.cells if cell.variant == "blur"]


def test_faces_the_original_does_not_show_are_not_held_against_the_tool(
    blur: list[ReportCell],
) -> None:
    half = with_identity(blur[0], faces(30, 0.3, 1.0), faces(30, 0.7, 0.0))
    assert lost_share(half) == 0.0
    assert detection(half) is Detection.DETECTED
    few = with_identity(blur[0], faces(3, 0.3, 1.0), faces(2, 0.7, 0.0))
    assert detection(few) is Detection.DETECTED, "96.7 % without a face, but 95 % in the original"
    none = with_identity(blur[0], faces(0, None, None), faces(0, None, None))
    assert detection(none) is Detection.NO_ORIGINAL_FACE
    assert verdict(none).text == "no face in the original"
    gone = with_identity(blur[0], faces(60, 0.3, 1.0), faces(3, 0.7, 0.0))
    assert detection(gone) is Detection.NOT_DETECTED
    assert detection(blur[0].model_copy(update={"score": None})) is Detection.NO_SCORE


def test_a_few_recognised_frames_do_not_make_the_worst_leak(
    three: ReportData, blur: list[ReportCell]
) -> None:
    seven = with_identity(blur[0], faces(47, 0.25, 1.0), faces(7, 0.41, 1.0))
    fifty = with_identity(blur[1], faces(60, 0.3, 1.0), faces(60, 0.58, 50 / 60))
    worst = headline(only(three, seven, fifty)).cards[2]
    assert worst.who == "blur, actor 2"
    assert worst.value == "83.3 %"
    assert "50 of 60 sampled frames" in worst.detail
    alone = headline(only(three, seven)).cards[2]
    assert alone.value == "11.7 %", "of all sampled frames"
    assert "7 of 60 sampled frames" in alone.detail
    assert "100.0 % of the 7 with a face" in alone.detail
    assert "the original has a face in 47" in alone.detail
    found = leak(seven)
    assert found is not None
    assert (found.recognised, found.used, found.asked) == (7, 7, 60)


@pytest.mark.parametrize("actors", [5, 6, 9])
def test_the_caution_about_few_actors_denies_a_rank_only_where_there_is_none(
    three: ReportData, blur: list[ReportCell], actors: int
) -> None:
    spec = blur[0].spec
    cells = [
        blur[0].model_copy(
            update={
                "spec": spec.model_copy(
                    update={"actor": spec.actor.model_copy(update={"number": number})}
                )
            }
        )
        for number in range(1, 1 + actors)
    ]
    said = " ".join(cautions(only(three, *cells)))
    assert f"Only {actors} actors" in said
    assert ("not enough to rank tools" in said) == (actors < 6)


def test_a_mean_over_some_of_the_actors_says_so_beside_the_number(
    three: ReportData, blur: list[ReportCell]
) -> None:
    """Means of two tools over other actors are not to be compared unseen."""
    lost = faces(0, None, None)
    lucky = with_identity(blur[0], faces(60, 0.3, 1.0), faces(60, 0.9, 0.0))
    others = [with_identity(cell, faces(60, 0.3, 1.0), lost) for cell in blur[1:]]
    data = only(three, lucky, *others)
    table = overview_table(data, None)
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["SW-OR distance"].text == "0.900, 1 of 3 actors"
    assert row["Leak, of all frames"].text == "0.0 %", "no face is no match, of all three"
    (found,) = leaderboard(data, judge(data))
    assert (found.distance.n, found.actors, found.recognised.n) == (1, 3, 3)
    whole = [with_identity(c, faces(60, 0.3, 1.0), faces(60, 0.7, 0.0)) for c in blur]
    assert "actors" not in overview_table(only(three, *whole), None).rows[0][3].text


def test_recognised_frames_are_averaged_per_actor_before_they_are_over_actors(
    three: ReportData, blur: list[ReportCell]
) -> None:
    """Three cells of one actor that are all recognised, and one of another that is not: pooled
    they gave 75 %, of actors it is half."""
    original = faces(60, 0.3, 1.0)
    seeds = [
        blur[0].model_copy(update={"spec": blur[0].spec.model_copy(update={"seed": seed})})
        for seed in range(3)
    ]
    hit = [with_identity(cell, original, faces(60, 0.4, 1.0)) for cell in seeds]
    data = only(three, *hit, with_identity(blur[1], original, faces(60, 0.8, 0.0)))
    (row,) = leaderboard(data, judge(data))
    assert row.recognised.value == pytest.approx(0.5)
    assert row.recognised.n == 2


def test_the_original_s_own_rate_stands_beside_the_swapped_one_and_is_warned_of(
    three: ReportData, blur: list[ReportCell]
) -> None:
    cell = with_identity(blur[2], faces(47, 0.25, 1.0), faces(47, 0.7, 0.0))
    data = only(three, cell)
    row = dict(
        zip(
            overview_table(data, BLENDSHAPES).columns,
            overview_table(data, BLENDSHAPES).rows[0],
            strict=True,
        )
    )
    assert row["No face, original"].text == row["No face, swapped"].text == "21.7 %"
    table = actor_table(data, "blur")
    assert [c.text for c in table.rows[0]].count("21.7 %") == 2
    assert any("actor 3: 13 of 60 sampled frames (21.7 %)" in s for s in cautions(data))
    full = with_identity(blur[2], faces(60, 0.25, 1.0), faces(47, 0.7, 0.0))
    assert not any("actor 3: 13" in s for s in cautions(only(three, full)))


def test_a_reference_that_its_own_video_does_not_resemble_is_warned_of(
    three: ReportData, blur: list[ReportCell]
) -> None:
    like = with_identity(blur[2], faces(60, 0.6, 1.0), faces(60, 0.8, 0.0))
    assert not any("does not resemble" in s for s in cautions(only(three, like)))
    unlike = with_identity(blur[2], faces(60, 0.84, 0.0), faces(60, 0.85, 0.0))
    (warning,) = [s for s in cautions(only(three, unlike)) if "does not resemble" in s]
    assert "actor 3: 0.840" in warning


def test_leaking_frames_are_never_summed_up_as_not_recognised(blur: list[ReportCell]) -> None:
    original = faces(60, 0.3, 1.0)
    assert verdict(with_identity(blur[0], original, faces(60, 0.5, 0.9))).text == "recognised"
    partly = verdict(with_identity(blur[0], original, faces(60, 0.65, 10 / 60)))
    assert partly.text == "partly recognised"
    assert "good" not in partly.look
    assert verdict(with_identity(blur[0], original, faces(60, 0.65, 0.0))).text == "not recognised"


def units(*pcc: float | None, paired: int = 100, source: str = BLENDSHAPES) -> Attributes:
    """Measurable units with these PCC; None stands still in the swapped video."""
    five = (0.0, 0.1, 0.2, 0.3, 0.4)
    scores = [
        UnitScore(
            unit=f"AU{i + 1:02d}",
            measurable=True,
            pcc=p,
            rmse=0.1,
            ccc=p or 0.0,
            original_quartiles=five,
            swapped_quartiles=five,
        )
        for i, p in enumerate(pcc)
    ]
    scores.append(UnitScore(unit="AU09", measurable=False, reason="does not move"))
    known = [p for p in pcc if p is not None]
    return Attributes(
        source=source,
        scale="0-1",
        frames=200,
        paired=paired,
        units=tuple(scores),
        mean_pcc=sum(known) / len(known) if known else None,
        mean_rmse=0.1,
        mean_ccc=sum(known) / len(pcc),
    )


def test_frozen_units_and_few_frames_are_shown_with_the_means(
    three: ReportData, blur: list[ReportCell]
) -> None:
    found = units(0.9, None, None, paired=20)
    assert (units_used(found), units_frozen(found)) == (3, 2)
    data = only(three, _rescored(blur[0], attributes=(found,)))
    table = coverage_table(data, BLENDSHAPES)
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["Mean PCC"].text == "0.900"
    assert row["Mean CCC"].text == "0.300"
    assert (row["Units used"].text, row["Units frozen"].text) == ("3", "2")
    assert row["Units in all"].text == "4"
    assert row["Frames paired"].text == "20 of 200"
    assert row["Share of frames"].look == "number bad"
    warnings = " ".join(cautions(data))
    assert "blur, actor 1: 2 of 3 units" in warnings
    assert "blur, actor 1: 20 of 200 frames" in warnings
    assert "left out of the mean PCC" in page(data)
    new = found.model_copy(update={"units_used": 3, "units_frozen": 2})
    told = page(only(three, _rescored(blur[0], attributes=(new,))))
    assert "left out of the mean PCC" not in told
    assert "counts as 0 in the means of PCC and CCC" in told


def test_a_unit_frozen_in_one_actor_counts_as_0_over_actors(
    three: ReportData, blur: list[ReportCell]
) -> None:
    moving = units(0.8)
    still = units(None)
    frozen = still.units[0].model_copy(update={"frozen": True})
    still = still.model_copy(update={"units": (frozen, *still.units[1:])})
    data = only(
        three, _rescored(blur[0], attributes=(moving,)), _rescored(blur[1], attributes=(still,))
    )
    cell = unit_table(data, BLENDSHAPES, PCC).rows[0][1]
    assert cell.sort == pytest.approx(0.4)
    assert cell.text.endswith("*")


def test_two_sources_stay_apart(three: ReportData, blur: list[ReportCell]) -> None:
    first = _rescored(blur[0], attributes=(units(0.9), units(0.1, source="openface")))
    data = only(three, first, _rescored(blur[1], attributes=(units(0.7),)))
    shown = view(data)["units"]
    assert [u["source"] for u in shown] == [BLENDSHAPES, "openface"]
    assert [u["tables"][0].footer[0][1].sort for u in shown] == [
        pytest.approx(0.8),
        pytest.approx(0.1),
    ]
    assert len(shown[1]["coverage"].rows) == 1
    ids = [figure.id for u in shown for figure in u["figures"]]
    assert len(ids) == len(set(ids)) == 2
    told = page(data)
    assert "2 sources, each with its own scale" in told
    assert told.count("<h3>Source ") == 2


def test_what_has_no_box_plot_is_said_in_a_sentence(
    three: ReportData, blur: list[ReportCell]
) -> None:
    original, lost = faces(60, 0.3, 1.0), faces(0, None, None)
    gone = [with_identity(cell, original, lost) for cell in blur[:2]]
    failed = blur[2].model_copy(update={"score": None, "status": "timeout", "reason": "Slow."})
    data = only(three, *gone, failed)
    assert box_figure(data, "blur", 0) is None
    assert undetected_sentences(data) == [
        "blur: no face detected in 2 of 3 cells, no score in 1 of 3 cells"
    ]
    seen = with_identity(blur[0], original, faces(7, 0.4, 1.0))
    figure = box_figure(only(three, seen, gone[1], failed), "blur", 0)
    assert figure is not None
    notes = {note["x"]: note["text"] for note in figure.layout["annotations"]}
    assert notes == {"actor 2": "not detected", "actor 3": "timeout"}
    assert "actor 1 rest on 7 frames with a face, the original's on 60" in figure.caption


def test_undetected_cells_are_drawn_in_a_lane_without_a_distance(
    three: ReportData, blur: list[ReportCell]
) -> None:
    original, lost = faces(60, 0.3, 1.0), faces(0, None, None)
    cells = [with_identity(cell, original, lost) for cell in blur]
    figure = scatter_figure(only(three, *cells), BLENDSHAPES)
    assert figure is not None
    assert [trace["yaxis"] for trace in figure.traces] == ["y2"]
    assert figure.layout["yaxis"]["domain"][0] > figure.layout["yaxis2"]["domain"][1]
    assert any(n["text"] == "blur (3 of 3)" for n in figure.layout["annotations"])
    assert "not counted as hidden" in figure.caption


def test_labels_cover_neither_each_other_nor_a_point() -> None:
    spans = ((0.0, 1.0), (0.0, 1.0))
    crowd = [Label(text=f"a tool, {i}", x=0.5, y=0.5 + i / 500) for i in range(5)]
    offsets = place_labels(crowd, [(0.6, 0.5)], spans, 400)
    assert len({(o.right_px, o.down_px) for o in offsets}) == 5
    edge = place_labels([Label(text="at the right end", x=0.99, y=0.5)], [], spans, 400)
    assert edge[0].right_px < 0
    assert place_labels([Label(text="at the left", x=0.01, y=0.5)], [], spans, 400)[0].right_px > 0


def test_controls_are_judged_beyond_the_original_s_own_faceless_frames(
    three: ReportData, blur: list[ReportCell]
) -> None:
    def judged(tool: str, /, pcc: float = 0.1, **four: Distances) -> bool | None:
        spec = blur[0].spec.model_copy(update={"tool": tool, "settings": {}})
        cell = blur[0].model_copy(update={"spec": spec, "variant": tool})
        assert cell.score is not None
        floored = {"mean_pcc": pcc, "floor_mean_pcc": 0.1}
        units = cell.score.attributes[0].model_copy(update=floored)
        cell = _rescored(cell, attributes=(units,))
        cell = with_identity(cell, four.pop("or_or"), four.pop("sw_or"), **four)
        info = three.tools["noop"].model_copy(update={"name": tool})
        data = only(three, cell).model_copy(update={"tools": {tool: info}})
        (check,) = control_checks(data)
        return check.passed

    half, lost = faces(30, 0.3, 1.0), faces(0, None, None)
    assert judged("blackbox", or_or=half, sw_or=lost)
    assert judged("blackbox", or_or=half, sw_or=faces(10, 0.5, 0.0)) is False
    assert judged("blackbox", or_or=lost, sw_or=lost) is None
    far, near = faces(30, 0.85, 0.0), faces(30, 0.3, 1.0)
    assert judged("oracle", or_or=half, sw_or=far, sw_sw=near)
    assert judged("oracle", 0.7, or_or=half, sw_or=far, sw_sw=near) is False, "as in the self-test"
    assert judged("oracle", or_or=half, sw_or=far, sw_sw=far) is False
    assert judged("oracle", or_or=half, sw_or=near, sw_sw=near) is False
    assert judged("reencode", or_or=half, sw_or=faces(30, 0.31, 1.0))
    assert judged("reencode", or_or=half, sw_or=faces(30, 0.4, 1.0)) is False
    assert judged("reencode", or_or=half, sw_or=lost) is False
    moved = faces(30, 0.9, 0.0)
    assert judged("noop", 1.0, or_or=half, sw_or=half, or_sw=far, sw_sw=moved) is False


def test_an_injected_shift_and_leak_are_judged_by_what_was_injected(
    three: ReportData, blur: list[ReportCell]
) -> None:
    def judged(tool: str, settings: dict[str, Setting], **parts: object) -> bool | None:
        test = blur[0].spec.actor.test.model_copy(update={"info": CLIP})
        actor = blur[0].spec.actor.model_copy(update={"test": test})
        change = {"tool": tool, "settings": settings, "actor": actor}
        spec = blur[0].spec.model_copy(update=change)
        cell = blur[0].model_copy(update={"spec": spec, "variant": tool})
        cell = with_identity(cell, faces(30, 0.3, 1.0), faces(30, 0.31, 1.0))
        assert cell.score is not None
        cell = cell.model_copy(update={"score": cell.score.model_copy(update=parts)})
        info = three.tools["noop"].model_copy(update={"name": tool})
        data = only(three, cell).model_copy(update={"tools": {tool: info}})
        (check,) = control_checks(data)
        return check.passed

    assert blur[0].score is not None
    told = blur[0].score.alignment.model_copy(update={"aligned": False, "lag_frames": 5})
    fitting = blur[0].score.attributes[0].model_copy(update={"mean_pcc": 0.9})
    unpaired = fitting.model_copy(update={"mean_pcc": None})
    assert judged("time-shift", {"shift_s": 0.2}, alignment=told, attributes=(unpaired,))
    assert judged("time-shift", {"shift_s": 0.2}, attributes=(fitting,)) is False

    def leaks(*frames: int, every_frame: bool = True) -> LeakProfile:
        found = tuple(
            LeakingStretch(
                first_frame=frame,
                last_frame=frame,
                frames=1,
                start_s=frame / 25,
                duration_s=0.04,
                minimum_l2=0.4,
            )
            for frame in frames
        )
        return LeakProfile(
            threshold=0.6,
            every_frame=every_frame,
            asked=50,
            used=50,
            leaking=len(frames),
            stretches=found,
        )

    def added(levels: float | None) -> Quality:
        return Quality(flicker=Flicker(above_hz=5.0, frames=50, added=levels))

    assert judged("flicker", {"strength": 8.0}, quality=added(7.0))
    assert judged("flicker", {"strength": 8.0}, quality=added(1.0)) is False
    assert judged("flicker", {"strength": 8.0}, quality=added(None)) is None

    settings: dict[str, Setting] = {"at_s": 0.4, "frames": 1}
    assert judged("leak", settings, leaks=leaks(10))
    assert judged("leak", settings, leaks=leaks(10, 20)) is False
    assert judged("leak", settings, leaks=leaks(11)) is False
    assert judged("leak", settings, leaks=leaks(10, every_frame=False)) is None


def test_both_readings_of_the_swapped_identity_are_shown(
    three: ReportData, blur: list[ReportCell]
) -> None:
    assert readings_table(three) is None, "older scores hold one reading"
    assert blur[0].score is not None
    photo = SwappedIdentity(
        reading=SwappedReading.DONOR_PHOTO,
        note="The donor's photo.",
        or_sw=faces(60, 0.8, 0.0),
        sw_sw=faces(60, 0.5, 1.0),
    )
    none = SwappedIdentity(reading=SwappedReading.SWAPPED_FRAME, note="No swapped frame.")
    identity = blur[0].score.identity.model_copy(update={"swapped_identities": (photo, none)})
    data = only(three, _rescored(blur[0], identity=identity))
    table = readings_table(data)
    assert table is not None
    shown = [[cell.text for cell in row] for row in table.rows]
    assert shown == [
        ["blur", "1", "donor photo", "0.800", "0.500", "The donor's photo."],
        ["blur", "1", "swapped frame", DASH, DASH, "No swapped frame."],
    ]
    assert "Both readings of the swapped identity" in page(data)


def test_frames_paired_without_a_check_of_their_timing_are_warned_of(
    three: ReportData, blur: list[ReportCell]
) -> None:
    assert not any("timing" in sentence for sentence in cautions(only(three, blur[0])))
    assert blur[0].score is not None
    blind = blur[0].score.alignment.model_copy(update={"lag_frames": None})
    score = blur[0].score.model_copy(update={"alignment": blind})
    cell = blur[0].model_copy(update={"score": score})
    assert any("timing: blur, actor 1" in sentence for sentence in cautions(only(three, cell)))


def test_thousands_of_failures_are_grouped_and_the_page_stays_small(
    make_data: Maker, blur: list[ReportCell]
) -> None:
    failed = [
        blur[0].model_copy(
            update={
                "spec": blur[0].spec.model_copy(
                    update={
                        "seed": i,
                        "actor": blur[0].spec.actor.model_copy(update={"number": i % 24 + 1}),
                    }
                ),
                "score": None,
                "evidence": (),
                "status": "tool_error",
                "reason": "The tool ended with 1." if i % 2 else f"Odd end <{i % 7}>.",
            }
        )
        for i in range(5000)
    ]
    data = only(make_data(actors=1), *failed)
    table = failure_table(data)
    assert len(table.rows) == 8
    assert sum(int(row[1].text) for row in table.rows) == 5000
    assert table.rows[0][-1].text.count(",") == 11, "the even actors"
    html = page(data)
    assert "0 of 5000 cells scored" in html
    assert len(html) < 8_000_000
    assert len(failure_table(only(data, *failed[:20])).rows) == 20


def test_few_actors_share_one_table_and_many_have_one_per_tool(make_data: Maker) -> None:
    assert [t.title for t in actor_tables(make_data(actors=2))] == ["Every cell"]
    many = actor_tables(make_data(actors=4))
    assert [t.title.split(":")[0] for t in many] == ["blur", "landmark-swap", "noop", "blackbox"]


def test_lists_of_names_and_actors_stay_short() -> None:
    assert actor_ranges([3, 1, 2, 7, 8, 20]) == "1\N{EN DASH}3, 7, 8, 20"
    assert listing(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listing(["a", "b"], 2) == "a, b"
