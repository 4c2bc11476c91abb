"""Cells of a suite that were never run, for a report: as far as they can be named cheaply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.cli.output import Progress, note
from harness.core.errors import BenchError

if TYPE_CHECKING:
    from harness.model.cell import CellSpec
    from harness.model.suite import PlannedCell, UnpreparedCell
    from harness.planning.study import Study

MOST_PREPARED = 6
"""People that a report prepares; more take longer than one wants to wait for a page."""


def unrun_cells(
    study: Study, missing: Sequence[PlannedCell], stored: Sequence[CellSpec]
) -> tuple[list[CellSpec], list[UnpreparedCell]]:
    """(``missing`` cells of people that ``stored`` cells have prepared, or that are prepared now
    because they are few; those whose people cannot be prepared). It reports how many cells are left
    out because there are many."""
    from harness.execution.outcomes import SkippedCell
    from harness.execution.resolve import prepare_and_resolve, spec_of, unprepared

    same = [
        spec
        for spec in stored
        if spec.dataset == study.dataset.name and spec.split is study.suite.split
    ]
    actors = {spec.actor.number: spec.actor for spec in same}
    donors = {spec.donor.name: spec.donor for spec in same if spec.donor}
    found, rest = [], []
    for cell in missing:
        if cell.actor in actors and (cell.donor is None or cell.donor in donors):
            donor = donors[cell.donor] if cell.donor is not None else None
            found.append(spec_of(study, cell, actors[cell.actor], donor))
        else:
            rest.append(cell)
    people = {cell.actor for cell in rest if cell.actor not in actors}
    standing = {cell.donor for cell in rest if cell.donor and cell.donor not in donors}
    if not rest:
        return found, []
    if len(people) + len(standing) > MOST_PREPARED:
        note(
            f"{len(rest)} cells that were never run are left out: {len(people)} actors and "
            f"{len(standing)} donors of theirs were never prepared. "
            f"See them: bench status --suite {study.suite.name}"
        )
        return found, []
    unusable: list[SkippedCell] = []
    say = Progress(len(rest)).say
    try:
        found += prepare_and_resolve(study, rest, say, skip=unusable.extend).specs
    except BenchError:
        # None of them can be prepared; each says why.
        if not unusable:
            raise
    return found, unprepared(study, unusable)
