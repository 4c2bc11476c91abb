"""Outcomes of the work on a study: of each cell, score and cohort, and of the whole."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.base import Frozen
from harness.model.cell import Attempt, CellSpec, Result, Status
from harness.model.cohort import CohortScore
from harness.model.score import CellScore
from harness.model.suite import PlannedCell


class SkippedCell(Frozen):
    """A planned cell whose actor's, donor's or gallery's material cannot be used."""

    cell: PlannedCell
    reason: str

    @property
    def label(self) -> str:
        """``blur 1 weak, actor 3, donor anna``."""
        donor = f", donor {self.cell.donor}" if self.cell.donor else ""
        return (
            f"{self.cell.tool} {self.cell.version} {self.cell.config}, "
            f"actor {self.cell.actor}{donor}"
        )


class ResolvedCells(Frozen):
    """Planned cells: those that can be run, with their ids, and those that cannot be prepared."""

    specs: tuple[CellSpec, ...]
    skipped: tuple[SkippedCell, ...] = ()


class CellOutcome(Frozen):
    """The result of one cell in this call."""

    cell_id: str
    status: Status
    attempt: Attempt | None = None
    """The try made now, or the one that another process made meanwhile."""
    result: Result | None = None
    reused: bool = False
    """True when nothing was run here."""
    busy: bool = False
    """Another process runs the cell; ``status`` is then ``infra_error``."""


class ScoreOutcome(Frozen):
    """A cell's score, or the sentence that says why it has none."""

    cell_id: str
    score: CellScore | None
    reason: str = ""


class CohortOutcome(Frozen):
    """A cohort's score, or the sentence that says why it has none."""

    label: str
    score: CohortScore | None
    reason: str = ""


@dataclass(frozen=True)
class StudyOutcome:
    """Outcome of every cell of a study."""

    resolved: ResolvedCells
    cells: tuple[CellOutcome, ...]
    """Longest cells first, as they were begun."""
    scores: tuple[ScoreOutcome, ...] = ()
    cohorts: tuple[CohortOutcome, ...] = ()

    @property
    def whole(self) -> bool:
        """True when every cell has a result, and everything that has one a score."""
        ran = all(cell.status is Status.OK for cell in self.cells)
        scored = all(outcome.score for outcome in self.scores)
        attacked = all(outcome.score for outcome in self.cohorts)
        return ran and scored and attacked and not self.resolved.skipped
