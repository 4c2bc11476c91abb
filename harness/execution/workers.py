"""Processes that measure: one call at a time each, ended at once when asked, never orphaned."""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from types import FrameType
from typing import Any

from harness.core.errors import BenchError, BenchWarning
from harness.core.interpreters import (
    ended_by_itself,
    importing_safely,
    lacks_memory,
    out_of_memory,
)
from harness.core.signals import StoppedError
from harness.core.threads import JOBS_VARIABLE, thread_limits

Listen = Callable[[str, int, int], None]
"""Progress: what is being done, units done, units in all."""

_WHAT = "A process that measures"
_POLL_S = 0.1
_GRACE_S = 2.0
_REPORT_S = 0.2


class Worker:
    """A process of its own for calls that hold the interpreter's lock or may run out of memory.

    It starts with the first call and is kept for the next. ``share`` is how many processes a call
    may itself use (its ``BENCH_JOBS``), and how many threads its numerical libraries start, unless
    the environment says.
    """

    def __init__(self, share: int = 1) -> None:
        self._share = share
        self._process: BaseProcess | None = None
        self._connection: Connection[Any, Any] | None = None

    def call(
        self,
        function: Callable[..., Any],
        *args: Any,
        stop: threading.Event,
        listen: Listen | None = None,
    ) -> Any:
        """``function(*args, listen)`` in the process, a module's function with plain arguments.

        What it raises is raised here, a fault as a RuntimeError. Raises StoppedError when ``stop``
        is set meanwhile, after the process has ended, and UnfitMachineError when the process ends
        by itself.
        """
        kind, value = self._ask(function, args, stop, listen)
        if kind == "failed":
            raise value
        return value

    def _ask(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        stop: threading.Event,
        listen: Listen | None,
    ) -> tuple[str, Any]:
        """The process's answer: (``done`` or ``failed``, the result or the error)."""
        connection = self._connection or self._start()
        try:
            connection.send((function, args))
            while True:
                while not connection.poll(_POLL_S):
                    if stop.is_set():
                        self.end()
                        raise StoppedError
                kind, value = connection.recv()
                if kind == "warned":
                    warnings.warn(value, BenchWarning, stacklevel=2)
                elif kind != "heard":
                    return kind, value
                elif listen is not None:
                    listen(*value)
        except (EOFError, OSError) as error:
            raise ended_by_itself(_WHAT, self.end()) from error

    def end(self) -> int | None:
        """End the process, politely at first, and return its exit code."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if process is None or connection is None:
            return None
        process.join(0.05)
        process.terminate()
        process.join(_GRACE_S)
        if process.is_alive():
            process.kill()
            process.join()
        connection.close()
        return process.exitcode

    def _start(self) -> Connection[Any, Any]:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._share))
        # Until the process has its handlers, a Ctrl-C would make it print a traceback.
        asking = {signal.SIGINT, signal.SIGTERM}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, asking)
        try:
            with importing_safely():
                self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        return self._connection


def _serve(connection: Connection[Any, Any], share: int) -> None:
    """The process: calls in, results out, until the other end is closed."""
    # Out of the terminal's reach: Ctrl-C is bench's to handle, for FFmpeg below here too.
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    os.environ.update({**thread_limits(share), **os.environ, JOBS_VARIABLE: str(share)})
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        while True:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", BenchWarning)
                answer = _answer(connection)
            for warning in caught:
                if isinstance(warning.message, BenchWarning):
                    connection.send(("warned", str(warning.message)))
            connection.send_bytes(answer)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return


def _answer(connection: Connection[Any, Any]) -> bytes:
    """The next call's answer, as it is sent; raises EOFError or OSError when there will be none.

    What cannot be imported here, or not be sent, is a fault like any other: it ends no process.
    """
    try:
        function, args = connection.recv()
    except (EOFError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - what is asked for cannot be imported here
        return _spelled("failed", _portable(error))
    try:
        return _spelled("done", function(*args, _reporter(connection)))
    except BenchError as error:
        return _spelled("failed", error)
    except Exception as error:  # noqa: BLE001 - the boundary: its fault is raised over there
        if lacks_memory(error):
            return _spelled("failed", out_of_memory(f"{_WHAT} could get no more memory"))
        return _spelled("failed", _portable(error))


def _spelled(kind: str, value: Any) -> bytes:
    return bytes(ForkingPickler.dumps((kind, value)))


def _portable(error: Exception) -> Exception:
    """An exception that can be sent; any but a refusal of the disk, or of a name by the locale, is
    a fault, reported in full."""
    if isinstance(error, OSError | UnicodeEncodeError):
        return error
    fault = RuntimeError(f"{type(error).__name__}: {error}")
    fault.add_note("In a worker process:\n" + traceback.format_exc())
    return fault


def _reporter(connection: Connection[Any, Any]) -> Listen:
    last = 0.0

    def report(label: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _REPORT_S:
            last = now
            connection.send(("heard", (label, done, total)))

    return report


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _leave_with_parent() -> None:
    """End when bench was killed: nothing else would end a call that is under way."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
