"""Several things at once: a few lanes, and one thread that decides what goes where."""

from __future__ import annotations

import threading
from collections.abc import Callable, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from harness.core.signals import StoppedError, stop_on_signals
from harness.execution.workers import Worker


@dataclass(frozen=True)
class Lane:
    """A queue in which one task runs at a time."""

    worker: Worker
    stop: threading.Event
    """Set when the user wants everything to end; long work must look at it."""


@dataclass(frozen=True)
class Task:
    """Work to do in a lane, and what to do with what comes of it."""

    work: Callable[[Lane], Any]
    """Called in a thread of its own."""
    done: Callable[[Any], None]
    """Called with the result, in the thread that called ``Lanes.run``."""
    device: str | None = None
    """Device that the task needs for itself; two tasks with the same device never run at once."""


Choose = Callable[[Set[str]], Task | None]
"""The next task that needs none of the devices in use; None when there is none for now."""


@dataclass
class Lanes:
    """``count`` lanes, each with a worker process that is kept until the ``with`` block is left."""

    count: int
    share: int = 1
    """Number of processes one worker may itself use."""
    stop: threading.Event = field(default_factory=threading.Event)
    _idle: list[Lane] = field(init=False)
    _ended: SimpleQueue[Future[Any] | None] = field(init=False, default_factory=SimpleQueue)
    _running: dict[Future[Any], tuple[Lane, Task]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._idle = [Lane(Worker(self.share), self.stop) for _ in range(self.count)]
        self._threads = ThreadPoolExecutor(self.count, thread_name_prefix="lane")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown()
        for lane in self._idle:
            lane.worker.end()

    def run(self, choose: Choose) -> None:
        """Do what ``choose`` names, until it names nothing and nothing is under way.

        ``choose`` and each task's ``done`` are called in this thread only. When a task fails, what
        is under way is finished, nothing new is begun, and its error is raised. SIGINT and SIGTERM
        set ``stop``; once all tasks have ended for it, KeyboardInterrupt is raised.
        """
        with stop_on_signals(self._ask_to_stop):
            try:
                self._go(choose)
            except BaseException:
                # A task's own error, or one of this thread's: no thread may be left behind.
                self._drain()
                raise
            if self.stop.is_set():
                raise KeyboardInterrupt

    def _ask_to_stop(self) -> None:
        self.stop.set()
        self._ended.put(None)

    def _go(self, choose: Choose) -> None:
        while True:
            while self._idle and not self.stop.is_set():
                task = choose({one.device for _, one in self._running.values() if one.device})
                if task is None:
                    break
                self._begin(task)
            if not self._running:
                return
            self._take()

    def _begin(self, task: Task) -> None:
        # The first lane that is free: its worker has most likely been started already.
        lane = self._idle.pop(0)
        future = self._threads.submit(task.work, lane)
        self._running[future] = lane, task
        future.add_done_callback(self._ended.put)

    def _take(self) -> None:
        future = self._ended.get()
        if future is None:
            return
        lane, task = self._running.pop(future)
        self._idle.insert(0, lane)
        if isinstance(future.exception(), StoppedError):
            return
        task.done(future.result())

    def _drain(self) -> None:
        while self._running:
            future = self._ended.get()
            if future is not None:
                lane, _ = self._running.pop(future)
                self._idle.append(lane)
