"""Forecasts the cost of a plan, from like cells that are done, else from limits. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from harness.core.base import Frozen
from harness.model.cell import CellSpec
from harness.model.job import Limits, Setting, Step
from harness.model.suite import PlannedCell
from harness.model.tool import Tool
from harness.store.history import PastCost, likeness

MODEL_BYTES = 4 << 30
"""Models with their copies: the largest of the four tools of the study keep about so much."""


class Basis(StrEnum):
    """Grounds of a forecast."""

    LIKE = "like cells"
    ELSEWHERE = "like cells of other datasets"
    LIMITS = "limits"
    """An upper bound: what its steps may take at most."""


class Work(Protocol):
    """The parts of a cell, planned or specified, that a forecast looks at."""

    @property
    def tool(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def config(self) -> str: ...
    @property
    def settings(self) -> dict[str, Setting]: ...
    @property
    def limits(self) -> Limits: ...


class CellCost(Frozen):
    wall_s: float
    size_bytes: int | None
    """None where nothing says so."""
    basis: Basis
    seen: int = 0
    """Number of cells it rests on."""


class State(StrEnum):
    """Standing of a planned cell in the store."""

    DONE = "done"
    RUNNING = "running"
    FAILED = "failed"
    """Tried without success; the next run tries it again."""
    NEW = "new"


class ToolPlan(Frozen):
    """The cells of one tool, version and config of a plan."""

    tool: str
    version: str
    config: str
    cells: int
    states: dict[State, int]
    to_run: int
    """Of those that are to be run now."""
    wall_s: float
    """Of ``to_run`` together."""
    size_bytes: int | None
    basis: Basis | None = None
    """None when there is nothing to run."""
    seen: int = 0


class Plan(Frozen):
    """A plan as it is shown before it starts."""

    tools: tuple[ToolPlan, ...]
    actors: int
    donors: tuple[int, int]
    """Fewest and most donors of one actor and tool; 0 where none is used."""
    seeds: int
    """Most runs of one cell, by ``repeat``."""

    @property
    def cells(self) -> int:
        return sum(row.cells for row in self.tools)

    @property
    def to_run(self) -> int:
        return sum(row.to_run for row in self.tools)

    def count(self, state: State) -> int:
        """Cells in that state."""
        return sum(row.states.get(state, 0) for row in self.tools)

    def wall_s(self, *, bound: bool) -> float:
        """Seconds of work: those that ``limits`` bound from above, or those that were seen."""
        return sum(row.wall_s for row in self.tools if (row.basis is Basis.LIMITS) == bound)

    @property
    def size_bytes(self) -> int:
        """Of what is known; see ``unsized``."""
        return sum(row.size_bytes or 0 for row in self.tools)

    @property
    def unsized(self) -> int:
        """Cells to run whose size is unknown."""
        return sum(row.to_run for row in self.tools if row.to_run and row.size_bytes is None)


class History:
    """Stored cells, by likeness."""

    def __init__(self, taken: Iterable[PastCost]) -> None:
        self._by_like: dict[str, list[PastCost]] = {}
        for cell in taken:
            self._by_like.setdefault(cell.like, []).append(cell)

    def cost(self, cell: Work, tool: Tool, dataset: str) -> CellCost:
        """Cost of one cell: the mean of like cells, on the same dataset if any."""
        like = likeness(cell.tool, cell.version, cell.config, cell.settings)
        alike = self._by_like.get(like, [])
        near = [taken for taken in alike if taken.dataset == dataset]
        if not alike:
            trains = Step.TRAIN in tool.steps
            return CellCost(
                wall_s=cell.limits.wall_s * len(tool.steps),
                size_bytes=MODEL_BYTES if trains else None,
                basis=Basis.LIMITS,
            )
        used = near or alike
        return CellCost(
            wall_s=statistics.fmean(taken.wall_s for taken in used),
            size_bytes=round(statistics.fmean(taken.size_bytes for taken in used)),
            basis=Basis.LIKE if near else Basis.ELSEWHERE,
            seen=len(used),
        )


def forecast(
    cells: Sequence[PlannedCell],
    states: Sequence[State],
    chosen: Sequence[PlannedCell],
    tools: Mapping[str, Tool],
    history: History,
    dataset: str,
) -> Plan:
    """The plan of ``cells``, of which ``chosen`` are to be run; ``states`` are in their order."""
    groups: dict[tuple[str, str, str, str], list[tuple[PlannedCell, State]]] = {}
    for cell, state in zip(cells, states, strict=True):
        groups.setdefault(_group(cell), []).append((cell, state))
    wanted: dict[tuple[str, str, str, str], list[PlannedCell]] = {}
    for cell in chosen:
        wanted.setdefault(_group(cell), []).append(cell)
    rows = []
    for group, members in groups.items():
        first = members[0][0]
        count = len(wanted.get(group, ()))
        cost = history.cost(first, tools[first.tool], dataset)
        rows.append(
            ToolPlan(
                tool=first.tool,
                version=first.version,
                config=first.config,
                cells=len(members),
                states={s: n for s in State if (n := sum(state is s for _, state in members))},
                to_run=count,
                wall_s=count * cost.wall_s,
                size_bytes=None if cost.size_bytes is None else count * cost.size_bytes,
                basis=cost.basis if count else None,
                seen=cost.seen,
            )
        )
    return Plan(
        tools=tuple(rows),
        actors=len({cell.actor for cell in cells}),
        donors=_donors(cells),
        seeds=_seeds(cells),
    )


def _group(cell: PlannedCell) -> tuple[str, str, str, str]:
    like = likeness(cell.tool, cell.version, cell.config, cell.settings)
    return cell.tool, cell.version, cell.config, like


def _donors(cells: Sequence[PlannedCell]) -> tuple[int, int]:
    met: dict[tuple[object, ...], set[str]] = {}
    for cell in cells:
        names = met.setdefault((_group(cell), cell.actor), set())
        if cell.donor is not None:
            names.add(cell.donor)
    counts = [len(names) for names in met.values()]
    return min(counts, default=0), max(counts, default=0)


def _seeds(cells: Sequence[PlannedCell]) -> int:
    met: dict[tuple[object, ...], set[int]] = {}
    for cell in cells:
        met.setdefault((_group(cell), cell.actor, cell.donor), set()).add(cell.seed)
    return max((len(seeds) for seeds in met.values()), default=0)


def choose(
    cells: Sequence[PlannedCell],
    states: Sequence[State],
    *,
    only_failed: bool = False,
    limit: int | None = None,
) -> list[PlannedCell]:
    """The cells to run: all, or the failed ones; of those not done, at most ``limit``.

    With a limit they are taken actor by actor, so that whatever is done can be compared over
    tools; cells that are done are then left out.
    """
    pairs = list(zip(cells, states, strict=True))
    if only_failed:
        pairs = [(cell, state) for cell, state in pairs if state is State.FAILED]
    if limit is None:
        return [cell for cell, _ in pairs]
    order = {number: place for place, number in enumerate(dict.fromkeys(c.actor for c in cells))}
    undone = [cell for cell, state in pairs if state is not State.DONE]
    return sorted(undone, key=lambda cell: order[cell.actor])[:limit]


def longest_first(
    specs: Sequence[CellSpec], tools: Mapping[str, Tool], history: History
) -> list[CellSpec]:
    """The cells by falling cost, so that no long one is begun when all else is done.

    Of equal ones those with longer videos come first, then the order given.
    """

    def cost(spec: CellSpec) -> tuple[float, int]:
        wall_s = history.cost(spec, tools[spec.tool], spec.dataset).wall_s
        videos = (spec.actor.test, spec.actor.training)
        return wall_s, sum(v.info.frames for v in videos if v is not None and v.info is not None)

    return sorted(specs, key=cost, reverse=True)
