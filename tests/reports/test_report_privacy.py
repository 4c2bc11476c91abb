"""Attackers and leaks on the page: synthetic cohorts and profiles with known numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from harness.model.estimates import Null
from harness.model.privacy import LeakProfile
from harness.model.score import Comparison
from harness.model.video import VideoInfo
from harness.results.headline import NO_TOOL_HIDES, NOBODY, Card
from reports.aggregate import DASH
from reports.attackers import attackers_view
from reports.build import build_report, page
from reports.headline import headline
from reports.leaks import leak_table, leaks_view
from reports.model import ReportCell, ReportData
from reports.site.attacks import attack_table
from reports.site.leaderboard import leaderboard
from reports.verdict import judge
from tests.reports.cohorts import (
    NO_DONOR,
    TOO_FEW,
    WITHIN,
    cohort,
    profile,
    with_cohorts,
    within_null,
)

Maker = Callable[..., ReportData]
VIDEO = VideoInfo(
    frames=100,
    width=64,
    height=64,
    fps="25",
    duration_s=4.0,
    codec="h264",
    pixel_format="yuv420p",
    has_audio=False,
)


@pytest.fixture(scope="module")
def three(make_data: Maker) -> ReportData:
    """Three actors of each tool."""
    return make_data(actors=3)


@pytest.fixture(scope="module")
def attacked(three: ReportData) -> ReportData:
    """Two tools and a control; the landmark swap has donors, and no parrot."""
    return with_cohorts(
        three,
        cohort(three, "noop", naive=1.0, parrot=1.0),
        cohort(three, "blur", naive=0.4, parrot=0.8),
        cohort(three, "landmark-swap", naive=0.5, parrot=None),
    )


@pytest.fixture(scope="module")
def many(full_data: ReportData) -> ReportData:
    """As many actors as it takes to rank tools, attacked."""
    data = full_data
    return with_cohorts(
        data,
        cohort(data, "blur", naive=0.4, parrot=0.8),
        cohort(data, "landmark-swap", naive=0.5, parrot=None),
    )


def section(html: str, name: str) -> str:
    found = re.search(f'<section id="{name}".*?</section>', html, re.DOTALL)
    assert found is not None
    return found.group()


def test_every_attacker_stands_beside_the_same_attack_on_originals(attacked: ReportData) -> None:
    view = attackers_view(attacked)
    assert view is not None
    assert [card.name for card in view.cards] == ["blur", "landmark-swap", "noop"]
    assert view.cards[2].control
    naive, parrot = view.cards[0].bars
    assert (parrot.at, parrot.control, parrot.chance) == (80.0, 100.0, 33.33)
    assert [naive.worst, parrot.worst] == [False, True]
    row = view.rates.rows[1]
    assert [c.text for c in row[:5]] == ["blur", "A1 parrot, worst", "80.0 %", "100.0 %", "33.3 %"]
    assert row[5].text == "70.0 %", "beyond chance"
    assert [c.text for c in row[6:8]] == ["25.0 %", "0.0001"], "its null, and p among all attacks"
    assert row[13].text == "10.0 %", "probes without a face"


@pytest.mark.parametrize(
    ("null", "standing", "sentence"),
    [
        (WITHIN, "strongest, within its null", "none is shown to work"),
        (
            Null(draws=5, mean=0.0, high=0.7, p=1 / 6),
            "strongest, too few actors to judge",
            "p is never under 0.17",
        ),
    ],
)
def test_an_attack_within_its_null_is_nowhere_called_one_that_works(
    three: ReportData, null: Null, standing: str, sentence: str
) -> None:
    data = with_cohorts(three, within_null(cohort(three, "blur", naive=0.4, parrot=0.8), null))
    view = attackers_view(data)
    assert view is not None
    (card,) = view.cards
    assert [bar.standing for bar in card.bars] == ["", standing]
    assert not any(bar.worst for bar in card.bars)
    assert sentence in card.verdict
    assert view.rates.rows[1][1].text == f"A1 parrot, {standing}"
    assert view.donors is not None
    assert view.donors.rows[0][3].text == "within its null"
    shown = section(page(data), "attackers")
    assert standing in shown
    assert sentence in shown
    assert ", worst" not in shown


def test_an_attack_without_a_null_is_untested(three: ReportData) -> None:
    own = cohort(three, "blur", naive=0.4)
    made = tuple(one.model_copy(update={"null": None, "best_null": None}) for one in own.attacks)
    old = own.model_copy(update={"attacks": made, "worst_null": None})
    view = attackers_view(with_cohorts(three, old))
    assert view is not None
    assert view.rates.rows[0][1].text == "A0 naive, strongest, untested"
    assert "it has no null" in view.cards[0].verdict


def test_linkability_stands_beside_its_null(three: ReportData) -> None:
    own = cohort(three, "blur", naive=0.4)
    (attack,) = own.attacks
    assert attack.swapped is not None
    swapped = attack.swapped.model_copy(
        update={"linkability": 0.25, "linkability_low": 0.1, "linkability_high": 0.5}
    )
    linked = attack.model_copy(
        update={
            "swapped": swapped,
            "linkability_null": Null(draws=99, mean=0.17, high=0.31, p=0.2),
        }
    )
    view = attackers_view(
        with_cohorts(three, own.model_copy(update={"attacks": (linked,), "worst": 0}))
    )
    assert view is not None
    cells = dict(zip(view.rates.columns, view.rates.rows[0], strict=True))
    assert cells["D_sys"].text == f"0.250 (0.10{DASH}0.50)"
    assert cells["D_sys, null"].text == "0.170 (0.310)"


def test_faces_that_the_study_does_not_find_are_told_apart_from_its_own(three: ReportData) -> None:
    plain = cohort(three, "blur", naive=0.4, motion=0.2)
    naive, motion = plain.attacks
    assert naive.swapped is not None
    seen = naive.swapped.model_copy(update={"tracker_probes": 38, "second_detector_probes": 2})
    naive = naive.model_copy(update={"swapped": seen})
    made = plain.model_copy(update={"attacks": (naive, motion)})
    view = attackers_view(with_cohorts(three, made))
    assert view is not None
    place = view.rates.columns.index("Probes the study lacks")
    own, other = (row[place] for row in view.rates.rows)
    assert own.text == "40 of 90: tracker 38, second detector 2"
    assert (other.text, bool(other.reason)) == (DASH, True)
    assert view.cards[0].probes == (
        "Attackers compare faces in 90 of 100 sampled frames. Faces that the study's detector does "
        "not find: 40 of 90: tracker 38, second detector 2."
    )
    assert view.cards[0].probes in unescape(page(with_cohorts(three, made)))
    older = attackers_view(with_cohorts(three, plain))
    assert older is not None
    assert older.cards[0].probes == ""
    site = attack_table(made)
    assert site.rows[0][-1].text == own.text


def test_what_could_not_be_computed_is_said_once_in_the_cohorts_words(
    attacked: ReportData,
) -> None:
    view = attackers_view(attacked)
    assert view is not None
    notes = dict(view.notes)
    assert notes[TOO_FEW] == "all tools"
    assert notes[f"A1 parrot: {NO_DONOR}"] == "landmark-swap"
    bar = view.cards[1].bars[1]
    assert (bar.at, bar.shown) == (None, DASH)
    shown = section(page(attacked), "attackers")
    assert shown.count(TOO_FEW) == 1


def hides(data: ReportData) -> Card:
    return headline(data).cards[0]


def test_few_actors_are_called_an_illustration_and_ten_are_not(
    attacked: ReportData, make_data: Maker
) -> None:
    assert "Illustration." in section(page(attacked), "attackers")
    ten = make_data(actors=10)
    ten = with_cohorts(ten, cohort(ten, "blur", naive=0.4))
    assert "llustration" not in section(page(ten), "attackers")


def test_the_privacy_headline_is_the_tool_whose_worst_attacker_gains_least(
    many: ReportData,
) -> None:
    best = hides(many)
    assert (best.who, best.value) == ("landmark-swap", "50.0 %")
    assert "worst attacker" in best.label
    assert "A0 naive" in best.detail
    assert "by chance 4.2 %" in best.detail
    bare = many.model_copy(update={"cohorts": ()})
    before = hides(bare)
    assert before.who == NOBODY, "distance ranks nobody"
    assert "No attacker has been scored" in before.sure
    controls = with_cohorts(bare, cohort(bare, "noop", naive=0.1))
    assert hides(controls) == before, "a control does not compete"


def test_too_few_actors_rank_no_tool_by_its_attacker_and_the_attack_is_shown(
    attacked: ReportData,
) -> None:
    best = hides(attacked)
    assert best.who == NOBODY
    assert "landmark-swap 50.0 %" in best.detail
    assert "by chance 33.3 %" in best.detail


def seen_in(data: ReportData, variant: str, used: dict[int, int]) -> ReportData:
    """Of a column's actors, the frames (of 1000) in which a face is still found."""

    def changed(cell: ReportCell) -> ReportCell:
        if cell.variant != variant or cell.score is None:
            return cell
        identity = cell.score.identity
        swapped = identity.comparisons[Comparison.SWAPPED_ORIGINAL]
        found = swapped.model_copy(update={"used": used[cell.spec.actor.number]})
        comparisons = {**identity.comparisons, Comparison.SWAPPED_ORIGINAL: found}
        identity = identity.model_copy(update={"comparisons": comparisons})
        return cell.model_copy(
            update={"score": cell.score.model_copy(update={"identity": identity})}
        )

    return data.model_copy(update={"cells": tuple(changed(cell) for cell in data.cells)})


