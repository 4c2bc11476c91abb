"""SQL over the results folder: DuckDB reads the JSON and Parquet in place, for one SELECT."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.store.schema import check_store

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class View:
    """A documented view. ``columns`` maps a name to its SQL over ``source`` and its type."""

    name: str
    help: str
    source: str
    columns: Mapping[str, tuple[str, str]]
    ends: str = ""
    """What follows the FROM clause."""

    def sql(self) -> str:
        """The statement that creates the view."""
        chosen = ", ".join(
            f'CAST({expression} AS {kind}) AS "{name}"'
            for name, (expression, kind) in self.columns.items()
        )
        return f'CREATE VIEW "{self.name}" AS SELECT {chosen} FROM {self.source} {self.ends}'


def _text(path: str, kind: str = "VARCHAR", of: str = "j") -> tuple[str, str]:
    return f"{of} ->> '$.{path}'", kind


_SPEC_COLUMNS = {
    "tool": _text("tool", of="s.j"),
    "version": _text("version", of="s.j"),
    "config": _text("config", of="s.j"),
    "dataset": _text("dataset", of="s.j"),
    "split": _text("split", of="s.j"),
    "actor": _text("actor.number", "INTEGER", of="s.j"),
    "sex": _text("actor.sex", of="s.j"),
    "donor": _text("donor.name", of="s.j"),
    "seed": _text("seed", "BIGINT", of="s.j"),
}


def _comparison_columns() -> dict[str, tuple[str, str]]:
    fields = ("mean", "sd", "median", "share_at_or_under_threshold")
    found: dict[str, tuple[str, str]] = {}
    for name in ("or_or", "or_sw", "sw_or", "sw_sw"):
        at = f"identity.comparisons.{name}"
        for one in fields:
            short = "share_under" if one.startswith("share") else one
            found[f"{name}_{short}"] = _text(f"{at}.{one}", "DOUBLE", of="c.j")
        used, asked = (f"CAST(c.j ->> '$.{at}.{key}' AS DOUBLE)" for key in ("used", "asked"))
        found[f"{name}_fta"] = f"1 - {used} / nullif({asked}, 0)", "DOUBLE"
    return found


def _utility_columns(at: str, prefix: str) -> dict[str, tuple[str, str]]:
    """Of one pair of videos; the units are in the names, but for gaze (rig weights) and landmarks
    (interocular distances).
    """
    paths = {
        "detection_rate": "detection_rate",
        "blinks": "blinks.original",
        "blink_precision": "blinks.precision",
        "blink_recall": "blinks.recall",
        "blink_f1": "blinks.f1",
        "mouth_openings": "mouth_openings.original",
        "mouth_opening_precision": "mouth_openings.precision",
        "mouth_opening_recall": "mouth_openings.recall",
        "mouth_opening_f1": "mouth_openings.f1",
        "head_pose_mean_deg": "head_pose.mean",
        "head_pose_p95_deg": "head_pose.p95",
        "gaze_mean": "gaze.mean",
        "gaze_p95": "gaze.p95",
        "landmarks_nme": "landmarks.mean",
        "landmarks_nme_p95": "landmarks.p95",
    }
    return {
        f"{prefix}{name}": _text(f"{at}.{path}", "DOUBLE", of="c.j") for name, path in paths.items()
    }


_SCORE_SOURCE = (
    "json_scores c LEFT JOIN json_cells s ON s.folder_id = left(c.j ->> '$.cell_id', 12)"
)
_FIRST_ATTRIBUTES = "attributes[0]"

VIEWS = (
    View(
        "cells",
        "one row per cell: what was asked; status is 'ok' when it has a result",
        "json_cells s LEFT JOIN json_results r ON r.folder = s.folder LEFT JOIN "
        "(SELECT folder, count(*) AS tries, arg_max(j ->> '$.status', "
        "CAST(j ->> '$.number' AS INTEGER)) AS last FROM json_attempts GROUP BY folder) a "
        "ON a.folder = s.folder",
        {
            "cell": ("s.folder", "VARCHAR"),
            **_SPEC_COLUMNS,
            "settings": ("s.j -> '$.settings'", "JSON"),
            "status": ("if(r.j IS NOT NULL, 'ok', coalesce(a.last, 'planned'))", "VARCHAR"),
            "attempts": ("coalesce(a.tries, 0)", "INTEGER"),
        },
    ),
    View(
        "attempts",
        "one row per try, failed ones too; times are UTC",
        "json_attempts a",
        {
            "cell": ("a.folder", "VARCHAR"),
            "cell_id": _text("cell_id"),
            "number": _text("number", "INTEGER"),
            "uuid": _text("uuid"),
            "started_at": _text("started_at", "TIMESTAMP"),
            "ended_at": _text("ended_at", "TIMESTAMP"),
            "status": _text("status"),
            "reason": _text("reason"),
            "exit_code": _text("exit_code", "INTEGER"),
            "wall_s": _text("resources.wall_s", "DOUBLE"),
            "cpu_s": _text("resources.cpu_s", "DOUBLE"),
            "peak_memory_bytes": _text("resources.peak_memory_bytes", "BIGINT"),
            "host_cpu": _text("host.cpu"),
            "bench_version": _text("host.bench_version"),
        },
    ),
    View(
        "results",
        "one row per published video",
        "json_results r",
        {
            "cell": ("r.folder", "VARCHAR"),
            "cell_id": _text("cell_id"),
            "attempt": _text("attempt"),
            "swapped_path": _text("swapped.path"),
            "swapped_sha256": _text("swapped.sha256"),
            "swapped_bytes": _text("swapped.size_bytes", "BIGINT"),
            "frames": _text("steps[#-1].frames", "INTEGER"),
            "frames_without_face": _text("steps[#-1].frames_without_face", "INTEGER"),
        },
    ),
    View(
        "scores",
        "one row per cell and protocol: distances (L2) of the four comparisons, FTA, mean PCC",
        _SCORE_SOURCE,
        {
            "cell": ("s.folder", "VARCHAR"),
            "cell_id": _text("cell_id", of="c.j"),
            "protocol": _text("protocol", of="c.j"),
            **_SPEC_COLUMNS,
            "aligned": _text("alignment.aligned", "BOOLEAN", of="c.j"),
            **_comparison_columns(),
            "attribute_source": _text(f"{_FIRST_ATTRIBUTES}.source", of="c.j"),
            "mean_pcc": _text(f"{_FIRST_ATTRIBUTES}.mean_pcc", "DOUBLE", of="c.j"),
            "mean_rmse": _text(f"{_FIRST_ATTRIBUTES}.mean_rmse", "DOUBLE", of="c.j"),
            "mean_ccc": _text(f"{_FIRST_ATTRIBUTES}.mean_ccc", "DOUBLE", of="c.j"),
        },
    ),
    View(
        "score_units",
        "one row per cell, protocol, attribute source and action unit",
        f"(SELECT c.j AS whole, a.value AS source, u.value AS j, s.j AS spec, s.folder AS folder "
        f"FROM {_SCORE_SOURCE}, json_each(c.j, '$.attributes') a, "
        f"json_each(a.value, '$.units') u)",
        {
            "cell": ("folder", "VARCHAR"),
            "cell_id": _text("cell_id", of="whole"),
            "protocol": _text("protocol", of="whole"),
            "tool": _text("tool", of="spec"),
            "version": _text("version", of="spec"),
            "config": _text("config", of="spec"),
            "actor": _text("actor.number", "INTEGER", of="spec"),
            "donor": _text("donor.name", of="spec"),
            "source": _text("source", of="source"),
            "scale": _text("scale", of="source"),
            "unit": _text("unit"),
            "measurable": _text("measurable", "BOOLEAN"),
            "reason": _text("reason"),
            "pcc": _text("pcc", "DOUBLE"),
            "rmse": _text("rmse", "DOUBLE"),
            "nrmse": _text("nrmse", "DOUBLE"),
            **{
                name: _text(name, "DOUBLE")
                for name in (
                    "ccc",
                    "slope",
                    "rmse_neutral",
                    "lag_s",
                    "lag_pcc",
                    "floor_pcc",
                    "floor_rmse",
                )
            },
            "lag_frames": _text("lag_frames", "INTEGER"),
        },
    ),
    View(
        "utility",
        "one row per cell and protocol: detection, events, head pose, gaze, landmarks; floor_ is "
        "the original against its own re-encoding",
        _SCORE_SOURCE,
        {
            "cell": ("s.folder", "VARCHAR"),
            "cell_id": _text("cell_id", of="c.j"),
            "protocol": _text("protocol", of="c.j"),
            **_SPEC_COLUMNS,
            "source": _text("utility.source", of="c.j"),
            **_utility_columns("utility.kept", ""),
            **_utility_columns("utility.floor", "floor_"),
        },
    ),
    View(
        "frames",
        "one row per cell, protocol and sampled frame: distances (L2) and faces found",
        "frame_files f LEFT JOIN json_cells s "
        "ON s.folder_id = left(parse_filename(parse_dirpath(f.filename)), 12)",
        {
            "cell": ("s.folder", "VARCHAR"),
            "cell_id": ("parse_filename(parse_dirpath(f.filename))", "VARCHAR"),
            "protocol": (
                "regexp_replace(parse_filename(f.filename), '-frames[.]parquet$', '')",
                "VARCHAR",
            ),
            "tool": _text("tool", of="s.j"),
            "actor": _text("actor.number", "INTEGER", of="s.j"),
            "frame": ("f.frame", "INTEGER"),
            **{name: (f"f.{name}", "DOUBLE") for name in ("or_or", "or_sw", "sw_or", "sw_sw")},
            "faces_original": ("f.faces_original", "INTEGER"),
            "faces_swapped": ("f.faces_swapped", "INTEGER"),
        },
    ),
)

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
    """What a query found; ``columns`` are unique, and are there even when no row is."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per row, column name to value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def query(home: Path, sql: str) -> list[dict[str, Any]]:
    """The rows of ``ask``, column name to value."""
    return ask(home, sql).as_dicts()


