"""Attackers and leaks on the page: cohorts and profiles made up to have known numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from harness.model.privacy import LeakProfile
from harness.model.video import VideoInfo
from reports.aggregate import DASH
from reports.attackers import attackers_view
from reports.build import build_report, page
from reports.headline import headline_numbers
from reports.leaks import leak_table, leaks_view
from reports.model import ReportCell, ReportData
from reports.site.attacks import attack_table
from tests.report.cohorts import NO_DONOR, TOO_FEW, cohort, profile, with_cohorts

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
def six(make_data: Maker) -> ReportData:
    """As many actors as it takes to rank tools, attacked."""
    data = make_data(actors=6)
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
    assert row[10].text == "10.0 %", "probes without a face"


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


def test_few_actors_are_called_an_illustration_and_ten_are_not(
    attacked: ReportData, six: ReportData, make_data: Maker
) -> None:
    assert "Illustration." in section(page(attacked), "attackers")
    assert "illustration" in headline_numbers(six)[0].detail
    many = make_data(actors=10)
    many = with_cohorts(many, cohort(many, "blur", naive=0.4))
    assert "llustration" not in section(page(many), "attackers")
    assert "illustration" not in headline_numbers(many)[0].detail


def test_the_privacy_headline_is_the_tool_whose_worst_attacker_gains_least(
    six: ReportData,
) -> None:
    best = headline_numbers(six)[0]
    assert (best.who, best.value) == ("landmark-swap", "50.0 %")
    assert "worst attacker" in best.label
    assert "A0 naive" in best.detail
    assert "by chance 16.7 %" in best.detail
    bare = six.model_copy(update={"cohorts": ()})
    before = headline_numbers(bare)[0]
    assert "distance" in before.label
    assert "no attacker could be scored" in before.detail
    controls = with_cohorts(bare, cohort(bare, "noop", naive=0.1))
    assert headline_numbers(controls)[0] == before, "a control does not compete"


def test_too_few_actors_rank_no_tool_by_its_attacker_and_the_attack_is_told(
    attacked: ReportData,
) -> None:
    best = headline_numbers(attacked)[0]
    assert "distance" in best.label
    assert "finds 50.0 % of 3 actors again (by chance 33.3 %)" in best.detail


def test_an_attack_on_a_minority_of_the_actors_makes_no_headline(make_data: Maker) -> None:
    many = make_data(actors=14)
    own = cohort(many, "blur", naive=0.4)
    (found,) = own.attacks
    assert found.swapped is not None
    lonely = found.swapped.model_copy(update={"actors": (1, 2, 3, 4, 5, 6)})
    thin = own.model_copy(update={"attacks": (found.model_copy(update={"swapped": lonely}),)})
    assert "distance" in headline_numbers(with_cohorts(many, thin))[0].label


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
    assert [c.text for c in row[1:3]] == ["80.0 %", "33.3 %"]
    assert "undecided" in row[3].text
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
    ("low", "high", "words"),
    [(0.5, 0.9, "told apart"), (0.2, 0.9, "chance lies within"), (0.1, 0.2, "below chance")],
)
def test_the_one_donor_reading_follows_the_interval(
    three: ReportData, low: float, high: float, words: str
) -> None:
    own = cohort(three, "blur", parrot=0.8)
    (found,) = own.attacks
    assert found.swapped is not None
    rate = found.swapped.rank_1.model_copy(update={"low": low, "high": high})
    swapped = found.swapped.model_copy(update={"rank_1": rate})
    own = own.model_copy(update={"attacks": (found.model_copy(update={"swapped": swapped}),)})
    view = attackers_view(with_cohorts(three, own))
    assert view is not None
    assert view.donors is not None
    assert words in view.donors.rows[0][3].text
    assert f"({100 * low:.0f}{DASH}{100 * high:.0f})" in view.rates.rows[0][2].text


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
