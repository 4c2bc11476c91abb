"""Parquet files that exist whole or not at all, read as they were written or counted as missing.

Every page has a checksum, and the footer holds the SHA-256 of the whole file and its place in the
store: a flipped bit anywhere, or another file in its place, is damage. Files of earlier versions
have neither and are believed as far as Parquet itself can check them.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.core.base import SCHEMA_VERSION
from harness.core.errors import StoreError
from harness.core.hashing import file_state
from harness.store.records import refuse_newer, set_aside

_KEY = b"bench_schema_version"
_PLACE = b"bench_place"
_DIGEST = b"bench_sha256"
_BLANK = b"0" * 64
"""In place of the digest while the file is hashed."""
_VALUE = b"\x18\x40"
"""Between the key and the value in the footer: Thrift's header of a text of 64 bytes."""
_FOOTER_BYTES = 1 << 20
_UNREADABLE = "is no Parquet file that can be read"
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
    schema = schema.with_metadata(
        {
            **(schema.metadata or {}),
            _KEY: str(SCHEMA_VERSION).encode(),
            _PLACE: _place_of(path),
        }
    )
    with store_sentences(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
            # The lock is held here, so whoever wrote this was killed.
            left.unlink(missing_ok=True)
        writer = parquet.ParquetWriter(
            partial, schema, compression="zstd", write_page_checksum=True
        )
    try:
        rows = Rows(writer, schema, path)
        try:
            yield rows
            rows.flush()
            writer.add_key_value_metadata({_DIGEST: _BLANK})
        finally:
            with store_sentences(path):
                writer.close()
        with store_sentences(path):
            _seal(partial)
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

    return _checked(path, lambda: parquet.read_schema(path).metadata or {}) is not None


def read_table(path: Path) -> Any | None:
    """The stored pyarrow Table, or None when there is none.

    A file that is damaged is set aside (``*.corrupt-<n>``), warned of, and counts as missing, so
    that it is made again. Raises StoreError for a file of a newer schema version.
    """
    import pyarrow as pa
    from pyarrow import parquet

    def read() -> Any:
        data = _content(path)
        if damage := _damage(data, path):
            raise ValueError(damage)
        return parquet.read_table(pa.BufferReader(data), page_checksum_verification=True)

    return _checked(path, read)


def table_damage(path: Path) -> str | None:
    """The damage of a stored table as a predicate, or None; nothing is set aside. Raises StoreError
    when the disk refuses.
    """
    try:
        with store_sentences(path):
            data = _content(path)
    except ValueError as error:
        return str(error)
    if _sealed_at(data) is not None:
        return _damage(data, path)
    return None if _can_be_read(data) else _UNREADABLE


def _can_be_read(data: bytes) -> bool:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        parquet.read_table(pa.BufferReader(data), page_checksum_verification=True)
    except (pa.ArrowException, ValueError, OSError):
        return False
    return True


def is_sealed(path: Path) -> bool:
    """True when a table has a digest: those of earlier versions have none."""
    return stored_digest(path) is not None


def stored_digest(path: Path) -> str | None:
    """The SHA-256 that a table says it has: what scores name it by. None for a table without one,
    or one that is gone or damaged at its end.
    """
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _FOOTER_BYTES))
            found = _sealed_at(end := stream.read())
    except OSError:
        return None
    return None if found is None else end[found : found + len(_BLANK)].decode(errors="replace")


def sound_digest(path: Path) -> str | None:
    """``stored_digest`` of a table that has it by every byte, looked at once for each state of the
    file; None for one without a digest, and for a damaged one: it is set aside. Raises StoreError.
    """
    with store_sentences(path):
        sound = path.is_file() and _is_sound(path, *file_state(path))
    if sound:
        return stored_digest(path)
    set_aside(path, table_damage(path) or _UNREADABLE)
    return None


@lru_cache(maxsize=4096)
def _is_sound(path: Path, *_state: int) -> bool:
    return table_damage(path) is None


def _content(path: Path) -> bytes:
    """The bytes of a plain file; ValueError for anything else, and no pipe is waited for."""
    if not path.is_file():
        raise ValueError("is no file")
    return path.read_bytes()


def _sealed_at(data: bytes) -> int | None:
    """Where the digest lies."""
    at = data.rfind(_DIGEST + _VALUE)
    return None if at < 0 else at + len(_DIGEST + _VALUE)


def _digest(data: bytes, at: int) -> bytes:
    digest = hashlib.sha256(memoryview(data)[:at])
    digest.update(_BLANK)
    digest.update(memoryview(data)[at + len(_BLANK) :])
    return digest.hexdigest().encode()


def _seal(path: Path) -> None:
    """Put the digest into a finished file, and the file on the disk."""
    data = path.read_bytes()
    at = _sealed_at(data)
    assert at is not None
    with path.open("rb+") as stream:
        stream.seek(at)
        stream.write(_digest(data, at))
        stream.flush()
        os.fsync(stream.fileno())


def _damage(data: bytes, path: Path) -> str | None:
    """Damage that the digest or the place shows, as a predicate; None where none is seen."""
    at = _sealed_at(data)
    if at is None:
        return None
    if data[at : at + len(_BLANK)] != _digest(data, at):
        return "is not what was stored: its digest is another one"
    # Looked for in the bytes, which are known to be sound: a query needs no pyarrow.
    if _text_entry(_PLACE, _place_of(path)) not in data[-_FOOTER_BYTES:]:
        return "is the table of something else"
    return None


def _text_entry(key: bytes, text: bytes) -> bytes:
    """A key and its value as they stand in a footer: Thrift's compact texts, the length in groups
    of seven bits, lowest first."""
    size, length = len(text), b""
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return key + b"\x18" + length + bytes([size]) + text


def _place_of(path: Path) -> bytes:
    return f"{path.parent.name}/{path.name}".encode(errors="surrogateescape")


def _checked(path: Path, read: Callable[[], Any]) -> Any | None:
    """What ``read`` makes of the file, or its metadata; None when there is nothing good."""
    import pyarrow

    if not os.path.lexists(path):
        return None
    try:
        with store_sentences(path):
            content = _parsed(read)
        metadata = content if isinstance(content, dict) else content.schema.metadata
        version = int((metadata or {})[_KEY])
    except (pyarrow.ArrowException, KeyError, ValueError) as error:
        damage = str(error)
        set_aside(path, damage if damage.startswith("is ") else _UNREADABLE)
        return None
    refuse_newer(path, version)
    return content


def _parsed(read: Callable[[], Any]) -> Any:
    """What ``read`` returns; ValueError for a file that is damaged."""
    try:
        return read()
    except OSError as error:
        if error.errno is None:
            # pyarrow's way to say that a page is damaged: the system had no part in it.
            raise ValueError(str(error)) from error
        raise
