"""A folder that is replaced as a whole: written beside, then swapped; never somebody else's."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.core.errors import StoreError, UsageError

MARKER = ".bench-site.json"
"""In every folder that publish made: the files it wrote there."""
_FILE_ENDINGS = (".html", ".htm", ".pdf", ".zip", ".json", ".md")
_LOCK = ".bench-site.lock"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def check_target(target: Path) -> None:
    """Raise UsageError when ``target`` is something that publishing must not replace: a file, a
    folder that it did not make, or one that holds files it did not write.
    """
    if not target.exists() and not target.is_symlink():
        if target.suffix.lower() in _FILE_ENDINGS:
            raise UsageError(
                f"A site is a folder, and {target} is a name for a file.",
                hint="Name a folder; `bench report --out` writes one page.",
            )
        return
    if not target.is_dir():
        raise UsageError(
            f"{target} is a file; a site is a folder.", hint="Name a folder that is not there yet."
        )
    with _sentences(target):
        present = sorted(
            path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()
        )
        written = _written(target)
    if written is None:
        if present:
            raise UsageError(
                f"{target} holds files and was not made by `bench publish`, so it is not replaced.",
                hint="Name an empty folder, or one that is not there yet.",
            )
        return
    foreign = [name for name in present if name not in written and name != MARKER]
    if foreign:
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        raise UsageError(
            f"{target} holds files that `bench publish` did not write: "
            f"{', '.join(foreign[:3])}{more}. Publishing would delete them.",
            hint="Move them away, or publish into a folder of its own inside that one.",
        )


def replace_folder(target: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, int]:
    """Make ``target`` hold exactly ``files`` (path from its root, content), and say their sizes.

    What was there is served until everything is written, then both folders change places at
    once where the kernel can do that. Raises UsageError as ``check_target`` does, StoreError when
    the disk refuses; the old folder then stays as it was.
    """
    target = Path(os.path.realpath(target))
    check_target(target)
    with _sentences(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with _work_folder(target) as work:
        fresh = work / "new"
        with _sentences(target):
            sizes = _write(fresh, files)
            # Somebody may have put files there meanwhile.
            check_target(target)
            _swap(fresh, target)
    return sizes


def _written(folder: Path) -> set[str] | None:
    """The files that publish wrote there; None for a folder that it did not make."""
    try:
        content = json.loads((folder / MARKER).read_bytes())
        return set(content["files"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _write(folder: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name, data in files:
        if name in sizes:
            raise ValueError(f"two pages of the site are called {name}")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        sizes[name] = len(data)
    marker = {"made_by": "bench publish", "files": sorted(sizes)}
    (folder / MARKER).write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
    return sizes


@contextmanager
def _work_folder(target: Path) -> Iterator[Path]:
    """A folder beside ``target`` that is gone at the end, whatever happens. What a killed publish
    left in it is removed first; the kernel keeps two publishers of one site apart.
    """
    work = target.with_name(f".{target.name}.bench-publish")
    with _sentences(target):
        work.mkdir(exist_ok=True)
        lock = os.open(work / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"Another `bench publish` is writing {target} now.", hint="Wait until it ends."
            ) from error
        try:
            for left in ("new", "old"):
                shutil.rmtree(work / left, ignore_errors=True)
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
    finally:
        os.close(lock)


def _swap(fresh: Path, target: Path) -> None:
    """Put ``fresh`` in the place of ``target``; the old folder ends up where ``fresh`` was."""
    if not target.exists():
        fresh.rename(target)
    elif not _exchange(fresh, target):
        old = fresh.with_name("old")
        target.rename(old)
        try:
            fresh.rename(target)
        except OSError:
            old.rename(target)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where this system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    ends = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other))
    if rename(*ends, _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))


@contextmanager
def _sentences(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise StoreError(
            f"The site cannot be written to {target}: {error.strerror or error}{where}. "
            "What was there before is unchanged.",
            hint="Name another folder, or look at its rights and the free space.",
        ) from error
