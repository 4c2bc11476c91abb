"""The numbers behind the pages as files: Parquet and CSV, with a dictionary of their columns.

The views of ``harness.store.query`` say which tables and columns there are.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.model.cell import CellSpec
from harness.store.columns import COLUMN_HELP
from harness.store.query import EarlierCells, open_views, quoted
from harness.store.views import VIEWS, View
from reports.site.model import Column, RawTable

REFUSED = "refused"
"""Status of a cell whose result's hash no longer fits."""
_NONE: Mapping[str, str] = MappingProxyType({})
_KINDS: Mapping[str, Callable[[], Any]] = {
    "VARCHAR": pa.string,
    "JSON": pa.string,
    "INTEGER": pa.int32,
    "BIGINT": pa.int64,
    "DOUBLE": pa.float64,
    "BOOLEAN": pa.bool_,
    "TIMESTAMP": lambda: pa.timestamp("us"),
}


def raw_tables(
    home: Path,
    specs: Sequence[CellSpec],
    protocol: str,
    cohorts: Sequence[str] = (),
    refused: frozenset[str] = frozenset(),
    earlier: Mapping[str, str] = _NONE,
) -> tuple[RawTable, ...]:
    """Every view, with the rows of ``specs`` and of their ``cohorts`` (keys) under one protocol.

    Cells whose id is ``refused`` keep their rows among the cells and attempts, and have none among
    results and scores; ``earlier`` is cell id to why a cell is earlier. Raises StoreError and
    UsageError as ``open_views``.
    """
    tables = []
    left = {spec.slug for spec in specs if spec.id in refused}
    with open_views(home, EarlierCells(earlier, shown=True)) as ask:
        for view in VIEWS:
            column, kept = "key", list(cohorts)
            if "cell" in view.columns:
                asked = view.name in ("cells", "attempts")
                kept = [spec.slug for spec in specs if asked or spec.id not in refused]
                column = "cell"
            found = ask(_select(view, column, kept, protocol))
            rows = found.rows
            if view.name == "cells":
                rows = tuple(_marked(found.columns, row, left) for row in rows)
            columns = _columns(view)
            tables.append(RawTable(name=view.name, help=view.help, columns=columns, rows=rows))
    return tuple(tables)


def _columns(view: View) -> tuple[Column, ...]:
    return tuple(
        Column(name=name, kind=kind, help=COLUMN_HELP.get(name, ""))
        for name, (_, kind) in view.columns.items()
    )


def _select(view: View, column: str, kept: Sequence[str], protocol: str) -> str:
    """SQL for the rows of a view whose ``column`` is one of ``kept``, in an order of their own."""
    chosen = ", ".join(quoted(one) for one in kept) or "NULL"
    where = f'"{column}" IN ({chosen})'
    if "protocol" in view.columns:
        where += f' AND "protocol" = {quoted(protocol)}'
    names = ", ".join(f'"{name}"' for name in view.columns)
    # A JSON column cannot be ordered by, and has no rows of its own.
    order = ", ".join(f'"{n}"' for n, (_, kind) in view.columns.items() if kind != "JSON")
    return f'SELECT {names} FROM "{view.name}" WHERE {where} ORDER BY {order}'


def _marked(columns: Sequence[str], row: tuple[Any, ...], refused: set[str]) -> tuple[Any, ...]:
    if row[columns.index("cell")] not in refused:
        return row
    return tuple(REFUSED if n == "status" else v for n, v in zip(columns, row, strict=True))


def data_files(tables: Sequence[RawTable]) -> dict[str, bytes]:
    """The files below ``data/``: both forms of each table, and the dictionary."""
    files = {}
    for table in tables:
        files[f"data/{table.name}.parquet"] = parquet(table)
        files[f"data/{table.name}.csv"] = comma_separated(table)
    files["data/dictionary.json"] = dictionary(tables)
    return files


def parquet(table: RawTable) -> bytes:
    """The table as a Parquet file; each column's help is in its metadata."""
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    fields = [
        pa.field(column.name, _KINDS[column.kind](), metadata={"help": column.help})
        for column in table.columns
    ]
    arrays = [pa.array(v, type=f.type) for v, f in zip(columns, fields, strict=True)]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), sink)
    return sink.getvalue()


def comma_separated(table: RawTable) -> bytes:
    """The table as CSV (RFC 4180, UTF-8, points in numbers); a missing value is empty."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([[_spell(value) for value in row] for row in table.rows])
    return sink.getvalue().encode()


def dictionary(tables: Sequence[RawTable]) -> bytes:
    """What the tables and columns are, as JSON."""
    content = [
        {
            "table": table.name,
            "help": table.help,
            "rows": len(table.rows),
            "files": [f"{table.name}.parquet", f"{table.name}.csv"],
            "columns": [column.model_dump(mode="json") for column in table.columns],
        }
        for table in tables
    ]
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _spell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else value
