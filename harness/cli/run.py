"""``bench run``: run cells, score them, and say what came of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import Progress, print_json, print_table
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.cell import CellSpec
    from harness.runner import CellOutcome
    from harness.scoring.queue import ScoreOutcome
    from harness.workflow import Study


def run(
    tool: Annotated[str | None, typer.Option(help="Tool, tool@version, several, or `all`.")] = None,
    actor: Annotated[str, typer.Option(help="Actors: 3, 1-24, 1-4,7 or all.")] = "all",
    suite: Annotated[str | None, typer.Option(help="A suite's name or YAML file.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="`sample`, `ravdess` or a manifest's path.")
    ] = None,
    donor: Annotated[
        str, typer.Option(help="same-sex, other-sex, all, or donors' names.")
    ] = "same-sex",
    config: Annotated[
        str, typer.Option(help="Named settings; see `bench tools show`.")
    ] = "default",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One setting: --set name=value.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="held-out, or thesis: train on everything.")
    ] = "held-out",
    frames: Annotated[int, typer.Option(min=2, help="Frames sampled for identity.")] = 1000,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Things done at once; else $BENCH_JOBS, else one for each core."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run one cell, several, or a suite. Finished cells are kept: the same command resumes.

    Examples: bench run --tool blur --actor 3
              bench run --tool all --actor 1-24 --dataset ravdess
              bench run --suite quickstart --jobs 4
    """
    from harness.cli.selection import study_from_options, study_from_suite
    from harness.home import bench_home

    home = bench_home()
    if (tool is None) == (suite is None):
        raise UsageError("Name either --tool or --suite.", hint="See `bench run --help`.")
    if suite is not None:
        study = study_from_suite(suite, home)
    else:
        study = study_from_options(
            str(tool),
            actor,
            home=home,
            dataset=dataset,
            donor=donor,
            config=config,
            settings=settings or [],
            split=split,
            frames=frames,
        )
    if dry_run:
        _show_plan(study, as_json)
        return
    _execute(study, jobs, as_json)


def _show_plan(study: Study, as_json: bool) -> None:
    planned = study.plan()
    if as_json:
        print_json([cell.model_dump(mode="json") for cell in planned])
        return
    print_table(
        ("tool", "version", "config", "actor", "donor"),
        [(c.tool, c.version, c.config, c.actor, c.donor or "-") for c in planned],
    )
    typer.echo(f"{len(planned)} cells; nothing was run (--dry-run).")


def _execute(study: Study, jobs: int | None, as_json: bool) -> None:
    from harness.account import Account, Estimate
    from harness.interrupt import terminate_as_interrupt
    from harness.model.cell import Status
    from harness.workflow import make_lanes, run_and_score, specify

    planned = study.plan()
    progress = Progress(len(planned))
    actors = len({cell.actor for cell in planned})
    with terminate_as_interrupt(), make_lanes(jobs, len(planned) + actors) as lanes:
        progress.say(
            f"{len(planned)} cells planned on '{study.dataset.name}', {lanes.count} at once"
        )
        specs = specify(study, planned, progress.say, lanes)
        account = Account(Estimate(lanes.count), progress.say, progress.tick)
        outcomes, scores = run_and_score(study, specs, lanes, account)
    _summarise(specs, outcomes, scores, as_json)
    good = [outcome for outcome in outcomes if outcome.status is Status.OK]
    if len(good) < len(specs) or any(outcome.score is None for outcome in scores):
        raise typer.Exit(1)


def _summarise(
    specs: Sequence[CellSpec],
    outcomes: Sequence[CellOutcome],
    scores: Sequence[ScoreOutcome],
    as_json: bool,
) -> None:
    from harness.cli.summary import cell_rows

    rows = cell_rows(specs, outcomes, scores)
    if as_json:
        print_json(rows)
        return
    header = ("cell", "status", "SW-OR", "FTA", "mean PCC")
    keys = ("cell", "status", "sw_or_mean", "fta", "mean_pcc")
    print_table(header, [[_text(row[key]) for key in keys] for row in rows])
    for row in rows:
        if row["reason"]:
            typer.echo(f"{row['cell']}: {row['reason']}")


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def register(root: typer.Typer) -> None:
    root.command()(run)
