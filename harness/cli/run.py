"""``bench run``: run cells, score them, and say what came of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.complete import suite_names, tool_names
from harness.cli.options import CpuOption, IdentityOption, ObserverOption, RecogniserOption
from harness.cli.output import Progress, print_json, print_table, print_wrapped, say, warn_wrapped
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.cli.planning import StudyPlan
    from harness.execution.outcomes import StudyOutcome
    from harness.execution.pipeline import RunOptions
    from harness.planning.study import Study


def run(
    tool: Annotated[
        str | None,
        typer.Option(
            help="Tool, tool@version, several, or `all` that can be run here.",
            autocompletion=tool_names,
        ),
    ] = None,
    actor: Annotated[
        str | None, typer.Option(help="Actors: 3, 1-24, 1-4,7 or all (default).")
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(help="A suite's name or YAML file.", autocompletion=suite_names),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="`sample`, `ravdess` or a manifest's path (or its name).")
    ] = None,
    donor: Annotated[
        str | None, typer.Option(help="same-sex (default), other-sex, all, or donors' names.")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(help="Named settings. Default: `default`; see `bench tools show`."),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One setting: --set name=value.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="held-out (default), or thesis: train on everything.")
    ] = None,
    frames: Annotated[
        int | None, typer.Option(min=2, help="Frames sampled for identity. Default: 1000.")
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
        typer.Option("--collect", help="Run nothing: report what is done, also during a run."),
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
    from harness.core.paths import bench_home

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
    from harness.execution.pipeline import RunOptions

    made = make_plan(study, only_failed=only_failed, limit=limit)
    if dry_run:
        _show_plan(study, made, as_json)
    elif not made.chosen:
        _nothing_to_run(study, as_json)
    else:
        progress = Progress(len(made.chosen))
        options = RunOptions(
            progress.say,
            progress.tick,
            warn_wrapped,
            jobs=jobs,
            cpu=cpu,
            planned=made.chosen,
            named_by=study.suite.name if suite else "",
        )
        _execute(study, made, options, progress, as_json=as_json)


def _show_plan(study: Study, made: StudyPlan, as_json: bool) -> None:
    """Raises typer.Exit when some of the cells could not be run, UnusableInputError when none."""
    from harness.cli.planning import print_plan, print_plan_json
    from harness.execution.preflight import check_donors, material_warnings, unusable_cells

    check_donors(made.chosen, study.tools, study.dataset)
    unusable = unusable_cells(study, made.chosen, look_into=True)
    warnings = material_warnings(study, made.chosen)
    if as_json:
        print_plan_json(study, made, unusable, warnings)
    else:
        print_plan(study, made)
        for sentence in warnings:
            warn_wrapped(sentence)
        for skipped in unusable:
            print_wrapped(f"{skipped.label} cannot be run. {skipped.reason}", after="  ")
        say("Nothing was run (--dry-run).")
    if unusable:
        raise typer.Exit(1)


def _nothing_to_run(study: Study, as_json: bool) -> None:
    """With --only-failed or --limit, and nothing that fits: no error, as all is well."""
    if as_json:
        print_json([])
    else:
        say(f"No cell of '{study.suite.name}' is left to run in this choice.")


def _execute(
    study: Study, made: StudyPlan, options: RunOptions, progress: Progress, *, as_json: bool
) -> None:
    from harness.cli.planning import say_plan
    from harness.cli.summary import cohort_line, print_verdict
    from harness.core.signals import terminate_as_interrupt
    from harness.execution.pipeline import run_study
    from harness.execution.resolve import unprepared

    with terminate_as_interrupt():
        say_plan(study, made, progress.say)
        outcome = run_study(study, options)
    _summarise(outcome, as_json)
    if not as_json:
        for cohort in outcome.cohorts:
            print_wrapped(cohort_line(cohort))
        skipped = unprepared(study, outcome.resolved.skipped)
        print_verdict(study.home, outcome.resolved.specs, study.protocol.name, skipped)
    if not outcome.whole:
        raise typer.Exit(1)


def _summarise(outcome: StudyOutcome, as_json: bool) -> None:
    from harness.cli.summary import cell_rows

    rows = cell_rows(outcome)
    if as_json:
        print_json(rows)
        return
    header = ("cell", "status", "SW-OR", "FTA", "mean PCC")
    keys = ("cell", "status", "sw_or_mean", "fta", "mean_pcc")
    print_table(header, [[_text(row[key]) for key in keys] for row in rows])
    for row in rows:
        if row["reason"]:
            say(f"{row['cell']}: {row['reason']}")


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:z.3f}" if isinstance(value, float) else str(value)


def register(root: typer.Typer) -> None:
    root.command()(run)
