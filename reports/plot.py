"""What all figures share: the model, colours, axes and safe text."""

from __future__ import annotations

from typing import Any

from harness.core.base import Frozen
from reports.model import ReportData
from reports.tables import Table

PALETTE = ("#0a7abf", "#d55e00", "#0b9a74", "#b8579b", "#c98500", "#3d9be0", "#8c6d31", "#6a5acd")
"""After Okabe and Ito, told apart by most colour-blind readers; shapes and labels differ too."""
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "pentagon", "hexagon", "cross")
NEUTRAL = "#808a94"
"""Controls and originals: seen on light and on dark paper."""
Trace = dict[str, Any]


class Figure(Frozen):
    """A plot, what it shows in words, and its numbers as a table."""

    id: str
    title: str
    caption: str
    alt: str
    traces: tuple[Trace, ...]
    layout: dict[str, Any]
    height_px: int = 320
    wide: bool = False
    """Takes the full width of the page, and scrolls in its own frame on a phone."""
    key: tuple[tuple[str, str], ...] = ()
    """(colour, meaning), shown above the plot in place of Plotly's legend."""
    table: Table | None = None


def plot_text(text: str) -> str:
    """Text as Plotly shows it: Plotly reads a few HTML tags in labels, so these are escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with a title that makes room for its labels."""
    return {"title": {"text": title}, "automargin": True, "zeroline": False, **more}


def threshold_shape(value: float) -> dict[str, Any]:
    """A dashed line across the plot at the recogniser's threshold."""
    line = {"color": "#c0392b", "width": 1.5, "dash": "dash"}
    ends = {"x0": 0, "x1": 1, "y0": value, "y1": value}
    return {"type": "line", "xref": "paper", "yref": "y", "line": line, **ends}


def threshold_of(data: ReportData) -> float:
    """The recogniser's threshold; 0.6 when nothing is scored."""
    return next((c.score.identity.threshold for c in data.cells if c.score), 0.6)