def ask(home: Path, sql: str) -> Table:
    """Run one SELECT over the views; a column name that comes twice gets a number.

    Views over files that do not exist yet are empty. The query reads the store's files and no
    others, and writes none. Raises UsageError for anything but one SELECT and for SQL that DuckDB
    refuses, StoreError for a store that a newer deid-bench wrote.
    """
    import duckdb

    check_store(home)
    with duckdb.connect() as connection:
        try:
            kinds = [one.type for one in duckdb.extract_statements(sql)]
            if kinds != [duckdb.StatementType.SELECT]:
                raise UsageError("A query is exactly one SELECT statement.", hint=_known_views())
            _create_views(connection, home.absolute())
            return _fetch(connection, sql)
        except duckdb.Error as error:
            raise UsageError(_sentence(str(error)), hint=_known_views()) from error


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str) -> Table:
    found = connection.execute(sql)
    described = found.description or ()
    names = _numbered([column[0] for column in described])
    if any(str(column[1]) == "TIMESTAMP WITH TIME ZONE" for column in described):
        # DuckDB needs the package pytz to hand such values to Python; as UTC text it does not.
        places = [f"c{number}" for number in range(len(described))]
        chosen = ", ".join(
            f"CAST({place} AS VARCHAR)" if str(column[1]).startswith("TIMESTAMP WITH") else place
            for place, column in zip(places, described, strict=True)
        )
        inner = sql.strip().rstrip(";")
        found = connection.execute(f"SELECT {chosen} FROM (\n{inner}\n) q({', '.join(places)})")
    return Table(names, tuple(found.fetchall()))


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


