"""The page: what it holds, what it must never do."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.core.errors import StoreError
from reports.aggregate import DASH, cells_of, fisher_mean, fmt, over_actors
from reports.build import build_report, page, view
from reports.controls import control_checks
from reports.headline import headline
from reports.model import ReportCell, ReportData
from reports.tables import actor_table, overview_table

Maker = Callable[..., ReportData]


class Outline(HTMLParser):
    """Collects what tests ask about: loads, headings, images, ids."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.images_without_alt = 0
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag in ("img", "script", "link", "iframe", "source", "video"):
            self.loads += [v for k in ("src", "href", "srcset") if (v := found.get(k))]
        if tag == "img" and not found.get("alt"):
            self.images_without_alt += 1
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if identifier := found.get("id"):
            self.ids.append(identifier)


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    return parser


@pytest.fixture(scope="module")
def html(full_data: ReportData) -> str:
    return page(full_data)


def test_a_report_of_96_cells_stays_below_8_mb(full_data: ReportData, tmp_path: Path) -> None:
    out = build_report(full_data, tmp_path / "report.html")
    assert len(full_data.cells) == 96
    assert out.stat().st_size < 8_000_000


def test_nothing_is_loaded_from_outside_the_page(html: str) -> None:
    loads = outline(html).loads
    assert loads
    assert all(load.startswith("data:") for load in loads)
    assert "default-src &#39;none&#39;" in html
    assert "@import" not in html.split("</style>")[0]


def test_headings_do_not_skip_a_level_and_ids_are_unique(html: str) -> None:
    found = outline(html)
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    steps = zip(found.headings, found.headings[1:], strict=False)
    assert all(later <= earlier + 1 for earlier, later in steps)
    assert len(found.ids) == len(set(found.ids))
    assert found.images_without_alt == 0


def test_failed_cells_stay_in_the_denominators(html: str, full_data: ReportData) -> None:
    assert "94 of 96 cells scored" in html
    table = actor_table(full_data, "landmark-swap")
    assert len(table.rows) == 24
    assert "22 of 24 cells scored" in table.title
    assert [cell.text for cell in table.footer[2][2:6]] == ["22"] * 4
    assert html.count("took longer than 3600 s") >= 2


def test_a_face_that_was_not_detected_is_never_called_hidden(full_data: ReportData) -> None:
    table = actor_table(full_data, "blackbox")
    assert {row[1].text for row in table.rows} == {"not detected"}
    assert all(row[4].text == DASH and row[4].reason for row in table.rows)
    row = next(
        r for r in overview_table(full_data, "mediapipe-blendshapes").rows if "black" in r[0].text
    )
    assert row[2].text == "0 of 24"
    assert row[3].text == DASH
    shown = view(full_data)
    assert all(
        trace.get("yaxis") != "y2" or "x-open" in str(trace) for trace in shown["scatter"].traces
    )
    assert not any(
        trace["name"] == "blackbox" and trace.get("yaxis") != "y2"
        for trace in shown["scatter"].traces
    )
    assert "blackbox (control): no face detected in 24 of 24 cells" in shown["undetected"]
    assert not any("blackbox" in figure.title for figure in shown["boxes"])


def test_controls_are_checked_and_do_not_compete_in_the_headline(full_data: ReportData) -> None:
    cards = headline(full_data).cards
    assert all("noop" not in f"{n.who} {n.detail} {n.sure}" for n in cards)
    assert all("blackbox" not in f"{n.who} {n.detail} {n.sure}" for n in cards)
    assert cards[1].who == "blur and landmark-swap", "both keep as much, and the control all of it"
    checks = control_checks(full_data)
    assert len(checks) == 48
    assert all(check.passed for check in checks)


def test_a_control_that_misses_its_result_fails(make_data: Maker) -> None:
    data = make_data(actors=1)
    cells = [c for c in data.cells if c.variant == "blur"]
    wrong = data.model_copy(
        update={
            "cells": tuple(
                c.model_copy(update={"spec": c.spec.model_copy(update={"tool": "noop"})})
                for c in cells
            )
        }
    )
    assert [check.passed for check in control_checks(wrong)] == [False]
    assert "FAIL" in page(wrong)