@pytest.mark.parametrize(
    ("frames", "who"), [(600, "blur"), (0, NO_TOOL_HIDES)], ids=["face kept", "face gone"]
)
def test_a_tool_that_loses_faces_does_not_hand_the_win_to_a_worse_one(
    make_data: Maker, frames: int, who: str
) -> None:
    """Blur was better than the other tool on every measure, but had lost so many faces that only
    five actors could be compared; the headline then read "Best hidden: 100.0 %", of the other."""
    data = seen_in(make_data(actors=24), "blur", {n: 988 if n <= 5 else frames for n in range(25)})
    blur = cohort(data, "blur", naive=0.2)
    (found,) = blur.attacks
    assert found.swapped is not None
    lost = tuple(
        one
        if one.actor <= 5
        else one.model_copy(update={"probes": 0, "identified": 0.0, "advantage": 0.0})
        for one in found.swapped.by_actor
    )
    few = found.swapped.model_copy(update={"actors": (1, 2, 3, 4, 5), "by_actor": lost})
    blur = blur.model_copy(update={"attacks": (found.model_copy(update={"swapped": few}),)})
    data = with_cohorts(data, blur, cohort(data, "landmark-swap", naive=1.0))
    first = headline(data)
    assert first.cards[0].who == who
    if who == "blur":
        assert first.cards[0].value == "4.2 %", "of all frames of all 24 actors"
    else:
        assert "landmark-swap is not shown to hide anybody" in first.cards[0].sure
        assert any(one.startswith("blur: The face is gone") for one in first.left_out)


