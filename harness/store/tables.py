"""Parquet files that exist whole or not at all, read back whole or counted as missing."""

from __future__ import annotations

import fcntl
import glob
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from harness.core.base import SCHEMA_VERSION
from harness.core.errors import StoreError

_KEY = b"bench_schema_version"
_ROW_GROUP = 512


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
    """Hold an exclusive lock alongside ``path``, so that two processes never lose rows."""
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
    with growing_table(path, table.schema) as rows:
        rows.write(table)


@contextmanager
def growing_table(path: Path, schema: Any) -> Iterator[Rows]:
    """Rows for a Parquet file (zstd) that appears whole when the block ends, and not at all when
    it raises. Call it with a lock held that everyone who writes ``path`` takes. Raises StoreError.
    """
    from pyarrow import parquet

    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    schema = schema.with_metadata({**(schema.metadata or {}), _KEY: str(SCHEMA_VERSION).encode()})
    with store_sentences(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
            # The lock is held here, so whoever wrote this was killed.
            left.unlink(missing_ok=True)
        writer = parquet.ParquetWriter(partial, schema, compression="zstd")
    try:
        rows = Rows(writer, schema, path)
        try:
            yield rows
            rows.flush()
        finally:
            with store_sentences(path):
                writer.close()
        with store_sentences(path):
            with partial.open("rb") as stream:
                os.fsync(stream.fileno())
            partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


class Rows:
    """Rows on their way to a file; a few hundred are in memory at a time."""

    def __init__(self, writer: Any, schema: Any, path: Path) -> None:
        self._writer, self._schema, self._path = writer, schema, path
        self._held: list[Mapping[str, Any]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """A row; what the schema has and the row has not is null."""
        self._held.append(row)
        if len(self._held) >= _ROW_GROUP:
            self.flush()

    def write(self, table: Any) -> None:
        """Many rows at once, of the same columns."""
        with store_sentences(self._path):
            self._writer.write_table(table.cast(self._schema))

    def flush(self) -> None:
        """Write what is held."""
        import pyarrow as pa

        if self._held:
            self.write(pa.Table.from_pylist(self._held, schema=self._schema))
            self._held = []


def is_stored(path: Path) -> bool:
    """True when ``read_table`` would most likely find a table; only the end of the file is read.

    Sets aside and raises as ``read_table`` does.
    """
    from pyarrow import parquet

    return _checked(path, lambda stream: parquet.read_schema(stream).metadata or {}) is not None


def read_table(path: Path) -> Any | None:
    """The stored pyarrow Table, or None when there is none.

    A file that is not readable Parquet is set aside (``*.corrupt-<n>``) and counts as missing, so
    that it is measured again. Raises StoreError for a file of a newer schema version.
    """
    from pyarrow import parquet

    return _checked(path, parquet.read_table)


def _checked(path: Path, read: Callable[[Any], Any]) -> Any | None:
    """The content that ``read`` makes of the open file, or its metadata; None when there is nothing
    good.
    """
    import pyarrow

    if not path.exists():
        return None
    try:
        with store_sentences(path), path.open("rb") as stream:
            content = _parsed(read, stream)
        metadata = content if isinstance(content, dict) else content.schema.metadata
        version = int((metadata or {})[_KEY])
    except (pyarrow.ArrowException, KeyError, ValueError):
        set_aside(path)
        return None
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer version (schema {version}; this one reads up to "
            f"{SCHEMA_VERSION}).",
            hint="Upgrade deid-bench, or set BENCH_HOME to another folder.",
        )
    return content


def _parsed(read: Callable[[Any], Any], stream: Any) -> Any:
    """``read`` of an open file; ValueError for one that is damaged."""
    try:
        return read(stream)
    except OSError as error:
        if error.errno is None:
            # pyarrow's way to say that a page is damaged: the system had no part in it.
            raise ValueError(str(error)) from error
        raise


def set_aside(path: Path) -> Path:
    """Rename a damaged file to the first free ``<name>.corrupt-<n>``; returns the new path."""
    number = 1
    while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    with store_sentences(path):
        path.rename(aside)
    return aside
