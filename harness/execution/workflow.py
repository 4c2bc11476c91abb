"""From specified cells to scored ones: run, observe and score, each from stored files."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from pathlib import Path

from harness.core.threads import default_jobs
from harness.execution.account import Account, Estimate, Kind
from harness.execution.cohort_queue import CohortOutcome, CohortQueue
from harness.execution.lanes import Lanes, Task
from harness.execution.readiness import runtimes
from harness.execution.runner import CellOutcome, RunContext, RunQueue
from harness.execution.score_queue import ScoreOutcome, ScoreQueue
from harness.model.cell import CellSpec, Status
from harness.model.job import Event
from harness.model.protocol import Protocol
from harness.model.tool import Tool
from harness.observe.container import Place
from harness.observe.measure import Listen
from harness.planning.study import Study

Say = Callable[[str], None]
Observers = Sequence[tuple[Tool, Place]]


def run_and_score(
    study: Study,
    specs: Sequence[CellSpec],
    lanes: Lanes,
    account: Account,
    observers: Observers = (),
    *,
    cpu: bool = False,
) -> tuple[tuple[CellOutcome, ...], tuple[ScoreOutcome, ...]]:
    """Run the cells and score those that have a result, as lanes become free.

    Outcomes come in the order of ``specs`` and do not depend on the number of lanes; a cell
    without a result has no score. ``cpu``: no GPU is used. Raises as ``run_cells``.
    """
    scores = ScoreQueue(study.home, study.protocol, account, observers=observers)
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
        specs,
        study.tools,
        RunContext(
            home=study.home,
            runtimes=runtimes(study.home, lanes.count, cpu=cpu),
            listen=heard,
            finished=finished,
        ),
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
    observers: Observers = (),
) -> tuple[ScoreOutcome, ...]:
    """Score cells that have a result; one that cannot be scored says why and stops no other.

    ``say`` gets a line for each thing done, ``listen`` hears of the frames in between. Raises
    StoreError when the disk refuses, KeyboardInterrupt when interrupted.
    """
    with make_lanes(jobs, 2 * len(specs)) as lanes:
        account = Account(Estimate(lanes.count), say, lambda text: None)
        queue = ScoreQueue(home, protocol, account, listen, observers)
        for spec in specs:
            queue.foresee(spec)
        for spec in specs:
            queue.add(spec)
        lanes.run(lambda taken: queue.next())
    return tuple(queue.outcomes[spec.id] for spec in specs)


def score_cohorts(
    specs: Sequence[CellSpec], home: Path, protocol: Protocol, lanes: Lanes, account: Account
) -> tuple[CohortOutcome, ...]:
    """Attack all cohorts of the selection, from the cells in it that have a score.

    One that cannot be computed says why and stops no other. Raises StoreError when the disk
    refuses, KeyboardInterrupt when interrupted.
    """
    queue = CohortQueue(specs, home, protocol, account)
    lanes.run(lambda taken: queue.next())
    return queue.outcomes


def make_lanes(jobs: int | None, things: int) -> Lanes:
    """Lanes for ``things`` that can be done at once, at most ``jobs`` (see ``default_jobs``).

    Where there are fewer things than jobs, each may use more processes.
    """
    allowed = jobs or default_jobs()
    count = max(1, min(allowed, things))
    return Lanes(count, share=max(1, allowed // count))
