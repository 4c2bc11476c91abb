"""From a plan to scored cells: prepare, run, observe and score, each from stored files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.account import Account, Estimate, Kind
from harness.lanes import Lanes, Task, default_jobs
from harness.model.cell import CellSpec, Status
from harness.model.dataset import Dataset, PreparedActor, PreparedDonor, Split
from harness.model.job import Event
from harness.model.suite import PlannedCell, Suite
from harness.model.tool import Tool
from harness.observe.sighting import Listen
from harness.plan import expand, find_donor
from harness.prepare import prepare_actor, prepare_donor
from harness.runner import CellOutcome, RunContext, RunQueue, run_cells
from harness.scoring.protocol import Protocol
from harness.scoring.queue import ScoreOutcome, ScoreQueue
from harness.store.media import MediaStore

Say = Callable[[str], None]


@dataclass(frozen=True)
class Study:
    """A suite with everything its names stand for."""

    suite: Suite
    dataset: Dataset
    tools: Mapping[str, Tool]
    home: Path

    @property
    def protocol(self) -> Protocol:
        """The scoring protocol of the suite; a reduced frame sample has a name of its own."""
        frames = self.suite.protocol.frames
        name = "thesis" if frames == 1000 else f"thesis-{frames}"
        return Protocol(name=name, frames=frames, seed=self.suite.protocol.seed)

    def plan(self) -> tuple[PlannedCell, ...]:
        return expand(self.suite, self.dataset, self.tools)


def specify(
    study: Study, planned: Sequence[PlannedCell], say: Say, lanes: Lanes | None = None
) -> tuple[CellSpec, ...]:
    """Prepare the videos that the cells need, each once, and return the cells with their ids.

    ``lanes`` prepare several people at once. Raises UnusableInputError naming the actor or donor
    whose material cannot be used.
    """
    media = MediaStore(study.home)
    split = study.suite.split
    actors: dict[int, PreparedActor] = {}
    donors: dict[str, PreparedDonor] = {}
    tasks: list[tuple[str, Task]] = []
    remarks = {actor.number: actor.remark for actor in study.dataset.actors}
    for number in dict.fromkeys(cell.actor for cell in planned):
        arguments = study.dataset, number, split, media
        task = _task(_prepare_actor, arguments, partial(actors.__setitem__, number))
        remark = remarks.get(number)
        tasks.append((f"preparing actor {number}" + (f" ({remark})" if remark else ""), task))
    for name in dict.fromkeys(cell.donor for cell in planned if cell.donor is not None):
        donor = find_donor(study.dataset, name)
        task = _task(_prepare_donor, (donor, media), partial(donors.__setitem__, name))
        tasks.append((f"preparing donor {name}", task))

    def choose(taken: Set[str]) -> Task | None:
        if not tasks:
            return None
        text, task = tasks.pop(0)
        say(text)
        return task

    with nullcontext(lanes) if lanes else Lanes(1) as used:
        used.run(choose)
    return tuple(_spec(study, cell, actors, donors, split) for cell in planned)


def _task(function: Callable[..., Any], arguments: tuple[Any, ...], done: Say) -> Task:
    return Task(lambda lane: lane.worker.call(function, *arguments, stop=lane.stop), done)


def _prepare_actor(*arguments: Any) -> PreparedActor:
    return prepare_actor(*arguments[:-1])


def _prepare_donor(*arguments: Any) -> PreparedDonor:
    return prepare_donor(*arguments[:-1])


def _spec(
    study: Study,
    cell: PlannedCell,
    actors: Mapping[int, PreparedActor],
    donors: Mapping[str, PreparedDonor],
    split: Split,
) -> CellSpec:
    return CellSpec(
        tool=cell.tool,
        version=cell.version,
        config=cell.config,
        settings=cell.settings,
        dataset=study.dataset.name,
        split=split,
        actor=actors[cell.actor],
        donor=donors[cell.donor] if cell.donor is not None else None,
        seed=study.suite.seed,
        limits=study.suite.limits,
    )


def run(study: Study, specs: Sequence[CellSpec], context: RunContext) -> tuple[CellOutcome, ...]:
    """Run the cells that have no result yet, one after the other; finished ones are reused."""
    return run_cells(specs, study.tools, context)


def run_and_score(
    study: Study, specs: Sequence[CellSpec], lanes: Lanes, account: Account
) -> tuple[tuple[CellOutcome, ...], tuple[ScoreOutcome, ...]]:
    """Run the cells and score those that have a result, as lanes become free.

    Outcomes come in the order of ``specs`` and do not depend on the number of lanes; a cell
    without a result has no score. Raises as ``run_cells``.
    """
    scores = ScoreQueue(study.home, study.protocol, account)
    by_id = {spec.id: spec for spec in specs}

    def heard(spec: CellSpec, event: Event) -> None:
        if event.done is not None and event.total:
            account.moved(f"{spec.slug} {event.done:.0f}/{event.total:.0f} {event.unit or ''}")

    def finished(outcome: CellOutcome) -> None:
        spec = by_id[outcome.cell_id]
        seconds = None
        if outcome.attempt and not outcome.reused:
            seconds = outcome.attempt.resources.wall_s
        account.done(Kind.RUN, f"{spec.slug} {_spell(outcome)}", seconds)
        if outcome.status is Status.OK:
            scores.add(spec)
        else:
            scores.forgo(spec)

    runs = RunQueue(
        specs, study.tools, RunContext(home=study.home, listen=heard, finished=finished)
    )
    account.expect(Kind.RUN, len(by_id))
    for spec in by_id.values():
        scores.foresee(spec)

    early = lanes.count

    def choose(taken: Set[str]) -> Task | None:
        # A few originals first, as the estimate needs them; then cells. Scoring fills the lanes
        # that a device or another process keeps free.
        nonlocal early
        early -= 1
        task = scores.next() if early >= 0 else None
        return task or runs.next(taken) or scores.next() or runs.next_held(taken)

    lanes.run(choose)
    return (
        tuple(runs.outcomes[spec.id] for spec in specs),
        tuple(scores.outcomes[spec.id] for spec in specs if spec.id in scores.outcomes),
    )


def _spell(outcome: CellOutcome) -> str:
    if outcome.reused:
        return "kept" if outcome.result else f"{outcome.status}, tried by another command"
    if outcome.attempt is None or outcome.status is Status.OK:
        return outcome.status.value
    return f"{outcome.status}: {outcome.attempt.reason}"


def score(
    specs: Sequence[CellSpec],
    home: Path,
    protocol: Protocol,
    say: Say,
    listen: Listen | None = None,
    *,
    jobs: int | None = None,
) -> tuple[ScoreOutcome, ...]:
    """Score cells that have a result; one that cannot be scored says why and stops no other.

    ``say`` gets a line for each thing done, ``listen`` hears of the frames in between. Raises
    StoreError when the disk refuses, KeyboardInterrupt when interrupted.
    """
    with make_lanes(jobs, 2 * len(specs)) as lanes:
        account = Account(Estimate(lanes.count), say, lambda text: None)
        queue = ScoreQueue(home, protocol, account, listen)
        for spec in specs:
            queue.foresee(spec)
        for spec in specs:
            queue.add(spec)
        lanes.run(lambda taken: queue.next())
    return tuple(queue.outcomes[spec.id] for spec in specs)


def make_lanes(jobs: int | None, things: int) -> Lanes:
    """Lanes for ``things`` that can be done at once, at most ``jobs`` (see ``default_jobs``).

    Where there are fewer things than jobs, each may use more processes.
    """
    allowed = jobs or default_jobs()
    count = max(1, min(allowed, things))
    return Lanes(count, share=max(1, allowed // count))
