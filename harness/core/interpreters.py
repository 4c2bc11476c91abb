"""Starts Python processes that import nothing from the current folder, and judges how they ended.

``python -c`` and ``python -m`` put the current folder in front of the standard library, and so does
an empty entry of PYTHONPATH: a file ``signal.py`` there would end a worker before its first line.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from harness.core.errors import UnfitMachineError

SAFE_PATH = "PYTHONSAFEPATH"
PYTHONPATH = "PYTHONPATH"
SAFE_PYTHON = (sys.executable, "-P")
"""Command that starts an interpreter for ``-c`` or ``-m``."""

_changing = threading.Lock()


def absolute_entries(paths: str) -> str:
    """A list of folders as PATH or PYTHONPATH has it, each absolute, without the empty entries,
    which mean the current folder."""
    return os.pathsep.join(os.path.abspath(path) for path in paths.split(os.pathsep) if path)  # noqa: PTH100


def safe_imports(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables for a Python process that is to come, in place of those of ``environ``.

    A folder that PYTHONPATH names stays on the path, wherever the process runs.
    """
    named = absolute_entries(environ.get(PYTHONPATH, ""))
    return {SAFE_PATH: "1", **({PYTHONPATH: named} if named else {})}


@contextmanager
def importing_safely() -> Iterator[None]:
    """Within the block this process's environment is such that what ``multiprocessing`` starts, its
    resource tracker too, imports nothing from the current folder."""
    with _changing:
        before = {name: os.environ.pop(name, None) for name in (SAFE_PATH, PYTHONPATH)}
        kept = {name: value for name, value in before.items() if value is not None}
        os.environ.update(safe_imports(kept))
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def ended_by_itself(what: str, code: int | None) -> UnfitMachineError:
    """The error for a process that ended before its work did. ``what`` begins a sentence; ``code``
    is its exit code or -signal, None where nobody knows.

    Only the kernel's kill speaks for a lack of memory: an import that fails ends with 1.
    """
    if code == -signal.SIGKILL:
        killed = f"{what} was killed (exit code {code}, SIGKILL)"
        return out_of_memory(f"{killed}, most likely for lack of memory")
    if code is not None and code < 0 and _memory_limit_bytes() is not None:
        return out_of_memory(f"{what} was ended by signal {-code}, most likely for lack of memory")
    if code is not None and code < 0:
        named = {number.value: number.name for number in signal.Signals}
        return UnfitMachineError(
            f"{what} was ended by {named.get(-code, f'signal {-code}')}.",
            hint="A library that it loads may be broken or not fit this processor: see `bench "
            "doctor`, then run the same command again. It goes on where it stopped.",
        )
    ended = "ended unexpectedly" if code is None else f"ended unexpectedly (exit code {code})"
    return UnfitMachineError(
        f"{what} {ended}; its last words are above.",
        hint="If they name an import that failed, look for a file of that module's name in the "
        "folders of PYTHONPATH, or install deid-bench again; `bench doctor` tries the imports.",
    )


def out_of_memory(sentence: str) -> UnfitMachineError:
    """The error for a process that got no more memory; ``sentence`` is without its full stop."""
    limit = _memory_limit_bytes()
    why = "" if limit is None else f": `ulimit -v` allows this shell {limit >> 20} MiB"
    do = "Free some memory" if limit is None else "Raise or lift that limit"
    return UnfitMachineError(
        f"{sentence}{why}.",
        hint=f"{do} or use fewer --jobs, then run the same command again: it goes on where it "
        "stopped.",
    )


def lacks_memory(error: BaseException) -> bool:
    """True for what Python and its libraries raise when they get no more memory or thread."""
    text = str(error).lower()
    if isinstance(error, MemoryError) or type(error).__name__ in _OUT_OF_MEMORY:
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == errno.ENOMEM
    if isinstance(error, SystemError) or type(error).__name__ in _LEFT_WITHOUT:
        # What an extension leaves that did not look whether it got its memory.
        return _memory_limit_bytes() is not None
    # ctypes has an OSError without a number for a library that could not be mapped.
    if isinstance(error, ImportError | RuntimeError | OSError):
        return any(words in text for words in _NO_MEMORY)
    return False


_OUT_OF_MEMORY = {"OutOfMemoryException"}
"""DuckDB's, which need not be imported to know its name."""
_LEFT_WITHOUT = {"EncodeError"}
"""Protobuf's, for a message that found no room."""
_NO_MEMORY = (
    *("failed to map", "cannot allocate memory", "can't start new thread", "bad_alloc"),
    *("errno=12", "unable to allocate"),
)


def _memory_limit_bytes() -> int | None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit
