"""The one order in which a study is worked off: check, prepare, resolve, run, observe, score,
attack.

``run_study`` does all of it. Commands that do a part call the stages here: ``run_cells`` runs,
``score_cells`` observes and scores, ``attack_cohorts`` attacks, ``rescore`` does the last three for
cells of the store. Which request is performed next is decided by the queues, which no one else
uses; where it is performed, by the ``Workplace``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from pathlib import Path

from harness.execution.cohort_queue import CohortQueue
from harness.execution.lanes import Lanes, Task, Workplace, local_runtimes, share_out
from harness.execution.outcomes import (
    CellOutcome,
    CohortOutcome,
    ScoreOutcome,
    StudyOutcome,
)
from harness.execution.preflight import check_space, check_study, record_skipped
from harness.execution.progress import ProgressReport, TimeEstimate, WorkKind
from harness.execution.requests import OutsideObserver, WorkContext, ignore
from harness.execution.resolve import (
    Images,
    find_images,
    find_observers,
    prepare_and_resolve,
)
from harness.execution.run_queue import Finished, Heard, RunQueue, cell_requests
from harness.execution.score_queue import ScoreQueue
from harness.model.cell import CellSpec, Status
from harness.model.job import Event
from harness.model.protocol import Protocol
from harness.model.suite import PlannedCell
from harness.model.tool import Tool
from harness.planning.current import material_remarks, record_asked
from harness.planning.forecast import History, longest_first
from harness.planning.study import Study
from harness.planning.unprepared import record_prepared
from harness.store.history import read_history
from harness.tools.runtime.base import Runtime

Say = Callable[[str], None]


class Goal(IntEnum):
    """The stage up to which a study is worked off; each goes one beyond the one before it."""

    RESULTS = 1
    SCORES = 2
    ATTACKS = 3


@dataclass(frozen=True)
class RunOptions:
    """Options of a run, and where its progress is reported; nothing of it changes a result."""

    say: Say = ignore
    """Gets a line for each step."""
    tick: Say = ignore
    """Gets what moves within a step."""
    warn: Say = ignore
    """Gets sentences about material that makes numbers meaningless."""
    workplace: Workplace | None = None
    """Workplace in which the work is done; None opens lanes of this machine, with the ``jobs``,
    ``runtimes`` and ``infra_retries`` given here."""
    jobs: int | None = None
    cpu: bool = False
    """No GPU is used."""
    planned: Sequence[PlannedCell] | None = None
    """The cells to run; None is all of the study."""
    named_by: str = ""
    """The suite that the cells are recorded under, so that they are known when it changes."""
    goal: Goal = Goal.ATTACKS
    images: Images | None = None
    """The tools' images; None finds them, and builds those that are missing."""
    runtimes: Mapping[str, Runtime] | None = None
    """By a tool's kind, what runs it; None is what this machine has."""
    infra_retries: int = 2
    """The number of further attempts after one that failed because of the machine."""
    heard: Heard | None = None
    """Gets what tools report, in any thread; None turns their progress into ticks."""


@dataclass(frozen=True)
class Rescoring:
    """The protocol and observers with which cells of the store are scored."""

    home: Path
    protocol: Protocol
    observers: Sequence[str] = ()
    """Programs of their own that measure every video too, by name."""
    apart: Set[str] = frozenset()
    """Ids of cells that are scored, but belong to no cohort of the others."""


