"""The verdict in the terminal: the report's own words, at the width of a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.summary import print_headline
from harness.results.headline import cards, left_out
from harness.results.ranking import verdict
from tests.results.compare.made_up import Home, Numbers, make_spec
from tests.results.scored import around, tool

from .conftest import Bench


def test_the_cards_fit_eighty_columns_and_lose_no_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    tools = (tool("blur", around(0.3)), tool("pixelate", around(0.6)), tool("few", [0.1], failed=9))
    found = verdict(tools)
    print_headline(cards(found, tools), left_out(found))
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    flat = " ".join(said.split())
    for card in cards(found, tools):
        assert all(words in flat for words in (card.label, card.who, card.value, card.detail))
    assert "few: Only 1 of its 10 cells are done" in flat


def test_nobody_is_the_worst_leak_where_no_frame_leaks() -> None:
    tools = (tool("blur", around(0.3)), tool("pixelate", around(0.6)))
    leak = cards(verdict(tools), tools)[2]
    assert (leak.who, leak.value) == ("No leak is seen", "0.0 %")
    assert "attackers may find more" in leak.sure


def test_a_report_prints_the_verdict(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for name in ("blur", "mask"):
        bench.score(bench.add(name, 2), "thesis")
    said = " ".join(bench("report", "--out", str(tmp_path / "page.html")).stdout.split())
    assert "Who hides best: how often the worst attacker still finds the person" in said
    assert "No tool is ranked" in said


def test_a_failed_control_is_said_before_the_verdict(tmp_path: Path) -> None:
    """The page warned of it, while the terminal named a tool without a word."""
    home = Home(tmp_path)
    for name in ("blur", "mask", "noop"):
        home.add(make_spec(name, 2), Numbers(sw_or=0.75))
    bench = Bench(tmp_path)
    arguments = ("report", "--out", str(tmp_path / "page.html"))
    said = " ".join(bench(*arguments).stdout.split())
    warning = "A control missed its known result (noop, actor 2): do not trust the other numbers."
    assert warning in (tmp_path / "page.html").read_text()
    assert said.index(warning) < said.index("Who hides best")
    assert json.loads(bench(*arguments, "--json").stdout)["warnings"] == [warning]
