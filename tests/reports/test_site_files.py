"""Files of a site that machines read: results.json and its schema, the feed, the data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pyarrow.parquet as pq
import pytest

from harness.store.columns import COLUMN_HELP
from harness.store.views import VIEWS
from reports.model import ReportData
from reports.site.feed import MOST_ENTRIES, entry_id, feed
from reports.site.leaderboard import leaderboard
from reports.site.model import Column, Entry, RawTable
from reports.site.raw import comma_separated, dictionary, parquet
from reports.verdict import judge

from .sites import files_of, make_site

Maker = Callable[..., ReportData]
ATOM = "{http://www.w3.org/2005/Atom}"


def results_of(data: ReportData) -> tuple[Any, Any]:
    files = files_of(make_site(data))
    return json.loads(files["results.json"]), json.loads(files["results.schema.json"])


def test_the_results_fit_the_published_schema(full_data: ReportData) -> None:
    found, schema = results_of(full_data)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(found)) == []
    assert found["$schema"] == "results.schema.json"
    broken = found | {"tools": [found["tools"][0] | {"distance": "far"}]}
    assert [e.json_path for e in validator.iter_errors(broken)] == ["$.tools[0].distance"]
    unknown = found | {"nonsense": 1}
    assert list(validator.iter_errors(unknown))


def test_the_results_hold_the_leaderboard_and_every_cell(full_data: ReportData) -> None:
    found, _ = results_of(full_data)
    rows = leaderboard(full_data, judge(full_data))
    assert [tool["name"] for tool in found["tools"]] == [row.name for row in rows]
    assert found["tools"][0]["distance"]["value"] == rows[0].distance.value
    assert len(found["cells"]) == 96
    failed = [cell for cell in found["cells"] if cell["status"] == "timeout"]
    assert {cell["distance_l2"]["sw_or"] for cell in failed} == {None}
    assert all(cell["reason"] for cell in failed)
    assert found["how_to_cite"].endswith(f"Results {found['content_sha256'][:12]}.")


def test_the_same_numbers_are_cited_alike_whenever_they_are_published(make_data: Maker) -> None:
    data = make_data(actors=2)
    later, other = (
        data.model_copy(update={"generated_at": "2031-01-01 00:00 UTC"}),
        make_data(actors=3),
    )
    first, second, third = (results_of(one)[0]["content_sha256"] for one in (data, later, other))
    assert first == second
    assert first != third


def entries_of(data: ReportData) -> dict[str, str]:
    """Title to id."""
    root = ElementTree.fromstring(files_of(make_site(data))["feed.xml"])
    pairs = [
        (e.findtext(f"{ATOM}title"), e.findtext(f"{ATOM}id")) for e in root.iter(f"{ATOM}entry")
    ]
    found = {title: identifier for title, identifier in pairs if title and identifier}
    assert len(found) == len(pairs)
    return found


def test_the_feed_tells_the_same_news_once(make_data: Maker) -> None:
    data = make_data(actors=2)
    first = entries_of(data)
    assert len(first) == 5, "the publication, and one for each tool"
    assert entries_of(data.model_copy(update={"generated_at": "2031-01-01 00:00 UTC"})) == first
    rescored = tuple(
        c.model_copy(update={"score": c.score.model_copy(update={"inputs": {"scoring": "9"}})})
        if c.variant == "blur" and c.score
        else c
        for c in data.cells
    )
    second = entries_of(data.model_copy(update={"cells": rescored}))
    assert {title for title in first if first[title] != second[title]} == {"blur: 2 cells scored"}


def test_the_feed_is_whole_atom_with_times_of_the_measuring(make_data: Maker) -> None:
    root = ElementTree.fromstring(
        files_of(make_site(make_data(actors=2, title="A & <b>")))["feed.xml"]
    )
    assert root.tag == f"{ATOM}feed"
    assert root.findtext(f"{ATOM}title") == "A & <b>"
    for element in (root, *root.iter(f"{ATOM}entry")):
        assert (element.findtext(f"{ATOM}id") or "").startswith("urn:uuid:")
        updated = element.findtext(f"{ATOM}updated") or ""
        assert datetime.fromisoformat(updated).year == 2026
        assert element.findtext(f"{ATOM}title")
    links = [link.get("href", "") for link in root.iter(f"{ATOM}link")]
    assert all(links)
    assert not any(":" in link or link.startswith("/") for link in links)


def test_a_feed_has_only_the_newest_entries(make_data: Maker) -> None:
    site = make_site(make_data(actors=1))
    many = [
        Entry(
            title=f"{i}", summary="\x00", href="a", updated_at=f"2026-01-01T{i:06d}", content=f"{i}"
        )
        for i in range(MOST_ENTRIES + 5)
    ]
    root = ElementTree.fromstring(feed(site, many))
    titles = [entry.findtext(f"{ATOM}title") for entry in root.iter(f"{ATOM}entry")]
    assert titles[0] == f"{MOST_ENTRIES + 4}"
    assert len(titles) == MOST_ENTRIES


def test_an_entrys_id_follows_from_its_content() -> None:
    assert entry_id("a") == entry_id("a")
    assert entry_id("a") != entry_id("b")


TABLE = RawTable(
    name="t",
    help="one row per thing",
    columns=(
        Column(name="word", kind="VARCHAR", help="A word."),
        Column(name="settings", kind="JSON", help="As JSON."),
        Column(name="n", kind="BIGINT", help="How many."),
        Column(name="x", kind="DOUBLE", help="How much."),
        Column(name="good", kind="BOOLEAN", help="Whether."),
        Column(name="at", kind="TIMESTAMP", help="When."),
    ),
    rows=(
        ('a "b", \u00fc', '{"k": 1}', 2**40, 0.1, True, datetime(2026, 1, 2, 3, 4, 5)),
        (None, None, None, None, None, None),
    ),
)


def test_both_forms_of_a_table_hold_the_same_values() -> None:
    stored = pq.read_table(io.BytesIO(parquet(TABLE)))
    assert [tuple(row.values()) for row in stored.to_pylist()] == list(TABLE.rows)
    assert stored.schema.field("x").metadata == {b"help": b"How much."}
    rows = list(csv.reader(io.StringIO(comma_separated(TABLE).decode(), newline="")))
    assert rows[0] == [column.name for column in TABLE.columns]
    assert rows[1] == [
        'a "b", \u00fc',
        '{"k": 1}',
        str(2**40),
        "0.1",
        "true",
        "2026-01-02T03:04:05",
    ]
    assert rows[2] == [""] * 6
    assert parquet(TABLE) == parquet(TABLE)


def test_a_table_without_rows_keeps_its_columns() -> None:
    empty = TABLE.model_copy(update={"rows": ()})
    assert pq.read_table(io.BytesIO(parquet(empty))).schema.names == [c.name for c in TABLE.columns]
    assert comma_separated(empty) == b"word,settings,n,x,good,at\r\n"


def test_the_dictionary_describes_every_column() -> None:
    [table] = json.loads(dictionary([TABLE]))
    assert table["rows"] == 2
    assert [column["help"] for column in table["columns"]] == [c.help for c in TABLE.columns]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_column_of_the_store_has_a_sentence_in_the_dictionary(view: Any) -> None:
    assert [name for name in view.columns if not COLUMN_HELP.get(name, "").endswith(".")] == []


def test_the_dictionary_names_no_column_that_is_gone() -> None:
    assert COLUMN_HELP.keys() == {name for view in VIEWS for name in view.columns}
