"""Errors in hand-written YAML name the line and the field."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from harness.core.base import Frozen
from harness.core.errors import UsageError
from harness.core.text import printable
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


TEXT = "title: Zoë und Jürgen\nparts:\n  - name: a\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_in_utf_8_is_read_with_and_without_a_mark(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(TEXT.encode(encoding))
    assert read_yaml(path, _Thing, "thing").title == "Zoë und Jürgen"


@pytest.mark.parametrize(
    ("encoding", "said", "mend"),
    [
        ("utf-16", "UTF-16", "-f UTF-16 -t UTF-8"),
        ("utf-16-le", "UTF-16LE", "-f UTF-16LE -t UTF-8"),
        ("utf-16-be", "UTF-16BE", "-f UTF-16BE -t UTF-8"),
        ("utf-32", "UTF-32", "-f UTF-32 -t UTF-8"),
        ("latin-1", "Latin-1 or Windows-1252, the first time in line 1, .*'ë'", "-f WINDOWS-1252"),
    ],
)
def test_another_encoding_is_named_with_its_mend(
    encoding: str, said: str, mend: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(TEXT.encode(encoding))
    with pytest.raises(UsageError, match=said) as refused:
        read_yaml(path, _Thing, "thing")
    assert mend in (refused.value.hint or "")
    # What the hint says makes it readable.
    name = (refused.value.hint or "").split("iconv -f ")[1].split()[0]
    path.write_bytes(path.read_bytes().decode(name).encode())
    assert read_yaml(path, _Thing, "thing").title == "Zoë und Jürgen"


def test_a_tab_that_indents_is_named() -> None:
    with pytest.raises(UsageError, match=r"not valid YAML: .*line 2.*") as refused:
        parse_yaml("parts:\n\t- name: a\n", _Thing, "thing", "t.yaml")
    assert refused.value.hint == "YAML is indented by spaces: replace the tab by two of them."


HOSTILE = {
    "a value that refers to itself": "title: x\nparts: &a\n  - *a\n",
    "an alias that is nowhere": "title: *a\n",
    "5,000 brackets": "title: " + "[" * 5000,
    "5,000 closed brackets": "title: " + "[" * 5000 + "]" * 5000,
    "5,000 braces": "title: " + "{a: " * 5000,
    "a number of 5,000 digits": "title: " + "9" * 5000,
    "6,000 digits in base 16": "title: x\nparts: [{name: a, size: 0x" + "f" * 6000 + "}]",
    "3,000 digits in base 60": "title: x\nparts: [{name: a, size: 1" + ":1" * 3000 + "}]",
    "a number that is a key": "title: x\nparts: {0x" + "f" * 6000 + ": a}",
    "a number in a set": "title: x\nparts: !!set {0x" + "f" * 6000 + "}",
    "a zero byte": 'title: "a\\0b"\n',
    "an escape": 'title: "\\e[31mred"\n',
    "a direction of writing": 'title: "a\\u202Eb"\n',
    "half a character": 'title: "\\uD800"\n',
    "a bomb of aliases": "title: x\n"
    + "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
    "a bomb of merges": "title: x\n"
    + "a0: &a0 {k: x}\n"
    + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 10)),
    "a date that is none": "title: 2020-13-45\n",
    "Python": "title: !!python/object/apply:os.system [ls]\n",
    "a huge value": "title: " + "x" * 20_000,
    "a key that is a list": "? [a, b]\n: x\n",
    "a float that is none": "title: x\nparts: [{name: a, size: .nan}]\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_is_a_sentence_within_a_second(text: str) -> None:
    began = time.process_time()
    with pytest.raises(UsageError) as error:
        parse_yaml(text, _Thing, "thing", "t.yaml")
    assert time.process_time() - began < 1
    assert printable(error.value.message) == error.value.message
    assert len(error.value.message) < 30_000


def test_what_aliases_are_for_still_works() -> None:
    text = "title: &t x\nparts:\n  - &p {name: *t, size: 1}\n  - *p\n  - {<<: *p, size: 2}\n"
    thing = parse_yaml(text, _Thing, "thing", "t.yaml")
    assert [(part.name, part.size) for part in thing.parts or ()] == [("x", 1), ("x", 1), ("x", 2)]


def test_a_pipe_or_a_huge_file_is_no_text_to_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(UsageError, match="It is no file"):
        read_yaml(tmp_path / "pipe.yaml", _Thing, "thing")
    (tmp_path / "huge.yaml").touch()
    os.truncate(tmp_path / "huge.yaml", 1 << 30)
    with pytest.raises(UsageError, match="are the most"):
        read_yaml(tmp_path / "huge.yaml", _Thing, "thing")
    with pytest.raises(UsageError, match="cannot be read"):
        read_yaml(Path("a\0b.yaml"), _Thing, "thing")
