"""Runs the one pass over a video: one row per frame, by several observers side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from harness.observe.tracking import Seen
from harness.store.observations import observation_path

Row = Mapping[str, Any]


class Observer(Protocol):
    """Turns frames into rows of one observation. One object measures one video."""

    name: str
    version: str

    def schema(self) -> Any:
        """The pyarrow schema of the rows."""

    def see(self, seen: Seen) -> Iterator[Row]:
        """The rows that are ready after this frame: none yet, one, or several."""

    def rest(self) -> Iterator[Row]:
        """The rows that waited for more frames; called once, after the last frame."""


def path_of(observer: Observer, sha256: str, home: Path) -> Path:
    """Path of the observation of a video."""
    return observation_path(home, sha256, observer.name, observer.version)