def _create_views(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    # No spilling to a folder of the user's, and no table made of this process's variables.
    connection.execute("SET TimeZone = 'UTC'; SET temp_directory = ''")
    connection.execute("SET python_enable_replacements = false")
    depth = "parse_path(filename)"
    cells = f"{depth}[-2] AS folder, right({depth}[-2], 12) AS folder_id"
    _create_json(connection, "json_cells", home, "cells/*/spec.json", cells)
    _create_json(connection, "json_results", home, "cells/*/result.json", f"{depth}[-2] AS folder")
    tries = f"{depth}[-4] AS folder"
    _create_json(connection, "json_attempts", home, "cells/*/attempts/*/attempt.json", tries)
    _create_json(connection, "json_scores", home, "scores/*/*.json", "filename")
    _create_frames(connection, home)
    for view in VIEWS:
        connection.execute(view.sql())
    if not _has_wildcards(home):
        connection.execute(f"SET allowed_directories = [{quoted(str(home))}]")
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def _has_wildcards(home: Path) -> bool:
    """Whether the home's name must be escaped in a pattern.

    DuckDB compares a pattern with the allowed folder as it is spelt, so the files of such a home
    are read into memory before the fence goes up.
    """
    return glob.escape(str(home)) != str(home)


def _create_json(
    connection: duckdb.DuckDBPyConnection, name: str, home: Path, pattern: str, columns: str
) -> None:
    """A helper view with one row per file: ``columns`` and the parsed text as ``j``."""
    source = "(SELECT '' AS filename, '{}' AS content WHERE false)"
    if _any(home, pattern):
        source = f"read_text({quoted(f'{glob.escape(str(home))}/{pattern}')})"
    kind = "TABLE" if _has_wildcards(home) else "VIEW"
    connection.execute(
        f'CREATE {kind} "{name}" AS SELECT {columns}, CAST(content AS JSON) AS j FROM {source}'
    )


def _create_frames(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    pattern = "scores/*/*-frames.parquet"
    if _any(home, pattern):
        text = quoted(f"{glob.escape(str(home))}/{pattern}")
        source = f"SELECT * FROM read_parquet({text}, filename = true, union_by_name = true)"
    else:
        nothing = ", ".join(f"NULL AS {name}" for name in _FRAME_COLUMNS[:-1])
        source = f"SELECT {nothing}, '' AS filename WHERE false"
    kind = "TABLE" if _has_wildcards(home) else "VIEW"
    connection.execute(f"CREATE {kind} frame_files AS {source}")


def _any(home: Path, pattern: str) -> bool:
    return next(home.glob(pattern), None) is not None


def quoted(text: str) -> str:
    """``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
