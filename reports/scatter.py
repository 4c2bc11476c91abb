"""Privacy against utility: where a tool stands, and what has no distance at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.core.base import Frozen
from harness.model.score import Comparison
from reports.aggregate import (
    Detection,
    actors_named,
    attributes,
    by_actor_distance,
    cells_of,
    detection,
    distances,
    fmt,
    is_control,
    listing,
    mean_fta,
    mean_pcc,
    over_actors,
    some_actors,
    variants,
)
from reports.labels import Label, place_labels
from reports.model import ReportCell, ReportData
from reports.plot import (
    NEUTRAL,
    PALETTE,
    SYMBOLS,
    Figure,
    Trace,
    axis,
    plot_text,
    threshold_of,
    threshold_shape,
)

MAIN_PX = 400
ROW_PX = 26
GAP_PX = 46
MARGIN_PX = 68
"""Top and bottom of the plot area together."""
SPOKES = 8
"""Up to so many actors, a line joins each actor's mark to the tool's."""


Span = tuple[float, float]


class Dot(Frozen):
    """One cell in the plot."""

    cell: str
    """Its slug."""
    actor: int
    pcc: float
    distance: float | None
    rests_on: str


class Group(Frozen):
    """One tool: the cells with both numbers, those without a detected face, and the rest."""

    name: str
    control: bool
    colour: str
    symbol: str
    cells: int
    actors: int
    """Asked for."""
    seen: tuple[Dot, ...]
    lost: tuple[Dot, ...]
    lost_cells: int
    left_out: tuple[int, ...]
    """Actors with a detected face but no PCC."""

    @property
    def label(self) -> str:
        """The name; of a control, that it is one."""
        return f"{self.name}{' (control)' if self.control else ''}"

    @property
    def partly(self) -> str:
        """``blur, 5 of 7 actors`` where the large mark is a mean over some of them; else empty."""
        seen = some_actors(len({dot.actor for dot in self.seen}), self.actors)
        return f"{self.name}{seen}" if seen else ""


def scatter_figure(data: ReportData, source: str | None) -> Figure | None:
    """SW-OR distance against mean PCC: a small mark per actor, a large labelled one per tool."""
    if source is None:
        return None
    groups = scatter_groups(data, source)
    rows = [group for group in groups if group.lost_cells]
    if not any(group.seen for group in groups) and not rows:
        return None
    threshold = threshold_of(data)
    spans = scatter_spans(groups, threshold)
    traces = [trace for group in groups for trace in _main_traces(group)]
    traces += [trace for i, group in enumerate(rows) for trace in _lane_traces(group, i)]
    height = MARGIN_PX + MAIN_PX + (GAP_PX + ROW_PX * len(rows) if rows else 0)
    return Figure(
        id="privacy-utility",
        title="Privacy against utility",
        caption=scatter_caption(groups, rows, threshold),
        alt="Scatter plot of SW-OR distance against mean PCC. " + scatter_words(data, source),
        traces=tuple(traces),
        layout=_layout(groups, rows, threshold, spans, height),
        height_px=height,
    )


def scatter_groups(data: ReportData, source: str) -> list[Group]:
    """Every tool of the plot, controls last."""
    return [_group(data, name, source, i) for i, name in enumerate(variants(data))]


def scatter_spans(groups: Sequence[Group], threshold: float) -> tuple[Span, Span]:
    """The ranges of both axes: room for every mark, for the threshold, and for labels."""
    top = max([d.distance or 0 for g in groups for d in g.seen] + [threshold]) * 1.22
    left = min([d.pcc for g in groups for d in (*g.seen, *g.lost)] + [0.0]) - 0.12
    return (left, 1.08), (0.0, top)


def _group(data: ReportData, name: str, source: str, i: int) -> Group:
    cells = cells_of(data, name)
    seen: list[Dot] = []
    lost: list[Dot] = []
    left_out: list[int] = []
    lost_cells = 0
    for cell, (actor, pcc) in zip(cells, mean_pcc(cells, source), strict=True):
        d = distances(cell, Comparison.SWAPPED_ORIGINAL)
        state = detection(cell)
        lost_cells += state is Detection.NOT_DETECTED
        if state is Detection.DETECTED and d is not None and d.mean is not None:
            if pcc is None:
                left_out.append(actor)
            else:
                seen.append(_dot(cell, pcc, d.mean, source))
        elif state is Detection.NOT_DETECTED and pcc is not None:
            lost.append(_dot(cell, pcc, None, source))
    control = is_control(data, name)
    return Group(
        name=name,
        control=control,
        colour=NEUTRAL if control else PALETTE[i % len(PALETTE)],
        symbol=f"{SYMBOLS[i % len(SYMBOLS)]}{'-open' if control else ''}",
        cells=len(cells),
        actors=len({cell.spec.actor.number for cell in cells}),
        seen=tuple(seen),
        lost=tuple(lost),
        lost_cells=lost_cells,
        left_out=tuple(left_out),
    )


def _dot(cell: ReportCell, pcc: float, distance: float | None, source: str) -> Dot:
    return Dot(
        cell=cell.spec.slug,
        actor=cell.spec.actor.number,
        pcc=pcc,
        distance=distance,
        rests_on=_rests_on(cell, source),
    )


def _rests_on(cell: ReportCell, source: str) -> str:
    found = attributes(cell, source)
    d = distances(cell, Comparison.SWAPPED_ORIGINAL)
    faces = f"faces in {d.used} of {d.asked} sampled frames" if d else "no distance"
    return f"{faces}, PCC over {found.paired} of {found.frames} frames" if found else faces


def centre(group: Group) -> tuple[float, float]:
    """(PCC, distance): the means over the actors that are drawn."""
    pcc = over_actors((d.actor, d.pcc) for d in group.seen).mean
    distance = over_actors((d.actor, d.distance) for d in group.seen).mean
    return pcc or 0.0, distance or 0.0


def _main_traces(group: Group) -> list[Trace]:
    """Spokes, then actors, then the tool's own mark on top."""
    if not group.seen:
        return []
    x, y = centre(group)
    xs, ys = [d.pcc for d in group.seen], [d.distance for d in group.seen]
    common = {"type": "scatter", "name": plot_text(group.name), "showlegend": False}
    traces: list[Trace] = []
    if 1 < len(group.seen) <= SPOKES:
        path_x = [v for one in xs for v in (x, one, None)]
        path_y = [v for one in ys for v in (y, one, None)]
        line = {"color": group.colour, "width": 1}
        spokes = {"x": path_x, "y": path_y, "mode": "lines", "line": line, "opacity": 0.5}
        traces.append({**common, **spokes, "hoverinfo": "skip"})
    words = [f"actor {d.actor}: {d.rests_on}" for d in group.seen]
    if len(group.seen) > 1:
        dot = {"color": group.colour, "symbol": group.symbol, "size": 8, "opacity": 0.6}
        dots = {"x": xs, "y": ys, "mode": "markers", "marker": dot, "text": words}
        traces.append({**common, **dots})
    mark = {"color": group.colour, "symbol": group.symbol, "size": 18, "line": {"width": 2}}
    mark["line"] = {"width": 2.5, "color": group.colour} if group.control else {"width": 0}
    count = f"mean over {len({d.actor for d in group.seen})} actors"
    mean = {"x": [x], "y": [y], "mode": "markers", "marker": mark}
    mean["text"] = [count if len(group.seen) > 1 else words[0]]
    return [*traces, {**common, **mean}]


