"""The one order in which a study is worked off: check, prepare, run, observe, score, attack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from harness.execution.account import Account, Estimate
from harness.execution.cohort_queue import CohortOutcome
from harness.execution.preflight import material_warnings, unusable_cells
from harness.execution.readiness import check_donors, check_space, image_digests, outside_observers
from harness.execution.runner import CellOutcome
from harness.execution.score_queue import ScoreOutcome
from harness.execution.specify import LeftOut, Specified, specify, unprepared
from harness.execution.workflow import make_lanes, run_and_score, score_cohorts
from harness.model.cell import Status
from harness.model.suite import PlannedCell
from harness.planning.current import record_asked
from harness.planning.forecast import History, longest_first
from harness.planning.study import Study
from harness.planning.unprepared import record_prepared, record_unprepared
from harness.store.history import read_history

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunOptions:
    """Options of a run of a study, and where its progress is reported."""

    say: Say
    """Gets a line for each step."""
    tick: Say
    """Hears of what moves within a step."""
    warn: Say
    """Gets sentences about material that makes numbers meaningless."""
    jobs: int | None = None
    cpu: bool = False
    """No GPU is used."""
    planned: Sequence[PlannedCell] | None = None
    """The cells to run; None is all of the study."""
    named_by: str = ""
    """The suite that the cells are recorded under, so that they are known when it changes."""


@dataclass(frozen=True)
class StudyOutcome:
    """Outcome of every cell."""

    prepared: Specified
    cells: tuple[CellOutcome, ...]
    """Longest cells first, as they were begun."""
    scores: tuple[ScoreOutcome, ...]
    cohorts: tuple[CohortOutcome, ...]

    @property
    def whole(self) -> bool:
        """True when every cell has a result, and everything that has one a score."""
        ran = all(cell.status is Status.OK for cell in self.cells)
        scored = all(cell.score for cell in self.scores) and all(c.score for c in self.cohorts)
        return ran and scored and not self.prepared.left_out


def check_study(study: Study, planned: Sequence[PlannedCell], warn: Say) -> None:
    """See what can be known to be wrong before anything is prepared or built.

    Raises UnusableInputError when no cell can be run, which is recorded; ``warn`` gets what stops
    nothing.
    """
    check_donors(planned, study.tools, study.dataset)
    unusable_cells(study, planned, skip=partial(_record_skipped, study))
    for sentence in material_warnings(study, planned):
        warn(sentence)


def _record_skipped(study: Study, left_out: Sequence[LeftOut]) -> None:
    """They were asked for, so they count in every denominator though they cannot be run."""
    record_unprepared(study.home, study.dataset, unprepared(study, left_out))


def run_study(study: Study, options: RunOptions) -> StudyOutcome:
    """Run, observe and score the cells, the longest first, then attack their cohorts.

    Finished cells and scores are kept. Raises UnusableInputError when no cell can be prepared,
    UnfitMachineError for a missing engine, image, GPU or space, StoreError when the disk refuses,
    KeyboardInterrupt when interrupted.
    """
    planned = study.plan() if options.planned is None else options.planned
    check_study(study, planned, options.warn)
    say, home = options.say, study.home
    history = History(read_history(home))
    actors = len({cell.actor for cell in planned})
    with make_lanes(options.jobs, len(planned) + actors) as lanes:
        say(f"{lanes.count} at once")
        digests = image_digests(planned, study.tools, home, say, cpu=options.cpu)
        prepared = specify(study, planned, say, lanes, digests, partial(_record_skipped, study))
        record_asked(home, options.named_by, prepared.specs)
        record_prepared(home, prepared.specs)
        check_space(prepared.specs, study.tools, home)
        observers = outside_observers(study.suite.protocol.observers, home, lanes.count, say)
        account = Account(Estimate(lanes.count), say, options.tick)
        queue = longest_first(prepared.specs, study.tools, history)
        cells, scores = run_and_score(study, queue, lanes, account, observers, cpu=options.cpu)
        cohorts = score_cohorts(prepared.specs, home, study.protocol, lanes, account)
    return StudyOutcome(prepared, cells, scores, cohorts)
