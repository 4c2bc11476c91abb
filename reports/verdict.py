"""A page's cells as the contenders of the one ranking there is (harness/results/ranking)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.cohort import CohortScore
from harness.results.headline import Card, cards, left_out
from harness.results.ranking import Verdict, verdict
from harness.results.standing import AskedCell, Contender, Standing
from reports.cautions import distrust
from reports.model import ReportCell, ReportData


@dataclass(frozen=True)
class Judged:
    """The verdict on a page's tools, with what it rests on."""

    contenders: tuple[Contender, ...]
    verdict: Verdict
    warnings: tuple[str, ...] = ()
    """Sentences on why the verdict cannot be trusted, such as a failed control."""

    @property
    def cards(self) -> tuple[Card, Card, Card]:
        """Cards for the tool that hides best, the one that keeps most, and the worst leak."""
        return cards(self.verdict, self.contenders)

    @property
    def left_out(self) -> list[str]:
        """Why tools are not ranked among the others, as sentences."""
        return left_out(self.verdict)

    def standing(self, cell: ReportCell) -> Standing:
        """Of the tool that the cell is of."""
        return self.verdict.of(contender_name(cell))


def judge(data: ReportData, cohorts: Sequence[CohortScore] | None = None) -> Judged:
    """Ranks the tools of a page; ``cohorts`` are its own unless others are given."""
    found = contenders(data, data.cohorts if cohorts is None else cohorts)
    return Judged(found, verdict(found), tuple(distrust(data)))


def contender_name(cell: ReportCell) -> str:
    """The cell's column without its donor: a tool is ranked with all donors together."""
    donor = cell.spec.donor
    return cell.variant.removesuffix(f" donor {donor.name}") if donor else cell.variant


def contenders(data: ReportData, cohorts: Sequence[CohortScore]) -> tuple[Contender, ...]:
    """One for each tool, version and config, controls too, in the order of the selection."""
    groups: dict[str, list[ReportCell]] = {}
    for cell in data.cells:
        groups.setdefault(contender_name(cell), []).append(cell)
    return tuple(_contender(data, name, cells, cohorts) for name, cells in groups.items())


def _contender(
    data: ReportData, name: str, cells: Sequence[ReportCell], cohorts: Sequence[CohortScore]
) -> Contender:
    ids = {cell.spec.id for cell in cells}
    spec = cells[0].spec
    info = data.tools.get(spec.tool)
    return Contender(
        name=name,
        cells=tuple(AskedCell(cell.spec.actor.number, cell.score) for cell in cells),
        cohorts=tuple(one for one in cohorts if one.cells and ids.issuperset(one.cells)),
        control=info is not None and info.control,
        footage=f"{spec.dataset}, {spec.split.value} split",
    )
