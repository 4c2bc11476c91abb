"""The console script: ready for a Ctrl-C or a lack of memory before anything else is imported.

It imports next to nothing: what comes before the handler is in place prints Python's traceback.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

INTERRUPTED, UNFIT = 130, 4
ADDRESS_SPACE_BYTES = 4 << 30
"""Below this, numerical libraries end the process, or hang, where they get nothing more; so do
embedded drivers, which would be blamed for it (at 2.4 GiB one was)."""


def main() -> None:
    """Run ``bench``. Until a command begins, a Ctrl-C ends it without a word of Python's. What runs
    before this, the interpreter's start and the installer's script, cannot be guarded.
    """
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, _leave)
    _require_address_space()
    try:
        from harness.cli.main import main as command

        command(_begin)
    except KeyboardInterrupt:
        # While the command said how it ended.
        _leave(signal.SIGINT, None)
    finally:
        if heeded:
            # Python's own end is not interrupted with a traceback either.
            signal.signal(signal.SIGINT, _leave)


def _begin() -> None:
    """A command does its own work: from now on a Ctrl-C raises KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    _end("\nInterrupted.\n", INTERRUPTED)


def _require_address_space() -> None:
    """End the process where `ulimit -v` leaves too little for anything but help."""
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    asks_for_help = len(sys.argv) < 2 or not {"--help", "--version"}.isdisjoint(sys.argv)
    if limit == resource.RLIM_INFINITY or limit >= ADDRESS_SPACE_BYTES or asks_for_help:
        return
    _end(
        f"Error: `ulimit -v` lets this shell's programs address {limit >> 20:,} MiB, and bench "
        f"needs {ADDRESS_SPACE_BYTES >> 20:,}: libraries reserve more than they use.\n"
        "Hint: Raise that limit, or start a shell without it, then run the same command again.\n",
        UNFIT,
    )


def _end(text: str, code: int) -> NoReturn:
    os.write(2, text.encode())
    os._exit(code)
