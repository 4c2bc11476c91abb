"""Tables of a report: every figure has one too, and a missing number says why."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.base import Frozen
from harness.model.score import Comparison
from reports.aggregate import (
    DASH,
    Detection,
    Mean,
    actor_ranges,
    attributes,
    by_actor_distance,
    cells_of,
    detected,
    detection,
    distances,
    fmt,
    frozen_note,
    is_control,
    leak,
    mean_ccc,
    mean_fta,
    mean_leak,
    mean_pcc,
    over_actors,
    percent,
    some_actors,
    spread,
    units_used,
    variants,
)
from reports.model import ReportCell, ReportData

ORDER = (
    Comparison.ORIGINAL_ORIGINAL,
    Comparison.ORIGINAL_SWAPPED,
    Comparison.SWAPPED_ORIGINAL,
    Comparison.SWAPPED_SWAPPED,
)
SHORT = {
    Comparison.ORIGINAL_ORIGINAL: "OR-OR",
    Comparison.ORIGINAL_SWAPPED: "OR-SW",
    Comparison.SWAPPED_ORIGINAL: "SW-OR",
    Comparison.SWAPPED_SWAPPED: "SW-SW",
}


class TableCell(Frozen):
    """A cell's text, what it sorts by, a reason shown with a missing number, and its look."""

    text: str
    sort: float | str = ""
    reason: str = ""
    look: str = ""
    """``number``, ``good``, ``partly``, ``bad``, ``muted``, ``soft``, or several."""
    href: str = ""
    """Where the text leads, relative to the page; empty for plain text."""


class Table(Frozen):
    """A sortable table. The first column of a row is its header; ``footer`` stays in place."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    footer: tuple[tuple[TableCell, ...], ...] = ()
    note: str = ""

    @property
    def reasons(self) -> list[str]:
        """Why numbers are missing, each reason once: the table's footnotes."""
        cells = (cell for row in (*self.rows, *self.footer) for cell in row)
        return list(dict.fromkeys(cell.reason for cell in cells if cell.reason))

    def is_numeric(self, column: int) -> bool:
        """Whether most of a column's cells are numbers (or missing ones), so that its header goes
        right.
        """
        right = sum(row[column].look.startswith(("number", "muted")) for row in self.rows)
        return 2 * right > len(self.rows)


def text(value: object, look: str = "", sort: float | str | None = None) -> TableCell:
    """A cell of words."""
    words = str(value)
    return TableCell(text=words, sort=words if sort is None else sort, look=look)


def number(value: float | None, reason: str = "", digits: int = 3) -> TableCell:
    """A cell with a number, or a dash and the reason for it."""
    shown = fmt(value, digits)
    missing = shown == DASH
    sort: float | str = "" if missing or value is None else value
    return TableCell(
        text=shown,
        sort=sort,
        reason=reason if missing else "",
        look="muted" if missing else "number",
    )


def share(value: float | None, reason: str = "") -> TableCell:
    """A cell with a percentage."""
    shown = percent(value)
    missing = shown == DASH or value is None
    return TableCell(
        text=shown,
        sort="" if missing or value is None else value,
        reason=reason if missing else "",
        look="muted" if missing else "number",
    )


def mean_cell(mean: Mean, reason: str = "", *, of: int | None = None) -> TableCell:
    """``mean ± sd`` over actors, with ``5 of 7 actors`` unless all ``of`` actors count."""
    if mean.mean is None:
        return TableCell(text=DASH, reason=reason, look="muted")
    sd = f" ± {fmt(mean.sd)}" if mean.sd is not None else ""
    count = "" if of is None else some_actors(mean.n, of)
    return TableCell(text=f"{fmt(mean.mean)}{sd}{count}", sort=mean.mean, look="number")


def partial(cell: TableCell, n: int, of: int) -> TableCell:
    """The cell of a mean over ``n`` actors, which says so where there are more (``of``)."""
    return cell.model_copy(update={"text": f"{cell.text}{some_actors(n, of)}"})


def actors_of(cells: Sequence[ReportCell]) -> int:
    """Number of actors asked for."""
    return len({cell.spec.actor.number for cell in cells})


def why_missing(cell: ReportCell, comparison: Comparison) -> str:
    """Why a distance is not there."""
    if cell.score is None:
        return cell.reason
    found = distances(cell, comparison)
    if found is None:
        return "this comparison was not made (no donor or no reference face)"
    return f"no face in any of the {found.asked} sampled frames"


NOT_DETECTED_REASON = "not detected: no face was found, which is not the same as hidden"


