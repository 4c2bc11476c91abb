"""Cells in the results folder: what was asked, every try, and at most one published result.

cells/<slug>/spec.json                  canonical JSON whose hash is the cell's id
cells/<slug>/lock                       held (flock) by the process that runs the cell
cells/<slug>/state/                     the tool's own: kept between steps and attempts
cells/<slug>/attempts/<n>-<uuid>/       one try; without attempt.json it is half-written
cells/<slug>/result.json                published once, by atomic rename
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.core.errors import StoreError
from harness.core.hashing import canonical_json, content_hash, file_sha256
from harness.core.trees import remove_tree
from harness.model.cell import Artifact, Attempt, CellSpec, Result, Status
from harness.model.job import PREVIEWS_NAME, SWAPPED_NAME, StepReport
from harness.store.atomic import publish_file, write_bytes
from harness.store.records import (
    DamagedError,
    is_content,
    is_sound,
    model_of,
    read_about,
    read_members,
    refuse_newer,
    set_aside,
    warn_left_out,
    write_record,
)
from harness.store.schema import check_store, mark_store

SPEC_FILE = "spec.json"
ATTEMPT_FILE = "attempt.json"
RESULT_FILE = "result.json"
LOCK_FILE = "lock"
_LOCK_POLL_S = 0.1

# Inside the class the name `list` is its method.
Specs = list[CellSpec]
Attempts = list[Attempt]


@dataclass(frozen=True)
class OpenAttempt:
    """A try that has begun: its folder is there, its ``attempt.json`` is not."""

    number: int
    uuid: str
    folder: Path
    started_at: str


def utc_now() -> str:
    """The time as ISO 8601 with milliseconds and ``+00:00``."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def attempt_name(number: int, attempt_uuid: str) -> str:
    """The name of an attempt's folder; it sorts by number."""
    return f"{number:03d}-{attempt_uuid}"