def _lane_traces(group: Group, row: int) -> list[Trace]:
    mark = {"color": group.colour, "symbol": "x-open", "size": 11, "line": {"width": 2}}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": plot_text(group.name),
            "showlegend": False,
            "x": [d.pcc for d in group.lost],
            "y": [row] * len(group.lost),
            "yaxis": "y2",
            "marker": mark,
            "text": [f"actor {d.actor}, not detected: {d.rests_on}" for d in group.lost],
            "hoverinfo": "x+text+name",
        }
    ]


def _layout(
    groups: Sequence[Group],
    rows: Sequence[Group],
    threshold: float,
    spans: tuple[Span, Span],
    height: int,
) -> dict[str, Any]:
    inner = height - MARGIN_PX
    lane = ROW_PX * len(rows) / inner if rows else 0.0
    floor = lane + (GAP_PX / inner if rows else 0.0)
    x_title = "mean PCC of action units: expression kept →"
    layout: dict[str, Any] = {
        "xaxis": axis(x_title, range=list(spans[0]), anchor="y2" if rows else "y"),
        "yaxis": axis(
            "SW-OR distance: farther from the person →", range=list(spans[1]), domain=[floor, 1]
        ),
        "shapes": [_good_half(threshold, spans[1][1]), threshold_shape(threshold)],
        "annotations": [
            *_corners(),
            _note(f"threshold {threshold:g}", "left", y=threshold, yref="y", yanchor="bottom"),
            *_names(groups, spans),
        ],
    }
    if rows:
        layout["yaxis2"] = {
            "domain": [0, lane],
            "range": [len(rows) - 0.5, -0.5],
            "showticklabels": False,
            "showgrid": False,
            "zeroline": False,
        }
        layout["shapes"].append(_lane_ground(lane))
        layout["annotations"].append(
            _note(
                "<b>not detected</b>: no distance, placed by PCC alone",
                "left",
                y=lane,
                yref="paper",
                yanchor="bottom",
            )
        )
        layout["annotations"] += [
            _note(
                f"{plot_text(g.name)} ({g.lost_cells} of {g.cells})",
                "right",
                x=1,
                y=i,
                yref="y2",
                yanchor="middle",
            )
            for i, g in enumerate(rows)
        ]
    return layout


