"""Chooses the cohorts to score next, when several things are done at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import BenchError, StoreError
from harness.execution.cohorts import cohorts_of
from harness.execution.lanes import Task
from harness.execution.outcomes import CohortOutcome
from harness.execution.progress import ProgressReport, WorkKind
from harness.execution.requests import AttackCohort
from harness.model.cell import CellSpec
from harness.model.cohort import CohortScore
from harness.model.protocol import Protocol
from harness.scoring.cohort.compute import Cohort
from harness.store.score_files import ScoreStore


class CohortQueue:
    """The cohorts of a selection whose cells have been scored."""

    def __init__(
        self, specs: Sequence[CellSpec], home: Path, protocol: Protocol, report: ProgressReport
    ) -> None:
        self._home = home
        self._protocol = protocol
        self._report = report
        self._cohorts = cohorts_of(home, specs, protocol.name)
        self._waiting = list(self._cohorts)
        self._outcomes: dict[str, CohortOutcome] = {}
        report.expect(WorkKind.COHORT, len(self._waiting))

    @property
    def outcomes(self) -> tuple[CohortOutcome, ...]:
        """Of those that are done, in the order of the selection."""
        return tuple(self._outcomes[c.key] for c in self._cohorts if c.key in self._outcomes)

    def next(self) -> Task | None:
        """The next cohort that is not stored yet."""
        while self._waiting:
            cohort = self._waiting.pop(0)
            known = ScoreStore(self._home).load_cohort(cohort.key, self._protocol.name)
            if known is None:
                return self._task(cohort)
            self._settle(cohort, CohortOutcome(label=cohort.label, score=known), None)
        return None

    def _task(self, cohort: Cohort) -> Task:
        started = time.monotonic()

        def done(score: CohortScore) -> None:
            outcome = CohortOutcome(label=cohort.label, score=score)
            self._settle(cohort, outcome, time.monotonic() - started)

        def failed(error: BenchError) -> None:
            if isinstance(error, StoreError):
                # The disk refuses; it would refuse the others as well.
                raise error
            outcome = CohortOutcome(label=cohort.label, score=None, reason=str(error))
            self._settle(cohort, outcome, time.monotonic() - started)

        request = AttackCohort(
            specs=cohort.specs, scores=cohort.scores, key=cohort.key, protocol=self._protocol
        )
        return Task(request, done, failed, self._report.frames_done)

    def _settle(self, cohort: Cohort, outcome: CohortOutcome, seconds: float | None) -> None:
        self._outcomes[cohort.key] = outcome
        actors = len({spec.actor.number for spec in cohort.specs})
        text = f"{cohort.label}, {actors} actor{'s' * (actors > 1)}"
        if outcome.reason:
            text += f": {outcome.reason}"
        elif seconds is None:
            text += " kept"
        self._report.done(WorkKind.COHORT, text, seconds)
