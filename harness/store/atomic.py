"""Files and folders that exist whole or not at all."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import StoreError

if TYPE_CHECKING:
    from pydantic import BaseModel

_HASH_DIGITS = 16


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file through a temporary neighbour, fsync and rename; parents are made.

    Raises StoreError when the disk refuses; an older file at ``path`` then stays as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", dir=path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        sync_dir(path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: BaseModel | Any) -> None:
    """Write a model, or anything JSON can spell, as indented JSON with sorted keys.

    Raises ValueError for NaN or infinity, StoreError when the disk refuses.
    """
    # Asked by name: drivers publish videos with this module, and start without pydantic.
    plain = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
    text = json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def keep(folder: Path, stem: str, suffix: str, data: bytes) -> Path:
    """Write what was computed once for all under a name that ends with its own hash, for
    ``find_kept``. Raises StoreError when the disk refuses.
    """
    path = folder / f"{stem}.{hashlib.sha256(data).hexdigest()[:_HASH_DIGITS]}{suffix}"
    write_bytes(path, data)
    return path


def find_kept(folder: Path, stem: str, suffix: str) -> Path | None:
    """The file that ``keep`` wrote for ``stem``; None when there is none that is what its name
    says, so that it is computed again.
    """
    hashed = "[0-9a-f]" * _HASH_DIGITS
    paths = sorted(folder.glob(f"{glob.escape(stem)}.{hashed}{suffix}"))
    return next((path for path in paths if is_kept(path)), None)


def is_kept(path: Path) -> bool:
    """True for a file that is what its name, given by ``keep``, says."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return False
    return path.stem.endswith(f".{digest[:_HASH_DIGITS]}")


def publish_file(temporary: Path, final: Path) -> None:
    """Move a finished file of the same file system to its name, after fsync.

    Raises StoreError when the disk refuses.
    """
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(final)
        sync_dir(final.parent)
    except OSError as error:
        raise _refused(final, error) from error


def sync_dir(folder: Path) -> None:
    """Make a rename inside ``folder`` outlive a power cut, where the system can."""
    flags = getattr(os, "O_DIRECTORY", None)
    if flags is None:
        return
    handle = os.open(folder, os.O_RDONLY | flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(path: Path, error: OSError) -> StoreError:
    reason = error.strerror or str(error)
    return StoreError(
        f"Could not write {path}: {reason}.",
        hint="Check the free space and the rights of this folder, or set BENCH_HOME to another.",
    )
