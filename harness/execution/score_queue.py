"""Chooses the videos to measure and the cells to score next, when several are at once."""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import BenchError, StoreError, UnusableInputError
from harness.execution.lanes import Task
from harness.execution.outcomes import ScoreOutcome
from harness.execution.progress import ProgressReport, WorkKind
from harness.execution.requests import (
    MeasureVideo,
    ObserveVideo,
    OutsideObserver,
    ScorableCell,
    ScoreCell,
)
from harness.execution.score_cells import (
    measurement_requests,
    scorable_cell,
    stored_score,
)
from harness.model.cell import CellSpec, Status
from harness.model.identity import IdentityPath
from harness.model.measurement import MeasurementRequest
from harness.model.protocol import Protocol
from harness.model.score import CellScore
from harness.observe.outside_observers import ObserverOutcome, earlier_outcome
from harness.store.cells import CellStore

Key = tuple[str, IdentityPath, tuple[int, ...], bool]
"""A video by its content, how and in which frames faces are recognised, and whether its re-encoding
is meant."""


@dataclass
class _VideoInWork:
    """A video that is measured now, and what outside observers have yet to find in it."""

    measurement: MeasurementRequest
    unobserved: list[OutsideObserver]
    started: float = field(default_factory=time.monotonic)
    failures: list[str] = field(default_factory=list)


