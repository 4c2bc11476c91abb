"""Checks which version of deid-bench may read a results folder."""

from __future__ import annotations

from pathlib import Path

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.core.errors import StoreError
from harness.core.host import bench_version
from harness.store.records import DamagedError, read_record, set_aside, write_record

STORE_FILE = "store.json"


class StoreVersion(Frozen):
    """``store.json``."""

    schema_version: int
    written_by: str
    """The version of deid-bench that made the store."""


def check_store(home: Path, *, looking_only: bool = False) -> None:
    """Raise StoreError for a store that a newer deid-bench wrote.

    A folder without ``store.json`` is a store that nothing was written to yet, or one whose
    ``store.json`` is lost: a damaged one is set aside (not when ``looking_only``), since every
    other file of a newer version says so too.
    """
    path = home / STORE_FILE
    try:
        version = read_record(path, StoreVersion)
    except FileNotFoundError:
        return
    except DamagedError as error:
        if not looking_only:
            set_aside(path, str(error))
        return
    if version.schema_version > SCHEMA_VERSION:
        raise StoreError(
            f"The store {home} was written by deid-bench {version.written_by} (store schema "
            f"{version.schema_version}); this is deid-bench {bench_version()}, which reads up to "
            f"schema {SCHEMA_VERSION}.",
            hint=f"Use deid-bench {version.written_by} or later, or set another BENCH_HOME.",
        )


def mark_store(home: Path) -> None:
    """Write ``store.json`` where there is none; raises as ``check_store``, and when it cannot."""
    check_store(home)
    if not (home / STORE_FILE).exists():
        version = StoreVersion(schema_version=SCHEMA_VERSION, written_by=bench_version())
        write_record(home / STORE_FILE, version, in_any_folder=True)
