"""Attackers in a site: the headline, the leaderboard, the tools' pages, the results."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from harness.model.cohort import CohortScore
from reports.model import ReportData
from reports.site.answers import answers
from reports.site.leaderboard import leaderboard

from .cohorts import within_null
from .sites import files_of, make_cohort, make_site

Maker = Callable[..., ReportData]


def cohorts_of(data: ReportData, blur: float, swap: float, spread: float) -> list[CohortScore]:
    names = {"blur": blur, "landmark-swap": swap}
    return [make_cohort(data, name, rate, spread) for name, rate in names.items()]


def test_the_tool_whose_worst_attacker_gains_least_hides_best(full_data: ReportData) -> None:
    assert answers(full_data, leaderboard(full_data))[0].who == "landmark-swap"
    rows = leaderboard(full_data, cohorts_of(full_data, blur=0.2, swap=0.8, spread=0.1))
    hides = answers(full_data, rows)[0]
    assert (hides.who, hides.value, hides.clear) == ("blur", "20.0 %", True)
    assert "worst attacker, parrot" in hides.meaning
    assert "guessing: 4.2 %" in hides.meaning
    assert "95 % interval 10.0 % to 30.0 % over 24 actors" in hides.meaning
    assert "landmark-swap: 80.0 %" in hides.sure


def test_intervals_that_overlap_leave_it_open(full_data: ReportData) -> None:
    rows = leaderboard(full_data, cohorts_of(full_data, blur=0.2, swap=0.3, spread=0.1))
    hides = answers(full_data, rows)[0]
    assert (hides.who, hides.clear) == ("blur", False)
    assert hides.sure.startswith("Not clear: its interval overlaps")


@pytest.mark.parametrize("missing", ["one tool's attack", "actors"])
def test_without_attacks_on_all_tools_or_with_few_actors_distance_decides(
    make_data: Maker, missing: str
) -> None:
    data = make_data(actors=5 if missing == "actors" else 8)
    cohorts = cohorts_of(data, blur=0.3, swap=0.9, spread=0.1)
    kept = cohorts[:1] if missing == "one tool's attack" else cohorts
    hides = answers(data, leaderboard(data, kept))[0]
    assert hides.who == "landmark-swap"
    assert hides.value.startswith("0.")


def test_a_cohort_of_other_cells_is_nobodys(make_data: Maker) -> None:
    data = make_data(actors=8)
    cohort = make_cohort(data, "blur", 0.3, 0.1)
    fewer = data.model_copy(
        update={"cells": tuple(c for c in data.cells if c.spec.actor.number < 8)}
    )
    assert all(row.worst_attack is None for row in leaderboard(fewer, [cohort]))


def test_attacks_are_in_the_leaderboard_the_tools_page_and_the_results(make_data: Maker) -> None:
    data = make_data(actors=8)
    files = files_of(make_site(data, cohorts=[make_cohort(data, "blur", 0.3, 0.1)]))
    index = files["index.html"].decode()
    assert "30.0 % [20.0, 40.0] parrot" in index
    assert "Found by worst attacker" in index
    assert "No attack on just these cells is stored" in index
    page = files["tools/blur.html"].decode()
    wanted = ["parrot (worst)", "Not detected.", "A note of the cohort.", "12.5 %", "10.0 %"]
    assert [one for one in wanted if one not in page] == []
    assert "Attackers of" not in files["tools/landmark-swap.html"].decode()
    tools = {tool["name"]: tool for tool in json.loads(files["results.json"])["tools"]}
    assert tools["blur"]["worst_attack"]["rank_1"]["value"] == 0.3
    assert tools["landmark-swap"]["worst_attack"] is None
    assert "Four attackers" in files["methods.html"].decode()


def test_an_attack_within_its_null_is_not_the_worst_on_a_tools_page(make_data: Maker) -> None:
    data = make_data(actors=8)
    cohort = within_null(make_cohort(data, "blur", 0.3, 0.1))
    page = files_of(make_site(data, cohorts=[cohort]))["tools/blur.html"].decode()
    assert "parrot (strongest, within its null)" in page
    assert "none is shown to work" in page
    assert "parrot (worst)" not in page


def test_a_site_without_attacks_has_no_empty_column(make_data: Maker) -> None:
    files = files_of(make_site(make_data(actors=2)))
    assert "worst attacker" not in files["index.html"].decode()
    assert "Only an ignorant attacker is measured" in files["methods.html"].decode()
