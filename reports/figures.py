"""Plotly figures as plain data. Boxes come from quartiles computed when scoring, never from frames
sent to the page."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from harness.model.base import Frozen
from harness.model.score import Comparison
from reports.aggregate import (
    by_actor_distance,
    cells_of,
    detected,
    distances,
    finite,
    fmt,
    is_control,
    mean_fta,
    mean_pcc,
    over_actors,
    unit_score,
    units_of,
    variants,
)
from reports.model import ReportCell, ReportData
from reports.tables import ORDER, SHORT, Table, number, text

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c6d31")
"""Okabe and Ito's colours, told apart by most colour-blind readers; shapes differ as well."""
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "pentagon", "hexagon")
MANY_ACTORS = 4
WIDE_ACTORS = 8
Trace = dict[str, Any]


class Figure(Frozen):
    """A plot, what it shows in words, and its numbers as a table."""

    id: str
    title: str
    caption: str
    alt: str
    traces: tuple[Trace, ...]
    layout: dict[str, Any]
    height_px: int = 420
    wide: bool = False
    """Takes the full width of the page, and scrolls in its own frame on a phone."""
    table: Table | None = None


def _threshold_shape(value: float, *, horizontal: bool = True) -> dict[str, Any]:
    """A dashed line across the plot at the recogniser's threshold."""
    line = {"color": "#c0392b", "width": 1.5, "dash": "dash"}
    along, across = ("x", "y") if horizontal else ("y", "x")
    ends = {f"{along}0": 0, f"{along}1": 1, f"{across}0": value, f"{across}1": value}
    return {"type": "line", f"{along}ref": "paper", f"{across}ref": across, "line": line, **ends}


def threshold_of(data: ReportData) -> float:
    """The recogniser's threshold; 0.6 when nothing is scored."""
    return next((c.score.identity.threshold for c in data.cells if c.score), 0.6)


def _axis(title: str, **more: Any) -> dict[str, Any]:
    return {"title": {"text": title}, "automargin": True, "zeroline": False, **more}


def _distance_box(cells: Sequence[ReportCell], comparison: Comparison, name: str) -> Trace:
    """One box per cell, at x = actor, from quartiles over the sampled frames of that cell."""
    keep = [(c, d) for c in cells if (d := distances(c, comparison)) and d.q1 is not None]
    columns: dict[str, list[float | None]] = {
        "q1": [d.q1 for _, d in keep],
        "median": [d.median for _, d in keep],
        "q3": [d.q3 for _, d in keep],
        "lowerfence": [d.whisker_low for _, d in keep],
        "upperfence": [d.whisker_high for _, d in keep],
        "mean": [finite(d.mean) for _, d in keep],
    }
    actors = [f"actor {c.spec.actor.number}" for c, _ in keep]
    return {"type": "box", "name": name, "x": actors, "boxpoints": False, **columns}


def _actor_boxes(cells: Sequence[ReportCell]) -> list[Trace]:
    traces = []
    for i, comparison in enumerate(ORDER):
        trace = _distance_box(cells, comparison, SHORT[comparison])
        if trace["x"]:
            traces.append({**trace, "marker": {"color": PALETTE[i]}})
    return traces


def _means_boxes(cells: Sequence[ReportCell]) -> list[Trace]:
    """One box per comparison over the actors' means, every actor shown as a point."""
    traces: list[Trace] = []
    for i, comparison in enumerate(ORDER):
        pairs = [(a, v) for a, v in by_actor_distance(cells, comparison) if v is not None]
        if pairs:
            traces.append(
                {
                    "type": "box",
                    "name": SHORT[comparison],
                    "y": [round(v, 5) for _, v in pairs],
                    "text": [f"actor {a}" for a, _ in pairs],
                    "boxpoints": "all",
                    "jitter": 0.4,
                    "pointpos": 0,
                    "quartilemethod": "linear",
                    "marker": {"color": PALETTE[i], "size": 5, "opacity": 0.7},
                }
            )
    return traces


def quartile_table(cells: Sequence[ReportCell], title: str) -> Table:
    """The numbers behind per-actor boxes."""
    rows = []
    for cell in cells:
        for comparison in ORDER:
            d = distances(cell, comparison)
            if d is None:
                continue
            why = f"no face in any of the {d.asked} sampled frames"
            values = (d.whisker_low, d.q1, d.median, d.q3, d.whisker_high)
            actor = text(f"actor {cell.spec.actor.number}", sort=float(cell.spec.actor.number))
            rows.append((actor, text(SHORT[comparison]), *(number(v, why) for v in values)))
    columns = ("Actor", "Comparison", "Lower whisker", "Q1", "Median", "Q3", "Upper whisker")
    return Table(title=title, columns=columns, rows=tuple(rows))


