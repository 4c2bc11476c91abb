"""The plan of a study as it stands in the store: shown before anything starts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.output import print_json, print_table, say, size_text
from harness.cli.stored import is_running
from harness.planning.current import earlier_cells
from harness.planning.forecast import Basis, History, Plan, State, ToolPlan, choose, forecast
from harness.planning.selection import Chosen, match_cells

if TYPE_CHECKING:
    from harness.execution.outcomes import SkippedCell
    from harness.model.cell import CellSpec
    from harness.model.suite import PlannedCell
    from harness.planning.study import Study
    from harness.store.cells import CellStore

_SPELLED = {
    Basis.LIKE: "like cells",
    Basis.ELSEWHERE: "like cells, other data",
    Basis.LIMITS: "at most, by limits",
    Basis.UNKNOWN: "no like cell yet",
}


@dataclass(frozen=True)
class StudyPlan:
    """All cells of a study with their states, and those that are to be run now."""

    cells: tuple[PlannedCell, ...]
    states: tuple[State, ...]
    stored: tuple[tuple[CellSpec, ...], ...]
    """The stored cells of each planned cell's name: current cells alone."""
    chosen: tuple[PlannedCell, ...]
    plan: Plan
    history: History
    earlier: Chosen
    """The cells of these names that do not count, since their people or image changed."""


def make_plan(study: Study, *, only_failed: bool = False, limit: int | None = None) -> StudyPlan:
    """Reads the store; nothing is prepared or written.

    Cells are matched by name; one whose people changed since counts as not done, and so does one
    of an image that its tool was not run with last.
    """
    from harness.store.cells import CellStore
    from harness.store.history import read_history

    cells = study.plan()
    store = CellStore(study.home)
    specs = store.list()
    earlier = earlier_cells(store, specs, [study.dataset])
    same = [
        spec
        for spec in specs
        if spec.split is study.suite.split and spec.dataset == study.dataset.name
    ]
    by_name = match_cells(cells, same)
    stored = [tuple(spec for spec in group if spec.id not in earlier) for group in by_name]
    old = [spec for group in by_name for spec in group if spec.id in earlier]
    left_out = Chosen((), left_out={spec.slug: earlier[spec.id] for spec in old})
    states = [_state(store, specs) for specs in stored]
    chosen = choose(cells, states, only_failed=only_failed, limit=limit)
    history = History(read_history(study.home))
    done = {_key(c) for c, s in zip(cells, states, strict=True) if s is State.DONE}
    undone = [cell for cell in chosen if _key(cell) not in done]
    plan = forecast(cells, states, undone, study.tools, history, study.dataset.name)
    return StudyPlan(cells, tuple(states), tuple(stored), tuple(chosen), plan, history, left_out)


def _state(store: CellStore, specs: tuple[CellSpec, ...]) -> State:
    """Of several cells of one name the furthest one counts."""
    if any(store.result(spec) is not None for spec in specs):
        return State.DONE
    if any(is_running(store, spec) for spec in specs):
        return State.RUNNING
    tried = [attempts[-1] for spec in specs if (attempts := store.attempts(spec))]
    return State.FAILED if any(one.status.value != "ok" for one in tried) else State.NEW


def print_plan(study: Study, made: StudyPlan) -> None:
    """The plan as a table with its totals, on stdout."""
    header = (
        "tool",
        "version",
        "config",
        "cells",
        "done",
        "failed",
        "to run",
        "hours",
        "judged by",
    )
    print_table(header, [_row(row) for row in made.plan.tools])
    for line in (*plan_lines(study, made.plan), *made.earlier.sentences):
        say(line)


def say_plan(study: Study, made: StudyPlan, say: Callable[[str], None]) -> None:
    """The plan's totals as lines of progress."""
    for line in (*plan_lines(study, made.plan), *made.earlier.sentences):
        say(line)


def _row(row: ToolPlan) -> tuple[object, ...]:
    done, failed = (row.states.get(state, 0) for state in (State.DONE, State.FAILED))
    judged = "-" if row.basis is None else _SPELLED[row.basis]
    if row.seen and row.basis:
        judged = f"{row.seen} {judged}" if row.seen > 1 else f"1 {judged.replace('cells', 'cell')}"
    hours = _hours(row.wall_s) if row.basis not in (None, Basis.UNKNOWN) else "-"
    counts = row.cells, done, failed, row.to_run
    return row.tool, row.version, row.config, *counts, hours, judged


