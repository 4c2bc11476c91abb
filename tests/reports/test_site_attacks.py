"""Attackers in a site: the headline, the leaderboard, the tools' pages, the results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

import pytest

from harness.model.cohort import CohortScore
from harness.results.headline import NOBODY, Card
from harness.scoring.cohort.score import CROPS_SOURCE
from reports.model import ReportData
from reports.site.answers import answers
from reports.site.leaderboard import Row, leaderboard
from reports.verdict import judge

from .cohorts import within_null
from .sites import files_of, make_cohort, make_site

Maker = Callable[..., ReportData]


def cohorts_of(data: ReportData, blur: float, swap: float, spread: float) -> list[CohortScore]:
    names = {"blur": blur, "landmark-swap": swap}
    return [make_cohort(data, name, rate, spread) for name, rate in names.items()]


def ranked(data: ReportData, cohorts: Sequence[CohortScore]) -> tuple[Card, list[Row]]:
    judged = judge(data, cohorts)
    rows = leaderboard(data, judged)
    return answers(data, rows, judged)[0], rows


def test_the_tool_whose_worst_attacker_gains_least_hides_best(full_data: ReportData) -> None:
    hides, rows = ranked(full_data, cohorts_of(full_data, blur=0.2, swap=0.8, spread=0.1))
    assert (hides.who, hides.value, hides.clear) == ("blur", "20.0 %", True)
    assert "A1 parrot" in hides.detail
    assert "by chance 4.2 %" in hides.detail
    assert "ahead of landmark-swap" in hides.sure
    assert [(row.name, row.rank) for row in rows[:2]] == [("blur", 1), ("landmark-swap", 2)]
    turned, rows = ranked(full_data, cohorts_of(full_data, blur=0.8, swap=0.2, spread=0.1))
    assert turned.who == "landmark-swap"
    assert [row.name for row in rows[:2]] == ["landmark-swap", "blur"], "rows are in order of rank"


def test_equal_attacks_share_the_first_rank(full_data: ReportData) -> None:
    hides, rows = ranked(full_data, cohorts_of(full_data, blur=0.2, swap=0.2, spread=0.1))
    assert (hides.who, hides.clear) == ("blur and landmark-swap", None)
    assert [row.rank for row in rows[:2]] == [1, 1]


@pytest.mark.parametrize("missing", ["one tool's attack", "actors"])
def test_without_an_attack_or_with_few_actors_a_tool_has_no_rank_and_distance_gives_none(
    make_data: Maker, missing: str
) -> None:
    data = make_data(actors=5 if missing == "actors" else 8)
    cohorts = cohorts_of(data, blur=0.3, swap=0.9, spread=0.1)
    kept = cohorts[:1] if missing == "one tool's attack" else cohorts
    hides, rows = ranked(data, kept)
    known = {row.name: row.rank for row in rows}
    assert known["landmark-swap"] is None
    assert (hides.who, known["blur"]) == ((NOBODY, None) if missing == "actors" else ("blur", 1))


def test_a_cohort_of_other_cells_is_nobodys(make_data: Maker) -> None:
    data = make_data(actors=8)
    cohort = make_cohort(data, "blur", 0.3, 0.1)
    fewer = data.model_copy(
        update={"cells": tuple(c for c in data.cells if c.spec.actor.number < 8)}
    )
    assert all(row.worst_attack is None for row in ranked(fewer, [cohort])[1])


def test_a_rank_is_the_same_on_the_tools_own_page(full_data: ReportData) -> None:
    cohorts = cohorts_of(full_data, blur=0.9, swap=0.3, spread=0.1)
    blur = files_of(make_site(full_data, cohorts=cohorts))["tools/blur.html"].decode()
    row = blur.split("Versions and configs</caption>")[1].split("</tbody>")[0]
    assert '<td data-sort="2.0" class="number">2</td>' in row


def test_attacks_are_in_the_leaderboard_the_tools_page_and_the_results(make_data: Maker) -> None:
    data = make_data(actors=8)
    files = files_of(make_site(data, cohorts=[make_cohort(data, "blur", 0.3, 0.1)]))
    index = files["index.html"].decode()
    assert re.search(r"30\.0 % \[[\d.]+, [\d.]+\] A1 parrot", index)
    assert "Found by worst attacker" in index
    assert "No attack on just these cells is stored" in index
    page = files["tools/blur.html"].decode()
    wanted = ["parrot (worst)", "Not detected.", "A note of the cohort.", "12.5 %", "10.0 %"]
    assert [one for one in wanted if one not in page] == []
    assert "Attackers of" not in files["tools/landmark-swap.html"].decode()
    tools = {tool["name"]: tool for tool in json.loads(files["results.json"])["tools"]}
    assert tools["blur"]["worst_attack"]["identified"]["value"] == pytest.approx(0.3)
    assert (tools["blur"]["group"], tools["blur"]["rank"]) == ("ranked", 1)
    assert tools["landmark-swap"]["worst_attack"] is None
    assert "Four attackers" in files["methods.html"].decode()
    # The intervals of shares were Wilson's once, and the page went on saying so.
    assert "allows for an actor who is missing" in files["methods.html"].decode()


def test_an_attack_within_its_null_is_not_the_worst_on_a_tools_page(make_data: Maker) -> None:
    data = make_data(actors=8)
    cohort = within_null(make_cohort(data, "blur", 0.3, 0.1))
    files = files_of(make_site(data, cohorts=[cohort]))
    page = files["tools/blur.html"].decode()
    assert "A1 parrot (strongest, within its null)" in page
    assert "none is shown to work" in page
    assert "parrot (worst)" not in page
    assert "A1 parrot, within its null" in files["index.html"].decode()
    feed = files["feed.xml"].decode()
    assert "no more than permuted names give" in feed
    assert "the worst attacker" not in feed


def test_the_self_trained_recogniser_is_named_with_its_attacker(make_data: Maker) -> None:
    data = make_data(actors=8)
    cohort = make_cohort(data, "blur", 0.3, 0.1)
    made = tuple(one.model_copy(update={"source": CROPS_SOURCE}) for one in cohort.attacks)
    files = files_of(make_site(data, cohorts=[cohort.model_copy(update={"attacks": made})]))
    assert "A1 parrot (self-trained)" in files["index.html"].decode()
    assert "by A1 parrot (self-trained)" in files["feed.xml"].decode()


def test_a_site_without_attacks_has_no_empty_column(make_data: Maker) -> None:
    files = files_of(make_site(make_data(actors=2)))
    assert "Found by worst attacker" not in files["index.html"].decode()
    assert "Only an ignorant attacker is measured" in files["methods.html"].decode()


def test_a_tool_with_several_donors_is_ranked_once_and_its_columns_share_the_rank(
    make_data: Maker,
) -> None:
    data = make_data(actors=8)
    cells = []
    for cell in (one for one in data.cells if one.variant == "blur"):
        for name in ("ann", "eve"):
            assert cell.spec.donor is not None
            donor = cell.spec.donor.model_copy(update={"name": name})
            spec = cell.spec.model_copy(update={"donor": donor})
            column = f"blur donor {name}"
            cells.append(cell.model_copy(update={"spec": spec, "variant": column}))
    data = data.model_copy(update={"cells": tuple(cells)})
    one = data.model_copy(
        update={"cells": tuple(c.model_copy(update={"variant": "blur"}) for c in cells)}
    )
    hides, rows = ranked(data, [make_cohort(one, "blur", 0.3, 0.1)])
    assert (hides.who, hides.value) == ("blur", "30.0 %")
    assert [(row.name, row.rank) for row in rows] == [("blur donor ann", 1), ("blur donor eve", 1)]