def _note(text: str, anchor: str, **place: Any) -> dict[str, Any]:
    common = {"xref": "paper", "x": 0, "showarrow": False, "font": {"size": 12}}
    return {**common, "text": text, "xanchor": anchor, **place}


def _good_half(threshold: float, top: float) -> dict[str, Any]:
    ends = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": threshold, "y1": top}
    look = {"fillcolor": "rgba(20,150,85,0.10)", "line": {"width": 0}, "layer": "below"}
    return {"type": "rect", **ends, **look}


def _lane_ground(lane: float) -> dict[str, Any]:
    ends = {"xref": "paper", "x0": 0, "x1": 1, "yref": "paper", "y0": 0, "y1": lane}
    look = {"fillcolor": "rgba(128,138,148,0.13)", "line": {"width": 0}, "layer": "below"}
    return {"type": "rect", **ends, **look}


def _corners() -> list[dict[str, Any]]:
    """What each corner means; the good one stands out."""
    corners = []
    for x, kept in ((0, "lost"), (1, "kept")):
        for y, seen in ((1, "not recognised"), (0, "recognised")):
            words = f"{seen},<br>expression {kept}"
            best = x == 1 and y == 1
            corners.append(
                {
                    "xref": "x domain",
                    "yref": "y domain",
                    "x": x,
                    "y": y,
                    "xanchor": "right" if x else "left",
                    "yanchor": "top" if y else "bottom",
                    "align": "right" if x else "left",
                    "showarrow": False,
                    "text": f"<b>{words}</b>" if best else words,
                    "font": {"size": 12} | ({"color": "#158a52"} if best else {}),
                    "opacity": 1 if best else 0.75,
                }
            )
    return corners


def _names(groups: Sequence[Group], spans: tuple[Span, Span]) -> list[dict[str, Any]]:
    """The tools' names beside their marks."""
    shown = [group for group in groups if group.seen]
    words = [group.label for group in shown]
    labels = [
        Label(text=word, x=centre(group)[0], y=centre(group)[1])
        for word, group in zip(words, shown, strict=True)
    ]
    dots = [(d.pcc, d.distance or 0) for g in shown for d in g.seen if len(g.seen) > 1]
    offsets = place_labels(labels, dots, spans, MAIN_PX)
    annotations = []
    for group, word, offset in zip(shown, words, offsets, strict=True):
        x, y = centre(group)
        name = plot_text(word)
        font = {"size": 13} | ({"color": group.colour} if not group.control else {})
        annotations.append(
            {
                "x": x,
                "y": y,
                "text": name if group.control else f"<b>{name}</b>",
                "showarrow": True,
                "arrowhead": 0,
                "arrowwidth": 1,
                "arrowcolor": group.colour,
                "standoff": 9,
                "ax": offset.right_px,
                "ay": offset.down_px,
                "xanchor": "left" if offset.right_px > 0 else "right",
                "font": font,
            }
        )
    return annotations


def scatter_caption(groups: Sequence[Group], rows: Sequence[Group], threshold: float) -> str:
    parts = [
        "Large marks: mean over the actors that have both numbers; small marks: single actors. "
        "Distance ranks no tool. "
        f"Dashed: threshold {threshold:g}; in the tinted half the recogniser no longer takes "
        "the face for the person."
    ]
    some = [group.partly for group in groups if group.partly]
    if some:
        parts.append(f"Means over some of the actors, not to be compared: {'; '.join(some)}.")
    if rows:
        parts.append(
            "The lane below holds cells whose face the recogniser no longer finds: they have no "
            "distance, and are not counted as hidden. A row without a mark has no PCC either."
        )
    missing = [f"{g.name}, {actors_named(g.left_out)}" for g in groups if g.left_out]
    if missing:
        parts.append(f"Not drawn, for lack of a PCC: {listing(missing)}.")
    return " ".join(parts)


def scatter_words(data: ReportData, source: str) -> str:
    parts = []
    for name in variants(data):
        cells = cells_of(data, name)
        distance = over_actors(by_actor_distance(cells, Comparison.SWAPPED_ORIGINAL))
        pcc = over_actors(mean_pcc(cells, source))
        actors = len({cell.spec.actor.number for cell in cells})
        if distance.mean is None:
            state = "not detected" if mean_fta(cells).n else "no score"
            parts.append(f"{name}: {state}, PCC {fmt(pcc.mean)}")
        else:
            partly = some_actors(distance.n, actors)
            parts.append(f"{name}: distance {fmt(distance.mean)}{partly}, PCC {fmt(pcc.mean)}")
    return "; ".join(parts) + "."
