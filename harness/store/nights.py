"""The history of nights: one file per night, tool and config, written once and never changed.

nights/lock                              held (flock) by the nightly that runs
nights/open-<suite>-<dataset>-<id>.json  the night of this suite that is begun and not finished
nights/<night>/<tool>-<config>-<id>.json what the night found
nights/<night>/<suite>-<dataset>-<id>.md what the night said
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.core.base import Frozen
from harness.core.errors import StoreError
from harness.core.hashing import content_hash
from harness.model.nightly import NightRecord
from harness.store.atomic import write_bytes
from harness.store.cells import disk_errors
from harness.store.records import (
    DamagedError,
    read_about,
    read_record,
    set_aside,
    warn_left_out,
    write_record,
)
from harness.store.schema import check_store, mark_store


class OpenNight(Frozen):
    """``open-....json``."""

    night: str
    suite: str
    dataset: str


class NightStore:
    """The nights below ``home``. Raises StoreError when a newer deid-bench wrote the store."""

    def __init__(self, home: Path) -> None:
        check_store(home)
        self.home = home
        self.folder = home / "nights"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the history; the kernel lets go of it however the holder ends.

        Raises StoreError when another nightly holds it.
        """
        mark_store(self.home)
        path = self.folder / "lock"
        with disk_errors(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise StoreError(
                f"Another `bench nightly` runs on the store {self.home}.",
                hint="Wait for it to end, or give this one another BENCH_HOME.",
            ) from error
        try:
            yield
        finally:
            os.close(handle)

    def begin(self, night: str, suite: str, dataset: str) -> str:
        """The night to work on: one of this suite that was interrupted, else ``night``."""
        path = self.folder / f"open-{_named(suite, dataset)}.json"
        try:
            opened = read_record(path, OpenNight)
            if (opened.suite, opened.dataset) == (suite, dataset):
                return opened.night
        except FileNotFoundError:
            pass
        except DamagedError as error:
            set_aside(path, str(error))
        write_record(path, OpenNight(night=night, suite=suite, dataset=dataset))
        return night

    def close(self, night: str, suite: str, dataset: str, digest: str) -> Path:
        """Store what the night said; the suite's next one is another night. Returns the file."""
        path = self.folder / night / f"{_named(suite, dataset)}.md"
        write_bytes(path, digest.encode())
        with disk_errors(path):
            (self.folder / f"open-{path.stem}.json").unlink(missing_ok=True)
        return path

    def append(self, record: NightRecord) -> bool:
        """Store a record; False, and nothing is changed, when the night has it already."""
        name = f"{_plain(record.tool, record.config)}-{record.id}.json"
        path = self.folder / record.night / name
        if path.exists():
            return False
        write_record(path, record)
        return True

    def records(self) -> tuple[NightRecord, ...]:
        """All records, oldest night first; a damaged file is warned of and left out.

        Raises StoreError for a record of a newer schema.
        """
        records = []
        for path in sorted(self.folder.glob("*/*.json")):
            try:
                records.append(read_night(path))
            except FileNotFoundError:
                continue
            except DamagedError as error:
                warn_left_out(path, f"{error}: the history lacks this night of its tool")
        return tuple(sorted(records, key=lambda record: (record.night, record.tool, record.config)))


def read_night(path: Path) -> NightRecord:
    """A night's record of a tool. Raises as ``read_about``."""
    return read_about(
        path,
        NightRecord,
        lambda record: record.night == path.parent.name and path.stem.endswith(record.id),
    )


def _plain(*names: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(names))[:60]


def _named(suite: str, dataset: str) -> str:
    """A file's name for a suite on a dataset, different for different ones."""
    return f"{_plain(suite, dataset)}-{content_hash([suite, dataset])[:8]}"
