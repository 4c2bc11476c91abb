"""What every runtime promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from harness.model.base import Frozen
from harness.model.cell import Resources, Status
from harness.model.job import Event, Job, StepReport
from harness.model.tool import Tool

LOG_NAME = "log.txt"
REPORT_NAME = "step.json"
JOB_NAME = "job.json"


class StepOutcome(Frozen):
    """How one step ended. ``report`` is present exactly when ``status`` is ``ok``."""

    status: Status
    reason: str
    """A sentence; for ``ok``, ``done``."""
    exit_code: int | None
    """The driver's exit code; minus the signal's number when a signal ended it."""
    resources: Resources
    log_tail: tuple[str, ...]
    report: StepReport | None = None


class Runtime(Protocol):
    """Runs one step and leaves no process behind, however the call ends."""

    def run(
        self, tool: Tool, job: Job, folder: Path, listen: Callable[[Event], None]
    ) -> StepOutcome:
        """Run ``job`` of ``tool`` in ``folder`` (job.json and log.txt are written there).

        ``listen`` is called for each ``@bench`` event, in the calling thread. What goes wrong in
        the tool is an outcome; OSError means that this machine could not run or store it.
        KeyboardInterrupt passes through after every process of the step is gone.
        """
        ...
