"""Nightly runs and their history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.complete import suite_names
from harness.cli.options import ActorOption, AsJson, CpuOption, FramesOption, JobsOption
from harness.cli.output import Progress, print_json, print_table, say, warn_wrapped
from harness.core.errors import UsageError
from harness.core.paths import expanded

if TYPE_CHECKING:
    from harness.model.cell import CellSpec
    from harness.model.suite import Suite
    from harness.planning.study import Study
    from harness.results.nightly.night import RunSuite

REGRESSION = 3
SOME_FAILED = 1


def nightly(
    suite: Annotated[
        str,
        typer.Option(help="A suite's name or YAML file.", autocompletion=suite_names),
    ] = "nightly",
    dataset: Annotated[
        str | None, typer.Option(help="`sample`, `ravdess` or a manifest's path (or its name).")
    ] = None,
    actor: ActorOption = None,
    good: Annotated[
        list[str] | None,
        typer.Option(
            "--good", help="The version to compare with: faceswap@v1.0.0. Default: the last good."
        ),
    ] = None,
    frames: FramesOption = None,
    jobs: JobsOption = None,
    cpu: CpuOption = False,
    as_json: AsJson = False,
) -> None:
    """Run a suite, compare it with the last good version, and say what changed for the worse.

    An alarm is confirmed by a second run before it is given, and is given once. An interrupted
    night goes on with the same command. Exit code 3 for a new alarm, 1 when cells have no score.

    Examples: bench nightly
              bench nightly --suite my.yaml --good faceswap@v1.0.0
              bench nightly --dataset sample --suite quickstart --json
    """
    from datetime import UTC, datetime

    from harness.cli.selection import Choice, study_from_suite
    from harness.core.paths import bench_home
    from harness.core.signals import terminate_as_interrupt
    from harness.results.nightly.digest import digest, new_alarms
    from harness.results.nightly.night import Night, hold_night
    from harness.store.nights import NightStore

    home = bench_home()
    study = study_from_suite(suite, home, Choice(actor=actor, dataset=dataset, frames=frames))
    with terminate_as_interrupt():
        name, records = hold_night(
            Night(
                home=home,
                # A manifest's path is another on another machine; its name is not.
                suite=study.suite.model_copy(update={"dataset": study.dataset.name}),
                tools=study.tools,
                protocol=study.protocol.name,
                run=_runner(study, jobs, cpu=cpu),
                today=datetime.now(UTC).date().isoformat(),
                good=_good(good or []),
            )
        )
    store = NightStore(home)
    history = store.records()
    text = digest(name, records, history)
    path = store.close(name, study.suite.name, study.dataset.name, text)
    fresh = new_alarms(records, history)
    if as_json:
        print_json(
            {
                "night": name,
                "digest": str(path),
                "new_alarms": [one.alarm_id for one in fresh],
                "records": [one.model_dump(mode="json") for one in records],
            }
        )
    else:
        say(text, nl=False)
    if fresh:
        raise typer.Exit(REGRESSION)
    if any(one.scored < one.asked for one in records):
        raise typer.Exit(SOME_FAILED)


def history(
    tool: Annotated[str | None, typer.Option(help="Only this tool.")] = None,
    feed: Annotated[
        Path | None, typer.Option(help="Write an Atom feed of the alarms to this file.")
    ] = None,
    link: Annotated[str, typer.Option(help="Where the feed's reader finds the history.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show every metric over the nights: its level now, and the steps that it made.

    Examples: bench history
              bench history --tool faceswap --json
              bench history --feed alarms.xml --link https://example.org/history.html
    """
    from harness.core.paths import bench_home
    from harness.results.nightly.feed import atom_feed
    from harness.results.nightly.series import history_series
    from harness.store.atomic import write_bytes
    from harness.store.nights import NightStore

    home = bench_home()
    records = NightStore(home).records()
    if not records:
        raise UsageError(f"The store {home} has no nights yet.", hint="Run `bench nightly`.")
    chosen = [one for one in records if tool in (None, one.tool)]
    if not chosen:
        from harness.core.errors import unknown_name

        known = {one.tool for one in records}
        raise unknown_name("tool in the history", str(tool), known, see="bench history")
    if feed:
        write_bytes(expanded(feed), atom_feed(chosen, link=link).encode())
    found = history_series(chosen)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = []
    for one in found:
        last = one.points[-1]
        name = f"{one.title} ({one.source})" if one.source else one.title
        steps = "; ".join(
            f"{s.night} {s.version}: {s.before:z.3f} to {s.after:z.3f}{' worse' if s.worse else ''}"
            for s in one.steps
        )
        rows.append((f"{one.tool}:{one.config}", name, len(one.points), last.mean, steps or "-"))
    print_table(("tool", "metric", "nights", "now", "steps"), rows, fit=True)


def _good(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        tool, at, version = pair.partition("@")
        if not (tool and at and version):
            raise UsageError(f"'{pair}' names no version.", hint="Write --good tool@version.")
        found[tool] = version
    return found


def _runner(study: Study, jobs: int | None, *, cpu: bool) -> RunSuite:
    """A function that runs a suite on the study's dataset, and returns its cells."""
    from dataclasses import replace

    from harness.execution.pipeline import RunOptions, run_study

    def run(suite: Suite) -> Sequence[CellSpec]:
        here = replace(study, suite=suite)
        planned = here.plan()
        progress = Progress(len(planned))
        progress.say(f"{len(planned)} cells of '{suite.name}'")
        options = RunOptions(
            progress.say, progress.tick, warn_wrapped, jobs=jobs, cpu=cpu, planned=planned
        )
        return run_study(here, options).resolved.specs

    return run


def register(root: typer.Typer) -> None:
    root.command()(nightly)
    root.command()(history)
