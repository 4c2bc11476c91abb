"""``bench score`` and ``bench report``: from stored videos to numbers, from numbers to a page."""

from __future__ import annotations

import webbrowser
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.earlier import say_earlier, say_unprepared
from harness.cli.options import (
    ActorOption,
    AsJson,
    Cells,
    DatasetOption,
    EarlierOption,
    FramesOption,
    IdentityOption,
    JobsOption,
    ObserverOption,
    RecogniserOption,
    SuiteOption,
    ToolOption,
)
from harness.cli.output import Progress, note, print_json, print_table, print_wrapped, say
from harness.cli.stored import open_store, scored_protocols, usual_protocol
from harness.cli.unrun import unrun_cells
from harness.core.errors import UsageError
from harness.core.paths import expanded
from harness.planning.selection import (
    Chosen,
    Selection,
    cells_beside,
    choose_cells,
    load_chosen_suite,
    narrow,
    select,
)

if TYPE_CHECKING:
    from harness.model.cell import CellSpec
    from harness.model.identity import IdentityPath
    from harness.model.protocol import Protocol
    from harness.model.suite import Suite, UnpreparedCell
    from harness.store.cells import CellStore


def score(
    cells: Cells = None,
    suite: SuiteOption = None,
    tool: ToolOption = None,
    actor: ActorOption = None,
    dataset: DatasetOption = None,
    frames: FramesOption = None,
    identity: IdentityOption = None,
    observer: ObserverOption = None,
    recogniser: RecogniserOption = None,
    jobs: JobsOption = None,
    earlier: EarlierOption = False,
    as_json: AsJson = False,
) -> None:
    """Redo the scores from stored videos; no tool is run. Exit code 1 if a cell has no score.

    Cells that differ in actor and donor only are then attacked together.

    Examples: bench score --frames 1000
              bench score blur-1-default-actor03
              bench score --suite quickstart --tool blur
    """
    from harness.cli.selection import checked_recognisers
    from harness.cli.summary import cohort_fields, cohort_line, score_fields, score_parts
    from harness.core.signals import terminate_as_interrupt
    from harness.execution.pipeline import Rescoring, RunOptions, rescore

    store = open_store()
    selection = Selection(tuple(cells or ()), tool, actor, dataset, earlier)
    loaded = None if suite is None else load_chosen_suite(suite, selection)
    chosen = choose_cells(store, selection, loaded)
    specs = _some(store, chosen, "score")
    protocol = _protocol(store, specs, loaded, Asked(frames, identity))
    more = recogniser or (loaded.protocol.recognisers if loaded else ())
    protocol = protocol.model_copy(update={"recognisers": checked_recognisers(more, store.home)})
    done = [spec for spec in specs if store.result(spec) is not None]
    progress = Progress(len(done))
    with terminate_as_interrupt():
        named = observer or (loaded.protocol.observers if loaded else ())
        outcomes, cohorts = rescore(
            done,
            Rescoring(store.home, protocol, named, apart=set(chosen.earlier)),
            RunOptions(progress.say, progress.tick, jobs=jobs),
        )
    rows = [
        {
            "cell": spec.slug,
            "id": spec.id,
            "protocol": protocol.name,
            **score_fields(outcome.score),
            **score_parts(outcome.score),
            "reason": outcome.reason,
        }
        for spec, outcome in zip(done, outcomes, strict=True)
    ]
    if as_json:
        attacked = [cohort_fields(outcome) for outcome in cohorts]
        print_json({"cells": rows, "cohorts": attacked, "earlier": chosen.counts()})
    else:
        keys = ("cell", "sw_or_mean", "fta", "mean_pcc")
        table = [[_spell(row[key]) for key in keys] for row in rows]
        print_table(("cell", "SW-OR", "FTA", "mean PCC"), table)
        for row in rows:
            if row["reason"]:
                say(f"{row['cell']}: {row['reason']}")
        for cohort in cohorts:
            print_wrapped(cohort_line(cohort))
        good = sum(outcome.score is not None for outcome in outcomes)
        asked = len(specs) + len(chosen.unprepared)
        without = asked - len(done)
        note_without = f"; {without} without a result: see `bench status`" if without else ""
        say(f"{good} of {asked} cells scored ({protocol.name}){note_without}.")
    say_earlier(chosen, "--earlier scores them too")
    if any(one.score is None for one in outcomes) or any(one.score is None for one in cohorts):
        raise typer.Exit(1)


