"""Lanes of this machine on which requests are performed, and the one thread that fills them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Protocol, Self

from harness.core.errors import BenchError
from harness.core.signals import StoppedError, stop_on_signals
from harness.core.threads import default_jobs
from harness.execution.perform import perform
from harness.execution.requests import Listen, Request, WorkContext, ignore
from harness.execution.workers import Worker
from harness.tools.runtime.base import Runtime
from harness.tools.runtime.process import ProcessRuntime

Perform = Callable[[Request, WorkContext], Any]
"""Does what a request asks for; a module's function, so that a worker process finds it."""


def _raise(error: BenchError) -> None:
    raise error


@dataclass(frozen=True)
class Task:
    """A request, and what to do with what comes of it.

    ``done`` and ``failed`` are called in the thread that called ``Workplace.run``; ``failed`` may
    raise its error, which ends the run, and does unless another is given.
    """

    request: Request
    done: Callable[[Any], None]
    failed: Callable[[BenchError], None] = _raise
    listen: Listen = ignore
    """Called in any thread."""
    device: str | None = None
    """Device that the task needs for itself; two tasks with the same device never run at once."""


Choose = Callable[[Set[str]], Task | None]
"""The next task that needs none of the devices in use; None when there is none for now."""


class Workplace(Protocol):
    """Decides where requests are performed: in lanes of this machine, or elsewhere."""

    @property
    def context(self) -> WorkContext:
        """The context that requests are performed with; its ``listen`` is each task's own."""
        ...

    @property
    def count(self) -> int:
        """The number of requests that are performed at once."""
        ...

    def run(self, choose: Choose) -> None:
        """Do what ``choose`` names, until it names nothing and nothing is under way.

        ``choose``, and each task's ``done`` or ``failed``, are called in this thread only. When a
        task's error is not settled by ``failed``, what is under way is finished, nothing new is
        begun, and the error is raised. SIGINT and SIGTERM set ``context.stop``; once all tasks have
        ended for it, KeyboardInterrupt is raised.
        """
        ...


@dataclass
class Lanes:
    """``count`` lanes of this machine, each with a worker process that is kept until the ``with``
    block is left.

    A request that watches a tool is performed in a thread of its own, any other in a worker.
    """

    count: int
    context: WorkContext
    share: int = 1
    """The number of processes that one worker may itself use."""
    performer: Perform = perform
    _idle: list[Worker] = field(init=False)
    _ended: SimpleQueue[Future[Any] | None] = field(init=False, default_factory=SimpleQueue)
    _running: dict[Future[Any], tuple[Worker, Task]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._idle = [Worker(self.share) for _ in range(self.count)]
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
        for worker in self._idle:
            worker.end()

    def run(self, choose: Choose) -> None:
        """See ``Workplace.run``."""
        with stop_on_signals(self._ask_to_stop):
            try:
                self._go(choose)
            except BaseException:
                # A task's own error, or one of this thread's: no thread may be left behind.
                self._drain()
                raise
            if self.context.stop.is_set():
                raise KeyboardInterrupt

    def _ask_to_stop(self) -> None:
        self.context.stop.set()
        self._ended.put(None)

    def _go(self, choose: Choose) -> None:
        while True:
            while self._idle and not self.context.stop.is_set():
                task = choose(
                    {running.device for _, running in self._running.values() if running.device}
                )
                if task is None:
                    break
                self._begin(task)
            if not self._running:
                return
            self._take()

    def _begin(self, task: Task) -> None:
        # The first lane that is free: its worker has most likely been started already.
        worker = self._idle.pop(0)
        future = self._threads.submit(self._do, task, worker)
        self._running[future] = worker, task
        future.add_done_callback(self._ended.put)

    def _do(self, task: Task, worker: Worker) -> Any:
        if task.request.watches_tool:
            return self.performer(task.request, replace(self.context, listen=task.listen))
        return worker.call(
            _perform_in_worker,
            self.performer,
            task.request,
            self.context.home,
            stop=self.context.stop,
            listen=task.listen,
        )

    def _take(self) -> None:
        future = self._ended.get()
        if future is None:
            return
        worker, task = self._running.pop(future)
        self._idle.insert(0, worker)
        error = future.exception()
        if isinstance(error, StoppedError):
            return
        if isinstance(error, BenchError):
            task.failed(error)
        else:
            task.done(future.result())

    def _drain(self) -> None:
        while self._running:
            future = self._ended.get()
            if future is not None:
                worker, _ = self._running.pop(future)
                self._idle.append(worker)


def _perform_in_worker(performer: Perform, request: Request, home: Path, listen: Listen) -> Any:
    """The call that a worker process gets: it is ended from outside, and runs no tool."""
    return performer(request, WorkContext(home, stop=threading.Event(), listen=listen))


def share_out(jobs: int | None, things: int) -> tuple[int, int]:
    """The number of ``things`` to do at once, at most ``jobs`` (see ``default_jobs``), and of
    processes that each may then use.
    """
    allowed = jobs or default_jobs()
    count = max(1, min(allowed, things))
    return count, max(1, allowed // count)


def local_runtimes(home: Path, jobs: int, *, cpu: bool = False) -> dict[str, Runtime]:
    """By a tool's kind, what runs it here, ``jobs`` at once. Nothing is started or looked for yet.

    ``cpu``: no GPU is used, though there may be one.
    """
    from harness.tools.runtime.container import ContainerRuntime
    from harness.tools.runtime.container_plan import own_allowance

    share = own_allowance().model_copy(update={"sharers": jobs})
    container = ContainerRuntime(home, allowance=share, gpus=() if cpu else None)
    return {"process": ProcessRuntime(), "container": container}
