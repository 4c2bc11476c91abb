"""Watches a tool's steps as they run: how long each took, and what it said of its losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.core.base import Frozen
from harness.model.cell import Resources, Status
from harness.model.job import Event, Job, Step, StepReport
from harness.model.tool import Tool
from harness.tools.runtime.base import Control, Runtime, StepOutcome

SPEED = "iterations_per_s"
"""Not a loss, though drivers send it among them."""


class Loss(Frozen):
    """One loss over a training: means of its first and last quarter."""

    name: str
    values: int
    first: float
    last: float

    @property
    def falls(self) -> bool:
        return self.last < self.first


class StepSeen(Frozen):
    """One step: how it ended and what came of it."""

    step: Step
    status: Status
    reason: str
    exit_code: int | None
    gpu: bool
    resources: Resources
    progress: Event | None = None
    """The last that it said of how far it was."""
    losses: tuple[Loss, ...] = ()
    iterations_per_s: float | None = None
    report: StepReport | None = None
    log_tail: tuple[str, ...] = ()


class WatchedRuntime:
    """A runtime that keeps what each step said and how it ended, in ``seen``."""

    def __init__(self, runtime: Runtime, started: Callable[[Step], None]) -> None:
        self._runtime, self._started = runtime, started
        self.seen: list[StepSeen] = []

    def device(self, tool: Tool) -> str | None:
        """See ``Runtime.device``."""
        return self._runtime.device(tool)

    def uses_gpu(self, tool: Tool) -> bool:
        """See ``Runtime.uses_gpu``."""
        return self._runtime.uses_gpu(tool)

    def run(self, tool: Tool, job: Job, folder: Path, control: Control) -> StepOutcome:
        """See ``Runtime.run``."""
        events: list[Event] = []

        def listen(event: Event) -> None:
            events.append(event)
            control.listen(event)

        self._started(job.step)
        outcome = self._runtime.run(tool, job, folder, replace(control, listen=listen))
        self.seen.append(_seen(job, outcome, events))
        return outcome


def _seen(job: Job, outcome: StepOutcome, events: list[Event]) -> StepSeen:
    progress = [event for event in events if event.kind == "progress"]
    values: dict[str, list[float]] = {}
    for event in events:
        for name, value in event.values.items():
            values.setdefault(name, []).append(value)
    speeds = values.pop(SPEED, [])
    return StepSeen(
        step=job.step,
        status=outcome.status,
        reason=outcome.reason,
        exit_code=outcome.exit_code,
        gpu=job.gpu,
        resources=outcome.resources,
        progress=progress[-1] if progress else None,
        losses=tuple(summarise_loss(name, found) for name, found in sorted(values.items())),
        iterations_per_s=speeds[-1] if speeds else None,
        report=outcome.report,
        log_tail=outcome.log_tail,
    )


def summarise_loss(name: str, values: list[float]) -> Loss:
    """Summary of how a loss began and ended; ``values`` in order, at least one."""
    quarter = max(1, len(values) // 4)
    first, last = values[:quarter], values[-quarter:]
    return Loss(name=name, values=len(values), first=sum(first) / quarter, last=sum(last) / quarter)
