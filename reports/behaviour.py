"""What is left of a face's behaviour besides the correlation of its action units, beside what the
estimator makes of compression alone."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from harness.core.base import Frozen
from harness.model.utility import Events, Kept
from reports.aggregate import (
    DASH,
    Mean,
    attributes,
    cells_of,
    fmt,
    is_control,
    over_actors,
    percent,
    variants,
)
from reports.model import ReportCell, ReportData
from reports.tables import Table, TableCell, actors_of, number, partial, share, text

NOT_LOOKED = "no score with this part; `bench score` makes it"
Read = Callable[[Kept], float | None]


class BehaviourView(Frozen):
    """The part of the section on utility that its template shows."""

    kept: Table
    events: Table
    floor_note: str


def behaviour_view(data: ReportData, source: str | None) -> BehaviourView | None:
    """The two tables; None when no score has the part. ``source`` is that of slope and lag."""
    found = [c.score.utility for c in data.cells if c.score and c.score.utility]
    if not found:
        return None
    notes = dict.fromkeys(u.floor_note for u in found if u.floor_note)
    return BehaviourView(
        kept=kept_table(data, source),
        events=events_table(data),
        floor_note=" ".join(list(notes)[:3]),
    )


def kept_table(data: ReportData, source: str | None) -> Table:
    """One row per column: timing, amplitude, pose, gaze and landmarks, means over actors."""
    columns = (
        *("Tool", "Face kept", "Slope", "Lag (s)", "Blinks F1", "Mouth openings F1"),
        *("Head pose (°)", "Gaze", "Landmarks"),
    )
    rows = []
    for name in variants(data):
        cells = cells_of(data, name)
        rows.append(
            (
                text(f"{name} (control)" if is_control(data, name) else name),
                _shared(cells, lambda kept: kept.detection_rate, "no face in the original"),
                _unit_cell(cells, source, "slope"),
                _unit_cell(cells, source, "lag_s"),
                _numbered(cells, lambda kept: kept.blinks.f1, "no blink to find again"),
                _numbered(cells, lambda kept: kept.mouth_openings.f1, "no opening to find again"),
                _numbered(cells, lambda kept: kept.head_pose.mean, "no pair of frames", digits=2),
                _numbered(cells, lambda kept: kept.gaze.mean, "no pair of frames"),
                _numbered(cells, _landmarks, "no pair of frames with landmarks"),
            )
        )
    named = f" ({source})" if source else ""
    return Table(
        title="Behaviour kept, alongside the noise floor",
        columns=columns,
        rows=tuple(rows),
        note="Mean over actors, and how many where some are missing; in brackets the noise "
        "floor: the same of the original against its "
        "own re-encoding. A value no worse than its floor says nothing against the tool. Face "
        "kept: share of the original's faces still found. Slope: swapped intensity over the "
        f"original's, median over measurable units{named}: 1 keeps the amplitude, 0 is frozen. "
        "Lag: shift at which a unit's PCC peaks, median over units; positive is late. Head pose, "
        "gaze (rig weights, 0 to 1) and landmarks (interocular distances) are mean differences: "
        "0 is best.",
    )


def _landmarks(kept: Kept) -> float | None:
    return kept.landmarks.mean if kept.landmarks else None


def _means(cells: Sequence[ReportCell], read: Read) -> tuple[Mean, Mean]:
    """Over actors: of the swapped videos, and of the floor."""
    swapped: list[tuple[int, float | None]] = []
    floor: list[tuple[int, float | None]] = []
    for cell in cells:
        utility = cell.score.utility if cell.score else None
        if utility is not None:
            actor = cell.spec.actor.number
            swapped.append((actor, read(utility.kept)))
            floor.append((actor, read(utility.floor) if utility.floor else None))
    return over_actors(swapped), over_actors(floor)


def _numbered(cells: Sequence[ReportCell], read: Read, why: str, *, digits: int = 3) -> TableCell:
    swapped, floor = _means(cells, read)
    cell = _beside(number(swapped.mean, _why(cells, why), digits), fmt(floor.mean, digits))
    return partial(cell, swapped.n, actors_of(cells))


def _shared(cells: Sequence[ReportCell], read: Read, why: str) -> TableCell:
    swapped, floor = _means(cells, read)
    cell = _beside(share(swapped.mean, _why(cells, why)), percent(floor.mean))
    return partial(cell, swapped.n, actors_of(cells))


def _beside(cell: TableCell, floor: str) -> TableCell:
    if floor == DASH:
        return cell
    return cell.model_copy(update={"text": f"{cell.text} ({floor})"})


def _why(cells: Sequence[ReportCell], why: str) -> str:
    """The reason of the first cell that has one, else what is generally missing."""
    parts = [c.score.utility.kept for c in cells if c.score and c.score.utility]
    if not parts:
        return NOT_LOOKED
    said = [p.head_pose.reason for p in parts if p.head_pose.reason]
    return said[0] if len(said) == len(parts) else why


def _unit_cell(cells: Sequence[ReportCell], source: str | None, field: str) -> TableCell:
    """Median over a cell's units, mean over actors."""
    values: list[tuple[int, float | None]] = []
    for cell in cells:
        found = attributes(cell, source) if source else None
        known = [
            0.0 if field == "slope" and u.frozen else getattr(u, field)
            for u in (found.units if found else ())
            if u.measurable
        ]
        present = [value for value in known if value is not None]
        values.append((cell.spec.actor.number, statistics.median(present) if present else None))
    mean = over_actors(values)
    shown = number(mean.mean, "no measurable action units", 2)
    return partial(shown, mean.n, actors_of(cells))


