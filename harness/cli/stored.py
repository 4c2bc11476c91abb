"""The cells of the store by name, and how each of them stands."""

from __future__ import annotations

import errno
import fcntl
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.model.cell import Attempt, CellSpec
    from harness.model.dataset import Split
    from harness.model.suite import PlannedCell, UnpreparedCell
    from harness.store.cells import CellStore

PLANNED, RUNNING, FAILED, UNUSABLE = "planned", "running", "failed", "unusable"
ENDED_BADLY = ("tool_error", "timeout", "oom", "bad_output", "infra_error", "cancelled")
STATUSES = ("ok", RUNNING, PLANNED, FAILED, *ENDED_BADLY, UNUSABLE)


@dataclass(frozen=True)
class CellRow:
    """The state of one cell; ``id`` is None for a planned cell that was never prepared."""

    cell: str
    id: str | None
    tool: str
    version: str
    config: str
    dataset: str
    split: str
    actor: int
    donor: str | None
    status: str
    attempts: int
    reason: str
    scored: tuple[str, ...]
    """Names of the protocols it was scored with."""
    earlier: str = ""
    """``manifest``, ``image`` or ``suite``: of which earlier one it is; empty for a current cell.
    """


def open_store() -> CellStore:
    """The store of ``$BENCH_HOME``. Raises StoreError when a newer deid-bench wrote it."""
    from harness.core.paths import bench_home
    from harness.store.cells import CellStore

    return CellStore(bench_home())


def find_cell(store: CellStore, name: str) -> CellSpec:
    """The one cell whose slug or id starts with ``name``; of several, the one that is not of an
    earlier manifest or image. Raises UsageError."""
    from harness.planning.current import earlier_cells
    from harness.planning.selection import starting_with

    specs = store.list()
    found = starting_with(specs, name)
    if len(found) > 1:
        exact = [spec for spec in found if name in (spec.slug, spec.id)]
        if len(exact) == 1:
            return exact[0]
        earlier = earlier_cells(store, specs)
        current = [spec for spec in found if spec.id not in earlier]
        if len(current) == 1:
            return current[0]
        names = "".join(f"\n  {spec.slug}" for spec in found[:5])
        more = f"\n  and {len(found) - 5} more" if len(found) > 5 else ""
        raise UsageError(
            f"'{name}' fits {len(found)} cells:{names}{more}", hint="Write more of the name."
        )
    return found[0]


def row_of(store: CellStore, spec: CellSpec, earlier: str = "") -> CellRow:
    """The present state of a stored cell; ``earlier`` is why it is an earlier one, if it is."""
    attempts = store.attempts(spec)
    last = attempts[-1] if attempts else None
    status, reason = "ok", ""
    if is_running(store, spec):
        status = RUNNING
    elif store.result(spec) is None:
        status, reason = _without_result(store, spec, last)
    return CellRow(
        cell=spec.slug,
        id=spec.id,
        tool=spec.tool,
        version=spec.version,
        config=spec.config,
        dataset=spec.dataset,
        split=spec.split.value,
        actor=spec.actor.number,
        donor=spec.donor.name if spec.donor else None,
        status=status,
        attempts=len(attempts),
        reason=reason,
        scored=scored_protocols(store.home, spec),
        earlier=earlier,
    )


def _without_result(store: CellStore, spec: CellSpec, last: Attempt | None) -> tuple[str, str]:
    if last is None:
        cut = any((store.folder(spec) / "attempts").glob("*"))
        return PLANNED, "An attempt was cut off; the same command begins again." if cut else ""
    if last.status.value == "ok":
        return PLANNED, "Its result or video is damaged or gone; the same command makes it again."
    return last.status.value, last.reason


def unprepared_row(unprepared: UnpreparedCell) -> CellRow:
    """A cell that was asked for and could not be prepared."""
    row = planned_row(unprepared.cell, unprepared.split, unprepared.dataset)
    return replace(row, status=UNUSABLE, reason=unprepared.sentence)


def planned_row(cell: PlannedCell, split: Split, dataset: str) -> CellRow:
    """A cell, on the dataset of that name, that the store has nothing of."""
    return CellRow(
        cell=cell.name,
        id=None,
        tool=cell.tool,
        version=cell.version,
        config=cell.config,
        dataset=dataset,
        split=split.value,
        actor=cell.actor,
        donor=cell.donor,
        status=PLANNED,
        attempts=0,
        reason="",
        scored=(),
    )


def is_running(store: CellStore, spec: CellSpec) -> bool:
    """True when a process holds the cell now. Nothing is written, so a read-only store will do."""
    from harness.store.cells import LOCK_FILE

    return is_locked(store.folder(spec) / LOCK_FILE)


def is_locked(path: Path) -> bool:
    """True when a process holds the lock file ``path``; False when there is none."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return False
        raise
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def scored_protocols(home: Path, spec: CellSpec) -> tuple[str, ...]:
    """Names of the protocols whose scores of the cell are stored."""
    from harness.store.score_files import ScoreStore

    return tuple(path.stem for path in ScoreStore(home).paths(spec))


def usual_protocol(home: Path, specs: Iterable[CellSpec]) -> str | None:
    """The protocol that most of the cells were scored with, of equals the newest; None if none."""
    from harness.store.score_files import ScoreStore

    count: Counter[str] = Counter()
    newest: dict[str, float] = {}
    for spec in specs:
        for path in ScoreStore(home).paths(spec):
            count[path.stem] += 1
            newest[path.stem] = max(newest.get(path.stem, 0.0), path.stat().st_mtime)
    return max(count, key=lambda name: (count[name], newest[name]), default=None)
