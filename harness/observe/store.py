"""Observations on disk: ``observations/<sha256>/<observer>@<version>.parquet``."""

from __future__ import annotations

import fcntl
import glob
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.model.base import SCHEMA_VERSION

_KEY = b"bench_schema_version"


def observation_path(home: Path, sha256: str, observer: str, version: str) -> Path:
    """Where one observer's measurements of one video are."""
    return home / "observations" / sha256 / f"{observer}@{version}.parquet"


@contextmanager
def store_sentences(path: Path) -> Iterator[None]:
    """Turn an OSError (full disk, read-only folder) into a StoreError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read or written: {error.strerror or error}.",
            hint="Check the free space and the permissions, or set BENCH_HOME to another folder; "
            "then run the same command again: nothing measured before is lost.",
        ) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock beside ``path``, so that two processes never lose rows."""
    with store_sentences(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = (path.parent / f".{path.name}.lock").open("w")
    with stream:
        with store_sentences(path):
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def write_table(path: Path, table: Any) -> None:
    """Write a pyarrow Table as Parquet (zstd) by atomic rename. Raises StoreError.

    Call it with a lock held that everyone who writes ``path`` takes.
    """
    from pyarrow import parquet

    metadata = {**(table.schema.metadata or {}), _KEY: str(SCHEMA_VERSION).encode()}
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    with store_sentences(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
            # The lock is held here, so whoever wrote this was killed.
            left.unlink(missing_ok=True)
        try:
            parquet.write_table(
                table.replace_schema_metadata(metadata), partial, compression="zstd"
            )
            with partial.open("rb") as stream:
                os.fsync(stream.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def read_table(path: Path) -> Any | None:
    """The stored pyarrow Table, or None when there is none.

    A file that is not readable Parquet is set aside (``*.corrupt-<n>``) and counts as missing, so
    that it is measured again. Raises StoreError for a file of a newer schema version.
    """
    import pyarrow
    from pyarrow import parquet

    if not path.exists():
        return None
    try:
        with store_sentences(path), path.open("rb") as stream:
            table = parquet.read_table(stream)
        version = int((table.schema.metadata or {})[_KEY])
    except (pyarrow.ArrowException, KeyError, ValueError):
        set_aside(path)
        return None
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer version (schema {version}; this one reads up to "
            f"{SCHEMA_VERSION}).",
            hint="Upgrade deid-bench, or set BENCH_HOME to another folder.",
        )
    return table


def set_aside(path: Path) -> Path:
    """Rename a damaged file to the first free ``<name>.corrupt-<n>``; returns the new path."""
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    with store_sentences(path):
        path.rename(aside)
    return aside
