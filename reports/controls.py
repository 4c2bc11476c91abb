"""Controls have a result that is known in advance; a control that misses it condemns the run."""

from __future__ import annotations

from collections.abc import Callable

from harness.model.base import Frozen
from harness.model.score import Comparison
from reports.aggregate import distances, fmt, percent
from reports.model import NOT_DETECTED_FTA, ReportCell, ReportData


class ControlCheck(Frozen):
    """One control cell: what was expected, what was measured; ``passed`` None is undecided."""

    variant: str
    actor: int
    expected: str
    measured: str
    passed: bool | None


def control_checks(data: ReportData) -> list[ControlCheck]:
    """One check for each cell of a control, in the order of the selection."""
    checks = []
    for cell in data.cells:
        info = data.tools.get(cell.spec.tool)
        if info is None or not info.control:
            continue
        rule, words = RULES.get(cell.spec.tool, (None, ""))
        passed = rule(cell) if rule and cell.score else None
        checks.append(
            ControlCheck(
                variant=cell.variant,
                actor=cell.spec.actor.number,
                expected="; ".join(t for t in ((info.expected or "").rstrip("."), words) if t),
                measured=_measured(cell),
                passed=passed,
            )
        )
    return checks


def _shift(cell: ReportCell) -> float | None:
    """Absolute difference of the mean SW-OR and OR-OR distances."""
    swapped = distances(cell, Comparison.SWAPPED_ORIGINAL)
    original = distances(cell, Comparison.ORIGINAL_ORIGINAL)
    if swapped is None or original is None or swapped.mean is None or original.mean is None:
        return None
    return abs(swapped.mean - original.mean)


def _pcc(cell: ReportCell) -> float | None:
    found = [a.mean_pcc for a in cell.score.attributes] if cell.score else []
    known = [pcc for pcc in found if pcc is not None]
    return min(known) if known else None


def _rmse(cell: ReportCell) -> float | None:
    found = [a.mean_rmse for a in cell.score.attributes] if cell.score else []
    known = [rmse for rmse in found if rmse is not None]
    return max(known) if known else None


def _noop(cell: ReportCell) -> bool | None:
    shift, pcc, rmse = _shift(cell), _pcc(cell), _rmse(cell)
    if shift is None or pcc is None or rmse is None:
        return None
    return shift <= 1e-6 and pcc >= 1 - 1e-6 and rmse <= 1e-6


def _reencode(cell: ReportCell) -> bool | None:
    shift = _shift(cell)
    return None if shift is None else shift <= 0.05


def _blackbox(cell: ReportCell) -> bool | None:
    found = distances(cell, Comparison.SWAPPED_ORIGINAL)
    return None if found is None else found.fta >= NOT_DETECTED_FTA


def _oracle(cell: ReportCell) -> bool | None:
    found = distances(cell, Comparison.SWAPPED_ORIGINAL)
    if found is None or found.mean is None or cell.score is None:
        return None
    return found.mean > cell.score.identity.threshold


RULES: dict[str, tuple[Callable[[ReportCell], bool | None], str]] = {
    "noop": (_noop, "checked: distances equal to 1e-6, PCC 1, RMSE 0"),
    "reencode": (_reencode, "checked: mean distance moves by at most 0.05"),
    "blackbox": (_blackbox, "checked: at least 95 % of frames without a face"),
    "oracle": (_oracle, "checked: mean distance above the threshold"),
}


def _measured(cell: ReportCell) -> str:
    if cell.score is None:
        return f"no score: {cell.reason}"
    swapped = distances(cell, Comparison.SWAPPED_ORIGINAL)
    original = distances(cell, Comparison.ORIGINAL_ORIGINAL)
    return (
        f"OR-OR {fmt(original.mean if original else None)}, "
        f"SW-OR {fmt(swapped.mean if swapped else None)}, "
        f"FTA {percent(swapped.fta if swapped else None)}, "
        f"PCC {fmt(_pcc(cell))}, RMSE {fmt(_rmse(cell))}"
    )
