"""Controls have a result that is known in advance; a control that misses it condemns the run."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from harness.model.base import Frozen
from harness.model.score import Comparison
from reports.aggregate import Detection, detection, distances, fmt, percent
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
        rule, words = RULES.get(cell.spec.tool, (None, ""))
        passed = rule(cell) if rule and cell.score else None
        checks.append(
            ControlCheck(
                variant=cell.variant,
                actor=cell.spec.actor.number,
                expected=info.expected or "",
                rule=words,
                measured=_measured(cell),
                passed=passed,
            )
        )
    return checks


def _shift(cell: ReportCell) -> float | None:
    """How far the swapped video's mean distances are from the original's, to either face: the
    larger of |SW-OR - OR-OR| and |SW-SW - OR-SW|. None when the first is missing.
    """
    gaps = []
    for swapped, original in PAIRS:
        ours, theirs = distances(cell, swapped), distances(cell, original)
        if ours and theirs and ours.mean is not None and theirs.mean is not None:
            gaps.append(abs(ours.mean - theirs.mean))
        elif not gaps:
            return None
    return max(gaps)


PAIRS = (
    (Comparison.SWAPPED_ORIGINAL, Comparison.ORIGINAL_ORIGINAL),
    (Comparison.SWAPPED_SWAPPED, Comparison.ORIGINAL_SWAPPED),
)


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


def _noop(cell: ReportCell) -> bool | None:
    shift, pcc, rmse = _shift(cell), _pcc(cell), _rmse(cell)
    if shift is None or pcc is None or rmse is None:
        return None
    return shift <= 1e-6 and pcc >= 1 - 1e-6 and rmse <= 1e-6


def _reencode(cell: ReportCell) -> bool | None:
    if detection(cell) is Detection.NOT_DETECTED:
        return False
    shift = _shift(cell)
    return None if shift is None else shift <= 0.05


def _blackbox(cell: ReportCell) -> bool | None:
    state = detection(cell)
    return None if state is Detection.NO_ORIGINAL_FACE else state is Detection.NOT_DETECTED


def _oracle(cell: ReportCell) -> bool | None:
    """Far from the actor, and (where the shown person's own face is the reference) near to them."""
    found = distances(cell, Comparison.SWAPPED_ORIGINAL)
    shown = distances(cell, Comparison.SWAPPED_SWAPPED)
    if found is None or found.mean is None or cell.score is None:
        return None
    threshold = cell.score.identity.threshold
    near = shown is None or shown.mean is None or shown.mean <= threshold
    return found.mean > threshold and near


def _time_shift(cell: ReportCell) -> bool | None:
    """The same person, and either a shift that was told or movements that do not fit."""
    shift, pcc = _shift(cell), _pcc(cell)
    if shift is None or cell.score is None:
        return None
    told = not cell.score.alignment.aligned
    return shift <= 0.05 and (told or (pcc is not None and pcc <= 0.5))


def _leak(cell: ReportCell) -> bool | None:
    """The frames that its settings name, and no others; undecided of a sample of frames."""
    info, leaks = cell.spec.actor.test.info, cell.score.leaks if cell.score else None
    if info is None or leaks is None or not leaks.every_frame:
        return None
    first = round(float(cell.spec.settings["at_s"]) * Fraction(info.fps))
    last = first + int(cell.spec.settings["frames"]) - 1
    return [(one.first_frame, one.last_frame) for one in leaks.stretches] == [(first, last)]


def _flicker(cell: ReportCell) -> bool | None:
    """Most of the injected grey levels come back; some of the pixels measured lie around them."""
    quality = cell.score.quality if cell.score else None
    added = quality.flicker.added if quality and quality.flicker else None
    strength = float(cell.spec.settings["strength"])
    return None if added is None else 0.5 * strength <= added <= 1.1 * strength


RULES: dict[str, tuple[Callable[[ReportCell], bool | None], str]] = {
    "noop": (_noop, "SW distances equal OR distances, PCC 1, RMSE 0, all to 1e-6"),
    "reencode": (_reencode, "mean distances move by at most 0.05"),
    "blackbox": (_blackbox, "at least 95 % of the original's faces are no longer found"),
    "oracle": (_oracle, "SW-OR above the threshold, SW-SW at or under it"),
    "time-shift": (
        _time_shift,
        "mean distances move by at most 0.05; shift told, or PCC under 0.5",
    ),
    "flicker": (_flicker, "the flicker added is 0.5 to 1.1 times its strength"),
    "leak": (_leak, "the leaks are exactly the frames that were spared"),
}


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
