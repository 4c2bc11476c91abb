"""Figures 29-32: box plots over actors of the four comparisons, beside the study's."""

from __future__ import annotations

import statistics

from benchmarks.thesis.model import TOOLS, Comparison, Published
from benchmarks.thesis.runs import Runs
from reports.aggregate import fmt
from reports.plot import NEUTRAL, PALETTE, Figure, Trace, axis, threshold_shape

_COMPARISONS: tuple[tuple[Comparison, str], ...] = (
    ("or_or", "OR-OR"),
    ("or_sw", "OR-SW"),
    ("sw_or", "SW-OR"),
    ("sw_sw", "SW-SW"),
)
_COLOURS = {"your runs": PALETTE[1], "study": NEUTRAL}
_TOP_L2 = 1.0


def study_boxes(runs: Runs, study: Published, tool: str) -> Figure:
    """One tool: a box over actors' means for each comparison, one's own beside the study's."""
    mine = {name: runs.of(tool, name) for name, _ in _COMPARISONS}
    theirs = {name: study.distances(tool, name) for name, _ in _COMPARISONS}
    sides = {"your runs": mine, "study": theirs}
    most = max(v for side in sides.values() for one in side.values() for v in one.values())
    n = len({actor for one in mine.values() for actor in one})
    name = study.settings(tool).printed
    medians = "; ".join(
        f"{short} {_median(mine[key])}, study {_median(theirs[key])}" for key, short in _COMPARISONS
    )
    return Figure(
        id=f"study-boxes-{TOOLS.index(tool)}",
        title=f"Figure {29 + TOOLS.index(tool)}, {name}",
        caption=f"One point per actor: {n} of yours, {len(theirs['sw_or'])} of the study. Dashed: "
        f"threshold {runs.threshold_l2:g}.",
        alt=f"Box plots of {name}, your runs alongside the study's. Medians: {medians}.",
        traces=tuple(_trace(side, values) for side, values in sides.items()),
        layout={
            "boxmode": "group",
            "boxgap": 0.25,
            "boxgroupgap": 0.1,
            "showlegend": False,
            "xaxis": axis("", type="category"),
            "yaxis": axis("L2 distance", range=[0, max(_TOP_L2, 1.05 * most)]),
            "shapes": [threshold_shape(runs.threshold_l2)],
        },
        key=tuple((colour, side) for side, colour in _COLOURS.items()),
    )


def _trace(side: str, values: dict[Comparison, dict[int, float]]) -> Trace:
    points = [
        (short, value, f"actor {actor}")
        for key, short in _COMPARISONS
        for actor, value in values[key].items()
    ]
    return {
        "type": "box",
        "name": side,
        "x": [x for x, _, _ in points],
        "y": [round(y, 5) for _, y, _ in points],
        "text": [words for _, _, words in points],
        "marker": {"color": _COLOURS[side], "size": 4, "opacity": 0.7},
        "boxpoints": "all",
        "jitter": 0.4,
        "pointpos": 0,
        "quartilemethod": "linear",
    }


def _median(values: dict[int, float]) -> str:
    return fmt(statistics.median(values.values()) if values else None)
