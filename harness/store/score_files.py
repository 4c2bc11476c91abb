"""Scores on disk: ``scores/<cell>/<protocol>.json`` with the frames alongside, and
``scores/cohorts/<key>/<protocol>.json``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.core.base import Frozen
from harness.model.cell import CellSpec
from harness.model.cohort import CohortScore
from harness.model.score import CellScore
from harness.store.records import (
    DamagedError,
    read_about,
    set_aside,
    write_record,
)
from harness.store.tables import locked, read_table, write_table

if TYPE_CHECKING:
    import pandas as pd

Stored = TypeVar("Stored", bound=Frozen)


class ScoreStore:
    """``home/scores``. A damaged file is set aside and counts as missing, so that it is computed
    again. All methods raise StoreError when the disk refuses.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "scores"

    def path(self, spec: CellSpec, protocol_name: str) -> Path:
        """The JSON file of a cell's score."""
        return self.folder / spec.id / f"{protocol_name}.json"

    def frames_path(self, spec: CellSpec, protocol_name: str) -> Path:
        """The Parquet file of the values per frame, alongside the score."""
        return self.folder / spec.id / f"{protocol_name}-frames.parquet"

    def paths(self, spec: CellSpec) -> list[Path]:
        """Every score of a cell; the files are named by the protocols."""
        return sorted((self.folder / spec.id).glob("[!.]*.json"))

    def locked(self, spec: CellSpec, protocol_name: str) -> AbstractContextManager[None]:
        """Exclusive access: of two commands at once only one computes, and neither sees half of
        what is stored."""
        return locked(self.path(spec, protocol_name))

    def load(self, spec: CellSpec, protocol_name: str) -> CellScore | None:
        """The stored score, or None. Raises StoreError for one of a newer schema version too."""
        return _load(self.path(spec, protocol_name), read_score)

    def load_whole(self, spec: CellSpec, protocol_name: str) -> CellScore | None:
        """The score, as ``load`` returns it; None when the per-frame values are gone."""
        score = self.load(spec, protocol_name)
        return score if read_table(self.frames_path(spec, protocol_name)) is not None else None

    def save(self, spec: CellSpec, score: CellScore, frames: pd.DataFrame) -> None:
        """Store a score with its per-frame values. Call it with the lock held."""
        import pyarrow as pa

        # The frames first: a score is there only when everything of it is.
        table = pa.Table.from_pandas(frames, preserve_index=False)
        write_table(self.frames_path(spec, score.protocol), table)
        write_record(self.path(spec, score.protocol), score)

    def cohort_path(self, key: str, protocol_name: str) -> Path:
        """The JSON file of a cohort's score. ``key`` names the cells and all they were scored from,
        so a cohort that would come out otherwise is another file.
        """
        return self.folder / "cohorts" / key / f"{protocol_name}.json"

    def cohort_locked(self, key: str, protocol_name: str) -> AbstractContextManager[None]:
        """Exclusive access to a cohort's score, as ``locked``."""
        return locked(self.cohort_path(key, protocol_name))

    def load_cohort(self, key: str, protocol_name: str) -> CohortScore | None:
        """A cohort's stored score, or None; raises as ``load``."""
        return _load(self.cohort_path(key, protocol_name), read_cohort)

    def save_cohort(self, score: CohortScore) -> None:
        """Store a cohort's score. Call it with the lock held."""
        write_record(self.cohort_path(score.key, score.protocol), score)


def read_score(path: Path) -> CellScore:
    """The score of the cell and protocol that its place names. Raises as ``read_about``."""
    place = (path.parent.name, path.stem)
    return read_about(path, CellScore, lambda score: (score.cell_id, score.protocol) == place)


def read_cohort(path: Path) -> CohortScore:
    """The score of the cohort and protocol that its place names. Raises as ``read_about``."""
    place = (path.parent.name, path.stem)
    return read_about(path, CohortScore, lambda score: (score.key, score.protocol) == place)


def _load(path: Path, read: Callable[[Path], Stored]) -> Stored | None:
    """A stored score; None for none, or a damaged one."""
    try:
        return read(path)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        set_aside(path, str(error))
        return None