def box_figures(data: ReportData, variant: str, index: int) -> list[Figure]:
    """The four distances of one tool (thesis figures 29-32): over actors, and actor by actor."""
    cells = cells_of(data, variant)
    n = len({c.spec.actor.number for c in cells})
    layout: dict[str, Any] = {
        "yaxis": _axis("L2 distance", range=[0, _top(data)]),
        "shapes": [_threshold_shape(threshold_of(data))],
        "legend": {"orientation": "h", "y": 1.12},
    }
    per_actor = _actor_boxes(cells)
    figures = []
    if n >= MANY_ACTORS:
        traces = _means_boxes(cells)
        caption = (
            f"{variant}: the four comparisons; each point is one actor's mean "
            f"over sampled frames. Dashed: threshold {threshold_of(data):g}."
        )
        if traces:
            figures.append(
                Figure(
                    id=f"box-{index}",
                    title=f"{variant}: distances over actors",
                    caption=caption,
                    alt=f"Box plot of {_in_words(cells)}",
                    traces=tuple(traces),
                    layout={**layout, "showlegend": False},
                )
            )
    if per_actor:
        figures.append(
            Figure(
                id=f"box-actors-{index}",
                title=f"{variant}: distances actor by actor",
                caption=(
                    f"{variant}: boxes over the sampled frames of each actor (quartiles, "
                    f"whiskers within 1.5 interquartile ranges). Dashed: threshold."
                ),
                alt=f"Grouped box plot of {_in_words(cells)}",
                traces=tuple(per_actor),
                layout={**layout, "boxmode": "group", "xaxis": _actor_axis(cells)},
                wide=n > WIDE_ACTORS,
                table=quartile_table(cells, f"{variant}: quartiles"),
            )
        )
    return figures


def _top(data: ReportData) -> float:
    """The same upper end for the distance axis of every tool, so that figures can be compared."""
    found = (distances(c, comparison) for c in data.cells for comparison in ORDER)
    return 1.05 * max((d.whisker_high for d in found if d and d.whisker_high), default=1.0)


def _actor_axis(cells: Sequence[ReportCell]) -> dict[str, Any]:
    """One place for each actor, also for those without a score."""
    names = list(dict.fromkeys(f"actor {c.spec.actor.number}" for c in cells))
    order = {"categoryorder": "array", "categoryarray": names}
    return _axis("", type="category", range=[-0.5, len(names) - 0.5], **order)


def _in_words(cells: Sequence[ReportCell]) -> str:
    parts = []
    for comparison in ORDER:
        mean = over_actors(by_actor_distance(cells, comparison))
        parts.append(f"{SHORT[comparison]} mean {fmt(mean.mean)} over {mean.n} actors")
    return "; ".join(parts)


def scatter_figure(data: ReportData, source: str | None) -> Figure | None:
    """Privacy (SW-OR distance) against utility (PCC): a dot per actor, a large mark per tool."""
    if source is None:
        return None
    traces: list[Trace] = []
    for i, name in enumerate(variants(data)):
        traces += _scatter_traces(data, name, source, i)
    if not traces:
        return None
    threshold = threshold_of(data)
    layout = {
        "xaxis": _axis("kept expressions: mean PCC"),
        "yaxis": _axis("distance from the original face (SW-OR)"),
        "shapes": [_threshold_shape(threshold)],
        "legend": {"orientation": "h", "y": -0.2},
    }
    caption = (
        "Higher hides better, further right keeps expressions better. Large marks: mean over "
        "actors; small marks: single actors. Hollow crosses at the foot are cells in which no "
        "face was detected: they have no distance (nor, at PCC 0, a PCC), "
        "and are not counted as hidden. "
        f"Dashed: threshold {threshold:g}."
    )
    alt = "Scatter plot of SW-OR distance against mean PCC. " + _scatter_words(data, source)
    return Figure(
        id="privacy-utility",
        title="Privacy against utility",
        caption=caption,
        alt=alt,
        traces=tuple(traces),
        layout=layout,
        height_px=520,
    )


