"""A stand-in for tqdm: its bar on stderr, redrawn after a carriage return."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any


class tqdm:  # noqa: N801 - as tqdm calls it
    def __init__(self, iterable: Any, initial: int = 0) -> None:
        self.iterable, self.n, self.total, self.said = iterable, initial, len(iterable), ""

    def __iter__(self) -> Iterator[Any]:
        for one in self.iterable:
            yield one
            self.n += 1
            self.draw()
        sys.stderr.write("\n")

    def set_description(self, text: str) -> None:
        self.said = text + ": "
        self.draw()

    def draw(self) -> None:
        share = 100 * self.n // self.total
        bar = f"{self.said}{share:3d}%|          | {self.n}/{self.total} [00:10<00:23,  4.01it/s]"
        sys.stderr.write("\r" + bar)
        sys.stderr.flush()