def overview_table(data: ReportData, source: str | None) -> Table:
    """One row for each tool: privacy beside utility; the data of the scatter plot."""
    columns = (
        *("Tool", "Cells scored", "Face detected", "SW-OR distance", "No face, original"),
        *("No face, swapped", "Leak, of all frames", "Leak, of faces found"),
        *("PCC", "CCC", "Units used", "Frames paired"),
    )
    named = f"; PCC and CCC from {source}" if source else ""
    note = (
        "Mean over actors ± standard deviation across actors, and how many actors where some are "
        "missing: means over other actors are not to be compared (the paired table does that). "
        "Distances cover detected cells only. Leak: frames in which the person is recognised, over "
        "all sampled frames (one without a face is not recognised), and over those with a face in "
        f"detected cells (which says nothing of how few they are). {frozen_note(data)}"
    )
    return Table(
        title=f"Privacy and utility by tool{named}",
        columns=columns,
        rows=tuple(_overview_row(data, name, source) for name in variants(data)),
        note=note,
    )


def _overview_row(data: ReportData, name: str, source: str | None) -> tuple[TableCell, ...]:
    cells = cells_of(data, name)
    n = actors_of(cells)
    scored = sum(c.score is not None for c in cells)
    seen = sum(detected(c) for c in cells)
    unscored = "no cell of this tool has a score"
    why = NOT_DETECTED_REASON if scored else unscored
    distance = over_actors(by_actor_distance(cells, Comparison.SWAPPED_ORIGINAL))
    return (
        text(f"{name} (control)" if is_control(data, name) else name),
        text(f"{scored} of {len(cells)}", "number", scored),
        text(f"{seen} of {len(cells)}", "number", seen),
        mean_cell(distance, why, of=n),
        _share_of(mean_fta(cells, Comparison.ORIGINAL_ORIGINAL), unscored, n),
        _share_of(mean_fta(cells), unscored, n),
        _share_of(mean_leak(cells, of_all=True), unscored, n),
        _share_of(mean_leak(cells, of_all=False), why, n),
        *_overview_units(cells, source, n),
    )


def _share_of(mean: Mean, reason: str, of: int) -> TableCell:
    return partial(share(mean.mean, reason), mean.n, of)


def _overview_units(cells: Sequence[ReportCell], source: str | None, n: int) -> list[TableCell]:
    found = [a for c in cells if source and (a := attributes(c, source))]
    none = "no measurable action units"
    if source is None or not found:
        return [number(None, none)] * 4
    paired = over_actors(
        (c.spec.actor.number, a.paired / a.frames if a and a.frames else None)
        for c in cells
        for a in (attributes(c, source),)
    )
    have = [units_used(a) for a in found]
    return [
        *(
            mean_cell(over_actors(means(cells, source)), none, of=n)
            for means in (mean_pcc, mean_ccc)
        ),
        text(f"{spread(have)} of {spread(len(a.units) for a in found)}", "number", max(have)),
        _share_of(paired, "no frames", n),
    ]


CELL_COLUMNS = (
    *("Actor", "Outcome", *(SHORT[c] for c in ORDER), "No face, original", "No face, swapped"),
    *("Faces found", "Leak, of all frames", "Leak, of faces found", "Several faces"),
)
CELL_NOTE = (
    "Mean L2 distances over sampled frames with a face. No face: share of sampled frames (FTA); "
    "what counts is what the swapped video loses beyond the original. Leak: frames in which the "
    "person is recognised. Recognised: the mean SW-OR distance is at or under the threshold; "
    "partly recognised: it is above, but there are leaks."
)
FEW_ACTORS = 3


def actor_tables(data: ReportData) -> list[Table]:
    """Thesis tables 4-7: one per tool that has a score, or a single one for few actors."""
    if len({c.spec.actor.number for c in data.cells}) <= FEW_ACTORS:
        return [_all_cells(data)] if data.cells else []
    scored = [n for n in variants(data) if any(c.score for c in cells_of(data, n))]
    return [actor_table(data, name) for name in scored]


def _all_cells(data: ReportData) -> Table:
    rows = tuple(
        (text(f"{name} (control)" if is_control(data, name) else name), *actor_row(cell))
        for name in variants(data)
        for cell in cells_of(data, name)
    )
    return Table(title="Every cell", columns=("Tool", *CELL_COLUMNS), rows=rows, note=CELL_NOTE)


def actor_table(data: ReportData, variant: str) -> Table:
    """The four mean distances of each actor (thesis tables 4-7), with what they rest on."""
    cells = cells_of(data, variant)
    scored = sum(c.score is not None for c in cells)
    seen = sum(detected(c) for c in cells)
    means = [over_actors(by_actor_distance(cells, c)) for c in ORDER]
    none = "no cell of this tool has a score"
    blank = (text(""),)
    fta = [mean_fta(cells, Comparison.ORIGINAL_ORIGINAL), mean_fta(cells)]
    leaks = [mean_leak(cells, of_all=True), mean_leak(cells, of_all=False)]
    footer = (
        (
            text("Mean of actors"),
            *blank,
            *(number(m.mean, "no cell with this distance") for m in means),
            *(share(m.mean, none) for m in fta),
            text(""),
            *(share(m.mean, NOT_DETECTED_REASON) for m in leaks),
            text(""),
        ),
        (
            text("SD across actors"),
            *blank,
            *(number(m.sd, "needs two actors") for m in means),
            *(share(m.sd, "needs two actors") for m in fta),
            text(""),
            *(share(m.sd, "needs two actors") for m in leaks),
            text(""),
        ),
        (
            text("Actors"),
            *blank,
            *(text(m.n, "number") for m in (*means, *fta)),
            text(""),
            *(text(m.n, "number") for m in leaks),
            text(""),
        ),
    )
    note = (
        f"{CELL_NOTE} In the last rows the SW columns and the leaks of faces found leave out cells "
        "in which no face was detected."
    )
    title = f"{variant}: {scored} of {len(cells)} cells scored, {seen} detected"
    rows = tuple(actor_row(cell) for cell in cells)
    return Table(title=title, columns=CELL_COLUMNS, rows=rows, footer=footer, note=note)


