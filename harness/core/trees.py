"""Folders that a stranger may have filled: measured, defused and removed whatever they hold.

No link is followed, no mount point entered, no name is put together to a path, and nothing but
folders is opened, so that neither depth nor length of names nor a pipe stands in the way.
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
MAX_ENTRIES = 2_000_000
"""Files and folders that are counted."""
_OWNER = stat.S_IRWXU
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW
_ATTEMPTS = 100
"""Times that a folder is emptied again into which somebody still writes."""


class TreeSize(NamedTuple):
    """What ``tree_size`` found."""

    size_bytes: int
    """Of the files, by their length: a hole counts as much as what it stands for."""
    newest: float
    """The latest change of anything in it, in seconds since the epoch; 0 for an empty one."""
    too_deep: bool
    """True when it goes deeper than ``MAX_DEPTH``, where nothing was counted."""
    too_many: bool
    """True when it holds more than ``MAX_ENTRIES``, of which the rest was not counted."""


def open_folder(name: str | Path, within: int | None = None) -> int:
    """The descriptor of a folder, relative to the folder ``within``; made accessible to its owner.

    Raises OSError for anything but a folder, a link to one included, and for a folder below
    ``within`` where another file system is mounted (EXDEV).
    """
    found = os.open(name, os.O_PATH | _FOLDER, dir_fd=within)
    try:
        if within is not None and _mount(found) != _mount(within):
            raise OSError(errno.EXDEV, "Another file system is mounted there", str(name))
        mode = os.fstat(found).st_mode
        place = f"/proc/self/fd/{found}"
        if mode & _OWNER != _OWNER:
            Path(place).chmod(stat.S_IMODE(mode) | _OWNER)
        return os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    finally:
        os.close(found)


def _mount(handle: int) -> str:
    """Mark of the mount that a file was opened through: a folder that is bound elsewhere on its own
    file system has its device number, but not its mark.
    """
    with suppress(OSError):
        for line in Path(f"/proc/self/fdinfo/{handle}").read_text().splitlines():
            if line.startswith("mnt_id:"):
                return line
    return str(os.fstat(handle).st_dev)


def tree_size(path: Path) -> TreeSize:
    """Size of a file, or of what a folder holds; what vanishes meanwhile counts nothing.

    Folders that are closed to their owner are opened, as nothing may hide there; what is mounted
    below is not entered.
    """
    size_bytes, newest, too_deep = 0, 0.0, False
    for number, status in enumerate(_statuses(path)):
        if number > MAX_ENTRIES:
            return TreeSize(size_bytes, newest, too_deep, too_many=True)
        if status is None:
            too_deep = True
            continue
        newest = max(newest, status.st_mtime)
        size_bytes += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return TreeSize(size_bytes, newest, too_deep, too_many=False)


def _statuses(path: Path) -> Iterator[os.stat_result | None]:
    """The status of everything; None in place of what lies too deep."""
    try:
        own = path.lstat()
    except FileNotFoundError:
        return
    yield own
    if stat.S_ISDIR(own.st_mode):
        with suppress(OSError), _closed(open_folder(path)) as handle:
            yield from _statuses_in(handle, 1)


def _statuses_in(handle: int, depth: int) -> Iterator[os.stat_result | None]:
    with os.scandir(handle) as entries:
        for entry in entries:
            # Removed meanwhile, somebody else's, or a mount point.
            with suppress(OSError):
                yield entry.stat(follow_symlinks=False)
                if not entry.is_dir(follow_symlinks=False):
                    continue
                if depth == MAX_DEPTH:
                    yield None
                    continue
                with _closed(open_folder(entry.name, handle)) as inner:
                    yield from _statuses_in(inner, depth + 1)


def defuse(path: Path) -> None:
    """Take set-user-id and set-group-id bits from the files below a folder, and remove pipes,
    sockets, devices, and folders below ``MAX_DEPTH``. A file that has another name elsewhere keeps
    its bits: it may not be ours. What is mounted below is left alone.

    Raises OSError.
    """
    with _closed(open_folder(path)) as handle:
        _defuse(handle, 1)


def _defuse(handle: int, depth: int) -> None:
    for name in os.listdir(handle):
        # Whoever still writes there may remove it meanwhile.
        with suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                _defuse_folder(name, handle, depth)
            else:
                _defuse_file(name, handle, status)


def _defuse_folder(name: str, handle: int, depth: int) -> None:
    if depth == MAX_DEPTH:
        _remove_folder(name, handle)
        return
    try:
        inner = open_folder(name, handle)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return
    with _closed(inner):
        _defuse(inner, depth + 1)


def _defuse_file(name: str, handle: int, status: os.stat_result) -> None:
    special = stat.S_ISUID | stat.S_ISGID
    mode = status.st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
        os.unlink(name, dir_fd=handle)
    elif mode & special and stat.S_ISREG(mode) and status.st_nlink == 1:
        with _closed(os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=handle)) as file:
            Path(f"/proc/self/fd/{file}").chmod(stat.S_IMODE(mode) & ~special)


def remove_tree(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; one that is not there is no fault.

    Raises OSError; where another file system is mounted in it (EXDEV), that and its contents stay.
    """
    try:
        parent = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    with _closed(parent):
        try:
            is_folder = _is_folder(path.name, parent)
        except FileNotFoundError:
            return
        try:
            if is_folder:
                _remove_folder(path.name, parent)
            else:
                _unlink(path.name, parent)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from error


def _remove_folder(name: str, within: int) -> None:
    with _closed(open_folder(name, within)) as top:
        # Each round takes away a level: what lay deeper is moved up, so no path grows long and no
        # more than three folders are open.
        attempts = 0
        while names := os.listdir(top):  # noqa: PTH208
            for inner in names:
                try:
                    _remove_level(inner, top)
                except OSError as error:
                    attempts += 1
                    if error.errno != errno.ENOTEMPTY or attempts > _ATTEMPTS:
                        raise
    os.rmdir(name, dir_fd=within)


def _remove_level(name: str, top: int) -> None:
    """Remove what ``name`` is; the folders in it come up into ``top``."""
    if not _is_folder(name, top):
        _unlink(name, top)
        return
    with _closed(open_folder(name, top)) as handle:
        for inner in os.listdir(handle):  # noqa: PTH208
            if not _is_folder(inner, handle):
                _unlink(inner, handle)
                continue
            # A folder that its owner may not write cannot be moved, nor can a mount point.
            os.close(open_folder(inner, handle))
            os.rename(inner, uuid.uuid4().hex, src_dir_fd=handle, dst_dir_fd=top)
    os.rmdir(name, dir_fd=top)


def _unlink(name: str, within: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=within)


def _is_folder(name: str, within: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=within, follow_symlinks=False).st_mode)


@contextmanager
def _closed(handle: int) -> Iterator[int]:
    try:
        yield handle
    finally:
        os.close(handle)