def test_a_tool_that_failed_for_most_actors_does_not_win(make_data: Maker) -> None:
    """It once won with "7 of 7 actors compared", after it had failed for 18 of 25."""
    data = make_data(actors=25)
    cells = tuple(
        c.model_copy(update={"score": None, "status": "tool_error", "reason": "It failed."})
        if c.variant == "blur" and c.spec.actor.number > 7
        else c
        for c in data.cells
    )
    data = data.model_copy(update={"cells": cells})
    done = data.model_copy(update={"cells": tuple(c for c in cells if c.score)})
    data = with_cohorts(
        data, cohort(done, "blur", naive=0.2), cohort(done, "landmark-swap", naive=0.6)
    )
    first = headline(data)
    assert first.cards[0].who == "landmark-swap"
    assert first.left_out == ["blur: Only 7 of its 25 cells are done; a rank takes 90 %."]
    rows = {row.name: row for row in leaderboard(data, judge(data))}
    assert (rows["blur"].rank, rows["landmark-swap"].rank) == (None, 1)
    assert rows["blur"].rank_reason.startswith("Only 7 of its 25")


def test_report_and_leaderboard_average_the_same_seeds(make_data: Maker) -> None:
    """Of two seeds the report once took the one that is attacked least, the site the other."""
    data = make_data(actors=8)
    twice = tuple(
        cell.model_copy(update={"spec": cell.spec.model_copy(update={"seed": seed})})
        for seed in (0, 1)
        for cell in data.cells
        if cell.variant == "blur"
    )
    data = data.model_copy(update={"cells": twice})
    seeds = [
        cohort(data.model_copy(update={"cells": twice[:8]}), "blur", naive=0.9),
        cohort(data.model_copy(update={"cells": twice[8:]}), "blur", naive=0.3),
    ]
    data = with_cohorts(data, *seeds)
    (row,) = leaderboard(data, judge(data))
    assert row.worst_attack is not None
    assert row.worst_attack.identified.value == pytest.approx(0.6)
    assert hides(data).value == "60.0 %"