def actor_row(cell: ReportCell) -> tuple[TableCell, ...]:
    """An actor's numbers of one cell, as ``CELL_COLUMNS`` name them."""
    original = distances(cell, Comparison.ORIGINAL_ORIGINAL)
    found = distances(cell, Comparison.SWAPPED_ORIGINAL)
    leaked = leak(cell)
    reason = why_missing(cell, Comparison.SWAPPED_ORIGINAL)
    four = []
    for comparison in ORDER:
        d = distances(cell, comparison)
        four.append(number(d.mean if d else None, why_missing(cell, comparison)))
    seen = leaked if detected(cell) else None
    lost = NOT_DETECTED_REASON if cell.score else reason
    return (
        text(cell.spec.actor.number, sort=float(cell.spec.actor.number)),
        verdict(cell),
        *four,
        share(original.fta if original else None, reason),
        share(found.fta if found else None, reason),
        text(f"{found.used} / {found.asked}", "number", float(found.used))
        if found
        else number(None, reason),
        share(leaked.of_all if leaked else None, reason),
        share(seen.of_seen if seen else None, lost),
        text(found.several_faces, "number", float(found.several_faces))
        if found
        else number(None, reason),
    )


def verdict(cell: ReportCell) -> TableCell:
    """Recognised (on average), partly (in single frames), not recognised, or not detected: a face
    that nobody found is not a hidden one.
    """
    found = distances(cell, Comparison.SWAPPED_ORIGINAL)
    state = detection(cell)
    if cell.score is None or found is None:
        return text(cell.status.replace("_", " "), "bad")
    if state is not Detection.DETECTED or found.mean is None:
        return text(state.value, "soft")
    if found.mean <= cell.score.identity.threshold:
        return text("recognised", "bad")
    leaked = leak(cell)
    if leaked and leaked.recognised:
        return text("partly recognised", "partly")
    return text("not recognised", "good")


MOST_FAILURES = 300
"""Up to so many, every failed cell has a row; beyond, cells with the same end share one."""


def failure_table(data: ReportData) -> Table:
    """Every cell without a usable score, with the reason it gave; alike ones grouped if many."""
    failed = [(cell, reason) for cell in data.cells if (reason := failure_reason(cell))]
    if len(failed) > MOST_FAILURES:
        return _grouped_failures(failed)
    rows = tuple(
        (
            text(cell.variant),
            text(cell.spec.actor.number, sort=float(cell.spec.actor.number)),
            text(cell.status, "bad"),
            text(len(cell.attempts), "number", float(len(cell.attempts))),
            text(reason),
            text(cell.spec.slug, "muted"),
        )
        for cell, reason in failed
    )
    columns = ("Tool", "Actor", "Status", "Attempts", "Reason", "Cell")
    return Table(title="Cells without a usable score", columns=columns, rows=rows)


def failure_reason(cell: ReportCell) -> str:
    """Why a cell has no usable score; empty when it has one."""
    if cell.score is None:
        return cell.reason or "no reason was stored"
    if not cell.score.alignment.aligned:
        return f"frames are not aligned: {cell.score.alignment.reason}"
    return ""


def _grouped_failures(failed: Sequence[tuple[ReportCell, str]]) -> Table:
    groups: dict[tuple[str, str, str], list[int]] = {}
    for cell, reason in failed:
        key = (cell.variant, cell.status, reason)
        groups.setdefault(key, []).append(cell.spec.actor.number)
    largest = sorted(groups.items(), key=lambda item: -len(item[1]))
    rows = tuple(
        (
            text(variant),
            text(len(actors), "number", float(len(actors))),
            text(status, "bad"),
            text(reason),
            text(actor_ranges(actors)),
        )
        for (variant, status, reason), actors in largest[:MOST_FAILURES]
    )
    hidden = sum(len(actors) for _, actors in largest[MOST_FAILURES:])
    rest = f" {hidden} more cells, with rarer ends, are in `bench status`." if hidden else ""
    return Table(
        title="Cells without a usable score, alike ones together",
        columns=("Tool", "Cells", "Status", "Reason", "Actors"),
        rows=rows,
        note=f"{len(failed)} cells in all; `bench status` lists each of them.{rest}",
    )
