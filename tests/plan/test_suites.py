"""Suites are read with errors that name the line and the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.suites import builtin_suites, load_suite, parse_suite


@pytest.mark.parametrize("name", builtin_suites())
def test_every_suite_that_ships_is_valid_and_has_its_files_name(name: str) -> None:
    assert load_suite(name).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\ntools:\n  - tool: blur\nframs: 3\n", r"line 4, field 'frams'"),
        ("name: a\ntools: [{tool: x}]\nprotocol:\n  frames: few\n", r"line 4, field 'protocol"),
        ("name: a\n", r"line 1, field 'tools'"),
        ("- a\n", "mapping"),
        ("name: [\n", "not valid YAML"),
    ],
)
def test_an_invalid_suite_names_the_line_and_the_field(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_suite(text, "my.yaml")


def test_an_unknown_suite_gets_the_nearest_known_one() -> None:
    with pytest.raises(UsageError, match="Did you mean 'quickstart'"):
        load_suite("quikstart")


def test_a_missing_suite_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_suite(str(tmp_path / "none.yaml"))
