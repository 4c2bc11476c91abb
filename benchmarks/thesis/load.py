"""Reading the published study from its files, with errors that name file and line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from benchmarks.thesis.model import (
    DeidRow,
    Entry,
    MeanRow,
    Published,
    RegisterFile,
    StudyFile,
    SwitchRow,
    SwitchUnitRow,
    TextRow,
    UnitRow,
)
from harness.core.errors import UsageError
from harness.core.yaml_files import read_yaml

Row = TypeVar("Row", bound=BaseModel)


def shipped() -> Path:
    """The folder of the data that ship with the project."""
    return Path(str(resources.files("benchmarks").joinpath("thesis")))


def load_published(folder: Path | None = None) -> Published:
    """The study of ``folder``, or the one that ships. Raises UsageError with file and line."""
    root = folder or shipped()
    tables = root / "tables"
    return Published(
        about=read_yaml(root / "study.yaml", StudyFile, "study"),
        units=read_rows(tables / "table02.csv", UnitRow),
        means=read_rows(tables / "table03.csv", MeanRow),
        deid=_several(tables, range(4, 8), DeidRow),
        switched=_several(tables, range(8, 12), SwitchRow),
        switched_units=read_rows(tables / "table12.csv", SwitchUnitRow),
        text=read_rows(tables / "section46.csv", TextRow),
    )


def load_register(folder: Path | None = None) -> tuple[Entry, ...]:
    """The inconsistency register, in its order. Raises UsageError with line and field."""
    path = (folder or shipped()) / "register.yaml"
    return read_yaml(path, RegisterFile, "register").entries


def read_rows(path: Path, model: type[Row]) -> tuple[Row, ...]:
    """The rows of a CSV file, whose columns are the model's fields in any order.

    Raises UsageError that names file, line and column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"The table {path} cannot be read: {error}.", hint="Check the path and its rights."
        ) from error
    return tuple(_row(path, line, row, model) for line, row in rows)


def _row(path: Path, line: int, row: dict[str, str], model: type[Row]) -> Row:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        column = ".".join(str(part) for part in first["loc"]) or "the whole line"
        raise UsageError(
            f"{path}, line {line}, column '{column}': {first['msg']}.",
            hint=f"The columns are {', '.join(model.model_fields)}.",
        ) from error


def _several(folder: Path, numbers: Sequence[int], model: type[Row]) -> tuple[Row, ...]:
    return tuple(
        row for number in numbers for row in read_rows(folder / f"table{number:02d}.csv", model)
    )
