"""``bench run``: run cells, score them, and say what came of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.complete import suite_names, tool_names
from harness.cli.options import CpuOption, IdentityOption, ObserverOption, RecogniserOption
from harness.cli.output import Progress, print_json, print_table, print_wrapped
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cli.planning import StudyPlan
    from harness.runner import CellOutcome
    from harness.scoring.queue import ScoreOutcome
    from harness.specify import Specified
    from harness.study import Study


def run(
    tool: Annotated[
        str | None,
        typer.Option(
            help="Tool, tool@version, several, or `all` that can be run here.",
            autocompletion=tool_names,
        ),
    ] = None,
    actor: Annotated[
        str | None, typer.Option(help="Actors: 3, 1-24, 1-4,7 or all (usual).")
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(help="A suite's name or YAML file.", autocompletion=suite_names),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="`sample`, `ravdess` or a manifest's path.")
    ] = None,
    donor: Annotated[
        str | None, typer.Option(help="same-sex (usual), other-sex, all, or donors' names.")
    ] = None,
    config: Annotated[
        str | None, typer.Option(help="Named settings, usually `default`; see `bench tools show`.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One setting: --set name=value.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="held-out (usual), or thesis: train on everything.")
    ] = None,
    frames: Annotated[
        int | None, typer.Option(min=2, help="Frames sampled for identity, usually 1000.")
    ] = None,
    identity: IdentityOption = None,
    observer: ObserverOption = None,
    recogniser: RecogniserOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Things done at once; else $BENCH_JOBS, else one for each core."),
    ] = None,
    cpu: CpuOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="Only cells whose last try failed.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many cells that are not done, actor by actor."),
    ] = None,
    collect: Annotated[
        bool,
        typer.Option("--collect", help="Run nothing: report what is done, beside a run too."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run one cell, several, or a suite. Finished cells are kept: the same command resumes.

    With --suite the other options replace what the suite says, but for --config and --set. The
    longest cells are begun first.

    Examples: bench run --tool blur --actor 3
              bench run --tool all --actor 1-24 --dataset ravdess
              bench run --suite quickstart --actor 3 --jobs 4
              bench run --suite thesis --dry-run
              bench run --suite thesis --collect
    """
    from harness.cli.selection import Choice, study_from_options, study_from_suite
    from harness.home import bench_home

    if (tool is None) == (suite is None):
        raise UsageError("Name either --tool or --suite.", hint="See `bench run --help`.")
    choice = Choice(
        actor,
        dataset,
        donor,
        split,
        frames,
        observers=tuple(observer or ()),
        identity=identity,
        recognisers=tuple(recogniser or ()),
    )
    if suite is None:
        study = study_from_options(
            str(tool), choice, bench_home(), config=config or "default", settings=settings or []
        )
    elif config or settings:
        raise UsageError(
            "--config and --set belong to --tool: a suite says these for each of its tools.",
            hint="Copy the suite's file and change it there.",
        )
    else:
        study = study_from_suite(suite, bench_home(), choice)
    if collect:
        if dry_run or only_failed or limit:
            raise UsageError("--collect runs nothing, so no option can narrow what is run.")
        from harness.cli.collecting import collect_study

        collect_study(study, as_json)
        return
    from harness.cli.planning import make_plan
    from harness.readiness import check_donors

    made = make_plan(study, only_failed=only_failed, limit=limit)
    check_donors(made.chosen, study.tools, study.dataset)
    if dry_run:
        _show_plan(study, made, as_json)
    elif not made.chosen:
        _nothing_to_run(study, as_json)
    else:
        _execute(study, made, jobs, as_json, cpu=cpu)


def _show_plan(study: Study, made: StudyPlan, as_json: bool) -> None:
    from harness.cli.planning import print_plan, print_plan_json

    if as_json:
        print_plan_json(study, made)
    else:
        print_plan(study, made)
        typer.echo("Nothing was run (--dry-run).")


def _nothing_to_run(study: Study, as_json: bool) -> None:
    """With --only-failed or --limit, and nothing that fits: no error, as all is well."""
    if as_json:
        print_json([])
    else:
        typer.echo(f"No cell of '{study.suite.name}' is left to run in this choice.")


def _execute(study: Study, made: StudyPlan, jobs: int | None, as_json: bool, *, cpu: bool) -> None:
    from harness.account import Account, Estimate
    from harness.cli.planning import say_plan
    from harness.cli.summary import cohort_line, print_verdict
    from harness.forecast import longest_first
    from harness.interrupt import terminate_as_interrupt
    from harness.model.cell import Status
    from harness.readiness import check_space, image_digests, outside_observers
    from harness.specify import specify
    from harness.workflow import make_lanes, run_and_score, score_cohorts

    planned = made.chosen
    progress = Progress(len(planned))
    actors = len({cell.actor for cell in planned})
    with terminate_as_interrupt(), make_lanes(jobs, len(planned) + actors) as lanes:
        say_plan(study, made, progress.say)
        progress.say(f"{lanes.count} at once")
        digests = image_digests(planned, study.tools, study.home, progress.say, cpu=cpu)
        prepared = specify(study, planned, progress.say, lanes, digests)
        check_space(prepared.specs, study.tools, study.home)
        observers = outside_observers(
            study.suite.protocol.observers, study.home, lanes.count, progress.say
        )
        account = Account(Estimate(lanes.count), progress.say, progress.tick)
        queue = longest_first(prepared.specs, study.tools, made.history)
        outcomes, scores = run_and_score(study, queue, lanes, account, observers, cpu=cpu)
        cohorts = score_cohorts(prepared.specs, study.home, study.protocol, lanes, account)
    _summarise(prepared, outcomes, scores, as_json)
    if not as_json:
        for cohort in cohorts:
            print_wrapped(cohort_line(cohort))
        print_verdict(study.home, prepared.specs, study.protocol.name)
    bad = [outcome for outcome in outcomes if outcome.status is not Status.OK]
    unscored = any(one.score is None for one in scores) or any(c.score is None for c in cohorts)
    if bad or prepared.left_out or unscored:
        raise typer.Exit(1)


def _summarise(
    prepared: Specified,
    outcomes: Sequence[CellOutcome],
    scores: Sequence[ScoreOutcome],
    as_json: bool,
) -> None:
    from harness.cli.summary import cell_rows

    rows = cell_rows(prepared, outcomes, scores)
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
