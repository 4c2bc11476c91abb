"""Folders for work in progress that no kill leaves behind for good."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.core.trees import remove_tree
from harness.store.cells import disk_errors

_PREFIX = "work-"


@contextmanager
def work_folder(parent: Path) -> Iterator[Path]:
    """A new folder in ``parent``, removed on exit.

    It is locked as long as its process lives, so what killed processes left differs from what is in
    use, and removed here. Raises StoreError when the disk refuses.
    """
    with disk_errors(parent):
        parent.mkdir(parents=True, exist_ok=True)
        with _held(parent, fcntl.LOCK_EX):
            for left in parent.glob(f"{_PREFIX}*"):
                # In use, or just gone.
                with suppress(OSError), _held(left, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    remove_tree(left)
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            lock = _hold(folder, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        with suppress(OSError):
            remove_tree(folder)
        os.close(lock)


@contextmanager
def _held(folder: Path, mode: int) -> Iterator[None]:
    handle = _hold(folder, mode)
    try:
        yield
    finally:
        os.close(handle)


def _hold(folder: Path, mode: int) -> int:
    """The open folder, locked; BlockingIOError when it is not to be waited for."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, mode)
    except BaseException:
        os.close(handle)
        raise
    return handle
