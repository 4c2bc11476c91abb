"""Observers, which turn the frames of the one pass over a video into rows, faces in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.observe.tracking import TrackedFrame
from harness.store.observations import ObservationKey

Row = Mapping[str, Any]
Chip = NDArray[np.uint8]
"""An aligned face: height x width x 3, RGB."""
Embed = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Chips (n x height x width x 3) in, embeddings (n x d) out."""

_ROWS = 16


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


class EmbeddingBatch:
    """Gives rows back in the order they came, with their ``embedding``; null without a face. Rows
    wait for those after them, so that a network sees many faces at once.
    """

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._waiting: list[tuple[dict[str, Any], Chip | None]] = []

    def add(self, row: dict[str, Any], chip: Chip | None) -> Iterator[Row]:
        """The rows that are ready now: none yet, or all of a batch."""
        self._waiting.append((row, chip))
        if len(self._waiting) >= _ROWS:
            yield from self.rest()

    def rest(self) -> Iterator[Row]:
        """The rows that still wait."""
        waiting, self._waiting = self._waiting, []
        chips = [chip for _, chip in waiting if chip is not None]
        embeddings = iter(self._embed(np.stack(chips)) if chips else ())
        for row, chip in waiting:
            yield {**row, "embedding": None if chip is None else next(embeddings)}
