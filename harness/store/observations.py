"""Observations on disk: ``observations/<sha256>/<observer>@<version>.parquet``."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from harness.core.base import SCHEMA_VERSION
from harness.model.video import VideoInfo
from harness.store.records import DamagedError, read_members, set_aside, write_record
from harness.store.tables import (
    Rows,
    growing_table,
    is_stored,
    locked,
    read_table,
    sound_digest,
    stored_digest,
    write_table,
)

_INFO = "video-info"
_INFO_VERSION = "1"
"""Raised whenever ``probe`` would say something else of the same file."""


class ObservationKey(NamedTuple):
    """The observation of one video or photo by one version of an observer."""

    sha256: str
    """Of the video's or photo's content."""
    observer: str
    version: str


class ObservationStore:
    """``home/observations``. A table appears whole; a damaged one is set aside and counts as
    missing, so that it is measured again. All methods raise StoreError when the disk refuses.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "observations"
        self.read_digests: dict[str, str] = {}
        """The SHA-256 of every table that was read or written, by its place in the folder; those of
        earlier versions have none."""

    def path(self, key: ObservationKey, ending: str = ".parquet") -> Path:
        """The file of an observation, whether it is there or not."""
        return self.folder / key.sha256 / f"{key.observer}@{key.version}{ending}"

    def locked(self, key: ObservationKey) -> AbstractContextManager[None]:
        """Exclusive access to an observation, so that two processes never lose rows."""
        return locked(self.path(key))

    def has(self, key: ObservationKey) -> bool:
        """True when ``read`` would most likely find a table; only the end of the file is read."""
        return is_stored(self.path(key))

    def read(self, key: ObservationKey) -> Any | None:
        """The stored pyarrow Table, or None. Raises StoreError for one of a newer schema version
        too."""
        path = self.path(key)
        table = read_table(path)
        if table is not None and (digest := stored_digest(path)) is not None:
            self.read_digests[f"{path.parent.name}/{path.name}"] = digest
        return table

    def still_reads(self, digests: Mapping[str, str]) -> bool:
        """False when a table that is there is another one than when it was read, or is damaged,
        which sets it aside: ``digests`` are the ``read_digests`` of then."""
        paths = {self.folder / place: digest for place, digest in digests.items()}
        there = [path for path in paths if os.path.lexists(path)]
        return all(sound_digest(path) == paths[path] for path in there)

    def write(self, key: ObservationKey, table: Any) -> None:
        """Store a pyarrow Table in place of an older one. Call it with the lock held."""
        path = self.path(key)
        write_table(path, table)
        if (digest := stored_digest(path)) is not None:
            self.read_digests[f"{path.parent.name}/{path.name}"] = digest

    def growing(self, key: ObservationKey, schema: Any) -> AbstractContextManager[Rows]:
        """Rows for a table that appears when the block ends, and not at all when it raises. Call
        it with the lock held."""
        return growing_table(self.path(key), schema)

    def found(self, sha256: str, prefix: str, version_ending: str) -> dict[str, ObservationKey]:
        """The observations of a content by observers whose names begin with ``prefix`` and whose
        versions end with ``version_ending``, by file name."""
        pattern = f"{glob.escape(prefix)}*{glob.escape(version_ending)}.parquet"
        return {
            path.name: ObservationKey(sha256, *path.stem.split("@", 1))
            for path in sorted((self.folder / sha256).glob(pattern))
        }

    def video_info(self, sha256: str) -> VideoInfo | None:
        """The note of what a video holds; None when there is none, or it is damaged."""
        path = self._info_path(sha256)
        try:
            return read_video_info(path)
        except FileNotFoundError:
            return None
        except DamagedError as error:
            set_aside(path, str(error))
            return None

    def keep_video_info(self, sha256: str, info: VideoInfo) -> None:
        """Store what a video holds."""
        write_record(self._info_path(sha256), asdict(info))

    def _info_path(self, sha256: str) -> Path:
        key = ObservationKey(sha256, _INFO, f"{_INFO_VERSION}-s{SCHEMA_VERSION}")
        return self.path(key, ".json")


def read_video_info(path: Path) -> VideoInfo:
    """The note of what a video holds. Raises as ``read_members``."""
    members = read_members(path)
    try:
        return TypeAdapter(VideoInfo).validate_python(members)
    except ValidationError as error:
        raise DamagedError("does not hold") from error
