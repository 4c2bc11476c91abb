"""Costs of earlier cells: seconds and bytes of those that succeeded, by what makes cells alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.core.base import Frozen
from harness.core.hashing import content_hash
from harness.core.trees import tree_size
from harness.model.cell import CellSpec, Status
from harness.model.job import Setting
from harness.store.cells import CellStore


class PastCost(Frozen):
    """Cost of one cell."""

    like: str
    """``likeness`` of the cell."""
    dataset: str
    wall_s: float
    size_bytes: int
    """All files of the cell, working files too as far as they are still there."""


def likeness(tool: str, version: str, config: str, settings: dict[str, Setting]) -> str:
    """The same for cells that do the same work on other people."""
    return content_hash({"tool": tool, "version": version, "config": config, "set": settings})


def read_history(home: Path) -> tuple[PastCost, ...]:
    """One entry for each cell of the store that has a result. Nothing is written.

    Raises StoreError for a store that a newer version wrote, or a damaged cell.
    """
    store = CellStore(home)
    return tuple(_past_costs(store, store.list()))


def _past_costs(store: CellStore, specs: Iterable[CellSpec]) -> Iterator[PastCost]:
    for spec in specs:
        good = [attempt for attempt in store.attempts(spec) if attempt.status is Status.OK]
        if good and store.result(spec) is not None:
            yield PastCost(
                like=likeness(spec.tool, spec.version, spec.config, spec.settings),
                dataset=spec.dataset,
                wall_s=good[-1].resources.wall_s,
                size_bytes=tree_size(store.folder(spec)).size_bytes,
            )
