"""``bench status`` and ``bench logs``: what the store holds, and what its tools said."""

from __future__ import annotations

import codecs
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import complete
from harness.cli.options import ActorOption, AsJson, Cells, DatasetOption, OneCell, ToolOption
from harness.cli.output import note, print_json, print_table
from harness.cli.stored import (
    FAILED,
    PLANNED,
    STATUSES,
    CellRow,
    Selection,
    find_cell,
    is_running,
    load_chosen_suite,
    open_store,
    planned_row,
    row_of,
    select,
    suite_cells,
)
from harness.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from harness.model.cell import CellSpec
    from harness.store.cells import CellStore

POLL_S = 0.2


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


def logs(
    cell: OneCell,
    attempt: Annotated[
        int | None, typer.Option(min=1, help="This attempt's number; the last one by default.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the running attempt ends.")
    ] = False,
) -> None:
    """Print the log of a cell's attempt, step by step.

    Examples: bench logs blur-1-default-actor03
              bench logs blur-1-default-actor03 --attempt 1
              bench logs blur-1-default-actor03 --follow
    """
    if follow and attempt is not None:
        raise UsageError(
            "--follow shows the attempt that is running; --attempt names a past one.",
            hint="Use one of them.",
        )
    store = open_store()
    spec = find_cell(store, cell)
    folder = _attempt_folder(store, spec, attempt, wait=follow)
    tail = _Tail(folder)
    while follow and not _has_ended(store, spec, folder):
        tail.print_new()
        time.sleep(POLL_S)
    tail.print_new()
    if tail.empty:
        note(f"{folder.name} of {spec.slug} wrote nothing.")


def _attempt_folder(store: CellStore, spec: CellSpec, number: int | None, *, wait: bool) -> Path:
    """The folder of the attempt, of the newest when no number is given. Raises UsageError."""
    found = _attempts(store, spec)
    while wait and not found and is_running(store, spec):
        time.sleep(POLL_S)
        found = _attempts(store, spec)
    if not found:
        raise UsageError(
            f"The cell {spec.slug} has no log: no attempt was made.",
            hint="Run it: bench run makes the first attempt, bench retry the next ones.",
        )
    if number is None:
        return found[max(found)]
    if number not in found:
        raise UsageError(
            f"The cell {spec.slug} has no attempt {number}; it has "
            f"{', '.join(map(str, sorted(found)))}."
        )
    return found[number]


def _attempts(store: CellStore, spec: CellSpec) -> dict[int, Path]:
    folders = (store.folder(spec) / "attempts").glob("*")
    return {int(path.name.split("-")[0]): path for path in folders if path.name[:1].isdigit()}


def _has_ended(store: CellStore, spec: CellSpec, folder: Path) -> bool:
    from harness.store.cells import ATTEMPT_FILE

    return (folder / ATTEMPT_FILE).is_file() or not is_running(store, spec)


class _Tail:
    """Prints the logs of an attempt's steps, each part once; a heading tells steps apart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_bytes: dict[Path, int] = {}
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._shown: str | None = None
        self.empty = True

    def print_new(self) -> None:
        from harness.runtime.base import LOG_NAME

        paths = sorted(
            self._folder.glob(f"*/{LOG_NAME}"), key=lambda p: _step_number(p.parent.name)
        )
        for path in paths:
            self._print_step(path, several=len(paths) > 1)

    def _print_step(self, path: Path, *, several: bool) -> None:
        try:
            with path.open("rb") as stream:
                stream.seek(self._read_bytes.get(path, 0))
                while data := stream.read(1 << 16):
                    self._read_bytes[path] = stream.tell()
                    self._head(path.parent.name, several)
                    typer.echo(self._decoder.decode(data), nl=False)
                    self.empty = False
        except FileNotFoundError:
            # A cut-off attempt is discarded when the next one begins.
            return

    def _head(self, step: str, several: bool) -> None:
        if step != self._shown and several:
            typer.echo(f"== {step} ==")
        self._shown = step


def _step_number(name: str) -> int:
    number = name.split("-")[0]
    return int(number) if number.isdigit() else 0


def register(root: typer.Typer) -> None:
    for command in (status, logs):
        root.command()(command)
