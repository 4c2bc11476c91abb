"""Handles Ctrl-C and SIGTERM: both alike, and never in the middle of a write."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING_TO_END = (signal.SIGINT, signal.SIGTERM)


class StoppedError(Exception):
    """The work was given up because the user asked for it; no one needs a second report."""


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Within the block SIGINT and SIGTERM call ``stop`` (which must not block) and nothing else.

    A signal that is ignored, as in a background job of a script, stays ignored. Python allows
    handlers in the main thread only; elsewhere nothing changes.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        stop()

    with _handled(_ASKING_TO_END, handle):
        yield


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Within the block SIGTERM raises KeyboardInterrupt, as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled((signal.SIGTERM,), interrupt):
        yield


@contextmanager
def _handled(
    numbers: tuple[signal.Signals, ...], handler: Callable[[int, FrameType | None], None]
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heeded = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
