"""The finished part of a study while the rest runs, read from the store alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli.earlier import say_earlier
from harness.cli.output import print_json, print_table, say
from harness.cli.planning import StudyPlan, make_plan
from harness.cli.stored import scored_protocols
from harness.cli.summary import score_fields
from harness.planning.forecast import State
from harness.planning.selection import cells_beside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.model.cell import CellSpec
    from harness.model.suite import UnpreparedCell
    from harness.planning.study import Study


def collect_study(study: Study, as_json: bool) -> None:
    """Say what is done, and write the report of the finished cells.

    No lock is taken and no video is prepared, so it can be called during a run. Raises StoreError
    when the report cannot be written.
    """
    made = make_plan(study)
    protocol = study.protocol.name
    finished = _finished(study, made)
    counts = {state.value: made.plan.count(state) for state in State}
    scored = [spec for spec in finished if protocol in scored_protocols(study.home, spec)]
    page = _write(study, made) if finished else None
    if as_json:
        rows = [_row(study, spec) for spec in finished]
        print_json(
            {
                "report": page and str(page),
                "protocol": protocol,
                "counts": counts,
                "earlier": made.earlier.counts(),
                "cells": rows,
            }
        )
        return
    if scored:
        table = [[row[key] for key in _KEYS] for row in (_row(study, spec) for spec in scored)]
        print_table(("cell", "SW-OR", "FTA", "mean PCC"), table)
    told = ", ".join(f"{number} {name}" for name, number in counts.items())
    say(f"{study.suite.name}, {len(made.cells)} cells: {told}; {len(scored)} scored.")
    say(f"Report: {page}" if page else "There is nothing to report yet.")
    say_earlier(made.earlier, "`bench report --earlier` shows them")


_KEYS = ("cell", "sw_or_mean", "fta", "mean_pcc")


def _finished(study: Study, made: StudyPlan) -> list[CellSpec]:
    """Cells with a result."""
    from harness.store.cells import CellStore

    store = CellStore(study.home)
    return [spec for specs in made.stored for spec in specs if store.result(spec) is not None]


def _row(study: Study, spec: CellSpec) -> dict[str, object]:
    from harness.store.score_files import ScoreStore

    score = ScoreStore(study.home).load(spec, study.protocol.name)
    figures = {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in score_fields(score).items()
    }
    return {"cell": spec.slug, "id": spec.id, **figures}


def _unprepared(study: Study, made: StudyPlan, stored: Sequence[CellSpec]) -> list[UnpreparedCell]:
    from harness.model.suite import unprepared_key
    from harness.planning.unprepared import unprepared_cells

    name, split = study.dataset.name, study.suite.split
    planned = {unprepared_key(name, split, cell) for cell in made.cells}
    found = unprepared_cells(study.home, stored, [study.dataset])
    return [one for one in found if one.key in planned]


def _write(study: Study, made: StudyPlan) -> Path:
    """The report: cells that failed or could not be prepared were asked for too."""
    from harness.store.cells import CellStore
    from reports.build import build_report
    from reports.collect import collect, with_beside

    specs = [spec for group in made.stored for spec in group]
    data = collect(
        study.home, specs, study.protocol.name, unprepared=_unprepared(study, made, specs)
    )
    beside = cells_beside(study.suite, CellStore(study.home), specs)
    data = with_beside(data, study.home, beside)
    data = data.model_copy(update={"earlier": tuple(made.earlier.sentences)})
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in study.suite.name)
    return build_report(data, study.home / "reports" / f"{name}-so-far.html")
