"""Protocol of every runtime."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.core.base import Frozen
from harness.model.cell import Resources, Status
from harness.model.job import Event, Job, StepReport
from harness.model.tool import Tool

LOG_NAME = "log.txt"
JOB_NAME = "job.json"
CANCELLED_REASON = "Stopped by the user; the same command continues."


class StepOutcome(Frozen):
    """End of one step. ``report`` is present exactly when ``status`` is ``ok``."""

    status: Status
    reason: str
    """A sentence; for ``ok``, ``done``."""
    exit_code: int | None
    """The driver's exit code; minus the signal's number when a signal ended it."""
    resources: Resources
    log_tail: tuple[str, ...]
    report: StepReport | None = None
    environment: tuple[str, ...] = ()
    """Names of the caller's variables that the driver got; none in a container."""
    video_sha256: str | None = None
    """Of the swapped video as it was taken over; None when there is none."""
    deleted: tuple[str, ...] = ()
    """Names of what the driver left in ``out`` besides the files of the contract."""


def _ignore(event: Event) -> None:
    pass


@dataclass(frozen=True)
class Control:
    """Means to follow and to end a step from outside."""

    listen: Callable[[Event], None] = _ignore
    """Called for each ``@bench`` event, in the thread that runs the step."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Once it is set, the step is ended and its outcome is ``cancelled``."""


class Runtime(Protocol):
    """Runs one step and leaves no process behind, however the call ends."""

    def device(self, tool: Tool) -> str | None:
        """Device ``tool`` needs for itself, such as a GPU's UUID; None when several may share.

        Cells whose tools name the same device are run one after the other.
        """
        ...

    def uses_gpu(self, tool: Tool) -> bool:
        """True when ``tool`` will be given a GPU here.

        Raises UnfitMachineError when it cannot do without one that this machine does not have.
        """
        ...

    def run(self, tool: Tool, job: Job, folder: Path, control: Control) -> StepOutcome:
        """Run ``job`` of ``tool`` in ``folder``: job.json is written there, and log.txt line by
        line as it comes.

        What goes wrong in the tool is an outcome; OSError means that this machine could not run or
        store it. An exception of ``control.listen`` passes through after every process of the step
        is gone.
        """
        ...
