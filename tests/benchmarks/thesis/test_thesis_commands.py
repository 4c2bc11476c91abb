"""``bench thesis``: what it prints and how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.thesis.load import shipped
from harness.cli.main import app


def bench(*args: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["thesis", *args], env={"COLUMNS": "120"})
    assert done.exit_code == code, done.output
    return done.output


def test_check_ends_with_0_and_sums_up() -> None:
    last = bench("check").strip().splitlines()[-1]
    assert "0 of 20 printed means follow from the tables" in last
    assert "40 are confirmed by computation, 3 cannot be, and 0 came out otherwise" in last


def test_check_ends_with_1_when_a_number_is_broken(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shipped(), tmp_path / "study"))
    table = copy / "tables" / "table06.csv"
    table.write_text(
        table.read_text().replace("faceswap,19,0.265,0.829,0.78", "faceswap,19,0.265,0.829,0.80")
    )
    out = bench("check", "--data", str(copy), code=1)
    assert "I03  NOT CONFIRMED" in out
    assert "! The inconsistency is not there." in out


def test_check_as_json_holds_printed_and_recomputed_of_every_entry() -> None:
    found = json.loads(bench("check", "--json"))
    third = found["register"][2]
    assert third["verdict"] == "confirmed"
    assert third["printed"] == {"mean": 0.796, "sd": 0.197}
    assert third["recomputed"]["highest"] == 0.78
    assert {mean["agrees"] for mean in found["means"]} == {False, None}


@pytest.mark.parametrize(("number", "rows"), [(2, 68), (3, 4), (4, 24), (7, 24), (8, 10), (12, 68)])
def test_a_table_has_the_rows_it_is_printed_with(number: int, rows: int) -> None:
    assert len(json.loads(bench("tables", str(number), "--json"))) == rows


def test_tables_lists_all_with_their_pages() -> None:
    out = bench("tables")
    assert len(out.strip().splitlines()) == 12
    assert "A.3      60     Mean distances per actor, Faceswap" in out


def test_a_table_that_does_not_exist_is_told_with_those_that_do() -> None:
    done = CliRunner().invoke(app, ["thesis", "tables", "1"])
    assert done.exit_code == 2
    assert "There is no table 1; there are 2, 3, 4" in done.output


def test_claims_are_decided_on_the_published_tables() -> None:
    found = {claim["id"]: claim for claim in json.loads(bench("claims", "--json"))}
    assert found["K01"]["outcome"] == "reproduced"
    last = bench("claims").strip().splitlines()[-1]
    assert (
        last
        == "25 claims, on the published tables: 5 reproduced, 16 not decidable, 4 contradicted."
    )