def test_the_split_says_that_not_detected_is_not_hidden(attacked: ReportData) -> None:
    view = attackers_view(attacked)
    assert view is not None
    (split,) = view.cards[0].splits
    assert split.parts == (("matched", 12.5), ("hidden", 50.0), ("lost", 37.5))
    shown = section(page(attacked), "attackers")
    assert "37.5 % not even detected" in shown
    assert "which is not hidden" in shown


def test_the_one_donor_question_is_asked_of_tools_with_donors_only(three: ReportData) -> None:
    own = cohort(three, "blur", naive=0.4, parrot=0.8)
    view = attackers_view(with_cohorts(three, own))
    assert view is not None
    assert view.donors is not None
    (row,) = view.donors.rows
    assert [c.text for c in row[1:4]] == ["80.0 %", "33.3 %", "actors are told apart"]
    bare = three.model_copy(
        update={
            "cells": tuple(
                c.model_copy(update={"spec": c.spec.model_copy(update={"donor": None})})
                for c in three.cells
            )
        }
    )
    view = attackers_view(with_cohorts(bare, cohort(bare, "blur", parrot=0.8)))
    assert view is not None
    assert view.donors is None


@pytest.mark.parametrize(
    ("rate", "within", "words"),
    [(0.7, False, "told apart"), (0.7, True, "within its null"), (0.2, True, "below chance")],
)
def test_the_one_donor_reading_follows_the_null(
    three: ReportData, rate: float, within: bool, words: str
) -> None:
    own = cohort(three, "blur", parrot=rate)
    (found,) = own.attacks
    assert found.swapped is not None
    # An interval of few actors says little; this one leaves chance out.
    interval = found.swapped.rank_1.model_copy(update={"low": 0.5, "high": 0.9})
    swapped = found.swapped.model_copy(update={"rank_1": interval})
    own = own.model_copy(update={"attacks": (found.model_copy(update={"swapped": swapped}),)})
    view = attackers_view(with_cohorts(three, within_null(own) if within else own))
    assert view is not None
    assert view.donors is not None
    assert words in view.donors.rows[0][3].text
    assert f"(50{DASH}90)" in view.rates.rows[0][2].text


def test_thresholds_come_with_their_origin_and_their_false_matches(attacked: ReportData) -> None:
    view = attackers_view(attacked)
    assert view is not None
    assert view.thresholds is not None
    fixed, calibrated = view.thresholds.rows[:2]
    assert [c.text for c in fixed[2:]] == ["fixed", "0.600", "12.5 %", "12.5 %", "6.2 %"]
    assert [c.text for c in calibrated[2:4]] == ["FAR 1 %", "0.512"]
    assert "all the other actors" in view.origin


