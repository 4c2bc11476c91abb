"""Tables of a report: every figure has one too, and a missing number says why."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.base import Frozen
from harness.model.score import Comparison
from reports.aggregate import (
    DASH,
    Mean,
    attributes,
    by_actor_distance,
    cells_of,
    detected,
    distances,
    fisher_mean,
    fmt,
    is_control,
    mean_fta,
    mean_pcc,
    over_actors,
    percent,
    unit_score,
    units_of,
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
    """``number``, ``good``, ``bad``, ``muted`` or empty."""


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
        """Whether most of a column's cells are numbers, so that its header goes right."""
        return 2 * sum(row[column].look == "number" for row in self.rows) > len(self.rows)


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


def mean_cell(mean: Mean, reason: str = "", *, with_n: bool = True) -> TableCell:
    """``mean ± sd (n)`` over actors."""
    if mean.mean is None:
        return TableCell(text=DASH, reason=reason, look="muted")
    sd = f" ± {fmt(mean.sd)}" if mean.sd is not None else ""
    count = f" (n={mean.n})" if with_n else ""
    return TableCell(text=f"{fmt(mean.mean)}{sd}{count}", sort=mean.mean, look="number")


def why_missing(cell: ReportCell, comparison: Comparison) -> str:
    """Why a distance is not there."""
    if cell.score is None:
        return cell.reason
    found = distances(cell, comparison)
    if found is None:
        return "this comparison was not made (no donor or no reference face)"
    return f"no face in any of the {found.asked} sampled frames"


def overview_table(data: ReportData, source: str | None) -> Table:
    """One row for each tool: privacy beside utility; the data of the scatter plot."""
    columns = (
        *("Tool", "Cells scored", "Detected", "SW-OR distance", "Frames without a face"),
        *("Recognised frames", "PCC (mean)", "PCC (Fisher z)", "RMSE"),
    )
    rows = []
    for name in variants(data):
        cells = cells_of(data, name)
        scored = [c for c in cells if c.score]
        seen = [c for c in cells if detected(c)]
        why = "not detected: no face was found, which is not the same as hidden"
        why = why if scored else "no cell of this tool has a score"
        no_units = "no measurable action units"
        leak = over_actors(
            (c.spec.actor.number, d.share_at_or_under_threshold)
            for c in seen
            if (d := distances(c, Comparison.SWAPPED_ORIGINAL))
        )
        pcc = mean_pcc(cells, source) if source else []
        rmse = _mean_rmse(cells, source) if source else Mean(n=0)
        label = f"{name} (control)" if is_control(data, name) else name
        rows.append(
            (
                text(label),
                text(f"{len(scored)} of {len(cells)}", "number", len(scored)),
                text(f"{len(seen)} of {len(cells)}", "number", len(seen)),
                mean_cell(over_actors(by_actor_distance(cells, Comparison.SWAPPED_ORIGINAL)), why),
                share(mean_fta(cells).mean, why),
                share(leak.mean, why),
                mean_cell(over_actors(pcc), no_units),
                mean_cell(fisher_mean(pcc), no_units, with_n=False),
                mean_cell(rmse, no_units, with_n=False),
            )
        )
    note = (
        "Mean over actors ± standard deviation across actors; n is the number of actors. "
        "Distances and recognised frames cover detected cells only; "
        "the columns beside them say how many."
    )
    return Table(title="Privacy and utility by tool", columns=columns, rows=tuple(rows), note=note)


def _mean_rmse(cells: Sequence[ReportCell], source: str) -> Mean:
    found = [(c.spec.actor.number, attributes(c, source)) for c in cells]
    return over_actors((actor, a.mean_rmse if a else None) for actor, a in found)


def actor_table(data: ReportData, variant: str) -> Table:
    """The four mean distances of each actor (thesis tables 4-7), with what they rest on."""
    columns = ("Actor", "Sex", "Status", *(SHORT[c] for c in ORDER))
    columns += ("Used / asked", "FTA", "Several faces", "Recognised frames", "Recognised?")
    cells = cells_of(data, variant)
    rows = tuple(_actor_row(cell) for cell in cells)
    scored = sum(c.score is not None for c in cells)
    seen = sum(detected(c) for c in cells)
    means = [over_actors(by_actor_distance(cells, c)) for c in ORDER]
    blank = (text(""),) * 2
    tail = (text(""),) * 3
    footer = (
        (
            text("Mean of actors"),
            *blank,
            *(number(m.mean, "no cell with this distance") for m in means),
            text(""),
            share(mean_fta(cells).mean, "no cell of this tool has a score"),
            *tail,
        ),
        (
            text("SD across actors"),
            *blank,
            *(number(m.sd, "needs two actors") for m in means),
            text(""),
            text(""),
            *tail,
        ),
        (
            text("Actors"),
            *blank,
            *(text(m.n, "number") for m in means),
            text(""),
            text(""),
            *tail,
        ),
    )
    note = (
        "Mean L2 distances over sampled frames. In the last rows the SW columns leave out "
        "cells in which no face was detected."
    )
    title = f"{variant}: {scored} of {len(cells)} cells scored, {seen} detected"
    return Table(title=title, columns=columns, rows=rows, footer=footer, note=note)


