"""Ends a step from outside: for the user, the clock, and what it writes."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from harness.model.cell import Status
from harness.model.job import Limits
from harness.tools.runtime.base import CANCELLED_REASON
from harness.tools.runtime.ending import Verdict

GRACE_S = 5.0
"""Between the request to end and the kill."""
SAMPLE_S = 0.2
FULL_BYTES = 1 << 16
"""A disk with less room than this fails whatever writes to it."""


class Written:
    """Bytes a step wrote to ``folders``; what they held before it does not count."""

    def __init__(self, folders: Sequence[Path], *, counted: bool) -> None:
        self._folders = folders
        self._at_first_bytes = sum(map(folder_bytes, folders)) if counted else 0
        self._due = 0.0

    def is_due(self) -> bool:
        """True when it is time to count again; that takes its time where there are many files."""
        return time.monotonic() >= self._due

    def free_bytes(self) -> int:
        """Bytes left on the disk."""
        return shutil.disk_usage(self._folders[0]).free

    def now_bytes(self) -> int:
        began = time.monotonic()
        found = sum(map(folder_bytes, self._folders)) - self._at_first_bytes
        ended = time.monotonic()
        self._due = ended + 20 * (ended - began)
        return found


class StepLimits:
    """The limits that hold for every step, however it is run; its clock starts here."""

    def __init__(
        self, limits: Limits, folders: Sequence[Path], stop: threading.Event, what: str
    ) -> None:
        """``what`` names the folders, as a noun phrase."""
        self._limits = limits
        self._written = Written(folders, counted=limits.output_bytes is not None)
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
        """The verdict on the size of what was written, if it is too much."""
        allowed = self._limits.output_bytes
        if allowed is None or (written := self._written.now_bytes()) <= allowed:
            return None
        text = f"The step wrote {mib(written)} ({self._what} together); {mib(allowed)} are allowed."
        return Status.BAD_OUTPUT, text


def mib(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):.1f} MiB"


def folder_bytes(folder: Path) -> int:
    """Total size of the files below ``folder``; what vanishes meanwhile counts nothing."""
    total = 0
    # os.walk passes over folders that are removed under its feet, Path.rglob does not.
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found = Path(where, name).lstat()
                total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total
