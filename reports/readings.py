"""Which face "the swapped identity" is: the thesis says two things, so both are shown."""

from __future__ import annotations

from harness.model.score import SwappedReading
from reports.aggregate import cells_of, listing, variants
from reports.model import ReportData
from reports.tables import Table, number, text

WORDS = {
    SwappedReading.DONOR_PHOTO: "the donor's photo",
    SwappedReading.SWAPPED_FRAME: "the most typical frame of the swapped video itself",
    SwappedReading.NONE: "unavailable (no face)",
}


def swapped_readings(data: ReportData) -> list[tuple[str, str]]:
    """(what "the swapped identity" is in the main numbers, the tools for which it is that)."""
    readings: dict[SwappedReading, dict[str, None]] = {}
    for name in variants(data):
        for cell in cells_of(data, name):
            if cell.score:
                readings.setdefault(cell.score.identity.swapped_reading, {})[name] = None
    order = {reading: place for place, reading in enumerate(WORDS)}
    return [
        (WORDS[reading], listing(list(names), 12))
        for reading, names in sorted(readings.items(), key=lambda item: order[item[0]])
    ]


def readings_table(data: ReportData) -> Table | None:
    """OR-SW and SW-SW under each reading, a row per cell and reading; None for older scores."""
    rows = []
    for name in variants(data):
        for cell in cells_of(data, name):
            for one in cell.score.identity.swapped_identities if cell.score else ():
                actor = cell.spec.actor.number
                means = [d.mean if d else None for d in (one.or_sw, one.sw_sw)]
                rows.append(
                    (
                        text(name),
                        text(actor, sort=float(actor)),
                        text(one.reading.value),
                        *(number(mean, "no face to compare with, or none found") for mean in means),
                        text(one.note, "long"),
                    )
                )
    if not rows:
        return None
    return Table(
        title="Both readings of the swapped identity",
        columns=("Tool", "Actor", "Reading", "OR-SW", "SW-SW", "How it was chosen"),
        rows=tuple(rows),
        note="All other tables and figures follow one reading: the donor's photo where it can be "
        "used, else a swapped frame.",
    )
