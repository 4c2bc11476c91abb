"""Reads a site's content out of a store. Nothing is measured or changed there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.core.errors import UsageError
from harness.core.hashing import file_sha256
from harness.execution.cohorts import load_cohorts
from harness.model.cell import CellSpec, Result, Status
from harness.model.suite import UnpreparedCell
from harness.store.cells import CellStore
from harness.store.media import MediaStore
from reports.collect import Heard, collect_numbers, ignore
from reports.model import ReportCell
from reports.site.model import CellFacts, Faces, Gallery, Site
from reports.site.pictures import reference_pictures, take_pictures
from reports.site.raw import REFUSED, raw_tables

TITLE = "Face de-identification results"
_NONE: Mapping[str, str] = MappingProxyType({})


def gather(
    home: Path,
    specs: Sequence[CellSpec],
    protocol: str,
    *,
    faces: Faces = Faces.NONE,
    verify: bool = True,
    title: str = TITLE,
    earlier: Mapping[str, str] = _NONE,
    remarks: Sequence[str] = (),
    unprepared: Sequence[UnpreparedCell] = (),
    listen: Heard = ignore,
) -> Site:
    """Everything a site shows of ``specs``. A result whose video, or whose original, is no longer
    what its hash says is not used, and neither is a score of another video than the published one:
    such a cell has a status and a reason instead. ``unprepared`` cells are asked for and not done.

    Without ``verify`` the hashes are taken on trust. Pictures are read only when ``faces`` asks
    for them, and ``listen`` hears of each cell: pixelating takes seconds. Raises StoreError,
    and UsageError for a SOURCE_DATE_EPOCH that is no number.
    """
    store = CellStore(home)
    data = collect_numbers(
        home, specs, protocol, title=title, earlier=earlier, unprepared=unprepared
    )
    hashes = _Hashes(MediaStore(home), verify)
    facts = {cell.spec.id: _facts(store, cell, hashes) for cell in data.cells}
    cells = (_used(cell, facts[cell.spec.id]) for cell in data.cells)
    shown = {"cells": tuple(without_paths(cell, home) for cell in cells)}
    update = {"generated_at": timestamp(), "earlier": tuple(remarks)}
    data = data.model_copy(update=shown | update)
    refused = frozenset(key for key, fact in facts.items() if fact.refused)
    pictured = [] if faces is Faces.NONE else [cell for cell in data.cells if cell.score]
    used = [spec for spec in specs if spec.id not in refused and spec.id not in earlier]
    cohorts = load_cohorts(home, used, protocol)
    keys = [cohort.key for cohort in cohorts]
    return Site(
        report=data,
        faces=faces,
        verified=verify,
        facts=facts,
        galleries=_galleries(home, pictured, faces, listen),
        references={} if faces is Faces.NONE else reference_pictures(home, specs, faces),
        raw=tuple(
            table.model_copy(update={"rows": tuple(_row(row, home) for row in table.rows)})
            for table in raw_tables(home, specs, protocol, keys, refused, earlier)
        ),
        cohorts=cohorts,
    )


def _galleries(
    home: Path, cells: Sequence[ReportCell], faces: Faces, listen: Heard
) -> dict[str, Gallery]:
    galleries = {}
    for done, cell in enumerate(cells, 1):
        galleries[cell.spec.id] = take_pictures(home, cell, faces)
        listen(done, len(cells))
    return galleries


def timestamp() -> str:
    """Now, or the moment that SOURCE_DATE_EPOCH names (seconds since 1970), to the minute, UTC.

    It is the only thing in a site that does not follow from the store. Raises UsageError.
    """
    said = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        moment = datetime.now(UTC) if said is None else datetime.fromtimestamp(int(said), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is '{said}', which is no number of seconds since 1970.",
            hint="Unset it, or set it to a whole number.",
        ) from error
    return moment.strftime("%Y-%m-%d %H:%M UTC")


class _Hashes:
    """Whether files are what their hashes say; without ``verify`` they are taken on trust."""

    def __init__(self, media: MediaStore, verify: bool) -> None:
        self._media, self._verify = media, verify

    def fits(self, path: Path, sha256: str) -> bool:
        """Whether the file is the one of that hash; a file that is gone shows nothing wrong."""
        return not self._verify or not path.is_file() or file_sha256(path) == sha256

    def original_fits(self, spec: CellSpec) -> bool:
        """The same of the cell's original video."""
        return not self._verify or self._media.unchanged(spec.actor.test)


def _facts(store: CellStore, cell: ReportCell, hashes: _Hashes) -> CellFacts:
    spec = cell.spec
    attempts = store.attempts(spec)
    last = attempts[-1] if attempts else None
    found = CellFacts(ended_at=last.ended_at if last else "")
    result = store.result(spec)
    if result is None:
        gone = last is not None and last.status is Status.OK
        return found.model_copy(update={"refused": cell.reason if gone else ""})
    update = {
        "swapped_sha256": result.swapped.sha256,
        "swapped_bytes": result.swapped.size_bytes,
        "refused": _misfit(store, cell, result, hashes),
    }
    return found.model_copy(update=update)


def _misfit(store: CellStore, cell: ReportCell, result: Result, hashes: _Hashes) -> str:
    """Why the result, or its score, is not what its hashes say; empty when it is."""
    spec = cell.spec
    if not hashes.fits(store.folder(spec) / result.swapped.path, result.swapped.sha256):
        return (
            "The hash of its swapped video no longer fits the published one: the file was changed "
            f"after it was made, so its score is not used. Make it again: bench retry {spec.slug}"
        )
    if not hashes.original_fits(spec):
        return (
            f"The original video of actor {spec.actor.number} is no longer what its name, a hash, "
            "says, so no score of it is used. Remove it from media/ and run the cell again."
        )
    measured = cell.score.inputs.get("swapped") if cell.score else None
    if measured not in (None, result.swapped.sha256):
        return (
            "Its score was made from another video than the published one, so it is not used. "
            f"Score it again: bench score {spec.slug}"
        )
    return ""


def _used(cell: ReportCell, facts: CellFacts) -> ReportCell:
    if not facts.refused or cell.score is None:
        return cell
    update = {"score": None, "status": REFUSED, "reason": facts.refused}
    return cell.model_copy(update=update)


def without_paths(cell: ReportCell, home: Path) -> ReportCell:
    """The cell without names of folders of this machine in its sentences."""
    attempts = [
        attempt.model_copy(update={"reason": hide_paths(attempt.reason, home)})
        for attempt in cell.attempts
    ]
    steps = [
        step.model_copy(update={"notes": tuple(hide_paths(note, home) for note in step.notes)})
        for step in cell.steps
    ]
    update = {"attempts": tuple(attempts), "steps": tuple(steps)}
    return cell.model_copy(update=update | {"reason": hide_paths(cell.reason, home)})


def hide_paths(text: str, home: Path) -> str:
    """``$BENCH_HOME`` for the store's folder and ``~`` for the user's."""
    for folder, name in (
        (home, "$BENCH_HOME"),
        (home.resolve(), "$BENCH_HOME"),
        (Path.home(), "~"),
    ):
        if len(folder.parts) > 1:
            text = text.replace(str(folder), name)
    return text


def _row(row: tuple[Any, ...], home: Path) -> tuple[Any, ...]:
    return tuple(hide_paths(value, home) if isinstance(value, str) else value for value in row)
