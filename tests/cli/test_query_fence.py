"""`bench query` reads the files of its store and nothing else, and writes nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.store.query import ask

from .conftest import Bench

SECRET = "do not show this"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.csv"
    path.write_text(f"word\n{SECRET}\n")
    return path


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{path}')",
        "SELECT * FROM read_text('{path}')",
        "SELECT * FROM read_blob('{path}')",
        "SELECT * FROM '{path}'",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM sniff_csv('{path}')",
        "SELECT * FROM parquet_metadata('{path}')",
        "SELECT * FROM read_text('{home}/../secret.csv')",
        "SELECT * FROM read_text(['{home}/store.json', '{path}'])",
        "SELECT * FROM query('SELECT * FROM read_text(''{path}'')')",
        "SELECT * FROM read_text('http://127.0.0.1:9/x')",
        "SELECT * FROM sqlite_scan('{path}', 't')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/out.db'",
        "SET allowed_directories = ['/']",
        "SELECT 1; SELECT 2",
        "PRAGMA version",
    ],
)
def test_no_other_file_can_be_read_or_written(sql: str, bench: Bench, secret: Path) -> None:
    bench.add()
    before = sorted(secret.parent.rglob("*"))
    asked = sql.format(path=secret, folder=secret.parent, home=bench.home)
    if "'" in str(bench.home) and str(bench.home) in asked:
        asked = asked.replace(str(bench.home), str(bench.home).replace("'", "''"))
    with pytest.raises(UsageError) as refused:
        ask(bench.home, asked)
    assert SECRET not in str(refused.value)
    assert sorted(secret.parent.rglob("*")) == before


def test_variables_of_this_program_are_no_tables(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"word": [SECRET]})
    with pytest.raises(UsageError, match="frame"):
        ask(tmp_path, "SELECT * FROM frame")
    assert len(frame) == 1


def test_times_come_without_a_package_for_time_zones(bench: Bench) -> None:
    bench.add()
    (row,) = json.loads(bench("query", "SELECT * FROM attempts", "--json").stdout)
    assert row["started_at"].startswith("20")
    assert ask(bench.home, "SELECT now() AS t, 1 AS n;").columns == ("t", "n")


def test_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    table = ask(tmp_path, "SELECT 1 AS n, 2 AS n, 3 AS n_2")
    assert table.columns == ("n", "n_2", "n_2_2")
    assert table.as_dicts() == [{"n": 1, "n_2": 2, "n_2_2": 3}]


def test_what_json_cannot_spell_is_null(tmp_path: Path) -> None:
    said = Bench(tmp_path)("query", "SELECT 'nan'::DOUBLE AS a, 'inf'::DOUBLE AS b", "--json")
    assert json.loads(said.stdout) == [{"a": None, "b": None}]
