"""``bench status``: what the store holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import complete
from harness.cli.options import ActorOption, AsJson, Cells, DatasetOption, ToolOption
from harness.cli.output import note, print_json, print_table
from harness.cli.stored import (
    FAILED,
    PLANNED,
    STATUSES,
    CellRow,
    Selection,
    load_chosen_suite,
    open_store,
    planned_row,
    row_of,
    select,
    suite_cells,
)
from harness.errors import unknown_name

if TYPE_CHECKING:
    from harness.store.cells import CellStore


def status(
    cells: Cells = None,
    tool: ToolOption = None,
    actor: ActorOption = None,
    dataset: DatasetOption = None,
    suite: Annotated[
        str | None,
        typer.Option(
            help="The cells of this suite, those too that were never run.",
            autocompletion=complete.suite_names,
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            "--status",
            help="Only these: ok, running, planned, failed, or one kind of failure.",
            autocompletion=complete.status_names,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List cells with their status and scores.

    Cells are those of the store; with --suite, also those of the suite that were never run.

    Examples: bench status
              bench status --suite quickstart
              bench status --tool blur,mask --actor 1-4 --status failed --json
    """
    if state is not None and state not in STATUSES:
        raise unknown_name("status", state, STATUSES, see="bench status --help")
    store = open_store()
    selection = Selection(tuple(cells or ()), tool, actor, dataset)
    rows = _rows(store, selection, suite)
    rows = [row for row in rows if state is None or _is(row.status, state)]
    if as_json:
        print_json([asdict(row) for row in rows])
    elif rows:
        _print_rows(rows)
    elif selection.is_all and suite is None and state is None:
        typer.echo(f"The store {store.home} holds no cells yet.")
        note("Hint: Try: bench run --tool blur --actor 3")
    else:
        typer.echo("No cell fits this selection.")


def _is(found: str, wanted: str) -> bool:
    if wanted == FAILED:
        return found not in {"ok", PLANNED, "running"}
    return found == wanted


def _rows(store: CellStore, selection: Selection, suite: str | None) -> list[CellRow]:
    specs = store.list()
    if suite is None:
        return [row_of(store, spec) for spec in select(specs, selection)]
    loaded = load_chosen_suite(suite, selection)
    found, missing, known = suite_cells(loaded, specs, store.home)
    if not known:
        note(
            f"The dataset '{loaded.dataset}' is not here, so cells that were never run "
            "are not listed."
        )
    rows = [row_of(store, spec) for spec in select(found, selection)]
    if selection.cells:
        return rows
    planned = [planned_row(cell, loaded) for cell in missing]
    return rows + [row for row in planned if _fits(row, selection)]


def _fits(row: CellRow, selection: Selection) -> bool:
    """``select`` for a cell that has no spec yet; names were checked there."""
    from harness.plan import parse_numbers

    tools = (selection.tool or "all").split(",")
    by_tool = selection.tool in (None, "all") or row.tool in [t.partition("@")[0] for t in tools]
    actors = selection.actor
    by_actor = actors in (None, "all") or row.actor in parse_numbers(str(actors))
    return by_tool and by_actor and selection.dataset in (None, row.dataset)


def _print_rows(rows: Sequence[CellRow]) -> None:
    table = [
        (row.cell, row.status, row.attempts, row.split, ", ".join(row.scored) or "-")
        for row in rows
    ]
    print_table(("cell", "status", "tries", "split", "scored"), table, wrap=True)
    for row in rows:
        if row.reason:
            typer.echo(f"{row.cell}: {row.reason}")
    count = Counter(row.status for row in rows)
    order = [name for name in STATUSES if count[name]]
    scored = sum(bool(row.scored) for row in rows)
    parts = ", ".join(f"{count[name]} {name}" for name in order)
    typer.echo(f"{len(rows)} cell{'s' * (len(rows) != 1)}: {parts}; {scored} scored.")


def register(root: typer.Typer) -> None:
    root.command()(status)
