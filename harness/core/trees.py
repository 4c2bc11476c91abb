"""Folders that a stranger may have filled: measured, defused and removed whatever they hold.

No link is followed, no name is put together to a path, and nothing but folders is opened, so that
neither depth nor length of names nor a pipe stands in the way.
"""

from __future__ import annotations

import errno
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

MAX_DEPTH = 64
"""Folders below one another that are looked into."""
_OWNER = stat.S_IRWXU
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW


class TreeSize(NamedTuple):
    """What ``tree_size`` found."""

    size_bytes: int
    """Of the files, by their length: a hole counts as much as what it stands for."""
    newest: float
    """The latest change of anything in it, in seconds since the epoch; 0 for an empty one."""
    too_deep: bool
    """True when it goes deeper than ``MAX_DEPTH``, where nothing was counted."""


def open_folder(name: str | Path, within: int | None = None) -> int:
    """The descriptor of a folder, relative to the folder ``within``; made accessible to its owner.

    Raises OSError for anything but a folder, a link to one included.
    """
    found = os.open(name, os.O_PATH | _FOLDER, dir_fd=within)
    try:
        mode = os.fstat(found).st_mode
        place = f"/proc/self/fd/{found}"
        if mode & _OWNER != _OWNER:
            Path(place).chmod(stat.S_IMODE(mode) | _OWNER)
        return os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    finally:
        os.close(found)


def tree_size(path: Path) -> TreeSize:
    """Size of a file, or of what a folder holds; what vanishes meanwhile counts nothing."""
    size_bytes, newest, too_deep = 0, 0.0, False
    for status in _statuses(path):
        if status is None:
            too_deep = True
            continue
        newest = max(newest, status.st_mtime)
        size_bytes += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return TreeSize(size_bytes, newest, too_deep)


def _statuses(path: Path) -> Iterator[os.stat_result | None]:
    """The status of everything; None in place of what lies too deep."""
    try:
        own = path.lstat()
    except FileNotFoundError:
        return
    yield own
    if stat.S_ISDIR(own.st_mode):
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | _FOLDER)
            with _closed(handle):
                yield from _statuses_in(handle, 1)


def _statuses_in(handle: int, depth: int) -> Iterator[os.stat_result | None]:
    with os.scandir(handle) as entries:
        for entry in entries:
            # Removed meanwhile, or not to be read.
            with suppress(FileNotFoundError, PermissionError):
                yield entry.stat(follow_symlinks=False)
                if not entry.is_dir(follow_symlinks=False):
                    continue
                if depth == MAX_DEPTH:
                    yield None
                    continue
                inner = os.open(entry.name, os.O_RDONLY | _FOLDER, dir_fd=handle)
                with _closed(inner):
                    yield from _statuses_in(inner, depth + 1)


def defuse(path: Path) -> None:
    """Take set-user-id and set-group-id bits from the files below a folder, and remove pipes,
    sockets and devices. A file that has another name elsewhere keeps its bits: it may not be ours.

    Nothing below ``MAX_DEPTH`` is looked at. Raises OSError.
    """
    with _closed(open_folder(path)) as handle:
        _defuse(handle, 1)


def _defuse(handle: int, depth: int) -> None:
    special = stat.S_ISUID | stat.S_ISGID
    for name in os.listdir(handle):
        status = os.stat(name, dir_fd=handle, follow_symlinks=False)
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            if depth < MAX_DEPTH:
                with _closed(open_folder(name, handle)) as inner:
                    _defuse(inner, depth + 1)
        elif not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            os.unlink(name, dir_fd=handle)
        elif mode & special and stat.S_ISREG(mode) and status.st_nlink == 1:
            with _closed(os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=handle)) as file:
                Path(f"/proc/self/fd/{file}").chmod(stat.S_IMODE(mode) & ~special)


def remove_tree(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; one that is not there is no fault.

    Raises OSError, for a folder on which something is mounted too: what that holds is not ours.
    """
    try:
        is_folder = stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_folder:
        path.unlink(missing_ok=True)
        return
    with _closed(open_folder(path)) as top:
        # Each round takes away a level: what lay deeper is moved up, so no path grows long and no
        # more than three folders are open.
        while names := os.listdir(top):  # noqa: PTH208 - a descriptor, no path
            for name in names:
                _remove_level(name, top)
    path.rmdir()


def _remove_level(name: str, top: int) -> None:
    """Remove what ``name`` is; the folders in it come up into ``top``."""
    if not _is_folder(name, top):
        os.unlink(name, dir_fd=top)
        return
    with _closed(open_folder(name, top)) as handle:
        if _mount_of(handle) != _mount_of(top):
            where = Path(f"/proc/self/fd/{handle}").readlink()
            raise OSError(errno.EBUSY, "another file system is mounted there", str(where))
        for inner in os.listdir(handle):  # noqa: PTH208
            if not _is_folder(inner, handle):
                os.unlink(inner, dir_fd=handle)
                continue
            # A folder that its owner may not write cannot be moved.
            os.close(open_folder(inner, handle))
            os.rename(inner, uuid.uuid4().hex, src_dir_fd=handle, dst_dir_fd=top)
    os.rmdir(name, dir_fd=top)


def _mount_of(handle: int) -> str:
    """The number of the mount that a folder is in: a bind mount shares its device with others."""
    lines = Path(f"/proc/self/fdinfo/{handle}").read_text().splitlines()
    return next((line for line in lines if line.startswith("mnt_id:")), "")


def _is_folder(name: str, within: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode)


@contextmanager
def _closed(handle: int) -> Iterator[int]:
    try:
        yield handle
    finally:
        os.close(handle)
