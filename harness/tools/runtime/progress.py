"""Position of a step: the newest of its events, in a small file alongside the log."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from harness.core.base import Frozen
from harness.model.job import Event

PROGRESS_NAME = "progress.json"
WRITE_EVERY_S = 1.0
RATE_WINDOW_S = 60.0
_SAMPLE_EVERY_S = 1.0


class StepProgress(Frozen):
    """Newest values of a step's events; ``rate_per_s`` is ``done`` per second of late."""

    time: float
    """Time of the last event, in seconds since 1970."""
    done: float | None = None
    total: float | None = None
    unit: str | None = None
    rate_per_s: float | None = None
    losses: dict[str, float | None] = {}
    """None for a loss that is no finite number."""
    note: str | None = None


def read_progress(folder: Path) -> StepProgress | None:
    """Progress of the step in ``folder``; None when it reported none, or the file is damaged."""
    try:
        return StepProgress.model_validate_json((folder / PROGRESS_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


class Pace:
    """``done`` per second over the last minute, or between the last two counts if they are rarer.

    A count that goes back or is of another unit begins again.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()
        self._unit: str | None = None

    def count(self, done: float, unit: str | None, now_s: float) -> float | None:
        """The rate with this count; None while there is nothing to compare it with."""
        samples = self._samples
        if unit != self._unit or (samples and done < samples[-1][1]):
            samples.clear()
        self._unit = unit
        while len(samples) > 1 and now_s - samples[1][0] >= RATE_WINDOW_S:
            samples.popleft()
        rate = None
        if samples and now_s > samples[0][0]:
            rate = (done - samples[0][1]) / (now_s - samples[0][0])
        if not samples or now_s - samples[-1][0] >= _SAMPLE_EVERY_S:
            samples.append((now_s, done))
        return rate


class ProgressFile:
    """Hears a step's events, hands them on, and keeps the newest state in ``path``.

    The file is replaced as a whole, at most once a second; the last state is written on leaving.
    Raises OSError when the disk refuses.
    """

    def __init__(self, path: Path, listen: Callable[[Event], None]) -> None:
        self._path = path
        self._listen = listen
        self._pace = Pace()
        self._state: StepProgress | None = None
        self._unwritten = False
        self._written_at = float("-inf")
        path.unlink(missing_ok=True)

    def __enter__(self) -> ProgressFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._unwritten:
            self._write()

    def hear(self, event: Event) -> None:
        """Take one event. What the listener raises passes through."""
        self._state = self._after(event)
        self._unwritten = True
        self.tick()
        self._listen(event)

    def tick(self) -> None:
        """Write what was held back, once its time has come; to be called now and then."""
        if self._unwritten and time.monotonic() - self._written_at >= WRITE_EVERY_S:
            self._write()

    def _after(self, event: Event) -> StepProgress:
        changes: dict[str, object] = {"time": time.time()}
        if (done := _finite(event.done)) is not None:
            changes |= {"done": done, "total": _finite(event.total), "unit": event.unit}
            changes["rate_per_s"] = self._pace.count(done, event.unit, time.monotonic())
        if event.values:
            changes["losses"] = {name: _finite(value) for name, value in event.values.items()}
        if event.text:
            changes["note"] = event.text
        return (self._state or StepProgress(time=0.0)).model_copy(update=changes)

    def _write(self) -> None:
        assert self._state is not None
        temporary = self._path.with_suffix(".json.part")
        temporary.write_text(self._state.model_dump_json() + "\n", encoding="utf-8")
        temporary.replace(self._path)
        self._unwritten = False
        self._written_at = time.monotonic()


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