class CellStore:
    """The cells below ``home``. Raises StoreError when a newer deid-bench wrote the store."""

    def __init__(self, home: Path) -> None:
        check_store(home)
        self.home = home

    def folder(self, spec: CellSpec) -> Path:
        """Folder of all files of the cell."""
        return self.home / "cells" / spec.slug

    def state(self, spec: CellSpec) -> Path:
        """The tool's own folder, kept between the cell's steps and attempts."""
        return self.folder(spec) / "state"

    def list(self) -> Specs:
        """All cells, by slug. One whose spec is damaged is warned of and left out: `bench run`
        writes it again.
        """
        paths = sorted((self.home / "cells").glob(f"*/{SPEC_FILE}"))
        return [spec for path in paths if (spec := _known_spec(path)) is not None]

    def attempts(self, spec: CellSpec) -> Attempts:
        """The cell's finished attempts, oldest first, whatever came of them.

        One whose record is damaged is passed over; its folder is kept.
        """
        paths = sorted((self.folder(spec) / "attempts").glob(f"*/{ATTEMPT_FILE}"))
        attempts = (_known_attempt(path) for path in paths)
        return sorted(
            (attempt for attempt in attempts if attempt is not None),
            key=lambda attempt: attempt.number,
        )

    def result(self, spec: CellSpec) -> Result | None:
        """The published result; None when there is none, or it is damaged, or its video is gone or
        cut short: the cell is then done again.

        A damaged ``result.json`` is made again from the attempt it was published with, where that
        names its files. The video's size is checked here, its hash by ``verify``.
        """
        path = self.folder(spec) / RESULT_FILE
        if not os.path.lexists(path):
            return None
        try:
            result = read_result(path)
        except FileNotFoundError:
            return None
        except DamagedError as error:
            set_aside(path, str(error))
            rebuilt = self._rebuilt(spec)
            if rebuilt is None:
                return None
            result = rebuilt
            with suppress(StoreError):
                write_record(path, result)
        video = self.folder(spec) / result.swapped.path
        try:
            return result if video.stat().st_size == result.swapped.size_bytes else None
        except FileNotFoundError:
            return None

    def verify(self, spec: CellSpec) -> bool:
        """True when the cell has a result whose video is, by its SHA-256, the one published."""
        result = self.result(spec)
        if result is None:
            return False
        video = self.folder(spec) / result.swapped.path
        return is_content(video, result.swapped.sha256)

    def _rebuilt(self, spec: CellSpec) -> Result | None:
        """The result as the successful attempt names it, if its video is whole."""
        for attempt in reversed(self.attempts(spec)):
            if attempt.status is Status.OK and attempt.artifacts:
                result = _result_of(attempt)
                video = self.folder(spec) / result.swapped.path
                return result if is_content(video, result.swapped.sha256) else None
        return None

    def mend(self, spec: CellSpec) -> None:
        """Set aside a video that is not the one published, so that the cell has no result, and
        write a ``spec.json`` again that is damaged or gone from a folder that is the cell's by its
        name, and a ``store.json`` that is gone. Raises StoreError.
        """
        with suppress(StoreError):
            # A finished study can be looked at on a read-only disk.
            mark_store(self.home)
        result = self.result(spec)
        if result is not None:
            is_sound(self.folder(spec) / result.swapped.path, result.swapped.sha256)
        path = self.folder(spec) / SPEC_FILE
        if path.parent.is_dir() and any(path.parent.iterdir()) and _known_spec(path) is None:
            write_bytes(path, canonical_json(spec.model_dump(mode="json")))

    def swapped_path(self, spec: CellSpec) -> Path:
        """The published video. Raises StoreError when the cell has no result."""
        result = self.result(spec)
        if result is None:
            raise StoreError(
                f"The cell {spec.slug} has no result in {self.home}.",
                hint=f"Try it again: bench retry {spec.slug}",
            )
        return self.folder(spec) / result.swapped.path

    @contextmanager
    def lock(self, spec: CellSpec, *, wait: threading.Event | None = None) -> Iterator[bool]:
        """Hold the cell; yields False when another process holds it: at once, or with ``wait``
        only when that event is set meanwhile.

        The kernel releases the lock however the holder ends.
        """
        mark_store(self.home)
        path = self.folder(spec) / LOCK_FILE
        handle = _lock_file(path, wait)
        try:
            yield handle is not None
        finally:
            if handle is not None:
                os.close(handle)

    def begin(self, spec: CellSpec) -> OpenAttempt:
        """Open a new attempt. Call with the cell's lock held: half-written work is discarded."""
        folder = self.folder(spec)
        self._discard_half_written(spec)
        stored = _known_spec(folder / SPEC_FILE)
        if stored is None:
            write_bytes(folder / SPEC_FILE, canonical_json(spec.model_dump(mode="json")))
        elif stored.id != spec.id:
            raise StoreError(
                f"{folder} belongs to another cell of the same name.",
                hint="Move this folder away, then run the command again.",
            )
        taken = (folder.name.partition("-")[0] for folder in (folder / "attempts").glob("*-*"))
        number = max((int(number) for number in taken if number.isdecimal()), default=0) + 1
        name = str(uuid.uuid4())
        opened = folder / "attempts" / attempt_name(number, name)
        with disk_errors(opened):
            opened.parent.mkdir(parents=True, exist_ok=True)
            opened.mkdir(mode=0o700)
        return OpenAttempt(number=number, uuid=name, folder=opened, started_at=utc_now())

    def finish(self, spec: CellSpec, attempt: Attempt) -> None:
        """Store an attempt that is no result. Raises ValueError for one that succeeded."""
        if attempt.status is Status.OK:
            raise ValueError("a successful attempt is stored by publish()")
        write_record(self._attempt_folder(spec, attempt) / ATTEMPT_FILE, attempt)

    def publish(
        self,
        spec: CellSpec,
        attempt: Attempt,
        swapped: Path,
        steps: Sequence[StepReport],
        previews: Sequence[Path] = (),
        *,
        sha256: str | None = None,
    ) -> Result:
        """Store a successful attempt and make ``swapped`` (on this file system) the cell's result.

        The video and the ``previews`` of its training are in place and on the disk before anything
        names them; ``result.json`` comes last. ``sha256`` is the video's when it was looked at: one
        that changed since is found damaged by whoever reads it. Raises ValueError for an attempt
        that did not succeed.
        """
        if attempt.status is not Status.OK:
            raise ValueError(f"an attempt that ended as {attempt.status} is never a result")
        folder = self._attempt_folder(spec, attempt)
        final = folder / "out"
        kept = [self._place(spec, path, final / PREVIEWS_NAME / path.name) for path in previews]
        video = self._place(spec, swapped, final / SWAPPED_NAME, sha256)
        done = attempt.model_copy(update={"steps": tuple(steps), "artifacts": (video, *kept)})
        result = _result_of(done)
        write_record(folder / ATTEMPT_FILE, done)
        write_record(self.folder(spec) / RESULT_FILE, result)
        return result

    def _place(
        self, spec: CellSpec, source: Path, final: Path, sha256: str | None = None
    ) -> Artifact:
        """Move a finished file to its place in the cell."""
        publish_file(source, final)
        return Artifact(
            path=final.relative_to(self.folder(spec)).as_posix(),
            sha256=sha256 or file_sha256(final),
            size_bytes=final.stat().st_size,
        )

    def _attempt_folder(self, spec: CellSpec, attempt: Attempt) -> Path:
        return self.folder(spec) / "attempts" / attempt_name(attempt.number, attempt.uuid)

    def _discard_half_written(self, spec: CellSpec) -> None:
        """Remove attempts that were cut off, and successful ones that no valid result names."""
        result = self.result(spec)
        path = self.folder(spec) / RESULT_FILE
        with disk_errors(self.folder(spec)):
            if any(self.folder(spec).glob(f"{RESULT_FILE}.corrupt-*")):
                # No half-written work: something else was at it, and what it names is kept too.
                return
            if result is None:
                path.unlink(missing_ok=True)
            for name in (SPEC_FILE, RESULT_FILE):
                # What a writer that was killed had not renamed yet.
                for temporary in self.folder(spec).glob(f".{name}.*"):
                    temporary.unlink(missing_ok=True)
            for folder in (self.folder(spec) / "attempts").glob("*"):
                record = folder / ATTEMPT_FILE
                attempt = _known_attempt(record)
                damaged = attempt is None and any(folder.glob(f"{ATTEMPT_FILE}*"))
                done = attempt is not None and (
                    result is not None or attempt.status is not Status.OK
                )
                if damaged or done:
                    continue
                remove_tree(folder)


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn an OSError (full, read-only, no rights) into a StoreError that names ``place``."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        cause = "the disk is full" if full else error.strerror or str(error)
        raise StoreError(
            f"The store could not be written at {error.filename or place}: {cause}. "
            "Finished cells are kept.",
            hint="Make room or set BENCH_HOME to another folder, then run the same command again.",
        ) from error


