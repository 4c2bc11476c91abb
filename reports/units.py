"""Action units: PCC, RMSE and CCC of each (thesis table 2), what the means rest on, and the
intensities (thesis figures 33-40). One source at a time."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from harness.core.base import Frozen
from harness.model.score import Attributes, UnitScore
from reports.aggregate import (
    attributes,
    cells_of,
    fisher_mean,
    frozen_note,
    is_control,
    mean_ccc,
    mean_pcc,
    mean_rmse,
    over_actors,
    unit_score,
    units_frozen,
    units_of,
    units_used,
    variants,
)
from reports.model import ReportCell, ReportData
from reports.plot import NEUTRAL, PALETTE, Figure, Trace, axis
from reports.tables import Table, TableCell, actors_of, mean_cell, number, share, text

FEW_FRAMES = 0.5
"""Under this share of paired frames, a PCC is marked as resting on few frames."""
Pairs = list[tuple[int, float | None]]


class Metric(Frozen):
    """One of the numbers that compare a unit's two series."""

    key: str
    name: str
    means: Callable[[Sequence[ReportCell], str], Pairs]
    note: str
    floor: str | None = None
    """The field of a unit that has the noise floor of this number."""


PCC = Metric(
    key="pcc",
    name="PCC",
    means=mean_pcc,
    note="Correlation of the two series; scale and offset do not count. *: with a unit that stands "
    "still.",
    floor="floor_pcc",
)
CCC = Metric(
    key="ccc",
    name="CCC",
    means=mean_ccc,
    note="Lin's concordance: like PCC, but scale and offset count too.",
)
RMSE = Metric(
    key="rmse",
    name="RMSE",
    means=mean_rmse,
    note="In the source's scale; 0 is best.",
    floor="floor_rmse",
)
METRICS = (PCC, CCC, RMSE)


def unit_table(data: ReportData, source: str, metric: Metric) -> Table:
    """A metric of each action unit (rows) and tool (columns), averaged over actors."""
    names = variants(data)
    floored = metric.floor is not None and _has_floor(data, source)
    rows = []
    for unit in units_of(data, source):
        digits = "".join(filter(str.isdigit, unit.split("/")[0]))
        row = [text(unit, sort=float(digits or 999))]
        row += [_floor_cell(data, source, unit, metric)] if floored else []
        row += [_unit_cell(cells_of(data, name), source, unit, metric) for name in names]
        rows.append(tuple(row))
    none = "no measurable action units"
    blank = [text("")] if floored else []
    footer = [text("Mean of units"), *blank]
    fisher = [text("Mean of units, Fisher z"), *blank]
    for name in names:
        cells = cells_of(data, name)
        pairs = metric.means(cells, source)
        footer.append(mean_cell(over_actors(pairs), none, of=actors_of(cells)))
        fisher.append(mean_cell(fisher_mean(pairs), none, of=actors_of(cells)))
    return Table(
        title=f"{metric.name} of action units ({source})",
        columns=(
            "Unit",
            *(("Noise floor",) if floored else ()),
            *(f"{n} (control)" if is_control(data, n) else n for n in names),
        ),
        rows=tuple(rows),
        footer=(tuple(footer), tuple(fisher)) if metric is PCC else (tuple(footer),),
        note=f"Mean over actors ± standard deviation across actors, and how many actors "
        f"where some are missing. n. m.: not measurable. {metric.note} {frozen_note(data)}"
        + (FLOOR_NOTE if floored else ""),
    )


FLOOR_NOTE = (
    " Noise floor: the same of the original against its own re-encoding, which is what the source "
    "makes of compression alone. A unit is only as good as its floor."
)


def _has_floor(data: ReportData, source: str) -> bool:
    found = (attributes(cell, source) for cell in data.cells)
    return any(u.floor_pcc is not None for a in found if a for u in a.units)


def _floor_cell(data: ReportData, source: str, unit: str, metric: Metric) -> TableCell:
    """The floor is of an actor's original, and so the same for every tool."""
    found = [(c.spec.actor.number, unit_score(c, source, unit)) for c in data.cells]
    mean = over_actors(
        (actor, getattr(u, metric.floor) if u and metric.floor else None) for actor, u in found
    )
    return mean_cell(mean, "no floor for this unit", of=len({actor for actor, _ in found}))


def _unit_cell(cells: Sequence[ReportCell], source: str, unit: str, metric: Metric) -> TableCell:
    found = [(c.spec.actor.number, unit_score(c, source, unit)) for c in cells]
    usable = [(actor, u) for actor, u in found if u and u.measurable]
    if not usable:
        reasons = [u.reason for _, u in found if u and u.reason]
        reason = reasons[0] if reasons else "no cell of this tool has this unit"
        return TableCell(text="n. m.", reason=f"not measurable: {reason}", look="muted")
    mean = over_actors((actor, _value(u, metric)) for actor, u in usable)
    cell = mean_cell(mean, "the swapped video stands still in this unit", of=actors_of(cells))
    as_zero = metric is PCC and any(u.frozen for _, u in usable)
    return cell.model_copy(update={"text": f"{cell.text}*"}) if as_zero else cell


