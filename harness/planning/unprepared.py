"""Cells that were asked for and whose people could not be prepared: asked and not done.

A cell is named by the content of its videos, so these have no place among the cells of a store. A
record of each keeps them in every count of what was asked, on any machine that reads the store,
until the cell is prepared or its people leave the manifest.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path

from harness.core.errors import BenchError
from harness.model.cell import CellSpec
from harness.model.dataset import Dataset, Split
from harness.model.suite import PlannedCell, UnpreparedCell, unprepared_key
from harness.planning.current import manifest_now
from harness.planning.plan import find_donor
from harness.store.cells import utc_now
from harness.store.manifests import ManifestStore, UnpreparedUse


def unprepared_cell(
    dataset: Dataset, split: Split, cell: PlannedCell, reason: str
) -> UnpreparedCell:
    """The cell as it is counted; its people are of ``dataset``. Files are named from the manifest's
    folder, as it may be elsewhere for whoever reads the reason."""
    folder = dataset.path if dataset.path is None or dataset.path.is_dir() else dataset.path.parent
    actor = next(one for one in dataset.actors if one.number == cell.actor)
    return UnpreparedCell(
        dataset=dataset.name,
        split=split,
        cell=cell,
        sex=actor.sex,
        donor_sex=find_donor(dataset, cell.donor).sex if cell.donor is not None else None,
        reason=reason if folder is None else reason.replace(f"{folder}/", ""),
    )


def record_unprepared(home: Path, dataset: Dataset, cells: Iterable[UnpreparedCell]) -> None:
    """Store that ``cells`` of ``dataset`` could not be prepared. Raises StoreError."""
    now = utc_now()
    ManifestStore(home).keep_unprepared(
        UnpreparedUse(used_at=now, manifest=dataset.path, asked=cell) for cell in cells
    )


def record_prepared(home: Path, specs: Iterable[CellSpec]) -> None:
    """Forget whatever is stored of cells that could not be prepared and now are. Raises
    StoreError."""
    ManifestStore(home).drop_unprepared(_key_of(spec) for spec in specs)


def unprepared_cells(
    home: Path, current: Iterable[CellSpec], named: Iterable[Dataset] = ()
) -> list[UnpreparedCell]:
    """Cells that could not be prepared when they were last asked for. Left out are those that are
    among the ``current`` cells of the store, and those whose people are not in today's manifest,
    where that is here (``named``, else as for ``earlier_cells``). By name.
    """
    records = ManifestStore(home)
    uses = records.unprepared
    if not uses:
        return []
    done = {_key_of(spec) for spec in current}
    given = {dataset.name: dataset for dataset in named}
    for name in {use.asked.dataset for use in uses} - given.keys():
        places = [(one.used_at, one.manifest) for one in records.people if one.dataset == name]
        places += [(use.used_at, use.manifest) for use in uses if use.asked.dataset == name]
        dataset = manifest_now(name, max(places, key=itemgetter(0))[1], home)
        if dataset is not None:
            given[name] = dataset
    found = [
        use.asked
        for use in uses
        if use.asked.key not in done and _named_in(given.get(use.asked.dataset), use.asked.cell)
    ]
    # The same store gives the same pages.
    return sorted(found, key=lambda one: (one.dataset, one.split, one.cell.name, one.key))


def _key_of(spec: CellSpec) -> str:
    """The key that the cell has where it cannot be prepared."""
    cell = PlannedCell(
        tool=spec.tool,
        version=spec.version,
        config=spec.config,
        settings=spec.settings,
        limits=spec.limits,
        actor=spec.actor.number,
        donor=spec.donor.name if spec.donor else None,
        seed=spec.seed,
    )
    return unprepared_key(spec.dataset, spec.split, cell)


def _named_in(dataset: Dataset | None, cell: PlannedCell) -> bool:
    if dataset is None:
        return True
    try:
        if cell.donor is not None:
            find_donor(dataset, cell.donor)
    except BenchError:
        return False
    return any(actor.number == cell.actor for actor in dataset.actors)
