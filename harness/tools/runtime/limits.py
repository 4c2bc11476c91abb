"""Ends a step from outside: for the user, the clock, and what it writes."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from harness.core.trees import MAX_DEPTH, MAX_ENTRIES, TreeSize, tree_size
from harness.model.cell import Status
from harness.model.job import Limits
from harness.tools.runtime.base import CANCELLED_REASON
from harness.tools.runtime.ending import Verdict

GRACE_S = 5.0
"""Between the request to end and the kill."""
SAMPLE_S = 0.2
OUTPUT_BYTES = 200 << 30
"""The most that a step without a limit of its own may write: more than faces and models of a
training ever took, and less than what would fill a disk unseen. It is no part of a cell's id."""
FULL_BYTES = 1 << 16
"""A disk with less room than this fails whatever writes to it."""


class Written:
    """Bytes a step wrote to ``folders``; what they held before it does not count."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._at_first_bytes = self._sizes().size_bytes
        self._due = 0.0

    def is_due(self) -> bool:
        """True when it is time to count again; that takes its time where there are many files."""
        return time.monotonic() >= self._due

    def free_bytes(self) -> int:
        """Bytes left on the disk."""
        # A driver may have removed its own folder.
        return shutil.disk_usage(self._folders[0].parent).free

    def now(self) -> TreeSize:
        """What was written until now."""
        began = time.monotonic()
        sizes = self._sizes()
        ended = time.monotonic()
        self._due = ended + 20 * (ended - began)
        return sizes._replace(size_bytes=sizes.size_bytes - self._at_first_bytes)

    def _sizes(self) -> TreeSize:
        sizes = [tree_size(folder) for folder in self._folders]
        return TreeSize(
            sum(size.size_bytes for size in sizes),
            max(size.newest for size in sizes),
            any(size.too_deep for size in sizes),
            any(size.too_many for size in sizes),
        )


class StepLimits:
    """The limits that hold for every step, however it is run; its clock starts here."""

    def __init__(
        self, limits: Limits, folders: Sequence[Path], stop: threading.Event, what: str
    ) -> None:
        """``what`` names the folders, as a noun phrase."""
        self._limits = limits
        self._written = Written(folders)
        self._stop = stop
        self._what = what
        self._started = time.monotonic()
        self.disk_was_full = False

    def start(self) -> None:
        """Set the clock to zero."""
        self._started = time.monotonic()

    @property
    def wall_s(self) -> float:
        return time.monotonic() - self._started

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def judge(self) -> Verdict | None:
        """Reason why the step must end now; None when it may go on."""
        self.disk_was_full |= self._written.free_bytes() < FULL_BYTES
        if self._stop.is_set():
            return Status.CANCELLED, CANCELLED_REASON
        if self.wall_s > self._limits.wall_s:
            text = f"The step was stopped at its limit of {self._limits.wall_s:g} s."
            return Status.TIMEOUT, text
        return self.judge_output() if self._written.is_due() else None

    def judge_output(self) -> Verdict | None:
        """The verdict on what was written, if it is too much or goes too deep."""
        written = self._written.now()
        allowed = self._limits.output_bytes or OUTPUT_BYTES
        if written.too_deep:
            text = f"The step's {self._what} hold folders more than {MAX_DEPTH} deep."
        elif written.too_many:
            text = f"The step's {self._what} hold more than {MAX_ENTRIES:,} files."
        elif written.size_bytes > allowed:
            text = f"The step wrote {mib(written.size_bytes)} ({self._what} together); "
            text += f"{mib(allowed)} are allowed."
        else:
            return None
        return Status.BAD_OUTPUT, text


def mib(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):.1f} MiB"
