"""``bench query``: SQL over the store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.earlier import say_earlier
from harness.cli.options import AsJson, EarlierOption
from harness.cli.output import note, print_json, print_table, print_wrapped, say
from harness.cli.stored import open_store
from harness.core.errors import UsageError


def query(
    sql: Annotated[str | None, typer.Argument(help="One SELECT over the views.")] = None,
    views: Annotated[bool, typer.Option("--views", help="Describe the views.")] = False,
    earlier: EarlierOption = False,
    as_json: AsJson = False,
) -> None:
    """Ask the store in SQL (DuckDB's). Files are read in place, and nothing is written.

    The views have the current cells alone; with --earlier they have all of them, and the column
    `earlier` of `cells` says which ones are of an earlier manifest or image.

    Examples: bench query --views
              bench query "SELECT tool, avg(sw_or_mean) FROM scores GROUP BY tool"
              bench query "SELECT cell, reason FROM attempts WHERE status <> 'ok'" --json
    """
    from harness.planning.selection import Selection, choose_cells
    from harness.store.query import EarlierCells, ask

    if views:
        if sql is not None:
            raise UsageError("--views describes the views; it takes no SQL.")
        _describe(as_json)
        return
    if sql is None:
        raise UsageError("Write one SELECT.", hint="See `bench query --help` and --views.")
    store = open_store()
    chosen = choose_cells(store, Selection(earlier=True))
    table = ask(store.home, sql, EarlierCells(chosen.earlier, shown=earlier))
    if as_json:
        print_json(table.as_dicts())
    else:
        print_table(table.columns, table.rows)
        say(f"{len(table.rows)} row{'s' * (len(table.rows) != 1)}", err=True)
    _say_protocols(store.home, sql)
    say_earlier(choose_cells(store, Selection(earlier=earlier)), "--earlier has them in the views")


def _say_protocols(home: Path, sql: str) -> None:
    """On stderr: that rows of several protocols are counted together, where no one is chosen."""
    from harness.store.views import VIEWS

    words = set(re.findall(r"\w+", sql.lower()))
    scored = {view.name for view in VIEWS if "protocol" in view.columns}
    if not words & scored or "protocol" in words:
        return
    names = sorted({path.stem for path in (home / "scores").glob("*/[!.]*.json")})
    if len(names) > 1:
        note(
            f"Cells are scored with {len(names)} protocols, and have rows of each: "
            f"WHERE protocol = '{names[0]}' (or {', '.join(names[1:])})."
        )


def _describe(as_json: bool) -> None:
    from harness.store.views import VIEWS

    if as_json:
        print_json(
            [
                {
                    "view": view.name,
                    "help": view.help,
                    "columns": {name: kind for name, (_, kind) in view.columns.items()},
                }
                for view in VIEWS
            ]
        )
        return
    for view in VIEWS:
        say(f"{view.name}: {view.help}")
        columns = [f"{name} {kind.lower()}" for name, (_, kind) in view.columns.items()]
        print_wrapped(", ".join(columns), indent="  ")


def register(root: typer.Typer) -> None:
    root.command()(query)
