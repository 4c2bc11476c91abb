"""SQL over the results folder: DuckDB reads the JSON and Parquet in place, for one SELECT."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import UsageError
from harness.store.schema import check_store
from harness.store.verify import sound_files
from harness.store.views import VIEWS

if TYPE_CHECKING:
    import duckdb


_NO_DOWNLOADS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
"""DuckDB fetches extensions that a query would need; what the views need is built in."""

_FRAME_COLUMNS = (
    "frame",
    "or_or",
    "or_sw",
    "sw_or",
    "sw_sw",
    "faces_original",
    "faces_swapped",
    "filename",
)


@dataclass(frozen=True)
class Table:
    """Result of a query; ``columns`` are unique, and are there even when no row is."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per row, column name to value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class EarlierCells:
    """Cells of an earlier manifest or image."""

    why: Mapping[str, str] = field(default_factory=dict)
    """Cell id to the reason, for the views' column."""
    shown: bool = False
    """True when the views have rows of them."""


def query(home: Path, sql: str) -> list[dict[str, Any]]:
    """The rows of ``ask``, column name to value."""
    return ask(home, sql).as_dicts()


def ask(home: Path, sql: str, earlier: EarlierCells | None = None) -> Table:
    """Run one SELECT over the views; a column name that comes twice gets a number.

    Views over files that do not exist yet are empty. The query reads the store's files and no
    others, and writes none. Raises UsageError for anything but one SELECT and for SQL that DuckDB
    refuses, StoreError for a store that a newer deid-bench wrote, KeyboardInterrupt for a Ctrl-C.
    """
    with open_views(home, earlier) as views:
        return views(sql)


@contextmanager
def open_views(home: Path, earlier: EarlierCells | None = None) -> Iterator[Callable[[str], Table]]:
    """``ask`` for several queries, which see the same files. Raises as ``ask``."""
    import duckdb

    check_store(home)
    with duckdb.connect(config=_NO_DOWNLOADS) as connection:
        with _sentences():
            _create_earlier(connection, earlier or EarlierCells())
            _create_views(connection, home.absolute())

        def answer(sql: str) -> Table:
            with _sentences():
                kinds = [statement.type for statement in duckdb.extract_statements(sql)]
                if kinds != [duckdb.StatementType.SELECT]:
                    raise UsageError(
                        "A query is exactly one SELECT statement.", hint=_known_views()
                    )
                return _fetch(connection, sql)

        yield answer


@contextmanager
def _sentences() -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except RuntimeError as error:
        # DuckDB's own handling of SIGINT, which takes the place of Python's.
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        raise
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise UsageError(_sentence(str(error)), hint=_known_views()) from error


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str) -> Table:
    answer = connection.execute(sql)
    described = answer.description or ()
    names = _numbered([column[0] for column in described])
    if any(str(column[1]) == "TIMESTAMP WITH TIME ZONE" for column in described):
        # DuckDB needs the package pytz to hand such values to Python; as UTC text it does not.
        places = [f"c{number}" for number in range(len(described))]
        chosen = ", ".join(
            f"CAST({place} AS VARCHAR)" if str(column[1]).startswith("TIMESTAMP WITH") else place
            for place, column in zip(places, described, strict=True)
        )
        inner = sql.strip().rstrip(";")
        answer = connection.execute(f"SELECT {chosen} FROM (\n{inner}\n) q({', '.join(places)})")
    return Table(names, tuple(answer.fetchall()))


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """Names with ``_2``, ``_3``, ... where one came before."""
    unique: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in unique:
            number += 1
            candidate = f"{name}_{number}"
        unique.append(candidate)
    return tuple(unique)


def _sentence(message: str) -> str:
    """DuckDB's own words, which name the place; of its refusals, the reason."""
    if "file system operations are disabled" in message:
        return "A query reads this store's files only, and this one names another file."
    return f"The query cannot be run. {message.partition('Traceback')[0].strip()}"


def _known_views() -> str:
    names = ", ".join(view.name for view in VIEWS)
    return f"The views are {names}; `bench query --views` lists their columns."