def _lock_file(path: Path, wait: threading.Event | None) -> int | None:
    """The open, locked file, or None when it is held elsewhere and ``wait`` is None or set."""
    while True:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            # A blocking flock could not be given up in a thread.
            if wait is None or wait.wait(_LOCK_POLL_S):
                return None
            continue
        except BaseException:
            os.close(handle)
            raise
        if _is_same_file(handle, path):
            return handle
        # The folder was removed and made again meanwhile.
        os.close(handle)


def _is_same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def read_spec(path: Path) -> CellSpec:
    """The spec that a cell's folder is named after. Raises as ``read_about``."""
    members = read_members(path)
    if _is_named_after(path.parent, content_hash(members)):
        refuse_newer(path, members.get("schema_version"))
    spec = model_of(members, CellSpec)
    if not _is_named_after(path.parent, spec.id):
        raise DamagedError("is not the one that its folder is named after")
    return spec


def _known_spec(path: Path) -> CellSpec | None:
    """``read_spec``; None when it is gone, or damaged: warned of."""
    try:
        return read_spec(path)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        warn_left_out(
            path, f"{error}, so this cell is not known; `bench run` of it writes it again"
        )
        return None


def read_attempt(path: Path) -> Attempt:
    """The record of an attempt, which its folder and its cell's are named after. Raises as
    ``read_about``.
    """
    return read_about(
        path,
        Attempt,
        lambda attempt: (
            _is_named_after(path.parents[2], attempt.cell_id)
            and path.parent.name == attempt_name(attempt.number, attempt.uuid)
        ),
    )


def read_result(path: Path) -> Result:
    """The result of the cell that the folder is named after. Raises as ``read_about``."""
    return read_about(path, Result, lambda result: _is_named_after(path.parent, result.cell_id))


def _is_named_after(folder: Path, cell_id: str) -> bool:
    return folder.name.endswith(f"-{cell_id[:12]}")


def _known_attempt(path: Path) -> Attempt | None:
    """``read_attempt``; None when it is gone, or damaged: set aside."""
    try:
        return read_attempt(path)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        set_aside(path, str(error))
        return None


def _result_of(attempt: Attempt) -> Result:
    """What is published of a successful attempt that names its files."""
    swapped, *previews = attempt.artifacts
    return Result(
        cell_id=attempt.cell_id,
        attempt=attempt_name(attempt.number, attempt.uuid),
        swapped=swapped,
        steps=attempt.steps,
        previews=tuple(previews),
    )
