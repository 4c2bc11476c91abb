"""Origins and terms of the material of cells, kept alongside the cells.

A report is made from the store alone: on another machine neither a user's manifest nor the clips
are there, and their terms must be in the page all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from harness.core.base import Frozen
from harness.core.hashing import content_hash
from harness.model.dataset import Dataset, Source
from harness.store.records import DamagedError, read_record, warn_left_out, write_record
from harness.store.schema import mark_store


class DatasetSources(Frozen):
    """The sources that a dataset names: its own, and those of single people."""

    dataset: str
    sources: tuple[Source, ...]
    actors: Mapping[int, Source]
    donors: Mapping[str, Source]

    def of(self, actors: Collection[int], donors: Collection[str]) -> list[Source]:
        """The dataset's own sources, then those of the people named."""
        sources = list(self.sources)
        sources += [source for number, source in self.actors.items() if number in actors]
        return sources + [source for name, source in self.donors.items() if name in donors]


def keep_sources(home: Path, dataset: Dataset) -> None:
    """Store what ``dataset`` says of its sources. Raises StoreError when the disk refuses.

    Another record of the same name stays: cells of both may be in the store.
    """
    record = DatasetSources(
        dataset=dataset.name,
        sources=dataset.sources,
        actors={a.number: a.source for a in dataset.actors if a.source},
        donors={d.name: d.source for d in dataset.donors if d.source},
    )
    path = _folder(home) / f"{content_hash(record.model_dump(mode='json'))}.json"
    if record not in stored_sources(home, dataset.name):
        mark_store(home)
        write_record(path, record)


def stored_sources(home: Path, dataset: str) -> list[DatasetSources]:
    """Sources of datasets of that name when their cells were made; damaged records are left out."""
    records = []
    for path in sorted(_folder(home).glob("*.json")):
        try:
            records.append(read_record(path, DatasetSources))
        except FileNotFoundError:
            continue
        except DamagedError as error:
            warn_left_out(path, str(error))
    return [record for record in records if record.dataset == dataset]


def _folder(home: Path) -> Path:
    return home / "sources"
