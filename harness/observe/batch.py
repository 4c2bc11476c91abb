"""Rows that wait for the embedding of their face, so that a network sees many faces at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.observe.observer import Row

_ROWS = 16

Chip = NDArray[np.uint8]
"""An aligned face: height x width x 3, RGB."""
Embed = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Chips (n x height x width x 3) in, embeddings (n x d) out."""


class EmbeddingBatch:
    """Gives rows back in the order they came, with their ``embedding``; null without a face."""

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