NASTY = (
    'O\'Brien "q" </script><script>alert(1)</script>'
    "<img src=x onerror=alert(2)> Zo\u00eb \u6f22\u5b57 &amp;"
)


def test_names_with_quotes_markup_and_other_scripts_are_shown_as_text(make_data: Maker) -> None:
    data = make_data(actors=2, title=NASTY)
    cells = tuple(
        c.model_copy(update={"variant": NASTY, "reason": NASTY, "status": NASTY})
        for c in data.cells
    )
    html = page(data.model_copy(update={"cells": cells}))
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "Zo\u00eb \u6f22\u5b57" in html
    assert "alert(1)</script>" not in html


def test_missing_numbers_are_dashes_and_never_nan(html: str) -> None:
    body = html.split("</style>")[1].split("<script>")[0]
    assert not re.search(r"\b(NaN|nan|None(?! of)|inf|Infinity)\b", body)
    assert fmt(None) == fmt(math.nan) == fmt(math.inf) == DASH
    assert fmt(-0.0001) == "0.000"
    assert fmt(0.12345) == "0.123"


def test_an_empty_or_wholly_failed_selection_still_makes_a_page(make_data: Maker) -> None:
    data = make_data(actors=1)
    failed = [
        ReportCell(spec=c.spec, variant=c.variant, status="oom", reason="Out of memory.")
        for c in data.cells
    ]
    html = page(data.model_copy(update={"cells": tuple(failed)}))
    assert "0 of 4 cells scored" in html
    assert html.count("Out of memory.") >= 4
    assert html.count("no score in 1 of 1 cells") == 4
    assert page(data.model_copy(update={"cells": ()}))


def test_an_actor_with_two_cells_counts_once() -> None:
    mean = over_actors([(1, 0.2), (1, 0.4), (2, 0.9), (3, None)])
    assert mean.n == 2
    assert mean.mean == pytest.approx(0.6)
    assert mean.sd == pytest.approx(0.6 / math.sqrt(2))


def test_the_fisher_mean_is_above_the_raw_mean_for_unequal_correlations() -> None:
    fisher = fisher_mean([(1, 0.2), (2, 0.95)])
    assert fisher.mean == pytest.approx(math.tanh((math.atanh(0.2) + math.atanh(0.95)) / 2))
    one = fisher_mean([(1, 1.0)])
    assert one.mean == pytest.approx(1.0, abs=1e-5)


def test_the_page_shows_the_words_of_the_verdict_and_no_others(full_data: ReportData) -> None:
    html = unescape(page(full_data))
    first = headline(full_data)
    for card in first.cards:
        for words in (card.label, card.value, card.who, card.detail, card.sure):
            assert words in html
    assert first.left_out == [], "with nobody ranked the card says why"


def test_every_figure_is_valid_plotly(full_data: ReportData) -> None:
    import plotly.graph_objects as go

    shown = view(full_data)
    figures = [shown["scatter"], shown["box_summary"], *shown["boxes"]]
    figures += [figure for source in shown["units"] for figure in source["figures"]]
    assert len(figures) == 2 + 3 + 3
    for figure in figures:
        go.Figure(data=list(figure.traces), layout=figure.layout)


def test_the_thesis_split_is_marked(make_data: Maker) -> None:
    from harness.model.dataset import Split

    data = make_data(actors=1)
    cells = tuple(
        c.model_copy(update={"spec": c.spec.model_copy(update={"split": Split.THESIS})})
        for c in data.cells
    )
    assert "Thesis split." not in page(data)
    assert "Thesis split." in page(data.model_copy(update={"cells": cells}))


def test_a_report_that_cannot_be_written_says_so_and_leaves_nothing(
    make_data: Maker, tmp_path: Path
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        build_report(make_data(actors=1), blocker / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert len(cells_of(make_data(actors=2), "blur")) == 2