def _create_earlier(connection: duckdb.DuckDBPyConnection, earlier: EarlierCells) -> None:
    """``earlier_cells``: every earlier cell; ``left_out``: those that no view has a row of."""
    connection.execute("CREATE TABLE earlier_cells (id VARCHAR, why VARCHAR)")
    for cell, why in earlier.why.items():
        row = f"({quoted(cell)}, {quoted(str(why))})"
        connection.execute(f"INSERT INTO earlier_cells VALUES {row}")
    shown = "true" if earlier.shown else "false"
    connection.execute(
        f"CREATE TABLE left_out AS SELECT id, left(id, 12) AS start FROM earlier_cells "
        f"WHERE NOT {shown}"
    )


def _create_views(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    # No spilling to a folder of the user's, and no table made of this process's variables.
    connection.execute("SET TimeZone = 'UTC'; SET temp_directory = ''")
    connection.execute("SET python_enable_replacements = false")
    depth = "parse_path(filename)"
    for name, pattern, columns, left_out in (
        (
            "json_cells",
            "cells/*/spec.json",
            f"{depth}[-2] AS folder, right({depth}[-2], 12) AS folder_id",
            _in_folder(f"{depth}[-2]"),
        ),
        (
            "json_results",
            "cells/*/result.json",
            f"{depth}[-2] AS folder",
            _in_folder(f"{depth}[-2]"),
        ),
        (
            "json_attempts",
            "cells/*/attempts/*/attempt.json",
            f"{depth}[-4] AS folder",
            _in_folder(f"{depth}[-4]"),
        ),
        (
            "json_scores",
            "scores/*/[!.]*.json",
            "filename",
            f"{depth}[-2] IN (SELECT id FROM left_out)",
        ),
        (
            "json_cohorts",
            "scores/cohorts/*/[!.]*.json",
            "filename",
            "EXISTS (SELECT 1 FROM left_out WHERE contains(content, id))",
        ),
    ):
        _create_json(connection, name, home, pattern, columns, left_out)
    _create_frames(connection, home)
    for view in VIEWS:
        connection.execute(view.sql())
    if not _has_wildcards(home):
        connection.execute(f"SET allowed_directories = [{quoted(str(home))}]")
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def _has_wildcards(home: Path) -> bool:
    """True when the home's name must be escaped in a pattern.

    DuckDB compares a pattern with the allowed folder as it is spelt, so the files of such a home
    are read into memory before the fence goes up.
    """
    return glob.escape(str(home)) != str(home)


def _in_folder(folder: str) -> str:
    return f"right({folder}, 12) IN (SELECT start FROM left_out)"


def _create_json(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    home: Path,
    pattern: str,
    columns: str,
    left_out: str,
) -> None:
    """A helper view with one row per file, but for those that are ``left_out``: ``columns`` and
    the parsed text as ``j``."""
    source = "(SELECT '' AS filename, '{}' AS content WHERE false)"
    if files := sound_files(home, pattern):
        source = f"read_text({_listed(files)})"
    kind = "TABLE" if _has_wildcards(home) else "VIEW"
    connection.execute(
        f'CREATE {kind} "{name}" AS SELECT {columns}, CAST(content AS JSON) AS j FROM {source} '
        f"WHERE NOT ({left_out})"
    )


def _create_frames(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    if files := sound_files(home, "scores/*/[!.]*-frames.parquet"):
        source = (
            f"SELECT * FROM read_parquet({_listed(files)}, filename = true, "
            "union_by_name = true) WHERE parse_filename(parse_dirpath(filename)) "
            "NOT IN (SELECT id FROM left_out)"
        )
    else:
        nothing = ", ".join(f"NULL AS {name}" for name in _FRAME_COLUMNS[:-1])
        source = f"SELECT {nothing}, '' AS filename WHERE false"
    kind = "TABLE" if _has_wildcards(home) else "VIEW"
    connection.execute(f"CREATE {kind} frame_files AS {source}")


def _listed(files: Sequence[Path]) -> str:
    return f"[{', '.join(quoted(glob.escape(str(file))) for file in files)}]"


def quoted(text: str) -> str:
    """``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
