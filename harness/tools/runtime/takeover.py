"""Takes over what a driver left in ``out``: hostile until looked at.

Only plain files with the names of the contract are kept, within stated sizes, as copies that the
driver never had open and without its mode bits. Everything else is deleted, and named.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.trees import defuse, open_folder, remove_tree
from harness.model.job import OBSERVATION_NAME, PREVIEWS_NAME, REPORT_NAME, SWAPPED_NAME, Job

REPORT_BYTES = 64 << 10
VIDEO_BYTES = 8 << 30
"""Of a video or an observer's file, where the step has no limit of its own."""
PREVIEW_BYTES = 4 << 20
PREVIEWS = 500
_PREVIEW = re.compile(r"\d{8}\.jpg")
_CHUNK_BYTES = 1 << 20
_NAMED = 20
"""Deleted files that are named; the rest is counted."""
_NAME_CHARS = 80
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class TakenOver:
    """What was taken over, and what was not."""

    report: bytes | None = None
    """The content of step.json; None when there is none."""
    video_sha256: str | None = None
    """Of swapped.mp4, as it was copied; None when there is none."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """The reason why a file of the contract was refused, by its name; a predicate."""
    deleted: tuple[str, ...] = ()
    """Names of what was deleted, with the reason where there is one; printable and bounded."""

    @property
    def fault(self) -> str | None:
        """A sentence on a refused file that the step cannot do without."""
        for name, reason in self.faults.items():
            return f"The driver's {name} {reason}; it was deleted."
        return None


class _RefusedError(Exception):
    """A file that is not taken; its text is a predicate."""


def make_private(folder: Path) -> None:
    """Make a folder that a driver writes to, for its owner alone. Raises OSError.

    Anything but a folder that stands in its place (an earlier driver's) is removed.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(stat.S_IRWXU)


def take_over(job: Job) -> TakenOver:
    """Keep the files of the contract in the step's ``out``, and nothing else; call it when all its
    processes are gone. What its ``state`` holds stays, without set-user-id bits, pipes and devices;
    so does what lies beside ``out``, where an embedded driver could write as well.

    Raises OSError when the disk refuses.
    """
    out, state = Path(job.out), Path(job.state)
    if state.is_dir() and not state.is_symlink():
        defuse(state)
    fresh = Path(tempfile.mkdtemp(prefix=".taken-", dir=out.parent))
    left = fresh.with_name(fresh.name.replace("taken", "left"))
    try:
        taken = _Taking(job.limits.output_bytes or VIDEO_BYTES, fresh).everything(out)
        if os.path.lexists(out):
            out.rename(left)
        fresh.rename(out)
    except BaseException:
        remove_tree(fresh)
        raise
    # A container whose engine is gone may still write there; the cell's next attempt removes it.
    with suppress(OSError):
        remove_tree(left)
    defuse(out.parent)
    return taken


class _Taking:
    """The files of one ``out`` on their way into a fresh folder."""

    def __init__(self, most_bytes: int, fresh: Path) -> None:
        self._sizes = {
            REPORT_NAME: REPORT_BYTES,
            SWAPPED_NAME: most_bytes,
            OBSERVATION_NAME: most_bytes,
        }
        self._fresh = fresh
        self._faults: dict[str, str] = {}
        self._video_sha256: str | None = None
        self._deleted: dict[str, str] = {}
        self._count = 0

    def everything(self, out: Path) -> TakenOver:
        try:
            folder = open_folder(out)
        except OSError:
            return TakenOver(deleted=("out (no folder any more)",))
        try:
            for name in self._sizes:
                self._take(name, folder)
            self._previews(folder)
            self._delete_rest(folder, {*self._sizes, PREVIEWS_NAME})
        finally:
            os.close(folder)
        report = self._fresh / REPORT_NAME
        return TakenOver(
            report=report.read_bytes() if report.exists() else None,
            video_sha256=self._video_sha256,
            faults=self._faults,
            deleted=self._names(),
        )

    def _names(self) -> tuple[str, ...]:
        named = heapq.nsmallest(_NAMED, self._deleted)
        more = self._count - len(named)
        shown = (_shown(name, self._deleted[name]) for name in named)
        return (*shown, *([f"and {more} more"] if more else []))

    def _take(self, name: str, folder: int) -> None:
        try:
            sha256 = _copy(name, folder, self._fresh / name, self._sizes[name])
        except FileNotFoundError:
            return
        except _RefusedError as reason:
            self._faults[name] = str(reason)
            self._delete(name, str(reason))
            return
        if name == SWAPPED_NAME:
            self._video_sha256 = sha256

    def _previews(self, folder: int) -> None:
        try:
            previews = open_folder(PREVIEWS_NAME, folder)
        except FileNotFoundError:
            return
        except OSError:
            self._delete(PREVIEWS_NAME, _kind(PREVIEWS_NAME, folder))
            return
        kept = self._fresh / PREVIEWS_NAME
        kept.mkdir()
        try:
            with os.scandir(previews) as entries:
                fit = (entry.name for entry in entries if _PREVIEW.fullmatch(entry.name))
                names = heapq.nsmallest(PREVIEWS, fit)
            for name in names:
                try:
                    _copy(name, previews, kept / name, PREVIEW_BYTES)
                except FileNotFoundError:
                    continue
                except _RefusedError as reason:
                    self._delete(f"{PREVIEWS_NAME}/{name}", str(reason))
            self._delete_rest(previews, set(names), f"{PREVIEWS_NAME}/")
        finally:
            os.close(previews)

    def _delete_rest(self, folder: int, looked_at: set[str], within: str = "") -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name not in looked_at:
                    self._delete(f"{within}{entry.name}", _kind(entry.name, folder))

    def _delete(self, name: str, reason: str) -> None:
        """Note what is not taken; it goes with the folder."""
        self._count += 1
        self._deleted[name] = reason
        if len(self._deleted) > 100 * _NAMED:
            first = heapq.nsmallest(_NAMED, self._deleted)
            self._deleted = {name: self._deleted[name] for name in first}


def _shown(name: str, reason: str) -> str:
    shown = ascii(name)[1:-1]
    shown = shown if len(shown) <= _NAME_CHARS else f"{shown[:_NAME_CHARS]}..."
    return f"{shown} ({reason.removeprefix('is ')})" if reason else shown


def _kind(name: str, folder: int) -> str:
    """``is a pipe`` and the like; empty for a plain file, and for what is gone by now."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return ""
    return "" if stat.S_ISREG(mode) else f"is {_KINDS.get(stat.S_IFMT(mode), 'no plain file')}"


def _copy(name: str, folder: int, target: Path, most_bytes: int) -> str:
    """Copy a plain file of at most ``most_bytes``, and return its SHA-256.

    Raises _RefusedError for anything else, FileNotFoundError for nothing.
    """
    if kind := _kind(name, folder):
        raise _RefusedError(kind)
    try:
        sha256 = _copy_plain(name, folder, target, most_bytes)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    target.chmod(0o644)
    return sha256


def _copy_plain(name: str, folder: int, target: Path, most_bytes: int) -> str:
    sha256 = hashlib.sha256()
    with _opened(name, folder) as source, target.open("xb") as copy:
        before = os.fstat(source)
        if not stat.S_ISREG(before.st_mode):
            raise _RefusedError("is no plain file")
        if before.st_nlink != 1:
            raise _RefusedError("has another name elsewhere (a hard link)")
        if before.st_size > most_bytes:
            raise _RefusedError(
                f"has {before.st_size / (1 << 20):,.1f} MiB, "
                f"and {most_bytes / (1 << 20):,.2f} MiB are the most"
            )
        left = before.st_size
        while left and (piece := os.read(source, min(left, _CHUNK_BYTES))):
            copy.write(piece)
            sha256.update(piece)
            left -= len(piece)
        after = os.fstat(source)
        if left or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise _RefusedError("changed while it was read")
    return sha256.hexdigest()


@contextmanager
def _opened(name: str, folder: int) -> Iterator[int]:
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _RefusedError(f"cannot be read: {error.strerror}") from error
    try:
        yield handle
    finally:
        os.close(handle)