def plan_lines(study: Study, plan: Plan) -> list[str]:
    """The work to be done, how long it takes and how much it needs, in sentences."""
    lines = [_product(study, plan)]
    states = {State.DONE: "done", State.RUNNING: "running", State.FAILED: "failed before"}
    parts = [f"{n} {word}" for state, word in states.items() if (n := plan.count(state))]
    lines.append(f"{', '.join([*parts, f'{plan.to_run} to run'])}.")
    if plan.to_run:
        lines += [_time(plan), _space(study.home, plan)]
    return lines


def _product(study: Study, plan: Plan) -> str:
    least, most = plan.donors
    donors = f"{most} donor{'s' * (most != 1)}" if least == most else f"{least} to {most} donors"
    rows, names = len(plan.tools), len({(row.tool, row.version) for row in plan.tools})
    factors = [f"{names} tool{'s' * (names != 1)}"]
    if rows > names:
        factors = [f"{rows} configs of {names} tool{'s' * (names != 1)}"]
    factors.append(f"{plan.actors} actor{'s' * (plan.actors != 1)}")
    factors += [donors] if most else []
    factors += [f"up to {plan.seeds} seeds"] if plan.seeds > 1 else []
    cells = "1 cell" if plan.cells == 1 else f"{plan.cells} cells"
    return (
        f"{study.suite.name}: {' x '.join(factors)} = {cells} on '{study.dataset.name}', "
        f"{study.suite.split} split."
    )


def _time(plan: Plan) -> str:
    seen, bound = plan.wall_s(bound=False), plan.wall_s(bound=True)
    told = []
    if seen:
        told.append(f"about {_hours(seen)} h, judged by like cells")
    if bound:
        more = "more, " if seen else ""
        told.append(f"at most {_hours(bound)} h {more}by limits, where no like cell is done")
    if plan.untimed:
        told.append(
            f"usually seconds to minutes each for {plan.untimed} cell{'s' * (plan.untimed != 1)} "
            f"of tools that do not train, of which no like one is done (stopped after "
            f"{_hours(plan.untimed_limit_s)} h)"
        )
    return f"Work, one cell after the other and without scoring: {'; '.join(told)}."


def _space(home: Path, plan: Plan) -> str:
    free = size_text(shutil.disk_usage(_existing(home)).free)
    known = f"about {size_text(plan.size_bytes)}" if plan.size_bytes else "not known"
    rest = f", without {plan.unsized} cells that nothing tells the size of" if plan.unsized else ""
    if not plan.size_bytes:
        rest = ""
    return f"Disk: {known}{rest}; {free} free."


def _existing(path: Path) -> Path:
    there = path.absolute()
    while not there.exists():
        there = there.parent
    return there


def _hours(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:.0f}" if hours >= 10 else f"{hours:.1f}" if hours >= 0.1 else f"{hours:.3f}"


def print_plan_json(
    study: Study, made: StudyPlan, unusable: Sequence[SkippedCell], warnings: Sequence[str]
) -> None:
    """Every cell with its state and whether it is run now; the totals by tool and of all; what is
    wrong with the material.
    """
    plan = made.plan
    run = set(map(_key, made.chosen))
    print_json(
        {
            "suite": study.suite.name,
            "dataset": study.dataset.name,
            "split": study.suite.split.value,
            "cells": [
                cell.model_dump(mode="json") | {"state": state.value, "run": _key(cell) in run}
                for cell, state in zip(made.cells, made.states, strict=True)
            ],
            "tools": [row.model_dump(mode="json") for row in plan.tools],
            "totals": {
                "cells": plan.cells,
                "to_run": plan.to_run,
                **{state.value: plan.count(state) for state in State},
                "wall_s_by_like_cells": plan.wall_s(bound=False),
                "wall_s_at_most_by_limits": plan.wall_s(bound=True),
                "cells_of_unknown_time": plan.untimed,
                "size_bytes": plan.size_bytes,
                "cells_of_unknown_size": plan.unsized,
            },
            "unusable": [
                skipped.cell.model_dump(mode="json") | {"reason": skipped.reason}
                for skipped in unusable
            ],
            "warnings": list(warnings),
            "earlier": made.earlier.counts(),
        }
    )


def _key(cell: PlannedCell) -> str:
    return cell.model_dump_json()
