"""``bench status | logs | retry | clean | score | report | query``: what the store holds."""

from __future__ import annotations

import shutil
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import Progress, print_json, print_table
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.model.cell import CellSpec
    from harness.scoring.protocol import Protocol
    from harness.store.cells import CellStore

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Cell = Annotated[str, typer.Argument(help="A cell's slug, id, or an unambiguous start of either.")]


def status(as_json: AsJson = False) -> None:
    """List the cells of the store with their last status.

    Example: bench status
    """
    store = _store()
    rows = []
    for spec in store.list():
        attempts = store.attempts(spec)
        result = store.result(spec)
        last = attempts[-1] if attempts else None
        state = "ok" if result else (last.status.value if last else "planned")
        reason = "" if result or last is None else last.reason
        rows.append(
            {
                "cell": spec.slug,
                "id": spec.id,
                "status": state,
                "attempts": len(attempts),
                "reason": reason,
            }
        )
    if as_json:
        print_json(rows)
    elif rows:
        keys = ("cell", "status", "attempts", "reason")
        print_table(keys, [[row[key] for key in keys] for row in rows])
    else:
        typer.echo(
            f"The store {store.home} holds no cells yet. Try: bench run --tool blur --actor 3"
        )


def logs(cell: Cell) -> None:
    """Print the log of a cell's last attempt.

    Example: bench logs blur-1-default-actor03
    """
    store = _store()
    spec = _find(store, cell)
    folders = sorted(
        (store.folder(spec) / "attempts").glob("*"), key=lambda p: int(p.name.split("-")[0])
    )
    logs_found = sorted(folders[-1].rglob("log.txt")) if folders else []
    if not logs_found:
        raise UsageError(f"The cell {spec.slug} has no log yet: no attempt was made.")
    for path in logs_found:
        typer.echo(path.read_text(encoding="utf-8", errors="replace"), nl=False)


def retry(cell: Cell) -> None:
    """Try a failed cell again, with the very same settings.

    Example: bench retry blur-1-default-actor03
    """
    from harness.model.cell import Status
    from harness.registry import find_tool
    from harness.runner import RunContext, run_cell

    store = _store()
    spec = _find(store, cell)
    outcome = run_cell(spec, find_tool(spec.tool), RunContext(home=store.home))
    typer.echo(f"{spec.slug}: {'already done' if outcome.reused else outcome.status.value}")
    if outcome.status is not Status.OK:
        if outcome.attempt:
            typer.echo(outcome.attempt.reason, err=True)
        raise typer.Exit(1)


def clean(
    failed: Annotated[bool, typer.Option("--failed", help="Cells without a result.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove; without it, only say what.")] = False,
) -> None:
    """Remove what is not needed: leftovers of cells' work, and with --failed the failed cells.

    Results are never removed. Example: bench clean --failed --yes
    """
    store = _store()
    targets: list[Path] = []
    for spec in store.list():
        folder = store.folder(spec)
        done = store.result(spec) is not None
        if done and (folder / "state").is_dir():
            targets.append(folder / "state")
        elif failed and not done:
            targets.append(folder)
    for target in targets:
        typer.echo(f"{'removed' if yes else 'would remove'} {target}")
        if yes:
            shutil.rmtree(target)
    if targets and not yes:
        typer.echo("Nothing was removed; add --yes to do it.")
    elif not targets:
        typer.echo("Nothing to clean.")


def score(
    suite: Annotated[str | None, typer.Option(help="Only the cells of this suite.")] = None,
    frames: Annotated[int, typer.Option(min=2, help="Frames sampled for identity.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Redo the scores from stored videos; no tool is run.

    Example: bench score --frames 1000
    """
    from harness.cli.summary import score_fields
    from harness.scoring.protocol import Protocol
    from harness.workflow import score as score_cells

    store = _store()
    protocol = Protocol(name="thesis" if frames == 1000 else f"thesis-{frames}", frames=frames)
    if suite is None:
        specs = store.list()
    else:
        specs, protocol = _suite_specs(suite)
    done = [spec for spec in specs if store.result(spec) is not None]
    progress = Progress(len(done))
    outcomes = score_cells(done, store.home, protocol, progress.say, progress.measure)
    rows = [
        {"cell": spec.slug, **score_fields(outcome.score), "reason": outcome.reason}
        for spec, outcome in zip(done, outcomes, strict=True)
    ]
    if as_json:
        print_json(rows)
    else:
        typer.echo(f"{sum(o.score is not None for o in outcomes)} of {len(specs)} cells scored.")
    if any(outcome.score is None for outcome in outcomes):
        raise typer.Exit(1)


def report(
    suite: Annotated[str | None, typer.Option(help="Only the cells of this suite.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the page.")] = None,
    frames: Annotated[int, typer.Option(min=2, help="The scoring protocol's frames.")] = 1000,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write one self-contained HTML page.

    Example: bench report --suite quickstart --open
    """
    from importlib import import_module

    store = _store()
    if suite is None:
        specs, name = store.list(), "thesis" if frames == 1000 else f"thesis-{frames}"
    else:
        specs, protocol = _suite_specs(suite)
        name = protocol.name
    if not specs:
        raise UsageError(
            "There are no cells to report.", hint="Run `bench run --suite quickstart`."
        )
    # The engine imports nothing of `reports`; only this command knows that the package exists.
    build = import_module("reports.build")
    collect = import_module("reports.collect")
    data = collect.collect(store.home, specs, name)
    target = out or store.home / "reports" / f"{suite or 'all'}.html"
    page = build.build_report(data, target)
    typer.echo(f"Report: {page}")
    for label, value in build.headline(data):
        typer.echo(f"  {label}: {value}")
    if open_page:
        webbrowser.open(page.resolve().as_uri())


def query(
    sql: Annotated[str, typer.Argument(help="One SELECT over cells, attempts, scores, ...")],
    as_json: AsJson = False,
) -> None:
    """Ask the store in SQL; files are read in place.

    Example: bench query "SELECT tool, avg(sw_or_mean) FROM scores GROUP BY tool"
    """
    from harness.home import bench_home
    from harness.store.query import query as run_query

    rows = run_query(bench_home(), sql)
    if as_json:
        print_json(rows)
    elif rows:
        print_table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def _store() -> CellStore:
    from harness.home import bench_home
    from harness.store.cells import CellStore

    return CellStore(bench_home())


def _suite_specs(suite: str) -> tuple[list[CellSpec], Protocol]:
    from harness.cli.selection import study_from_suite
    from harness.home import bench_home
    from harness.workflow import specify

    study = study_from_suite(suite, bench_home())
    planned = study.plan()
    return list(specify(study, planned, Progress(len(planned), quiet=True).say)), study.protocol


def _find(store: CellStore, name: str) -> CellSpec:
    specs = store.list()
    found = [spec for spec in specs if spec.slug.startswith(name) or spec.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"No cell of the store is called '{name}'.", hint="See `bench status`.")
    names = ", ".join(spec.slug for spec in found[:5])
    raise UsageError(f"'{name}' fits {len(found)} cells: {names}.", hint="Write more of the name.")


def register(root: typer.Typer) -> None:
    for command in (status, logs, retry, clean, score, report, query):
        root.command()(command)