def test_a_scored_column_without_a_cohort_is_named(attacked: ReportData, three: ReportData) -> None:
    view = attackers_view(attacked)
    assert view is not None
    assert "blackbox" in view.missing
    assert "bench score" in view.missing
    assert "No attacker has been scored" in section(page(three), "attackers")


def leaking(data: ReportData, leaks: LeakProfile) -> ReportData:
    """The first cell of the blur leaks; its video is known to last 48 s (1200 frames)."""

    def changed(cell: ReportCell) -> ReportCell:
        if cell.variant != "blur" or cell.spec.actor.number != 1 or cell.score is None:
            return cell
        media = cell.spec.actor.test.model_copy(update={"info": VIDEO})
        actor = cell.spec.actor.model_copy(update={"test": media})
        return cell.model_copy(
            update={
                "spec": cell.spec.model_copy(update={"actor": actor}),
                "score": cell.score.model_copy(update={"leaks": leaks}),
            }
        )

    return data.model_copy(update={"cells": tuple(changed(cell) for cell in data.cells)})


def test_leaks_are_told_per_cell_and_drawn_in_time(three: ReportData) -> None:
    data = leaking(three, profile())
    view = leaks_view(data)
    assert view is not None
    ((name, (strip,)),) = view.strips
    assert name == "blur"
    assert strip.marks == ((2.08, 0.83), (4.17, 0.83))
    assert "20.0 % of frames leak in 2 stretches" in strip.words
    row = next(r for r in view.table.rows if r[2].text == "100")
    assert [c.text for c in row[3:10]] == [
        *("20.0 %", "25.0 %", "10", "0.40", "1.00", "0.487", "2")
    ]
    assert 'class="leak"' in section(page(data), "leaks")


def test_a_video_without_any_face_is_not_drawn_as_one_that_never_leaks(three: ReportData) -> None:
    gone = LeakProfile(threshold=0.6, every_frame=True, asked=100, used=0, leaking=0)
    none = profile(leaking=0, stretches=0)
    for leaks, faceless in ((gone, True), (none, False)):
        data = leaking(three, leaks)
        view = leaks_view(data)
        assert view is not None
        ((_, (strip,)),) = view.strips
        assert strip.faceless is faceless
        assert ("no face in any frame" in strip.words) is faceless
        assert ('class="track lost"' in section(page(data), "leaks")) is faceless


def test_a_sample_is_said_to_be_one_and_an_old_score_to_have_no_leaks(three: ReportData) -> None:
    assert "earlier version" in section(page(three), "leaks")
    sampled = leaking(three, profile().model_copy(update={"every_frame": False}))
    assert "may leak unseen" in section(page(sampled), "leaks")
    assert any(row[2].text == "100 (sample)" for row in leak_table(sampled).rows)
    assert "may leak unseen" not in section(page(leaking(three, profile())), "leaks")


def test_leaks_at_the_calibrated_threshold_stand_beside_those_at_the_fixed_one(
    three: ReportData,
) -> None:
    data = leaking(three, profile())
    data = with_cohorts(data, cohort(data, "blur", naive=0.4))
    table = leak_table(data)
    assert table.columns[-2:] == ("Calibrated threshold", "Leaking, of all, calibrated")
    assert {len(row) for row in table.rows} == {12}
    row = next(r for r in table.rows if r[2].text == "100")
    assert [c.text for c in row[-2:]] == ["0.512", "10.0 %"]
    assert "1 % among" in table.note


def test_a_report_with_every_attacker_and_leak_stays_below_8_mb(
    full_data: ReportData, tmp_path: Path
) -> None:
    many = profile(stretches=50)
    cells = tuple(
        c.model_copy(update={"score": c.score.model_copy(update={"leaks": many})}) if c.score else c
        for c in full_data.cells
    )
    data = full_data.model_copy(update={"cells": cells})
    names = dict.fromkeys(cell.variant for cell in data.cells)
    data = with_cohorts(
        data,
        *(cohort(data, n, naive=0.4, parrot=0.8, informed=0.5, motion=0.3) for n in names),
    )
    assert build_report(data, tmp_path / "r.html").stat().st_size < 8_000_000