def run_study(study: Study, options: RunOptions) -> StudyOutcome:
    """Run, observe and score the cells, the longest first, then attack their cohorts.

    Finished cells and scores are kept. Raises UnusableInputError when no cell can be prepared,
    UnfitMachineError for a missing engine, image, GPU or space, StoreError when the disk refuses,
    KeyboardInterrupt when interrupted.
    """
    planned = study.plan() if options.planned is None else options.planned
    check_study(study, planned, options.warn)
    history = History(read_history(study.home))
    actors = len({cell.actor for cell in planned})
    with open_workplace(study.home, len(planned) + actors, options) as workplace:
        options.say(f"{workplace.count} at once")
        images = options.images
        if images is None:
            # Without an engine or a GPU nothing need be prepared.
            images = find_images(planned, study.tools, study.home, options.say, cpu=options.cpu)
        resolved = prepare_and_resolve(
            study, planned, options.say, images, workplace, skip=partial(record_skipped, study)
        )
        record_asked(study.home, options.named_by, resolved.specs)
        record_prepared(study.home, resolved.specs)
        for sentence in material_remarks(study.home, resolved.specs):
            options.say(sentence)
        check_space(resolved.specs, study.tools, study.home)
        queue = longest_first(resolved.specs, study.tools, history)
        run = _Run(study, workplace, _report(workplace, options), options.heard)
        if options.goal is Goal.RESULTS:
            return StudyOutcome(resolved, run.cells(queue))
        observers = find_observers(study.suite.protocol.observers, study.home, options.say)
        cells, scores = run.cells_and_scores(queue, observers)
        if options.goal is Goal.SCORES:
            return StudyOutcome(resolved, cells, scores)
        cohorts = attack_cohorts(resolved.specs, study.protocol, workplace, run.report)
    return StudyOutcome(resolved, cells, scores, cohorts)


def rescore(
    specs: Sequence[CellSpec], scoring: Rescoring, options: RunOptions
) -> tuple[tuple[ScoreOutcome, ...], tuple[CohortOutcome, ...]]:
    """Observe and score cells that have a result, then attack their cohorts; no tool is run.

    Raises as ``score_cells`` and ``find_observers``.
    """
    with open_workplace(scoring.home, 2 * len(specs), options) as workplace:
        report = _report(workplace, options)
        observers = find_observers(scoring.observers, scoring.home, options.say)
        scores = score_cells(specs, scoring.protocol, workplace, report, observers)
        together = [spec for spec in specs if spec.id not in scoring.apart]
        cohorts = attack_cohorts(together, scoring.protocol, workplace, report)
    return scores, cohorts


def open_workplace(
    home: Path, things: int, options: RunOptions
) -> AbstractContextManager[Workplace]:
    """The workplace that ``options`` name, else lanes of this machine that do ``things`` at once,
    at most ``options.jobs``.

    Where there are fewer things than jobs, each may use more processes.
    """
    if options.workplace is not None:
        return nullcontext(options.workplace)
    count, share = share_out(options.jobs, things)
    runtimes = options.runtimes
    if runtimes is None:
        runtimes = local_runtimes(home, count, cpu=options.cpu)
    context = WorkContext(home, runtimes, infra_retries=options.infra_retries)
    return Lanes(count, context, share)


def _report(workplace: Workplace, options: RunOptions) -> ProgressReport:
    return ProgressReport(TimeEstimate(workplace.count), options.say, options.tick)


def run_cells(
    specs: Sequence[CellSpec],
    tools: Mapping[str, Tool],
    workplace: Workplace,
    finished: Finished = ignore,
) -> tuple[CellOutcome, ...]:
    """Run the cells that have no result yet; outcomes come in the order of ``specs``.

    Cells that another process is running are passed over first and waited for at the end, so two
    commands at once share the work and both end with all results. ``finished`` is called for each
    cell as it ends. Raises StoreError when the disk refuses, KeyboardInterrupt after the running
    attempts are stored as cancelled.
    """
    requests = cell_requests(specs, tools, workplace.context.home)
    queue = RunQueue(requests, workplace.context, finished=finished)
    workplace.run(lambda taken: queue.next(taken) or queue.next_held(taken))
    return tuple(queue.outcomes[spec.id] for spec in specs)