class ScoreQueue:
    """The videos to measure, each once however many cells share it, then the scores."""

    def __init__(
        self,
        home: Path,
        protocol: Protocol,
        report: ProgressReport,
        observers: Sequence[OutsideObserver] = (),
    ) -> None:
        """``observers`` are programs of their own that measure every video too."""
        self._home = home
        self._protocol = protocol
        self._report = report
        self._observers = tuple(observers)
        self._seen: dict[Key, bool] = {}
        """Videos that are or were in the queue; True once measured."""
        self._unseen: list[MeasurementRequest] = []
        self._in_work: list[_VideoInWork] = []
        """Measured videos whose next outside observer is to be run."""
        self._foreseen: set[str] = set()
        self._waiting: dict[str, tuple[CellSpec, Set[Key]]] = {}
        self._ready: list[CellSpec] = []
        self._cells: dict[str, ScorableCell] = {}
        """Cells that have a result, each with what its score depends on."""
        self._kept: dict[str, CellScore] = {}
        """Stored scores of foreseen cells that would come out the same again."""
        self.outcomes: dict[str, ScoreOutcome] = {}

    def foresee(self, spec: CellSpec) -> None:
        """A cell that will be scored: its original, and the re-encoding of it, can be measured
        before it has run.
        """
        self._report.expect(WorkKind.SCORE)
        try:
            stored = self._stored(spec) if CellStore(self._home).result(spec) else None
            if stored is not None:
                self._kept[spec.id] = stored
                return
            before = measurement_requests(spec, self._home, self._protocol)[:2]
        except BenchError:
            # It is reported when the cell's turn comes.
            return
        self._enqueue(before)
        self._foreseen.add(spec.id)
        self._report.expect(WorkKind.MEASURE)

    def forgo(self, spec: CellSpec) -> None:
        """A cell that was foreseen has no result to score."""
        self._report.expect(WorkKind.SCORE, -1)
        self._arrived(spec)

    def add(self, spec: CellSpec) -> None:
        """A cell that has a result; it was foreseen."""
        self._arrived(spec)
        try:
            stored = self._kept.pop(spec.id, None) or self._stored(spec)
            needed = () if stored else measurement_requests(spec, self._home, self._protocol)
        except BenchError as error:
            self._settle(spec, ScoreOutcome(cell_id=spec.id, score=None, reason=str(error)), None)
            return
        if stored is not None:
            self._settle(spec, ScoreOutcome(cell_id=spec.id, score=stored), None)
            return
        self._enqueue(needed)
        self._waiting[spec.id] = spec, {_key(request) for request in needed}
        self._release()

    def next(self) -> Task | None:
        """Work that can be done now: scores before more measuring, so that results come early."""
        if task := self.next_observation():
            return task
        if self._ready:
            return self._score(self._ready.pop(0))
        if self._unseen:
            return self._measure(self._unseen.pop(0))
        return None

    def next_observation(self) -> Task | None:
        """Work that completes a video that has been measured but for its outside observers."""
        return self._observe(self._in_work.pop(0)) if self._in_work else None

    def _stored(self, spec: CellSpec) -> CellScore | None:
        if spec.id not in self._cells:
            self._cells[spec.id] = scorable_cell(spec, self._home, self._protocol)
        return None if self._unobserved(spec) else stored_score(self._cells[spec.id], self._home)

    def _unobserved(self, spec: CellSpec) -> bool:
        """True when an observer has yet to look at one of the cell's videos."""
        return bool(self._observers) and any(
            earlier_outcome(observer.tool, request.video.sha256, self._home, observer.image_digest)
            is None
            for request in measurement_requests(spec, self._home, self._protocol)
            for observer in self._observers
        )

    def _arrived(self, spec: CellSpec) -> None:
        """Take back the expectation of its swapped video; which one it is, is known now."""
        if spec.id in self._foreseen:
            self._foreseen.remove(spec.id)
            self._report.expect(WorkKind.MEASURE, -1)

    def _enqueue(self, measurements: Sequence[MeasurementRequest]) -> None:
        for measurement in measurements:
            if _key(measurement) not in self._seen:
                self._seen[_key(measurement)] = False
                self._unseen.append(measurement)
                self._report.expect(WorkKind.MEASURE)

    def _measure(self, measurement: MeasurementRequest) -> Task:
        video = _VideoInWork(measurement, list(self._observers))
        request = MeasureVideo(measurement=measurement)
        return Task(request, lambda _: self._go_on(video), listen=self._report.frames_done)

    def _observe(self, video: _VideoInWork) -> Task:
        observer = video.unobserved.pop(0)

        def done(measured: ObserverOutcome) -> None:
            if measured.status is not Status.OK:
                video.failures.append(f"{observer.tool.name}: {measured.reason}")
            self._go_on(video)

        def failed(error: BenchError) -> None:
            if not isinstance(error, UnusableInputError):
                raise error
            video.failures.append(f"{observer.tool.name}: {error.message}")
            self._go_on(video)

        return Task(ObserveVideo(measurement=video.measurement, observer=observer), done, failed)

    def _go_on(self, video: _VideoInWork) -> None:
        """The next observer of the video, or its end."""
        if video.unobserved:
            self._in_work.append(video)
            return
        text = "; ".join([video.measurement.label, *video.failures])
        self._report.done(WorkKind.MEASURE, text, time.monotonic() - video.started)
        self._seen[_key(video.measurement)] = True
        self._release()

    def _score(self, spec: CellSpec) -> Task:
        started = time.monotonic()

        def done(score: CellScore) -> None:
            outcome = ScoreOutcome(cell_id=spec.id, score=score)
            self._settle(spec, outcome, time.monotonic() - started)

        def failed(error: BenchError) -> None:
            if isinstance(error, StoreError):
                # The disk refuses; it would refuse the others as well.
                raise error
            outcome = ScoreOutcome(cell_id=spec.id, score=None, reason=str(error))
            self._settle(spec, outcome, time.monotonic() - started)

        request = ScoreCell(cell=self._cells[spec.id])
        return Task(request, done, failed, self._report.frames_done)

    def _settle(self, spec: CellSpec, outcome: ScoreOutcome, seconds: float | None) -> None:
        self.outcomes[spec.id] = outcome
        text = f"{spec.slug}: {outcome.reason}" if outcome.reason else spec.slug
        if seconds is None and outcome.score is not None:
            text += " kept"
        self._report.done(WorkKind.SCORE, text, seconds)

    def _release(self) -> None:
        measured = {key for key, done in self._seen.items() if done}
        for cell_id in [cell for cell, (_, needs) in self._waiting.items() if needs <= measured]:
            self._ready.append(self._waiting.pop(cell_id)[0])


def _key(request: MeasurementRequest) -> Key:
    return request.video.sha256, request.identity, request.frames, request.reencode
