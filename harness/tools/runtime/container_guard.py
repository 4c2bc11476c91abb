"""Bench's end of the watchdog: when the ``with`` block is left, the container is gone."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from types import TracebackType

STOPPED_WAIT_S = 10.0
"""Seconds a user who asked for the end waits for an engine that does not answer."""
_POLL_S = 0.02


class Guard:
    """A watchdog process for one container, started before the container is made.

    It holds ``locks`` as long as the container may be there, and outlives bench for that.
    """

    def __init__(self, socket: str, name: str, locks: Sequence[int], stop: Event) -> None:
        self._stop = stop
        control_read, self._control = os.pipe()
        script = Path(__file__).with_name("container_watchdog.py")
        command = [sys.executable, "-I", "-S", str(script), str(control_read), socket, name]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(control_read, *locks),
                start_new_session=True,
            )
        except OSError:
            os.close(self._control)
            raise
        finally:
            os.close(control_read)
        self.removed = False

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def making(self) -> None:
        """The engine is about to be asked for the container."""
        self._send(b"C")

    def made(self, container: str) -> None:
        """The container is there, and this is its id."""
        self._send(b"M" + container.encode())

    def _send(self, order: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._control, order)

    def end(self) -> None:
        """Have the container removed and wait for it; ``removed`` says whether that worked.

        An engine that is being restarted is waited for as long as the watchdog does. It goes on
        alone when the user has asked for the end and the engine does not answer.
        """
        if self._control < 0:
            return
        os.close(self._control)
        self._control = -1
        asked: float | None = None
        while (code := self._process.poll()) is None:
            now = time.monotonic()
            asked = asked or (now if self._stop.is_set() else None)
            if asked is not None and now - asked > STOPPED_WAIT_S:
                # Not a child that nobody waits for: init takes it over when bench ends.
                return
            time.sleep(_POLL_S)
        self.removed = code == 0
