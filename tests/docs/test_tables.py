"""Markdown tables that are shown as tables: a header, a line of dashes, rows of as many cells."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("adapters", "benchmarks", "containers", "docs", "harness", "reports")
PAGES = sorted({*ROOT.glob("*.md"), *(p for f in FOLDERS for p in (ROOT / f).rglob("*.md"))})
DASHES = re.compile(r"\|( *:?-+:? *\|)+")


def tables(text: str) -> Iterator[list[str]]:
    """Lines in a row that begin with a bar, outside of fenced code."""
    kept, fenced = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        kept.append("" if fenced else line.strip())
    for is_table, lines in itertools.groupby(kept, lambda line: line.startswith("|")):
        if is_table:
            yield list(lines)


def fault(table: list[str]) -> str:
    """The fault that keeps the lines from being shown as one table; empty without one."""
    if len(table) < 2 or not DASHES.fullmatch(table[1]):
        return f"is no table, its second line not being dashes: {table[0]}"
    # A bar in a code span ends a cell too, unless it is escaped.
    cells = [len(re.findall(r"(?<!\\)\|", line)) - 1 for line in table]
    for line, count in zip(table, cells, strict=True):
        if count != cells[0] or not line.endswith("|"):
            return f"has {count} cells where its header has {cells[0]}: {line}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_table_of_a_page_is_one(page: Path) -> None:
    assert [why for table in tables(page.read_text()) if (why := fault(table))] == []


def test_a_table_that_an_empty_line_cuts_in_two_is_noticed() -> None:
    whole = "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
    assert [fault(table) for table in tables(whole)] == [""]
    first, second = tables(whole + "\n| 3 | 4 |\n")
    assert not fault(first)
    assert fault(second).startswith("is no table")
    (uneven,) = tables(whole + "| `x|y` | 4 |\n")
    assert "has 3 cells where its header has 2" in fault(uneven)
