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

_INTERRUPTED, _UNFIT = 130, 4
_ENDED = b"."


def main() -> NoReturn:
    """Run ``bench``. Until its own handling of signals is in place, a Ctrl-C ends it without a
    word of Python's. (Before this module is imported nothing can: that is the interpreter's start
    and the installer's script.)
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        _run()
    _run_limited(limit)


def begin() -> None:
    """Call it before a command's own work: from now on a Ctrl-C raises KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    os.write(2, b"\nInterrupted. Nothing was begun.\n")
    os._exit(_INTERRUPTED)


def _run() -> NoReturn:
    from harness.cli.main import main as command

    command()
    sys.exit(0)


def _run_limited(limit: int) -> NoReturn:
    """``_run`` in a process of its own: libraries that get no more memory under ``ulimit -v`` end
    the process they are in, with a signal or with the code of a command that found something.
    """
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        try:
            _run()
        except (MemoryError, ImportError):
            os._exit(_UNFIT)
        finally:
            if isinstance(sys.exception(), SystemExit):
                os.write(told, _ENDED)
    os.close(told)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: os.kill(child, number))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if os.read(heard, 1) == _ENDED:
        sys.exit(code)
    sys.stderr.write(
        f"Error: A library got no more memory: `ulimit -v` allows this shell {limit >> 20} MiB.\n"
        "Hint: Raise or lift that limit (2000 MiB are enough for most commands), then run the "
        "same command again. Finished cells are kept.\n"
    )
    sys.exit(_UNFIT)
