"""Readers of what outside observers leave: each named by the observer's own description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from harness.core.base import Frozen
from harness.core.errors import UsageError
from harness.model.job import Step
from harness.model.observed import UnitScale
from harness.model.tool import ObserverTool, Tool
from harness.store.observations import ObservationKey, ObservationStore
from harness.tools.registry import load_observers

if TYPE_CHECKING:
    import pandas as pd


class Imported(Frozen):
    """Contents of a file that was brought in."""

    path: Path
    frames: int
    """Frames of the video."""
    usable: int
    """Frames with values: a face was found, with enough confidence."""
    faces: int
    """Different people: faces that are there in the same frame."""
    missing: int = 0
    """Frames without a row, counted as frames without a face."""


@dataclass(frozen=True)
class OutputReader:
    """Brings one source's file of action units into the store, and reads it from there."""

    source: str
    """Name of the source in scores and of its files in the store."""
    title: str
    """The source's name for people."""
    version: str
    """Of the file format."""
    ending: str
    """Of the file's name, ``.csv``."""
    scale: UnitScale
    units: tuple[str, ...]
    bring_in: Callable[[Path, str, int, Path], Imported]
    """File, content hash of the video, its frames, home: checks the file and stores a copy. Raises
    UnusableInputError for a file that is not what it should be, or of another video; StoreError."""
    read: Callable[[Path], pd.DataFrame]
    """A stored file as one row per frame: frame (from 0) and ``units``, NaN where not measured.
    Raises UnusableInputError for one that was damaged."""
    reading: int = 1
    """Raised whenever ``read`` would give other rows of the same file: scores that have such files
    are computed again, and no others."""

    def path(self, store: ObservationStore, sha256: str) -> Path:
        """The file of a video, whether it is there or not."""
        return store.path(ObservationKey(sha256, self.source, self.version), self.ending)


def reader_of(observer: Tool) -> OutputReader:
    """The reader that an observer's description names.

    Raises UsageError for a tool that names none, or none that can be loaded.
    """
    reader = _load(observer.reader) if isinstance(observer, ObserverTool) else None
    if reader is None or observer.steps != (Step.OBSERVE,):
        readable = [
            name for name, tool in load_observers().items() if isinstance(tool, ObserverTool)
        ]
        raise UsageError(
            f"There is no reader for what {observer.name} measures.",
            hint=f"Observers that can be read: {', '.join(sorted(readable))}.",
        )
    return reader


@lru_cache(maxsize=1)
def installed_readers() -> tuple[OutputReader, ...]:
    """The readers of all installed observers, by the observers' names; observers without one left
    out.
    """
    readers = []
    for _, observer in sorted(load_observers().items()):
        reader = _load(observer.reader) if isinstance(observer, ObserverTool) else None
        if reader is not None:
            readers.append(reader)
    return tuple(readers)


def _load(named: str) -> OutputReader | None:
    try:
        reader = resolve_name(named)
    except (ImportError, AttributeError, ValueError):
        return None
    return reader if isinstance(reader, OutputReader) else None