def report(
    cells: Cells = None,
    suite: SuiteOption = None,
    tool: ToolOption = None,
    actor: ActorOption = None,
    dataset: DatasetOption = None,
    frames: FramesOption = None,
    identity: IdentityOption = None,
    out: Annotated[
        Path | None, typer.Option(help="An .html file, or a folder for index.html.")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    earlier: EarlierOption = False,
    as_json: AsJson = False,
) -> None:
    """Write one self-contained HTML page about the chosen cells.

    Examples: bench report --suite quickstart --open
              bench report --tool blur,mask --actor 3 --out blur.html
              bench report --frames 1000 --json
    """
    from reports.build import build_report
    from reports.build import headline as headline_of
    from reports.collect import collect, with_beside
    from reports.render import check_page_place

    if out is not None:
        # Before minutes are spent on pictures.
        check_page_place(expanded(out))
    store = open_store()
    selection = Selection(tuple(cells or ()), tool, actor, dataset, earlier)
    loaded = None if suite is None else load_chosen_suite(suite, selection)
    chosen, name = cells_to_show(store, loaded, selection, Asked(frames, identity), "report")
    specs = chosen.specs
    progress = Progress(len(specs) + len(chosen.unprepared))
    data = collect(
        store.home,
        specs,
        name,
        earlier=chosen.earlier,
        unprepared=chosen.unprepared,
        listen=lambda done, total: progress.reach(done, "cells have their pictures"),
    )
    if loaded is not None and loaded.also:
        beside = cells_beside(loaded, store, specs)
        data = with_beside(data, store.home, beside)
    data = data.model_copy(update={"earlier": tuple(chosen.sentences)})
    target = out or store.home / "reports" / _file_name(loaded, selection)
    page = build_report(data, expanded(target))
    headline = headline_of(data)
    scored = sum(name in scored_protocols(store.home, spec) for spec in specs)
    if as_json:
        counts = {"cells": len(data.cells), "scored": scored, "earlier": chosen.counts()}
        found = {"headline": [card.model_dump(mode="json") for card in headline.cards]}
        ranks = {"not_ranked": headline.left_out, "warnings": headline.warnings}
        print_json({"report": str(page), "protocol": name, **counts, **found, **ranks})
    else:
        say(f"Report: {page}")
        say(f"  {scored} of {len(data.cells)} cells are scored with the protocol {name}.")
        from harness.cli.summary import print_headline

        print_headline(headline.cards, headline.left_out, headline.warnings)
    say_unprepared(chosen.unprepared)
    say_earlier(chosen)
    if open_page and not webbrowser.open(page.resolve().as_uri()):
        note("No browser was found on this machine; open the file elsewhere.")


def cells_to_show(
    store: CellStore, loaded: Suite | None, selection: Selection, asked: Asked, verb: str
) -> tuple[Chosen, str]:
    """The chosen cells, those of a suite that were never run among them as far as ``unrun_cells``
    names them, and the protocol whose scores are shown; ``verb`` is what is done with them.

    Raises UsageError when there are none, or none is scored as ``asked``.
    """
    chosen = choose_cells(store, selection, loaded)
    if loaded is not None and not selection.cells:
        unrun, unusable = _never_run(store, loaded, chosen)
        unrun = select(unrun, selection, store.home)
        chosen = replace(
            chosen,
            specs=(*chosen.specs, *unrun),
            unprepared=(*chosen.unprepared, *narrow(unusable, selection, chosen.dataset)),
        )
    specs = _some(store, chosen, verb)
    return chosen, _reported_protocol(store, specs, loaded, asked)


def _spell(value: object) -> object:
    return f"{value:z.3f}" if isinstance(value, float) else value


def _some(store: CellStore, chosen: Chosen, verb: str) -> list[CellSpec]:
    if chosen.specs:
        return list(chosen.specs)
    if not store.list():
        raise UsageError(
            f"There are no cells to {verb}: the store {store.home} is empty.",
            hint="Run `bench run --suite quickstart`.",
        )
    if chosen.left_out:
        raise UsageError(
            f"There are no cells to {verb} in this selection: {' '.join(chosen.sentences)}",
            hint="Run the same cells again, or add --earlier.",
        )
    raise UsageError(f"There are no cells to {verb} in this selection.", hint="See `bench status`.")


@dataclass(frozen=True)
class Asked:
    """Options of the protocol on the command line; None is left to the suite or the store."""

    frames: int | None
    identity: IdentityPath | None

    @property
    def nothing(self) -> bool:
        return self.frames is None and self.identity is None

    def of(self, basis: Protocol | None) -> Protocol:
        """The protocol asked for; ``basis`` says what was not."""
        from harness.model.protocol import Protocol, protocol_of

        basis = basis or Protocol()
        return protocol_of(self.frames or basis.frames, basis.seed, self.identity or basis.identity)

    @property
    def options(self) -> str:
        """As they are written on the command line."""
        said = {"--frames": self.frames, "--identity": self.identity}
        return " ".join(f"{name} {value}" for name, value in said.items() if value is not None)


def _of_suite(suite: Suite | None) -> Protocol | None:
    from harness.model.protocol import protocol_of

    if suite is None:
        return None
    return protocol_of(suite.protocol.frames, suite.protocol.seed, suite.protocol.identity)


def _protocol(
    store: CellStore, specs: list[CellSpec], suite: Suite | None, asked: Asked
) -> Protocol:
    """As asked, else as the suite says, else as most of the cells were scored before."""
    from harness.model.protocol import read_protocol

    if suite is not None or asked.frames is not None:
        return asked.of(_of_suite(suite))
    usual = usual_protocol(store.home, specs)
    known = read_protocol(usual) if usual else None
    if known is not None and asked.nothing:
        note(
            f"Protocol {usual} ({known.frames} frames), as most of these cells were scored; "
            "see --frames and --identity."
        )
    return asked.of(known)


def _reported_protocol(
    store: CellStore, specs: list[CellSpec], suite: Suite | None, asked: Asked
) -> str:
    """The protocol to show: the one that was asked for, else one that has scores to show."""
    known = sorted({name for spec in specs for name in scored_protocols(store.home, spec)})
    usual = usual_protocol(store.home, specs)
    if not asked.nothing:
        return _one_of(known, asked, suite, usual)
    wanted = asked.of(_of_suite(suite)).name
    if suite is not None and wanted in known:
        return wanted
    if usual is None:
        note("None of these cells is scored yet; `bench score` does it.")
        return wanted
    others = [name for name in known if name != usual]
    if others or suite is not None:
        also = ""
        if others:
            also = f" Stored too: {', '.join(others)}; choose with --frames and --identity."
        note(f"Protocol {usual}, as most of these cells were scored.{also}")
    return usual


def _one_of(known: list[str], asked: Asked, suite: Suite | None, usual: str | None) -> str:
    """The stored protocol that was asked for; the rest is as most of this store has it."""
    from harness.model.protocol import read_protocol

    basis = _of_suite(suite)
    if basis is None and asked.frames is None:
        basis = read_protocol(usual) if usual else None
    name = asked.of(basis).name
    if known and name not in known:
        raise UsageError(
            f"None of these cells is scored with the protocol {name}; stored are the protocols "
            f"{', '.join(known)}.",
            hint=f"Score them first: bench score {asked.options}",
        )
    return name


def _never_run(
    store: CellStore, suite: Suite, chosen: Chosen
) -> tuple[list[CellSpec], list[UnpreparedCell]]:
    """Cells of the suite that were never run, as ``unrun_cells`` gives them; none when the dataset
    is not here."""
    from harness.planning.study import Study
    from harness.tools.registry import load_tools

    assert chosen.dataset is not None
    if chosen.dataset.dataset is None:
        note(f"The dataset '{suite.dataset}' is not here: cells that were never run are left out.")
        return [], []
    if not chosen.missing:
        return [], []
    study = Study(suite, chosen.dataset.dataset, load_tools(), store.home)
    current = choose_cells(store, Selection()).specs
    return unrun_cells(study, chosen.missing, current)


def _file_name(suite: Suite | None, selection: Selection) -> str:
    if not selection.is_all:
        return "selection.html"
    if suite is None:
        return "all.html"
    return f"{''.join(c if c.isalnum() or c in '-_.' else '-' for c in suite.name)}.html"


def register(root: typer.Typer) -> None:
    for command in (score, report):
        root.command()(command)
