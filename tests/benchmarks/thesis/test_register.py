"""The register of inconsistencies: confirmed by computation, and only while the data say so."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import duckdb
import pytest

from benchmarks.thesis.check import CHECKS, Verdict, aggregates, check_register
from benchmarks.thesis.load import load_published, load_register, shipped
from benchmarks.thesis.model import Entry, Published
from harness.core.errors import UsageError

STUDY = load_published()
REGISTER = load_register()
TABLES = shipped() / "tables"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the study's files, to break."""
    return Path(shutil.copytree(shipped(), tmp_path / "study"))


def change(path: Path, column: str, value: str, **row: str) -> None:
    """One cell of a CSV file, of the row whose other columns are as given."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    (found,) = [r for r in rows if all(r[name] == wanted for name, wanted in row.items())]
    found[column] = value
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def verdicts(study: Published, entries: tuple[Entry, ...] = REGISTER) -> dict[str, Verdict]:
    return {entry.id: entry.verdict for entry in check_register(study, entries)}


def test_the_register_is_whole_and_every_check_is_used() -> None:
    assert [entry.id for entry in REGISTER] == [f"I{number:02d}" for number in range(1, 44)]
    assert {entry.check for entry in REGISTER if entry.check} == set(CHECKS)


def test_every_entry_comes_out_as_the_register_says() -> None:
    found = check_register(STUDY, REGISTER)
    assert [(entry.id, entry.differs) for entry in found if not entry.as_registered] == []


def test_what_no_computation_confirms_says_why() -> None:
    without = [entry for entry in REGISTER if entry.check is None]
    assert [entry.id for entry in without] == ["I35", "I37", "I39"]
    assert all(entry.not_computable.endswith(".") for entry in without)
    assert all(verdicts(STUDY)[entry.id] is Verdict.NOT_COMPUTABLE for entry in without)


@pytest.mark.parametrize(
    ("table", "column", "value", "row", "broken"),
    [
        # A mean becomes possible, an RMSE too, a slip is mended, a copied cell is mended.
        ("section46", "deid_mean", "0.721", {"tool": "faceswap"}, "I03"),
        ("section46", "deid_mean", "0.664", {"tool": "faceswap-gan"}, "I04"),
        ("table02", "rmse", "0.6305", {"tool": "deepfacelab", "au": "25"}, "I12"),
        ("table02", "pcc", "0.100", {"tool": "dfaker", "au": "23"}, "I23"),
        ("table03", "pcc_mean", "0.478", {"tool": "deepfacelab"}, "I09"),
        ("table04", "or_or", "0.180", {"actor": "8"}, "I14"),
        ("table04", "sw_or", "0.932", {"actor": "1"}, "I01"),
        ("table06", "sw_sw", "0.900", {"actor": "1"}, "I38"),
        ("table08", "same_sex", "0.740", {"actor": "13"}, "I17"),
        ("table09", "other_sex", "0.643", {"actor": "9"}, "I18"),
        ("table12", "delta_pcc", "0.412", {"tool": "dfaker", "au": "1"}, "I19"),
    ],
)
def test_a_changed_number_is_noticed(
    copy: Path, table: str, column: str, value: str, row: dict[str, str], broken: str
) -> None:
    change(copy / "tables" / f"{table}.csv", column, value, **row)
    study = load_published(copy)
    assert verdicts(study)[broken] is Verdict.NOT_CONFIRMED


def test_a_statement_that_no_longer_disagrees_is_noticed(copy: Path) -> None:
    file = copy / "study.yaml"
    file.write_text(file.read_text().replace("value: MTCNN", "value: S3FD"))
    found = {e.id: e for e in check_register(load_published(copy), REGISTER)}["I25"]
    assert found.verdict is Verdict.NOT_CONFIRMED
    assert found.differs[0] == "The inconsistency is not there."


def test_a_register_that_states_another_value_is_noticed_with_both() -> None:
    entry = REGISTER[0].model_copy(update={"recomputed": {"mean": 0.69, "colour": "red"}})
    (found,) = check_register(STUDY, (entry,))
    assert found.differs == (
        "recomputed 'mean': the register says 0.69, the data 0.68275.",
        "recomputed 'colour': the check computes no such value.",
    )


def test_a_check_that_does_not_exist_or_does_not_fit_is_told() -> None:
    wrong = REGISTER[0].model_copy(update={"check": "text_mean_of_its_rows"})
    with pytest.raises(UsageError, match="Did you mean 'text_mean_off_its_rows'"):
        check_register(STUDY, (wrong,))
    unfit = REGISTER[0].model_copy(update={"about": {"tool": "dfakir"}})
    with pytest.raises(UsageError, match="'text_mean_off_its_rows' of I01 does not fit"):
        check_register(STUDY, (unfit,))


def test_a_table_that_is_no_number_is_told_with_its_line(copy: Path) -> None:
    change(copy / "tables" / "table04.csv", "sw_or", "o.5", actor="3")
    with pytest.raises(UsageError, match=r"table04\.csv, line 4, column 'sw_or'"):
        load_published(copy)


def test_a_table_without_a_column_is_told_with_those_it_needs(copy: Path) -> None:
    path = copy / "tables" / "table03.csv"
    path.write_text(path.read_text().replace("rmse_sd", "rmse_sigma"))
    with pytest.raises(UsageError, match=r"line 2, column 'rmse_sd'.*The columns are tool"):
        load_published(copy)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("table02", "Table 2 has 0 rows of dfaker, and needs at least two rows"),
        ("table03", "Table 3 has 0 rows of dfaker"),
        ("table06", "Table 6 has 0 rows of faceswap"),
        ("table09", "Table 9 has 0 rows of deepfacelab"),
        ("table12", "Table 12 has 0 rows of dfaker"),
        ("section46", "Section 4.6 has 0 rows of dfaker"),
    ],
)
def test_a_table_that_holds_only_its_header_is_reported(copy: Path, table: str, told: str) -> None:
    path = copy / "tables" / f"{table}.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(UsageError, match=told):
        aggregates(load_published(copy))


def test_a_table_with_one_row_is_told_too(copy: Path) -> None:
    path = copy / "tables" / "table04.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:2]) + "\n")
    with pytest.raises(UsageError, match="Table 4 has 1 row of dfaker"):
        aggregates(load_published(copy))


def means_by_sql() -> dict[tuple[str, str, str], tuple[int, float, float]]:
    """(tool, what, table) -> n, mean, sd, by DuckDB from the files: nothing of ours is used."""
    asked = [(f"Table {n}", f"table{n:02d}", ["or_or", "or_sw", "sw_or", "sw_sw"]) for n in
             range(4, 8)]  # fmt: skip
    asked += [(f"Table {n}", f"table{n:02d}", ["same_sex", "other_sex"]) for n in range(8, 12)]
    asked += [("Table 2", "table02", ["pcc", "rmse"])]
    asked += [("Table 12", "table12", ["delta_pcc", "delta_rmse"])]
    names = {
        "same_sex": "sw_or same-sex donor",
        "other_sex": "sw_or other-sex donor",
        "delta_pcc": "change of pcc",
        "delta_rmse": "change of rmse",
    }
    out = {}
    with duckdb.connect() as connection:
        for table, file, columns in asked:
            for column in columns:
                rows = connection.execute(
                    f"SELECT tool, count(*), avg({column}), stddev_samp({column}) "
                    f"FROM read_csv('{TABLES / file}.csv') GROUP BY tool"
                ).fetchall()
                for tool, n, mean, sd in rows:
                    out[tool, names.get(column, column), table] = (n, mean, sd)
    return out


def test_all_means_agree_with_an_independent_computation() -> None:
    expected = means_by_sql()
    found = {(m.tool, m.what, m.rows): (m.n, m.mean, m.sd) for m in aggregates(STUDY)}
    assert found.keys() == expected.keys()
    for key, (n, mean, sd) in found.items():
        assert n == expected[key][0]
        assert (mean, sd) == pytest.approx(expected[key][1:], abs=1e-12)


def test_no_printed_mean_follows_from_the_tables() -> None:
    printed = [mean for mean in aggregates(STUDY) if mean.printed_mean is not None]
    assert len(printed) == 20
    assert not any(mean.agrees for mean in printed)