def _actor_row(cell: ReportCell) -> tuple[TableCell, ...]:
    found = distances(cell, Comparison.SWAPPED_ORIGINAL)
    reason = why_missing(cell, Comparison.SWAPPED_ORIGINAL)
    four = []
    for comparison in ORDER:
        d = distances(cell, comparison)
        four.append(number(d.mean if d else None, why_missing(cell, comparison)))
    return (
        text(cell.spec.actor.number, sort=float(cell.spec.actor.number)),
        text(cell.spec.actor.sex.value),
        text(cell.status, "" if cell.score else "bad"),
        *four,
        text(f"{found.used} / {found.asked}", "number", float(found.used))
        if found
        else number(None, reason),
        share(found.fta if found else None, reason),
        text(found.several_faces, "number", float(found.several_faces))
        if found
        else number(None, reason),
        share(found.share_at_or_under_threshold if found else None, reason),
        verdict(cell),
    )


def verdict(cell: ReportCell) -> TableCell:
    """Recognised, not recognised or not detected: a face nobody found is not a hidden one."""
    found = distances(cell, Comparison.SWAPPED_ORIGINAL)
    if cell.score is None or found is None:
        return text("no score", "bad")
    if not detected(cell) or found.mean is None:
        return text("not detected", "muted")
    if found.mean <= cell.score.identity.threshold:
        return text("recognised", "bad")
    return text("not recognised", "good")


def unit_table(data: ReportData, source: str) -> Table:
    """PCC and RMSE of each action unit and tool (thesis table 2), averaged over actors."""
    names = variants(data)
    columns = ["Unit"]
    for name in names:
        columns += [f"{name} PCC", f"{name} RMSE"]
    rows = []
    for unit in units_of(data, source):
        row = [text(unit, sort=float("".join(filter(str.isdigit, unit.split("/")[0])) or 999))]
        for name in names:
            row += _unit_cells(cells_of(data, name), source, unit)
        rows.append(tuple(row))
    footer = [text("Mean of units")]
    fisher = [text("Mean of units, Fisher z")]
    for name in names:
        cells = cells_of(data, name)
        pcc = mean_pcc(cells, source)
        none = "no measurable action units"
        footer += [mean_cell(over_actors(pcc), none), mean_cell(_mean_rmse(cells, source), none)]
        fisher += [mean_cell(fisher_mean(pcc), none), text("")]
    note = (
        "Mean over actors ± standard deviation across actors. "
        "A unit that does not move in the original is not measurable: it has no PCC."
    )
    return Table(
        title=f"Action units ({source})",
        columns=tuple(columns),
        rows=tuple(rows),
        footer=(tuple(footer), tuple(fisher)),
        note=note,
    )


def _unit_cells(cells: Sequence[ReportCell], source: str, unit: str) -> list[TableCell]:
    found = [(c.spec.actor.number, unit_score(c, source, unit)) for c in cells]
    usable = [(actor, u) for actor, u in found if u and u.measurable]
    reasons = [u.reason for _, u in found if u and not u.measurable and u.reason]
    if not usable:
        known = any(u for _, u in found)
        shown = "not measurable" if known else DASH
        reason = reasons[0] if reasons else "no cell of this tool has this unit"
        return [TableCell(text=shown, reason=reason, look="muted")] * 2
    pcc = over_actors((actor, u.pcc) for actor, u in usable)
    rmse = over_actors((actor, u.rmse) for actor, u in usable)
    why = "the swapped video carries no varying value of this unit"
    return [mean_cell(pcc, why), mean_cell(rmse, why, with_n=False)]


def failure_table(data: ReportData) -> Table:
    """Every cell without a usable score, with the reason it gave."""
    rows = []
    for cell in data.cells:
        reason = cell.reason
        if cell.score and not cell.score.alignment.aligned:
            reason = f"frames are not aligned: {cell.score.alignment.reason}"
        elif cell.score:
            continue
        rows.append(
            (
                text(cell.variant),
                text(cell.spec.actor.number, sort=float(cell.spec.actor.number)),
                text(cell.status, "bad"),
                text(len(cell.attempts), "number", float(len(cell.attempts))),
                text(reason),
                text(cell.spec.slug, "muted"),
            )
        )
    columns = ("Tool", "Actor", "Status", "Attempts", "Reason", "Cell")
    return Table(title="Cells without a usable score", columns=columns, rows=tuple(rows))
