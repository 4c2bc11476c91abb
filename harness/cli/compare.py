"""Comparing two tools, versions or configs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import complete
from harness.cli.earlier import say_namesakes
from harness.cli.options import ActorOption, AsJson, DatasetOption, FramesOption
from harness.cli.output import print_json, print_table, print_wrapped, say
from harness.core.errors import UsageError
from harness.core.paths import expanded
from harness.model.verdict import Aspect, Verdict

if TYPE_CHECKING:
    from harness.model.compare import CompareResult

REGRESSION = 3
NOTHING_COMPARED = 2


BaselineArgument = Annotated[
    str,
    typer.Argument(
        help="tool[@version][:config][,setting=value...]: what was there before.",
        autocompletion=complete.tool_names,
    ),
]
CandidateArgument = Annotated[
    str,
    typer.Argument(
        help="The same, of what is new. Shifts are candidate minus baseline.",
        autocompletion=complete.tool_names,
    ),
]
AcceptOption = Annotated[
    list[Aspect] | None,
    typer.Option("--accept", help="Compare although this differs; it stays in the output."),
]


def compare(
    baseline: BaselineArgument,
    candidate: CandidateArgument,
    baseline_home: Annotated[
        Path | None, typer.Option(help="The baseline's store. Default: BENCH_HOME.")
    ] = None,
    candidate_home: Annotated[
        Path | None, typer.Option(help="The candidate's store. Default: BENCH_HOME.")
    ] = None,
    actor: ActorOption = None,
    dataset: DatasetOption = None,
    frames: FramesOption = None,
    margin: Annotated[
        list[str] | None,
        typer.Option("--margin", help="Another practical margin: sw_or=0.02 (pcc, rmse, ...)."),
    ] = None,
    accept: AcceptOption = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a page too: an .html file, or a folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a version, tool or config hides and keeps more or less than another.

    Cells are paired by actor and donor. Exit code 3 when a metric regressed: significantly after
    correction, beyond its margin and for the worse; or when a single actor is recognised who was
    hidden, in more frames than noise explains. 2 when nothing could be compared.

    Examples: bench compare faceswap@v1.0.0 faceswap@v3.0.0
              bench compare blur:weak blur:strong --markdown
              bench compare blur blur --candidate-home /mnt/other/store --html blur.html
    """
    from harness.planning.selection import Selection, choose_cells
    from harness.results.compare.run import Request
    from harness.results.compare.run import compare as run_comparison
    from harness.results.compare.words import markdown as as_markdown
    from harness.store.cells import CellStore

    if html is not None:
        from reports.render import check_page_place

        check_page_place(expanded(html))
    if markdown and as_json:
        raise UsageError("Markdown and JSON cannot be printed at once.", hint="Choose one.")
    homes = (_home(baseline_home), _home(candidate_home))
    for home in dict.fromkeys(homes):
        say_namesakes(choose_cells(CellStore(home), Selection(dataset=dataset, earlier=True)))
    request = Request(
        baseline,
        candidate,
        *homes,
        actors=_numbers(actor),
        dataset=dataset,
        protocol=_protocol_name(frames),
        accepted=frozenset(accept or ()),
        margins=_margins(margin or []),
    )
    result = run_comparison(request)
    page = _write_page(result, html) if html else None
    if as_json:
        print_json(result.model_dump(mode="json"))
    elif markdown:
        say(as_markdown(result), nl=False)
    else:
        _print(result)
        if page:
            say(f"Page: {page}")
    if result.verdict is Verdict.REGRESSED:
        raise typer.Exit(REGRESSION)
    if result.verdict is Verdict.NOT_COMPARABLE:
        raise typer.Exit(NOTHING_COMPARED)


def _home(given: Path | None) -> Path:
    from harness.core.paths import bench_home, expanded

    if given is None:
        return bench_home()
    home = expanded(given)
    if not (home / "cells").is_dir():
        raise UsageError(
            f"{home} is no store: it has no folder 'cells'.",
            hint="Name the folder that BENCH_HOME was on the other machine.",
        )
    return home.resolve()


def _margins(pairs: list[str]) -> dict[str, float]:
    from harness.cli.selection import parse_assignments

    margins = {}
    for name, text in parse_assignments(pairs, option="--margin").items():
        try:
            margins[name] = float(text)
        except ValueError:
            raise UsageError(
                f"'{text}' is no margin for {name}: it is not a number.",
                hint="Write --margin sw_or=0.02.",
            ) from None
    return margins


def _numbers(actor: str | None) -> tuple[int, ...] | None:
    from harness.planning.plan import parse_numbers

    return None if actor in (None, "all") else parse_numbers(str(actor))


def _protocol_name(frames: int | None) -> str | None:
    from harness.model.protocol import protocol_of

    return None if frames is None else protocol_of(frames).name


def _write_page(result: CompareResult, target: Path) -> Path:
    from reports.compare import build_compare

    return build_compare(result, expanded(target))


def _print(result: CompareResult) -> None:
    from harness.results.compare.reasons import title
    from harness.results.compare.words import HEADER, basis, effect, headline, people, remarks, row

    print_wrapped(headline(result))
    print_wrapped(basis(result))
    say()
    for line in people(result):
        print_wrapped(line, after="  ")
    say()
    print_table(HEADER, [row(one) for one in result.metrics], fit=True)
    say()
    for one in result.metrics:
        size = effect(one)
        text = f"{title(one)}: {one.verdict.value}. {one.reason}"
        print_wrapped(text + (f" Effect: {size}." if size else ""), after="  ")
    say()
    for line in remarks(result):
        print_wrapped(line, after="  ")


def register(root: typer.Typer) -> None:
    root.command()(compare)
