"""Which cells of the store a command is about, and how each of them stands."""

from __future__ import annotations

import errno
import fcntl
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UnusableInputError, UsageError, unknown_name

if TYPE_CHECKING:
    from harness.model.cell import Attempt, CellSpec
    from harness.model.dataset import Dataset
    from harness.model.suite import PlannedCell, Suite
    from harness.store.cells import CellStore

PLANNED, RUNNING, FAILED = "planned", "running", "failed"
ENDED_BADLY = ("tool_error", "timeout", "oom", "bad_output", "infra_error", "cancelled")
STATUSES = ("ok", RUNNING, PLANNED, FAILED, *ENDED_BADLY)


@dataclass(frozen=True)
class Selection:
    """What was asked for; every part narrows the choice, and none of them means all cells."""

    cells: tuple[str, ...] = ()
    tool: str | None = None
    actor: str | None = None
    dataset: str | None = None

    @property
    def is_all(self) -> bool:
        return self == Selection()


@dataclass(frozen=True)
class CellRow:
    """How one cell stands; ``id`` is None for a planned cell that was never prepared."""

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


def open_store() -> CellStore:
    """The store of ``$BENCH_HOME``. Raises StoreError when a newer deid-bench wrote it."""
    from harness.home import bench_home
    from harness.store.cells import CellStore

    return CellStore(bench_home())


def find_cell(store: CellStore, name: str) -> CellSpec:
    """The one cell whose slug or id starts with ``name``. Raises UsageError."""
    found = _starting_with(store.list(), name)
    if len(found) > 1:
        exact = [spec for spec in found if name in (spec.slug, spec.id)]
        if len(exact) == 1:
            return exact[0]
        names = "".join(f"\n  {spec.slug}" for spec in found[:5])
        more = f"\n  and {len(found) - 5} more" if len(found) > 5 else ""
        raise UsageError(
            f"'{name}' fits {len(found)} cells:{names}{more}", hint="Write more of the name."
        )
    return found[0]


def select(specs: Sequence[CellSpec], selection: Selection) -> list[CellSpec]:
    """Those of ``specs`` that ``selection`` names, in their order.

    Raises UsageError for a name that none of them bears, with the nearest one that exists.
    """
    chosen = list(specs)
    if selection.cells:
        named = {spec.id for name in selection.cells for spec in _starting_with(specs, name)}
        chosen = [spec for spec in chosen if spec.id in named]
    if selection.tool not in (None, "all"):
        chosen = _of_tools(chosen, str(selection.tool))
    if selection.actor not in (None, "all"):
        chosen = _of_actors(chosen, str(selection.actor))
    if selection.dataset is not None:
        chosen = _of_dataset(chosen, selection.dataset)
    return chosen


def _starting_with(specs: Sequence[CellSpec], name: str) -> list[CellSpec]:
    found = [s for s in specs if name and (s.slug.startswith(name) or s.id.startswith(name))]
    if found:
        return found
    if not specs:
        raise UsageError(
            f"No cell of the store is called '{name}': it holds none yet.",
            hint="Run one: bench run --tool blur --actor 3",
        )
    import difflib

    near = difflib.get_close_matches(name, [spec.slug for spec in specs], n=1, cutoff=0.5)
    guess = f" Did you mean '{near[0]}'?" if near else ""
    raise UsageError(f"No cell of the store is called '{name}'.{guess}", hint="See `bench status`.")


def _of_tools(specs: Sequence[CellSpec], text: str) -> list[CellSpec]:
    wanted = [part.strip().partition("@") for part in text.split(",")]
    stored = {spec.tool for spec in specs}
    for name, _, _ in wanted:
        if name not in stored:
            from harness.registry import load_tools

            known = load_tools()
            if name not in known:
                raise unknown_name("tool", name, {*stored, *known}, see="bench tools list")
    pairs = [(name, version) for name, _, version in wanted]
    return [s for s in specs if (s.tool, "") in pairs or (s.tool, s.version) in pairs]


def _of_actors(specs: Sequence[CellSpec], text: str) -> list[CellSpec]:
    from harness.plan import parse_numbers

    wanted = set(parse_numbers(text))
    return [spec for spec in specs if spec.actor.number in wanted]


def _of_dataset(specs: Sequence[CellSpec], name_or_path: str) -> list[CellSpec]:
    from harness.datasets.registry import load_dataset
    from harness.home import bench_home

    name = name_or_path
    stored = {spec.dataset for spec in specs}
    if name not in stored and name not in {"sample", "ravdess"}:
        if not Path(name).expanduser().exists():
            raise unknown_name(
                "dataset", name, {*stored, "sample", "ravdess"}, see="bench data list"
            )
        name = load_dataset(name, bench_home()).name
    return [spec for spec in specs if spec.dataset == name]


def load_chosen_suite(name: str, selection: Selection) -> Suite:
    """The suite of that name or file, on the dataset that ``selection`` names instead of its own:
    what ``bench run --suite S --dataset D`` ran is found with the same two options.
    """
    from harness.suites import load_suite

    suite = load_suite(name)
    if selection.dataset is None:
        return suite
    return suite.model_copy(update={"dataset": selection.dataset})