EVENTS = (("Blinks", "blinks"), ("Mouth openings", "mouth_openings"))


def events_table(data: ReportData) -> Table:
    """Per column and kind of event: how many the original has, and how many are found again."""
    rows = []
    for name in variants(data):
        cells = cells_of(data, name)
        looked = [c for c in cells if c.score and c.score.utility]
        parts = [c.score.utility.kept for c in looked if c.score and c.score.utility]
        actors = len({c.spec.actor.number for c in looked}), actors_of(cells)
        for title, field in EVENTS:
            events: list[Events] = [getattr(part, field) for part in parts]
            rows.append(
                (
                    text(f"{name} (control)" if is_control(data, name) else name),
                    text(title),
                    *(
                        partial(_count(events, key), *actors)
                        for key in ("original", "swapped", "matched")
                    ),
                    *(_rate(cells, field, key) for key in _RATES),
                )
            )
    tolerance = _tolerances(data)
    return Table(
        title="Events found again",
        columns=(
            *("Tool", "Event", "In the originals", "In the swapped", "Found again"),
            *("Precision", "Recall", "F1"),
        ),
        rows=tuple(rows),
        note="Counts are sums over actors, as many as are named where some are missing; "
        "precision, recall and F1 are means of actors' own, of "
        f"those with an event. An event is found again when one begins within {tolerance} of it.",
    )


_RATES = ("precision", "recall", "f1")


def _count(events: Sequence[Events], key: str) -> TableCell:
    if not events:
        return number(None, NOT_LOOKED)
    total = sum(int(getattr(one, key)) for one in events)
    return text(total, "number", float(total))


def _rate(cells: Sequence[ReportCell], field: str, key: str) -> TableCell:
    def read(kept: Kept) -> float | None:
        value: float | None = getattr(getattr(kept, field), key)
        return value

    return _numbered(cells, read, "no event in these originals")


def _tolerances(data: ReportData) -> str:
    found = [c.score.utility.kept.blinks for c in data.cells if c.score and c.score.utility]
    known = sorted({one.tolerance_s for one in found if one.tolerance_s})
    return " or ".join(f"{value:g} s" for value in known) or "its tolerance"
