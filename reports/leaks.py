"""When and for how long a swapped video shows the person: one row and one strip per cell."""

from __future__ import annotations

from fractions import Fraction

from harness.core.base import Frozen
from harness.model.privacy import LeakProfile
from reports.aggregate import cells_of, is_control, percent, variants
from reports.model import ReportCell, ReportData
from reports.tables import Table, TableCell, number, share, text

NO_PROFILE = "This score is of an earlier version, without leaks over time; `bench score` makes it."


class Strip(Frozen):
    """One cell's video from its first to its last frame; places in per cent of its length."""

    name: str
    words: str
    duration: str
    marks: tuple[tuple[float, float], ...]
    """(left, width) of every leaking stretch."""
    faceless: bool = False
    """No face in any frame: nothing to recognise, which is not hidden."""


class LeaksView(Frozen):
    """The section as its template shows it."""

    table: Table
    strips: tuple[tuple[str, tuple[Strip, ...]], ...]
    """Per column, the cells that have a length; those that never leak as empty strips."""
    sampled: bool
    """Whether some strips show sampled frames only."""


def leaks_view(data: ReportData) -> LeaksView | None:
    """The section; None when no score has a profile."""
    known = [(cell, cell.score.leaks) for cell in data.cells if cell.score and cell.score.leaks]
    if not known:
        return None
    strips = []
    for name in variants(data):
        own = tuple(s for cell in cells_of(data, name) if (s := _strip(cell)) is not None)
        if own:
            strips.append((f"{name} (control)" if is_control(data, name) else name, own))
    return LeaksView(
        table=leak_table(data),
        strips=tuple(strips),
        sampled=any(not leaks.every_frame for _, leaks in known),
    )


def leak_table(data: ReportData) -> Table:
    """One row per scored cell, at the fixed threshold and at the calibrated one where there is."""
    calibrated = {own.cell_id: own for cohort in data.cohorts for own in cohort.leaks}
    rows = []
    for name in variants(data):
        for cell in cells_of(data, name):
            if cell.score is None:
                continue
            own = calibrated.get(cell.spec.id)
            head = (
                text(f"{name} (control)" if is_control(data, name) else name),
                text(cell.spec.actor.number, sort=float(cell.spec.actor.number)),
            )
            cells = _cells(cell.score.leaks)
            rows.append((*head, *cells, *(_calibrated(own.leaks) if own else ())))
    columns: tuple[str, ...] = (
        *("Tool", "Actor", "Frames looked at", "Leaking, of all", "Leaking, of faces"),
        *("Longest run", "Longest run (s)", "First leak (s)", "First percentile", "Stretches"),
    )
    note = (
        "A frame leaks when its distance to the actor's reference face is at or under the "
        "recogniser's threshold; a frame without a face does not leak, and ends a run. First "
        "percentile: of the distance, what the most telling frames come to."
    )
    if calibrated:
        far = max(own.far for own in calibrated.values())
        columns += ("Calibrated threshold", "Leaking, of all, calibrated")
        note += (
            f" Calibrated: at a false accept rate of {100 * far:g} % among the unmodified videos "
            "of the other actors."
        )
        why = "no threshold could be calibrated for this actor"
        blank = (number(None, why), number(None, why))
        rows = [row if len(row) == len(columns) else (*row, *blank) for row in rows]
    return Table(title="Leaks, cell by cell", columns=columns, rows=tuple(rows), note=note)


def _cells(leaks: LeakProfile | None) -> tuple[TableCell, ...]:
    if leaks is None:
        return (number(None, NO_PROFILE),) * 8
    none = "no frame has a face"
    never = "no frame leaks" if leaks.used else none
    looked = f"{leaks.asked}" + ("" if leaks.every_frame else " (sample)")
    return (
        text(looked, "number", float(leaks.asked)),
        share(leaks.share_of_asked, "no frame was looked at"),
        share(leaks.share_of_used, none),
        text(leaks.longest_run_frames, "number", float(leaks.longest_run_frames)),
        number(leaks.longest_run_s, digits=2),
        number(leaks.first_leak_s, never, digits=2),
        number(leaks.p01_l2, none),
        text(leaks.stretches_found, "number", float(leaks.stretches_found)),
    )


def _calibrated(leaks: LeakProfile) -> tuple[TableCell, ...]:
    return number(leaks.threshold), share(leaks.share_of_asked, "no frame was looked at")


def _strip(cell: ReportCell) -> Strip | None:
    leaks, length = cell.score.leaks if cell.score else None, duration_s(cell)
    if leaks is None or not length:
        return None
    marks = tuple(
        (
            round(100 * min(1.0, s.start_s / length), 2),
            # At least as wide as an eye can find.
            round(
                100 * min(1.0 - min(1.0, s.start_s / length), max(0.004, s.duration_s / length)), 2
            ),
        )
        for s in leaks.stretches
    )
    actor = f"actor {cell.spec.actor.number}"
    if not leaks.used:
        words = f"{actor}: no face in any frame that was looked at"
    elif not leaks.leaking:
        words = f"{actor}: no frame leaks"
    else:
        hidden = leaks.stretches_found - len(leaks.stretches)
        kept = f", the longest {len(leaks.stretches)} shown" if hidden else ""
        words = (
            f"{actor}: {percent(leaks.share_of_asked)} of frames leak in "
            f"{leaks.stretches_found} stretch{'es' if leaks.stretches_found != 1 else ''}{kept}"
        )
    return Strip(
        name=f"Actor {cell.spec.actor.number}",
        words=words,
        duration=f"{length:.1f} s",
        marks=marks,
        faceless=not leaks.used,
    )


def duration_s(cell: ReportCell) -> float | None:
    """Of the video that was measured; None when its frame rate is not known."""
    info = cell.spec.actor.test.info
    rate = float(Fraction(info.fps)) if info else 0.0
    if cell.score is None or rate <= 0:
        return None
    return cell.score.identity.frames / rate or None
