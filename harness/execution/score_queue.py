"""Which videos are measured and which cells scored next, when several are at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path

from harness.core.base import Frozen
from harness.core.errors import BenchError, StoreError, UnusableInputError
from harness.execution.account import Account, Kind
from harness.execution.lanes import Lane, Task
from harness.execution.score_cells import (
    ScorableCell,
    measurement_requests,
    scorable_cell,
    score_scorable,
    stored_score,
)
from harness.model.cell import CellSpec, Status
from harness.model.identity import IdentityPath
from harness.model.protocol import Protocol
from harness.model.score import CellScore
from harness.model.tool import Tool
from harness.observe.container import Place, known_to, measure_with
from harness.observe.measure import Listen, MeasurementRequest, measure, measured_video
from harness.store.cells import CellStore
from harness.tools.runtime.base import Control

Key = tuple[str, IdentityPath, tuple[int, ...], bool]
"""A video by its content, how and in which frames faces are recognised, and whether its re-encoding
is meant."""


class ScoreOutcome(Frozen):
    """A cell's score, or the sentence that says why it has none."""

    cell_id: str
    score: CellScore | None
    reason: str = ""


class ScoreQueue:
    """The videos to measure, each once however many cells share it, then the scores."""

    def __init__(
        self,
        home: Path,
        protocol: Protocol,
        account: Account,
        listen: Listen | None = None,
        observers: Sequence[tuple[Tool, Place]] = (),
    ) -> None:
        """``listen`` hears how far each video is, in any thread; else ``account`` does.

        ``observers`` are programs of their own that measure every video too.
        """
        self._observers = tuple(observers)
        self._home = home
        self._protocol = protocol
        self._account = account
        self._listen = listen or account.heard
        self._seen: dict[Key, bool] = {}
        """Videos that are or were in the queue; True once measured."""
        self._unseen: list[MeasurementRequest] = []
        self._foreseen: set[str] = set()
        self._waiting: dict[str, tuple[CellSpec, Set[Key]]] = {}
        self._ready: list[CellSpec] = []
        self._cells: dict[str, ScorableCell] = {}
        """Those that have a result, each with what its score depends on."""
        self.outcomes: dict[str, ScoreOutcome] = {}

    def foresee(self, spec: CellSpec) -> None:
        """A cell that will be scored: its original, and the re-encoding of it, can be measured
        before it has run.
        """
        self._account.expect(Kind.SCORE)
        try:
            if CellStore(self._home).result(spec) is not None and self._stored(spec) is not None:
                return
            before = measurement_requests(spec, self._home, self._protocol)[:2]
        except BenchError:
            # It is told of when the cell's turn comes.
            return
        self._enqueue(before)
        self._foreseen.add(spec.id)
        self._account.expect(Kind.MEASURE)

    def forgo(self, spec: CellSpec) -> None:
        """A cell that was foreseen has no result to score."""
        self._account.expect(Kind.SCORE, -1)
        self._arrived(spec)

    def add(self, spec: CellSpec) -> None:
        """A cell that has a result; it was foreseen."""
        self._arrived(spec)
        try:
            stored = self._stored(spec)
            needed = () if stored else measurement_requests(spec, self._home, self._protocol)
        except BenchError as error:
            self._settle(spec, ScoreOutcome(cell_id=spec.id, score=None, reason=str(error)), None)
            return
        if stored is not None:
            self._settle(spec, ScoreOutcome(cell_id=spec.id, score=stored), None)
            return
        self._enqueue(needed)
        self._waiting[spec.id] = spec, {_key(one) for one in needed}
        self._release()

    def next(self) -> Task | None:
        """What can be done now: scores before more measuring, so that results come early."""
        if self._ready:
            return self._score(self._ready.pop(0))
        if self._unseen:
            return self._measure(self._unseen.pop(0))
        return None

    def _stored(self, spec: CellSpec) -> CellScore | None:
        if spec.id not in self._cells:
            self._cells[spec.id] = scorable_cell(spec, self._home, self._protocol)
        return None if self._unobserved(spec) else stored_score(self._cells[spec.id], self._home)

    def _unobserved(self, spec: CellSpec) -> bool:
        """Whether an observer has yet to look at one of the cell's videos."""
        return bool(self._observers) and any(
            known_to(observer, request.video.sha256, place) is None
            for request in measurement_requests(spec, self._home, self._protocol)
            for observer, place in self._observers
        )

    def _arrived(self, spec: CellSpec) -> None:
        """Take back the expectation of its swapped video; which one it is, is known now."""
        if spec.id in self._foreseen:
            self._foreseen.remove(spec.id)
            self._account.expect(Kind.MEASURE, -1)

    def _enqueue(self, found: Sequence[MeasurementRequest]) -> None:
        for one in found:
            if _key(one) not in self._seen:
                self._seen[_key(one)] = False
                self._unseen.append(one)
                self._account.expect(Kind.MEASURE)

    def _measure(self, request: MeasurementRequest) -> Task:
        started = time.monotonic()

        def work(lane: Lane) -> list[str]:
            lane.worker.call(
                _measure_if_possible, request, self._home, stop=lane.stop, listen=self._listen
            )
            return list(self._observe(request, lane))

        def done(failures: list[str]) -> None:
            text = "; ".join([request.label, *failures])
            self._account.done(Kind.MEASURE, text, time.monotonic() - started)
            self._seen[_key(request)] = True
            self._release()

        return Task(work, done)

    def _observe(self, request: MeasurementRequest, lane: Lane) -> Iterator[str]:
        """Have the observers look at a video; a sentence for each that could not."""
        for observer, place in self._observers:
            here = replace(place, control=Control(stop=lane.stop))
            try:
                found = measure_with(observer, measured_video(request, self._home), here)
            except UnusableInputError as error:
                yield f"{observer.name}: {error.message}"
                continue
            if found.status is not Status.OK:
                yield f"{observer.name}: {found.reason}"

    def _score(self, spec: CellSpec) -> Task:
        started = time.monotonic()

        def work(lane: Lane) -> ScoreOutcome:
            arguments = self._cells[spec.id], self._home
            try:
                score = lane.worker.call(
                    score_scorable, *arguments, stop=lane.stop, listen=self._listen
                )
            except StoreError:
                # The disk refuses; it would refuse the others as well.
                raise
            except BenchError as error:
                return ScoreOutcome(cell_id=spec.id, score=None, reason=str(error))
            return ScoreOutcome(cell_id=spec.id, score=score)

        def done(outcome: ScoreOutcome) -> None:
            self._settle(spec, outcome, time.monotonic() - started)

        return Task(work, done)

    def _settle(self, spec: CellSpec, outcome: ScoreOutcome, seconds: float | None) -> None:
        self.outcomes[spec.id] = outcome
        text = f"{spec.slug}: {outcome.reason}" if outcome.reason else spec.slug
        if seconds is None and outcome.score is not None:
            text += " kept"
        self._account.done(Kind.SCORE, text, seconds)

    def _release(self) -> None:
        measured = {key for key, done in self._seen.items() if done}
        for cell_id in [one for one, (_, needs) in self._waiting.items() if needs <= measured]:
            self._ready.append(self._waiting.pop(cell_id)[0])


def _key(request: MeasurementRequest) -> Key:
    return request.video.sha256, request.identity, request.frames, request.reencode


def _measure_if_possible(request: MeasurementRequest, home: Path, listen: Listen) -> None:
    """A video that cannot be measured is told of by the scores that need it."""
    try:
        measure(request, home, listen)
    except StoreError:
        raise
    except BenchError:
        return
