"""Controls have a result that is known in advance; a control that misses it condemns the run."""

from __future__ import annotations

from harness.core.base import Frozen
from harness.model.score import Comparison
from harness.results.known_answers import RULES, Shown, known_answer
from reports.aggregate import distances, fmt, percent
from reports.model import ReportCell, ReportData
from reports.tables import ORDER, SHORT


class ControlCheck(Frozen):
    """One control cell: what was expected, what was measured; ``passed`` None is undecided."""

    variant: str
    actor: int
    expected: str
    rule: str
    """What decides, in words; empty for a control without a rule here."""
    measured: str
    passed: bool | None


def control_checks(data: ReportData) -> list[ControlCheck]:
    """One check for each cell of a control, in the order of the selection."""
    checks = []
    for cell in data.cells:
        info = data.tools.get(cell.spec.tool)
        if info is None or not info.control:
            continue
        rule = RULES.get(cell.spec.tool)
        checks.append(
            ControlCheck(
                variant=cell.variant,
                actor=cell.spec.actor.number,
                expected=info.expected or "",
                rule=rule.expected if rule else "",
                measured=_measured(cell),
                passed=_passed(cell),
            )
        )
    return checks


def _passed(cell: ReportCell) -> bool | None:
    if cell.score is None:
        return None
    shown = Shown(cell.score, cell.spec.settings, cell.spec.actor.test.info)
    answer = known_answer(cell.spec.tool, shown)
    return answer.passed if answer else None


def _pcc(cell: ReportCell) -> float | None:
    """The lowest of the sources' mean PCC."""
    found = [a.mean_pcc for a in cell.score.attributes] if cell.score else []
    known = [pcc for pcc in found if pcc is not None]
    return min(known) if known else None


def _rmse(cell: ReportCell) -> float | None:
    """The highest of the sources' mean RMSE."""
    found = [a.mean_rmse for a in cell.score.attributes] if cell.score else []
    known = [rmse for rmse in found if rmse is not None]
    return max(known) if known else None


def _measured(cell: ReportCell) -> str:
    if cell.score is None:
        return f"no score: {cell.reason}"
    four = [f"{SHORT[c]} {fmt(d.mean if (d := distances(cell, c)) else None)}" for c in ORDER]
    fta = [
        percent(d.fta if (d := distances(cell, c)) else None)
        for c in (Comparison.ORIGINAL_ORIGINAL, Comparison.SWAPPED_ORIGINAL)
    ]
    return (
        f"{', '.join(four)}; no face in {fta[1]} (original {fta[0]}); "
        f"PCC {fmt(_pcc(cell))}, RMSE {fmt(_rmse(cell))}"
    )