def _scatter_traces(data: ReportData, name: str, source: str, i: int) -> list[Trace]:
    cells = cells_of(data, name)
    colour, symbol = PALETTE[i % len(PALETTE)], SYMBOLS[i % len(SYMBOLS)]
    seen: list[tuple[int, float, float]] = []
    unseen: list[tuple[int, float]] = []
    for cell, (actor, pcc) in zip(cells, mean_pcc(cells, source), strict=True):
        d = distances(cell, Comparison.SWAPPED_ORIGINAL)
        if d is None:
            continue
        if detected(cell) and d.mean is not None and pcc is not None:
            seen.append((actor, pcc, d.mean))
        elif not detected(cell):
            unseen.append((actor, pcc if pcc is not None else 0.0))
    traces: list[Trace] = []
    common = {"type": "scatter", "mode": "markers", "legendgroup": name}
    label = f"{name} (control)" if is_control(data, name) else name
    if seen:
        x, y = [s[1] for s in seen], [s[2] for s in seen]
        names = [f"actor {s[0]}" for s in seen]
        dot = {"color": colour, "symbol": symbol, "size": 6, "opacity": 0.45}
        traces.append(
            {**common, "name": label, "showlegend": False, "x": x, "y": y, "text": names}
            | {"marker": dot}
        )
        mark = {"color": colour, "symbol": symbol, "size": 15}
        mark["line"] = {"color": "#ffffff", "width": 1.5}
        centre = {"x": [statistics.fmean(x)], "y": [statistics.fmean(y)]}
        traces.append({**common, "name": label, "marker": mark, **centre})
    if unseen:
        mark = {"color": colour, "symbol": "x-open", "size": 10}
        foot = {"x": [u[1] for u in unseen], "y": [0.0] * len(unseen)}
        names = [f"actor {u[0]}: not detected, no distance" for u in unseen]
        hover = {"text": names, "hoverinfo": "text+name"}
        traces.append({**common, "name": f"{label}: not detected", "marker": mark, **foot, **hover})
    return traces


def _scatter_words(data: ReportData, source: str) -> str:
    parts = []
    for name in variants(data):
        cells = cells_of(data, name)
        distance = over_actors(by_actor_distance(cells, Comparison.SWAPPED_ORIGINAL))
        pcc = over_actors(mean_pcc(cells, source))
        fta = mean_fta(cells)
        if distance.mean is None:
            state = "not detected" if fta.n else "no score"
            parts.append(f"{name}: {state}, PCC {fmt(pcc.mean)}")
        else:
            parts.append(f"{name}: distance {fmt(distance.mean)}, PCC {fmt(pcc.mean)}")
    return "; ".join(parts) + "."


def unit_figure(data: ReportData, variant: str, source: str, index: int) -> Figure | None:
    """Intensities of each unit, original beside swapped (thesis figures 33-40)."""
    cells = cells_of(data, variant)
    boxes: dict[str, list[tuple[str, list[float]]]] = {"original": [], "swapped": []}
    for unit in units_of(data, source):
        found = [u for c in cells if (u := unit_score(c, source, unit))]
        for side, rows in boxes.items():
            five = [q for u in found if (q := getattr(u, f"{side}_quartiles")) is not None]
            if five:
                rows.append((unit, [statistics.fmean(q[k] for q in five) for k in range(5)]))
    if not boxes["original"]:
        return None
    traces = [
        _unit_trace(side, rows, PALETTE[0 if side == "original" else 1])
        for side, rows in boxes.items()
        if rows
    ]
    listing = [
        (text(unit), text(side), *(number(v) for v in five))
        for side, listed in boxes.items()
        for unit, five in listed
    ]
    n = len({c.spec.actor.number for c in cells if c.score})
    return Figure(
        id=f"units-{index}",
        title=f"{variant}: action-unit intensities",
        caption=(
            f"{variant}, {source}: minimum, quartiles and maximum of each unit's intensity, "
            f"averaged over {n} {'actor' if n == 1 else 'actors'}; original beside swapped."
        ),
        alt=f"Box plots of {len(boxes['original'])} action units, original and swapped; "
        "the table below lists the values.",
        traces=tuple(traces),
        layout={
            "boxmode": "group",
            "xaxis": _axis("", type="category"),
            "yaxis": _axis("intensity"),
            "legend": {"orientation": "h", "y": 1.12},
        },
        table=Table(
            title=f"{variant}: intensities",
            columns=("Unit", "Video", "Minimum", "Q1", "Median", "Q3", "Maximum"),
            rows=tuple(listing),
        ),
    )


def _unit_trace(side: str, rows: Sequence[tuple[str, list[float]]], colour: str) -> Trace:
    keys = ("lowerfence", "q1", "median", "q3", "upperfence")
    columns = {key: [round(five[k], 5) for _, five in rows] for k, key in enumerate(keys)}
    units = [unit for unit, _ in rows]
    return {"type": "box", "name": side, "x": units, "marker": {"color": colour}, **columns}
