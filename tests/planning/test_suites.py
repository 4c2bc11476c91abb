"""Suites are read with errors that name the line and the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.planning.suites import builtin_suites, load_suite, parse_suite


@pytest.mark.parametrize("name", builtin_suites())
def test_every_suite_that_ships_is_valid_and_has_its_files_name(name: str) -> None:
    assert load_suite(name).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\ntools:\n  - tool: blur\nframs: 3\n", r"line 4, field 'frams'"),
        ("name: a\ntools: [{tool: x}]\nprotocol:\n  frames: few\n", r"line 4, field 'protocol"),
        ("name: a\n", r"line 1, field 'tools'"),
        ("- a\n", "its top level must be fields"),
        ("name: a\ntools: []\n", r"line 2, field 'tools': a suite names at least one tool"),
        ("name: a\ntools: blur\n", r"line 2, field 'tools': this must be a list"),
        ("name: a\nname: b\ntools: [{tool: x}]\n", r"line 2, field 'name'"),
        ("name: a\ntools: [{tool: x, confg: y}]\n", r"did you mean 'config'"),
        ("name: a\ntools: [{tool: x}]\nrepeat:\n  times: 1\n", r"line 4, field 'repeat.times'"),
        ("name: a\ntools: [{tool: x}]\nrepeat: {time: 2}\n", r"did you mean 'times'"),
        ("name: [\n", "not valid YAML"),
    ],
)
def test_an_invalid_suite_names_the_line_and_the_field(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_suite(text, "my.yaml")


def test_numbers_may_stand_where_text_is_meant() -> None:
    text = "name: a\nactors: 3\ntools: [{tool: x, version: 1}]\nrepeat: {times: 2, actors: 3}\n"
    suite = parse_suite(text, "my.yaml")
    assert (suite.actors, suite.tools[0].version) == ("3", "1")
    assert suite.repeat is not None
    assert suite.repeat.actors == "3"


def test_an_unknown_suite_gets_the_nearest_known_one() -> None:
    with pytest.raises(UsageError, match="Did you mean 'quickstart'"):
        load_suite("quikstart")


def test_a_missing_suite_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_suite(str(tmp_path / "none.yaml"))