def suite_cells(
    suite: Suite, specs: Sequence[CellSpec], home: Path
) -> tuple[list[CellSpec], list[PlannedCell], bool]:
    """(cells of the store that the suite names, planned cells that it has none for, whether the
    dataset is here to tell).

    Cells are matched by name, not by content: nothing is prepared, and a dataset that is no longer
    here does not hide what was measured on it.
    """
    from harness.plan import expand
    from harness.registry import load_tools

    same = [s for s in specs if s.split is suite.split]
    dataset = _dataset_of(suite, specs, home)
    if dataset is None:
        tried = {(entry.tool, entry.config) for entry in suite.tools}
        times = suite.repeat.times if suite.repeat else 1
        seeds = range(suite.seed, suite.seed + times)
        same = [s for s in same if s.dataset == suite.dataset and s.seed in seeds]
        return [s for s in same if (s.tool, s.config) in tried], [], False
    planned = expand(suite, dataset, load_tools())
    # Another dataset may have an actor of the same number.
    matches = match_cells(planned, [s for s in same if s.dataset == dataset.name])
    found = [spec for ones in matches for spec in ones]
    missing = [cell for cell, ones in zip(planned, matches, strict=True) if not ones]
    return found, missing, True


def match_cells(
    planned: Sequence[PlannedCell], specs: Sequence[CellSpec]
) -> list[tuple[CellSpec, ...]]:
    """For each planned cell those of ``specs`` of its name; ``specs`` are of one dataset and split.

    Several have one name when a video or an image changed.
    """
    by_name: dict[tuple[object, ...], list[CellSpec]] = {}
    for spec in specs:
        by_name.setdefault(_name_of_spec(spec), []).append(spec)
    return [tuple(by_name.get(_name_of_plan(cell), ())) for cell in planned]


def cells_beside(
    suite: Suite, specs: Sequence[CellSpec], home: Path, apart_from: Iterable[CellSpec]
) -> list[CellSpec]:
    """Cells of the store that the suites in ``suite.also`` name, on the same dataset."""
    from harness.suites import load_suite

    known = {spec.id for spec in apart_from}
    found: dict[str, CellSpec] = {}
    for name in suite.also:
        other = load_suite(name).model_copy(update={"dataset": suite.dataset})
        found |= {spec.id: spec for spec in suite_cells(other, specs, home)[0]}
    return [spec for spec in found.values() if spec.id not in known]


def _dataset_of(suite: Suite, specs: Sequence[CellSpec], home: Path) -> Dataset | None:
    """The suite's dataset; None when it is not here, or only known by name from the store."""
    from harness.datasets.registry import load_dataset

    try:
        return load_dataset(suite.dataset, home)
    except UnusableInputError:
        return None
    except UsageError:
        if any(spec.dataset == suite.dataset for spec in specs):
            return None
        raise


def _name_of_spec(spec: CellSpec) -> tuple[object, ...]:
    donor = spec.donor.name if spec.donor else None
    settings = tuple(sorted(spec.settings.items()))
    named = spec.tool, spec.version, spec.config, settings, spec.limits
    return *named, spec.actor.number, donor, spec.seed


def _name_of_plan(cell: PlannedCell) -> tuple[object, ...]:
    settings = tuple(sorted(cell.settings.items()))
    named = cell.tool, cell.version, cell.config, settings, cell.limits
    return *named, cell.actor, cell.donor, cell.seed


def row_of(store: CellStore, spec: CellSpec) -> CellRow:
    """How a stored cell stands now."""
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
    )


def _without_result(store: CellStore, spec: CellSpec, last: Attempt | None) -> tuple[str, str]:
    if last is None:
        cut = any((store.folder(spec) / "attempts").glob("*"))
        return PLANNED, "An attempt was cut off; the same command begins again." if cut else ""
    if last.status.value == "ok":
        return PLANNED, "Its result or video is damaged or gone; the same command makes it again."
    return last.status.value, last.reason


def planned_row(cell: PlannedCell, suite: Suite) -> CellRow:
    """A cell of a suite that the store has nothing of."""
    parts = [cell.tool, cell.version, cell.config, f"actor{cell.actor:02d}", cell.donor]
    return CellRow(
        cell="-".join(part for part in parts if part),
        id=None,
        tool=cell.tool,
        version=cell.version,
        config=cell.config,
        dataset=suite.dataset,
        split=suite.split.value,
        actor=cell.actor,
        donor=cell.donor,
        status=PLANNED,
        attempts=0,
        reason="",
        scored=(),
    )


def is_running(store: CellStore, spec: CellSpec) -> bool:
    """Whether some process holds the cell now. Nothing is written, so a read-only store will do."""
    from harness.store.cells import LOCK_FILE

    return is_locked(store.folder(spec) / LOCK_FILE)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock file ``path``; False when there is none."""
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
    return tuple(sorted(path.stem for path in _score_files(home, spec)))


def _score_files(home: Path, spec: CellSpec) -> list[Path]:
    return [p for p in (home / "scores" / spec.id).glob("*.json") if not p.name.startswith(".")]


def usual_protocol(home: Path, specs: Iterable[CellSpec]) -> str | None:
    """The protocol that most of the cells were scored with, of equals the newest; None if none."""
    count: Counter[str] = Counter()
    newest: dict[str, float] = {}
    for spec in specs:
        for path in _score_files(home, spec):
            count[path.stem] += 1
            newest[path.stem] = max(newest.get(path.stem, 0.0), path.stat().st_mtime)
    return max(count, key=lambda name: (count[name], newest[name]), default=None)
