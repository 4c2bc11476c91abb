"""One build of a tool at a time, and no cleaning while something is built.

An engine belongs to the machine, so the locks lie in its folder for temporary files, not in a home.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def building(tool: str) -> Iterator[None]:
    """Within the block no other process of this user builds an image of ``tool``, or cleans."""
    with ExitStack() as held:
        held.enter_context(_locked("images", fcntl.LOCK_SH))
        held.enter_context(_locked(f"image-{tool}", fcntl.LOCK_EX))
        yield


@contextmanager
def checking() -> Iterator[None]:
    """Within the block no other process of this user cleans."""
    with _locked("images", fcntl.LOCK_SH):
        yield


@contextmanager
def cleaning() -> Iterator[None]:
    """Within the block no other process of this user builds or checks an image."""
    with _locked("images", fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(name: str, mode: int) -> Iterator[None]:
    folder = Path(tempfile.gettempdir()) / f"deid-bench-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as stream:
        fcntl.flock(stream, mode)
        yield