@dataclass(frozen=True)
class _Run:
    """The cells of a study being run, each reported as it ends; raises as ``run_cells``.

    Outcomes come in the order of the specs given and do not depend on how much is done at once.
    """

    study: Study
    workplace: Workplace
    report: ProgressReport
    heard: Heard | None

    def cells(self, specs: Sequence[CellSpec]) -> tuple[CellOutcome, ...]:
        """Run the cells."""
        runs = self._queue(specs, self._reported)
        self.workplace.run(lambda taken: runs.next(taken) or runs.next_held(taken))
        return tuple(runs.outcomes[spec.id] for spec in specs)

    def cells_and_scores(
        self, specs: Sequence[CellSpec], observers: Sequence[OutsideObserver]
    ) -> tuple[tuple[CellOutcome, ...], tuple[ScoreOutcome, ...]]:
        """Run the cells, and observe and score those that have a result, as lanes become free. A
        cell without a result has no score.
        """
        scores = ScoreQueue(self.study.home, self.study.protocol, self.report, observers)

        def finished(spec: CellSpec, outcome: CellOutcome) -> None:
            self._reported(spec, outcome)
            if outcome.status is Status.OK:
                scores.add(spec)
            else:
                scores.forgo(spec)

        runs = self._queue(specs, finished)
        for spec in {spec.id: spec for spec in specs}.values():
            scores.foresee(spec)
        self.workplace.run(_interleaved(runs, scores, self.workplace.count))
        return (
            tuple(runs.outcomes[spec.id] for spec in specs),
            tuple(scores.outcomes[spec.id] for spec in specs if spec.id in scores.outcomes),
        )

    def _queue(self, specs: Sequence[CellSpec], finished: Finished) -> RunQueue:
        requests = cell_requests(specs, self.study.tools, self.study.home)
        self.report.expect(WorkKind.RUN, len(requests))
        heard = self.heard or self._tick
        return RunQueue(requests, self.workplace.context, finished=finished, heard=heard)

    def _tick(self, spec: CellSpec, event: Event) -> None:
        if event.done is not None and event.total:
            self.report.moved(f"{spec.slug} {event.done:.0f}/{event.total:.0f} {event.unit or ''}")

    def _reported(self, spec: CellSpec, outcome: CellOutcome) -> None:
        seconds = None
        if outcome.attempt and not outcome.reused:
            seconds = outcome.attempt.resources.wall_s
        self.report.done(WorkKind.RUN, f"{spec.slug} {_spell(outcome)}", seconds)


def _interleaved(
    runs: RunQueue, scores: ScoreQueue, early: int
) -> Callable[[Set[str]], Task | None]:
    """``early`` originals first, as the estimate needs them; then cells. Scoring fills the lanes
    that a device or another process keeps free.
    """

    def choose(taken: Set[str]) -> Task | None:
        nonlocal early
        if task := scores.next_observation():
            return task
        early -= 1
        task = scores.next() if early >= 0 else None
        return task or runs.next(taken) or scores.next() or runs.next_held(taken)

    return choose


def _spell(outcome: CellOutcome) -> str:
    if outcome.reused:
        return "kept" if outcome.result else f"{outcome.status}, tried by another command"
    if outcome.attempt is None or outcome.status is Status.OK:
        return outcome.status.value
    return f"{outcome.status}: {outcome.attempt.reason}"


def score_cells(
    specs: Sequence[CellSpec],
    protocol: Protocol,
    workplace: Workplace,
    report: ProgressReport,
    observers: Sequence[OutsideObserver] = (),
) -> tuple[ScoreOutcome, ...]:
    """Observe and score cells that have a result; one that cannot be scored says why and stops no
    other.

    Raises StoreError when the disk refuses, KeyboardInterrupt when interrupted.
    """
    queue = ScoreQueue(workplace.context.home, protocol, report, observers)
    for spec in specs:
        queue.foresee(spec)
    for spec in specs:
        queue.add(spec)
    workplace.run(lambda taken: queue.next())
    return tuple(queue.outcomes[spec.id] for spec in specs)


def attack_cohorts(
    specs: Sequence[CellSpec], protocol: Protocol, workplace: Workplace, report: ProgressReport
) -> tuple[CohortOutcome, ...]:
    """Attack all cohorts of the selection, from the cells in it that have a score.

    One that cannot be computed says why and stops no other. Raises StoreError when the disk
    refuses, KeyboardInterrupt when interrupted.
    """
    queue = CohortQueue(specs, workplace.context.home, protocol, report)
    workplace.run(lambda taken: queue.next())
    return queue.outcomes
