"""The box plots of thesis figures 29-32. Boxes come from quartiles computed when scoring, never
from frames sent to the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.model.score import Comparison
from harness.results.wording import counted
from reports.aggregate import (
    Detection,
    actors_named,
    by_actor_distance,
    cells_of,
    detected,
    detection,
    distances,
    fmt,
    is_control,
    listing,
    lost_share,
    over_actors,
    percent,
    some_actors,
    variants,
)
from reports.model import ReportCell, ReportData
from reports.plot import (
    NEUTRAL,
    Figure,
    Trace,
    axis,
    plot_text,
    threshold_of,
    threshold_shape,
)
from reports.tables import ORDER, SHORT, Table, number, text

COLOURS = {
    Comparison.ORIGINAL_ORIGINAL: NEUTRAL,
    Comparison.ORIGINAL_SWAPPED: "#3d9be0",
    Comparison.SWAPPED_ORIGINAL: "#d55e00",
    Comparison.SWAPPED_SWAPPED: "#b8579b",
}
KEY = tuple((COLOURS[comparison], SHORT[comparison]) for comparison in ORDER)
MANY_ACTORS = 4
WIDE_ACTORS = 6
NOTABLE_LOSS = 0.1
"""From this share of lost faces on, a caption says how few frames a box rests on."""


def summary_boxes(data: ReportData) -> Figure | None:
    """All tools at a glance: one box per comparison over the actors' means. None for few actors,
    whose single values say more.
    """
    names = [n for n in variants(data) if any(detected(c) for c in cells_of(data, n))]
    if not names or max(len(_actors(cells_of(data, n))) for n in names) < MANY_ACTORS:
        return None
    traces = []
    for comparison in ORDER:
        x: list[str] = []
        y: list[float] = []
        words: list[str] = []
        for name in names:
            for actor, value in by_actor_distance(cells_of(data, name), comparison):
                if value is not None:
                    x.append(plot_text(name))
                    y.append(round(value, 5))
                    words.append(f"actor {actor}")
        points = {"boxpoints": "all", "jitter": 0.4, "pointpos": 0, "quartilemethod": "linear"}
        marker = {"color": COLOURS[comparison], "size": 4, "opacity": 0.7}
        common = {"type": "box", "name": SHORT[comparison], "marker": marker}
        traces.append({**common, "x": x, "y": y, "text": words, **points})
    words_of = [f"{name}: {_in_words(cells_of(data, name))}" for name in names]
    partly = [found for name in names if (found := _some(data, name))]
    unlike = f" Face detected of {'; '.join(partly)}: boxes of other actors." if partly else ""
    return Figure(
        id="box-summary",
        title="All tools: the actors' mean distances",
        caption="One point per actor: the mean over that actor's sampled frames. Cells in which "
        "no face was detected have no SW distance here. Dashed: threshold "
        f"{threshold_of(data):g}.{unlike}",
        alt="Grouped box plot. " + ". ".join(words_of),
        traces=tuple(traces),
        layout=_layout(data, {"xaxis": axis("", type="category")}),
        height_px=380,
        wide=True,
        key=KEY,
    )


def _some(data: ReportData, name: str) -> str:
    """``blur, 5 of 7 actors``; empty where no actor is missing."""
    cells = cells_of(data, name)
    seen = {cell.spec.actor.number for cell in cells if detected(cell)}
    partly = some_actors(len(seen), len(_actors(cells)))
    return f"{name}{partly}" if partly else ""


def box_figure(data: ReportData, variant: str, index: int) -> Figure | None:
    """One tool, actor by actor, four boxes each. None when no cell is detected: its only boxes
    would be the original's own.
    """
    cells = cells_of(data, variant)
    if not any(detected(cell) for cell in cells):
        return None
    numbers = _actors(cells)
    wide = len(numbers) > WIDE_ACTORS
    word = "" if wide else "actor "
    labels = [f"{word}{number}" for number in numbers]
    order = {"type": "category", "categoryorder": "array", "categoryarray": labels}
    x_axis = axis("actor" if wide else "", range=[-0.5, len(labels) - 0.5], tickangle=0, **order)
    traces = [_boxes(cells, comparison, word) for comparison in ORDER]
    notes = [note for cell in cells if (note := _missing_note(cell, word))]
    control = " (control)" if is_control(data, variant) else ""
    return Figure(
        id=f"box-actors-{index}",
        title=f"{variant}{control}",
        caption=_caption(cells),
        alt=f"Grouped box plot of {variant}, actor by actor: {_in_words(cells)}",
        traces=tuple(trace for trace in traces if trace["x"]),
        layout=_layout(data, {"xaxis": x_axis, "annotations": notes}),
        wide=wide,
        height_px=360 if wide else 300,
        key=KEY,
        table=quartile_table(cells, f"{variant}: quartiles"),
    )


def undetected_sentences(data: ReportData) -> list[str]:
    """One sentence for each tool that has no box plot."""
    sentences = []
    for name in variants(data):
        cells = cells_of(data, name)
        if any(detected(cell) for cell in cells):
            continue
        states = [detection(cell) for cell in cells]
        lost = states.count(Detection.NOT_DETECTED)
        unscored = states.count(Detection.NO_SCORE)
        parts = []
        if lost:
            parts.append(f"no face detected in {lost} of {len(cells)} cells")
        if unscored:
            parts.append(f"no score in {unscored} of {len(cells)} cells")
        if blank := states.count(Detection.NO_ORIGINAL_FACE):
            parts.append(f"no face in the original in {blank} of {len(cells)} cells")
        control = " (control)" if is_control(data, name) else ""
        sentences.append(f"{name}{control}: {', '.join(parts)}")
    return sentences


def _layout(data: ReportData, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "yaxis": axis("L2 distance", range=[0, _top(data)]),
        "shapes": [threshold_shape(threshold_of(data))],
        "showlegend": False,
        "boxmode": "group",
        "boxgap": 0.25,
        "boxgroupgap": 0.15,
        **more,
    }


def _actors(cells: Sequence[ReportCell]) -> list[int]:
    return sorted({cell.spec.actor.number for cell in cells})


def _boxes(cells: Sequence[ReportCell], comparison: Comparison, word: str) -> Trace:
    """One box per cell, at x = actor, from quartiles over the sampled frames of that cell."""
    keep = [(c, d) for c in cells if (d := distances(c, comparison)) and d.q1 is not None]
    columns: dict[str, list[float | None]] = {
        "q1": [d.q1 for _, d in keep],
        "median": [d.median for _, d in keep],
        "q3": [d.q3 for _, d in keep],
        "lowerfence": [d.whisker_low for _, d in keep],
        "upperfence": [d.whisker_high for _, d in keep],
    }
    common = {"type": "box", "name": SHORT[comparison], "boxpoints": False}
    marker = {"color": COLOURS[comparison]}
    actors = [f"{word}{c.spec.actor.number}" for c, _ in keep]
    return {**common, "marker": marker, "x": actors, **columns}


def _missing_note(cell: ReportCell, word: str) -> dict[str, Any] | None:
    """Words in the place of the boxes that a cell does not have."""
    state = detection(cell)
    if state is Detection.DETECTED:
        return None
    words = cell.status.replace("_", " ") if state is Detection.NO_SCORE else state.value
    return {
        "x": f"{word}{cell.spec.actor.number}",
        "y": 1,
        "yref": "paper",
        "yanchor": "top",
        "textangle": -90,
        "showarrow": False,
        "text": plot_text(words),
        "font": {"size": 12, "color": NEUTRAL},
    }


def _caption(cells: Sequence[ReportCell]) -> str:
    """What the boxes rest on, where that is less than it seems."""
    found = sum(detected(cell) for cell in cells)
    parts = [f"Face detected in {found} of {len(cells)} cells."]
    thin = []
    for cell in cells:
        swapped = distances(cell, Comparison.SWAPPED_ORIGINAL)
        original = distances(cell, Comparison.ORIGINAL_ORIGINAL)
        if swapped and original and detected(cell) and (lost_share(cell) or 0) > NOTABLE_LOSS:
            faces = (
                f"{counted(swapped.used, 'frame')} with a face, the original's on {original.used}"
            )
            thin.append(f"actor {cell.spec.actor.number} rest on {faces}")
    if thin:
        parts.append(f"The SW boxes of {listing(thin, 3)}.")
    unscored = [c.spec.actor.number for c in cells if detection(c) is Detection.NO_SCORE]
    if unscored:
        parts.append(f"No score: {actors_named(unscored)}.")
    return " ".join(parts)


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
            used = text(f"{d.used} / {d.asked}", "number", float(d.used))
            rows.append((actor, text(SHORT[comparison]), used, *(number(v, why) for v in values)))
    columns = ("Actor", "Comparison", "Frames", "Low whisker", "Q1", "Median", "Q3", "High whisker")
    return Table(title=title, columns=columns, rows=tuple(rows))


def _top(data: ReportData) -> float:
    """The same upper end for the distance axis of every tool, so that figures can be compared."""
    found = (distances(c, comparison) for c in data.cells for comparison in ORDER)
    return 1.05 * max((d.whisker_high for d in found if d and d.whisker_high), default=1.0)


def _in_words(cells: Sequence[ReportCell]) -> str:
    parts = []
    for comparison in ORDER:
        mean = over_actors(by_actor_distance(cells, comparison))
        parts.append(f"{SHORT[comparison]} mean {fmt(mean.mean)} over {mean.n} actors")
    lost = over_actors((c.spec.actor.number, lost_share(c)) for c in cells)
    return "; ".join(parts) + f"; faces lost {percent(lost.mean)}"
