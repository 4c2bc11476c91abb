"""Errors in hand-written YAML name the line and the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.base import Frozen
from harness.core.errors import UsageError
from harness.core.yaml_files import parse_yaml, read_yaml


class _Part(Frozen):
    name: str
    size: int = 0


class _Thing(Frozen):
    title: str
    parts: tuple[_Part, ...] | None = None


def test_a_valid_text_becomes_the_model() -> None:
    text = "title: x\nparts:\n  - name: a\n    size: 2\n"
    assert parse_yaml(text, _Thing, "thing", "t.yaml") == _Thing(
        title="x", parts=(_Part(name="a", size=2),)
    )


def test_a_misspelt_field_is_named_with_its_line_and_the_nearest_field() -> None:
    text = "title: x\nparts:\n  - name: a\n  - name: b\n    siz: 2\n"
    with pytest.raises(UsageError, match=r"line 5, field 'parts\.1\.siz'.*did you mean 'size'"):
        parse_yaml(text, _Thing, "thing", "t.yaml")


def test_a_missing_field_is_reported_at_its_parent() -> None:
    with pytest.raises(UsageError, match=r"t\.yaml is not a valid thing: line 3, .*parts\.0\.name"):
        parse_yaml("title: x\nparts:\n  - size: 1\n", _Thing, "thing", "t.yaml")


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n"])
def test_what_is_no_mapping_is_told_what_a_mapping_looks_like(text: str) -> None:
    with pytest.raises(UsageError, match="top level must be fields"):
        parse_yaml(text, _Thing, "thing", "t.yaml")


def test_broken_yaml_names_the_line() -> None:
    with pytest.raises(UsageError, match="line 2"):
        parse_yaml("title: x\n  parts: [\n", _Thing, "thing", "t.yaml")


def test_only_the_first_errors_are_told_and_the_rest_counted() -> None:
    text = "title: x\nparts:\n" + "  - size: big\n" * 4
    with pytest.raises(UsageError, match="and 3 more"):
        parse_yaml(text, _Thing, "thing", "t.yaml")


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_yaml(tmp_path / "absent.yaml", _Thing, "thing")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        read_yaml(binary, _Thing, "thing")
