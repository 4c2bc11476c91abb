"""One driver at a time on a cell's state."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STATE_WAIT_S = 30.0


@contextmanager
def state_lock(state: Path) -> Iterator[int]:
    """Hold ``state``; whoever inherits the file shares the lock: it is held until the last is gone.

    After a kill -9 of bench its cell is free at once, but its driver may still be ending: the next
    one waits here. Raises OSError when the state stays held for 30 s.
    """
    handle = os.open(state.with_name(f"{state.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        end = time.monotonic() + STATE_WAIT_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    text = "still used by the driver of an earlier run that does not end"
                    raise OSError(errno.EBUSY, text, str(state)) from None
                time.sleep(0.05)
        yield handle
    finally:
        os.close(handle)
