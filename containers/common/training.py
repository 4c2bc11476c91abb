"""Common parts of every training: its log is read, its budget kept, its divergence noticed.

Standard library only and Python 3.6 syntax: copied into old images.
"""

import math
import re
import time
from typing import Callable, Dict, Optional

from containers.common.bench_driver import Progress, ToolFailedError, emit
from containers.common.budget import Budget

_LOSS_EVERY_S = 5.0


class Training:
    """Follows a training through its log lines.

    ``line`` is a pattern with the groups ``done`` (iterations) and ``loss_NAME``, the same as in
    the adapter. ``first`` is added to ``done``: the iterations of earlier sessions, for tools
    that count from nothing each time.
    """

    def __init__(self, budget: Budget, line: str, first: int = 0) -> None:
        self._budget, self._line, self._first = budget, re.compile(line), first
        self._progress = Progress(budget.iterations, "iterations", every_s=2.0)
        self._loss_s = float("-inf")
        self._began: Optional[int] = None
        self._began_s = 0.0
        self.why: Optional[str] = None
        """Reason for which it was asked to stop; None while it was not."""

    def read(self, line: str) -> bool:
        """Take a line of the log; whether it reported an iteration.

        Raises ToolFailedError when a loss is not a number: the model is lost from there on.
        """
        found = self._line.search(line)
        if found is None:
            return False
        done = self._first + int(found.group("done"))
        losses = _losses(found.groupdict())
        broken = [name for name, value in losses.items() if not math.isfinite(value)]
        if broken:
            raise ToolFailedError(
                "The training diverged: at iteration %d the loss '%s' is no number any more. Lower "
                "the learning rate or the style and GAN powers, or train with another seed."
                % (done, broken[0])
            )
        self._count(done)
        self._report(done, losses)
        return True

    def due(self) -> bool:
        """True when the budget is spent; for ``terminal.run``."""
        if self.why is None:
            self.why = self._budget.due()
        return self.why is not None

    def speed(self) -> Optional[float]:
        """Iterations per second of this session; None before the second one."""
        passed_s = time.monotonic() - self._began_s
        if self._began is None or self._budget.done <= self._began or passed_s <= 0:
            return None
        return (self._budget.done - self._began) / passed_s

    def _count(self, done: int) -> None:
        if self._began is None:
            self._began, self._began_s = done, time.monotonic()
        self._budget.reached(done)
        self._progress.update(done)

    def _report(self, done: int, losses: Dict[str, float]) -> None:
        now_s = time.monotonic()
        if not losses or now_s - self._loss_s < _LOSS_EVERY_S:
            return
        self._loss_s = now_s
        values = dict(losses)
        speed = self.speed()
        if speed is not None:
            values["iterations_per_s"] = round(speed, 3)
        emit("loss", values=values)


def _losses(groups: Dict[str, Optional[str]]) -> Dict[str, float]:
    found = {}
    for name, text in groups.items():
        if name.startswith("loss_") and text is not None:
            found[name[len("loss_") :]] = float(text)
    return found


class ErrorLines:
    """Collects what a tool says went wrong: several tools print it and exit with 0."""

    def __init__(self, pattern: str, also: Callable[[str], object] = lambda line: None) -> None:
        self._pattern, self._also = re.compile(pattern), also
        self.first: Optional[str] = None
        self.last = ""

    def read(self, line: str) -> None:
        """Take a line of the log and pass it on."""
        if self.first is None and self._pattern.search(line):
            self.first = line.strip()
        if line.strip():
            self.last = line.strip()
        self._also(line)

    def check(self, what: str) -> None:
        """Raise ToolFailedError when a line reported an error. ``what`` says what was done."""
        if self.first is not None:
            told = self.first if self.first == self.last else "%s ... %s" % (self.first, self.last)
            raise ToolFailedError("%s failed: %s" % (what, told))
