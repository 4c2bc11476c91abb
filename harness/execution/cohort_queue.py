"""Which cohorts are scored next, when several things are done at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from harness.core.base import Frozen
from harness.core.errors import BenchError, StoreError
from harness.execution.account import Account, Kind
from harness.execution.cohorts import cohorts_of, score_cohort
from harness.execution.lanes import Lane, Task
from harness.model.cell import CellSpec
from harness.model.cohort import CohortScore
from harness.model.protocol import Protocol
from harness.scoring.cohort.compute import Cohort
from harness.store.score_files import ScoreStore


class CohortOutcome(Frozen):
    """A cohort's score, or the sentence that says why it has none."""

    label: str
    score: CohortScore | None
    reason: str = ""


class CohortQueue:
    """The cohorts of a selection whose cells have been scored."""

    def __init__(
        self, specs: Sequence[CellSpec], home: Path, protocol: Protocol, account: Account
    ) -> None:
        self._home = home
        self._protocol = protocol
        self._account = account
        self._cohorts = cohorts_of(home, specs, protocol.name)
        self._waiting = list(self._cohorts)
        self._outcomes: dict[str, CohortOutcome] = {}
        account.expect(Kind.COHORT, len(self._waiting))

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

        def work(lane: Lane) -> CohortOutcome:
            arguments = cohort, self._home, self._protocol
            try:
                score = lane.worker.call(
                    score_cohort, *arguments, stop=lane.stop, listen=self._account.heard
                )
            except StoreError:
                # The disk refuses; it would refuse the others as well.
                raise
            except BenchError as error:
                return CohortOutcome(label=cohort.label, score=None, reason=str(error))
            return CohortOutcome(label=cohort.label, score=score)

        def done(outcome: CohortOutcome) -> None:
            self._settle(cohort, outcome, time.monotonic() - started)

        return Task(work, done)

    def _settle(self, cohort: Cohort, outcome: CohortOutcome, seconds: float | None) -> None:
        self._outcomes[cohort.key] = outcome
        actors = len({spec.actor.number for spec in cohort.specs})
        text = f"{cohort.label}, {actors} actor{'s' * (actors > 1)}"
        if outcome.reason:
            text += f": {outcome.reason}"
        elif seconds is None:
            text += " kept"
        self._account.done(Kind.COHORT, text, seconds)
