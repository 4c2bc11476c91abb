"""Runs the one pass over a video: one row per frame, by several observers side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from harness.observe.tracking import TrackedFrame
from harness.store.observations import ObservationKey

Row = Mapping[str, Any]


class Observer(Protocol):
    """Turns frames into rows of one observation. One object measures one video."""

    name: str
    version: str

    def schema(self) -> Any:
        """The pyarrow schema of the rows."""

    def see(self, seen: TrackedFrame) -> Iterator[Row]:
        """The rows that are ready after this frame: none yet, one, or several."""

    def rest(self) -> Iterator[Row]:
        """The rows that waited for more frames; called once, after the last frame."""


def key_of(observer: Observer, sha256: str) -> ObservationKey:
    """The key under which the observation of a video is stored."""
    return ObservationKey(sha256, observer.name, observer.version)