def _value(unit: UnitScore, metric: Metric) -> float | None:
    """A frozen unit's PCC is 0 here, as in the mean over units."""
    value: float | None = getattr(unit, metric.key)
    return 0.0 if metric is PCC and unit.frozen and value is None else value


def coverage_table(data: ReportData, source: str) -> Table:
    """One row per cell: its means, and how many units and frames each rests on."""
    columns = (
        *("Tool", "Actor", "Mean PCC", "Mean CCC", "Mean RMSE", "Units used", "Units frozen"),
        *("Units in all", "Frames paired", "Share of frames"),
    )
    rows = []
    for name in variants(data):
        for cell in cells_of(data, name):
            found = attributes(cell, source)
            if found is not None:
                actor = cell.spec.actor.number
                head = (text(name), text(actor, sort=float(actor)))
                rows.append((*head, *_coverage(found)))
    note = (
        "Read a mean with what it rests on. Units used: they move in the original and can be "
        f"paired. Units frozen: of these, the ones that stand still in the swapped video. "
        f"{frozen_note(data)} Paired frames have a face in both videos (in brackets: frames in "
        "which the original alone has one, where the score says so); shares under "
        f"{100 * FEW_FRAMES:.0f} % stand out."
    )
    return Table(
        title=f"What the means rest on ({source})", columns=columns, rows=tuple(rows), note=note
    )


def _coverage(found: Attributes) -> tuple[TableCell, ...]:
    reasons = [u.reason for u in found.units if u.reason]
    why = f"no measurable unit: {max(set(reasons), key=reasons.count) if reasons else 'unknown'}"
    few = found.paired < FEW_FRAMES * found.frames
    ratio = share(found.paired / found.frames if found.frames else None, "no frames")
    alone = "" if found.seen_original is None else f" ({found.seen_original})"
    return (
        *(number(v, why) for v in (found.mean_pcc, found.mean_ccc, found.mean_rmse)),
        count(units_used(found)),
        count(units_frozen(found)),
        count(len(found.units)),
        text(f"{found.paired} of {found.frames}{alone}", "number", float(found.paired)),
        ratio.model_copy(update={"look": "number bad"}) if few else ratio,
    )


def count(value: int) -> TableCell:
    """A whole number."""
    return text(value, "number", float(value))


def unit_figure(data: ReportData, variant: str, source: str, index: int) -> Figure | None:
    """Intensities of each unit, original beside swapped; None without a swapped intensity."""
    cells = cells_of(data, variant)
    boxes: dict[str, list[tuple[str, list[float]]]] = {"original": [], "swapped": []}
    actors: set[int] = set()
    for unit in units_of(data, source):
        pairs = [(c, u) for c in cells if (u := unit_score(c, source, unit)) and u.measurable]
        both = [(c, u) for c, u in pairs if u.original_quartiles and u.swapped_quartiles]
        actors.update(c.spec.actor.number for c, _ in both)
        for side, rows in boxes.items():
            five = [getattr(u, f"{side}_quartiles") for _, u in both]
            if five:
                rows.append((unit, [statistics.fmean(q[k] for q in five) for k in range(5)]))
    if not boxes["swapped"]:
        return None
    colours = {"original": NEUTRAL, "swapped": PALETTE[1]}
    listing = [
        (text(unit), text(side), *(number(v) for v in five))
        for side, listed in boxes.items()
        for unit, five in listed
    ]
    found = [a for c in cells if (a := attributes(c, source)) and a.paired]
    paired, frames = sum(a.paired for a in found), sum(a.frames for a in found)
    control = " (control)" if is_control(data, variant) else ""
    return Figure(
        id=f"units-{index}",
        title=f"{variant}{control}",
        caption=f"Averaged over {len(actors)} of {actors_of(cells)} actors; {paired} of {frames} "
        "frames of these cells have a face in both videos.",
        alt=f"Box plots of {len(boxes['swapped'])} action units of {variant}, original alongside "
        "swapped; the table below lists the values.",
        traces=tuple(_unit_trace(side, rows, colours[side]) for side, rows in boxes.items()),
        layout={
            "boxmode": "group",
            "boxgap": 0.25,
            "boxgroupgap": 0.1,
            "showlegend": False,
            "xaxis": axis("", type="category", tickangle=-60),
            "yaxis": axis("intensity"),
        },
        key=tuple((colours[side], side) for side in boxes),
        table=Table(
            title=f"{variant}: intensities",
            columns=("Unit", "Video", "Minimum", "Q1", "Median", "Q3", "Maximum"),
            rows=tuple(listing),
        ),
    )


def undrawn(data: ReportData, source: str) -> list[str]:
    """Tools without an intensity figure."""
    return [n for n in variants(data) if unit_figure(data, n, source, 0) is None]


def _unit_trace(side: str, rows: Sequence[tuple[str, list[float]]], colour: str) -> Trace:
    keys = ("lowerfence", "q1", "median", "q3", "upperfence")
    columns = {key: [round(five[k], 5) for _, five in rows] for k, key in enumerate(keys)}
    units = [unit for unit, _ in rows]
    return {"type": "box", "name": side, "x": units, "marker": {"color": colour}, **columns}
