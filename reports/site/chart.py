"""The privacy-utility chart as SVG made here, from the numbers that the report's plot shows: the
first page needs no script, and every mark is a link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.results.wording import counted
from reports.aggregate import fmt
from reports.labels import Label, place_labels
from reports.model import ReportData
from reports.plot import threshold_of
from reports.scatter import (
    MAIN_PX,
    SPOKES,
    Dot,
    Group,
    Span,
    centre,
    scatter_caption,
    scatter_groups,
    scatter_spans,
    scatter_words,
)
from reports.site.leaderboard import CORRELATIONS, DISTANCES, Estimate, mean_estimate
from reports.site.paths import cell_page, tool_page
from reports.site.svg import Point, element, path, symbol, words

WIDTHS_PX = (860, 360)
"""For a desk and for a phone; one of them is shown."""
ROW_PX = {860: 26, 360: 42}
GAP_PX = 62
TOP_PX = 34
SIDES_PX = (40, 12)
WHISKERS_FROM = 3
"""Actors; the interval of two is so wide that it would hide everything else."""
CHARACTER_PX = 7.2


@dataclass(frozen=True)
class Chart:
    """The same chart in two widths, and what to know when reading it."""

    drawings: tuple[Markup, ...]
    caption: str


@dataclass(frozen=True)
class _Frame:
    """Where data are on the page: the plot's area and both ranges."""

    width_px: int
    spans: tuple[Span, Span]
    rows: int

    @property
    def left(self) -> float:
        return SIDES_PX[0]

    @property
    def right(self) -> float:
        return self.width_px - SIDES_PX[1]

    @property
    def bottom(self) -> float:
        return TOP_PX + MAIN_PX

    @property
    def row_px(self) -> int:
        return ROW_PX[self.width_px]

    @property
    def lane(self) -> float:
        """Top of the lane below the plot."""
        return self.bottom + GAP_PX

    @property
    def height(self) -> float:
        return self.lane + self.rows * self.row_px + 8 if self.rows else self.bottom + 44

    def x(self, pcc: float) -> float:
        low, high = self.spans[0]
        return self.left + (pcc - low) / (high - low) * (self.right - self.left)

    def y(self, distance: float) -> float:
        low, high = self.spans[1]
        return TOP_PX + (high - distance) / (high - low) * MAIN_PX

    def inside(self, at: Point) -> Point:
        """The point, or the nearest of the plot's area."""
        return min(max(at[0], self.left), self.right), min(max(at[1], TOP_PX), self.bottom)


def chart(data: ReportData, source: str | None) -> Chart | None:
    """Mean SW-OR distance against mean PCC; None when nothing could be drawn."""
    groups = scatter_groups(data, source) if source else []
    rows = [group for group in groups if group.lost_cells]
    if source is None or not (rows or any(group.seen for group in groups)):
        return None
    threshold = threshold_of(data)
    spans = scatter_spans(groups, threshold)
    tools = {cell.variant: cell.spec.tool for cell in data.cells}
    drawings = []
    for width in WIDTHS_PX:
        frame = _Frame(width, spans, len(rows))
        parts = [
            *_ground(frame, threshold),
            *(part for group in groups for part in _group(frame, group, tools[group.name])),
            *_names(frame, groups, tools),
            *_lane(frame, rows, tools),
        ]
        drawings.append(_drawing(frame, parts, scatter_words(data, source)))
    caption = f"{scatter_caption(groups, rows, threshold)} {_bars_note(groups)}"
    return Chart(drawings=tuple(drawings), caption=caption)


def _bars_note(groups: Sequence[Group]) -> str:
    """What the bars are; without any, what the actors lack for them."""
    most = max((len({d.actor for d in g.seen}) for g in groups), default=0)
    if most >= WHISKERS_FROM:
        return "Bars: 95 % intervals of both means over actors."
    asked = max((group.actors for group in groups), default=0)
    takes = f"they need {WHISKERS_FROM} actors"
    if asked < WHISKERS_FROM:
        return f"No intervals are drawn: {takes}."
    have = f"at most {counted(most, 'actor')} of a tool" if most else "no actor"
    verb = "have" if most > 1 else "has"
    return (
        f"No intervals are drawn: {takes} with both a distance and a PCC, and {have} {verb} them."
    )


def _drawing(frame: _Frame, parts: Sequence[Markup], alt: str) -> Markup:
    return element(
        "svg",
        element("desc", words(alt)),
        *parts,
        class_=f"chart w{frame.width_px}",
        viewBox=f"0 0 {frame.width_px} {frame.height:.0f}",
        role="group",
        aria_label=f"Scatter plot of SW-OR distance against mean PCC. {alt}",
        xmlns="http://www.w3.org/2000/svg",
    )


def _ground(frame: _Frame, threshold: float) -> list[Markup]:
    """Everything behind the marks: the good half, the grid, the threshold, what corners mean."""
    limit = frame.y(threshold)
    width = frame.right - frame.left
    parts = [
        element(
            "rect", class_="goodhalf", x=frame.left, y=TOP_PX, width=width, height=limit - TOP_PX
        )
    ]
    parts += _grid(frame)
    ends = [(frame.left, limit), (frame.right, limit)]
    parts.append(element("path", class_="threshold", d=path(ends, closed=False)))
    parts.append(_text(f"threshold {threshold:g}", (frame.left + 4, limit - 5), "small"))
    parts.append(_text("↑ SW-OR distance: farther from the person", (2, TOP_PX - 14), "axis"))
    parts.append(_text("mean PCC: expression kept →", (frame.right, frame.bottom + 36), "axis end"))
    return [*parts, *_corners(frame)]


def _grid(frame: _Frame) -> list[Markup]:
    parts = []
    for distance in _ticks(frame.spans[1]):
        y = frame.y(distance)
        ends = [(frame.left, y), (frame.right, y)]
        parts.append(element("path", class_="grid", d=path(ends, closed=False)))
        parts.append(_text(f"{distance:.1f}", (frame.left - 6, y + 4), "tick end"))
    for pcc in _ticks(frame.spans[0]):
        x = frame.x(pcc)
        ends = [(x, TOP_PX), (x, frame.bottom)]
        parts.append(element("path", class_="grid", d=path(ends, closed=False)))
        parts.append(_text(f"{pcc:z.1f}", (x, frame.bottom + 17), "tick middle"))
    return parts


def _ticks(span: Span) -> list[float]:
    """Fifths within the span."""
    return [k / 5 for k in range(-5, 20) if span[0] <= k / 5 <= span[1]]


def _corners(frame: _Frame) -> list[Markup]:
    parts = []
    for kept, x, side in (("lost", frame.left + 6, ""), ("kept", frame.right - 6, " end")):
        for seen, y in (("not recognised", TOP_PX + 17), ("recognised", frame.bottom - 24)):
            best = kept == "kept" and seen == "not recognised"
            look = f"corner{side}{' best' if best else ''}"
            parts.append(_text(f"{seen},", (x, y), look))
            parts.append(_text(f"expression {kept}", (x, y + 16), look))
    return parts


def _group(frame: _Frame, group: Group, tool: str) -> list[Markup]:
    """The actors' small marks, what joins or spreads them, and the tool's large mark on top."""
    if not group.seen:
        return []
    actors = len({dot.actor for dot in group.seen})
    middle = _place(frame, *centre(group))
    pcc = mean_estimate(((d.actor, d.pcc) for d in group.seen), "", CORRELATIONS)
    distance = mean_estimate(((d.actor, d.distance) for d in group.seen), "", DISTANCES)
    parts = []
    if actors >= WHISKERS_FROM:
        parts += _whiskers(frame, group, pcc, distance)
    elif 1 < len(group.seen) <= SPOKES:
        lines = "".join(
            path([middle, _place(frame, d.pcc, d.distance or 0)], closed=False) for d in group.seen
        )
        parts.append(element("path", class_="spoke", d=lines, stroke=group.colour))
    if len(group.seen) > 1:
        parts += [_dot(frame, group, dot) for dot in group.seen]
    said = f"{group.name}: distance {_said(distance)}, PCC {_said(pcc)}, {_over(actors)}"
    mark = element("path", d=symbol(_shape(group), middle, 18), **_paint(group, 2.5))
    parts.append(_link(tool_page(tool), said, mark))
    return parts


def _whiskers(frame: _Frame, group: Group, pcc: Estimate, distance: Estimate) -> list[Markup]:
    x, y = centre(group)
    lines = []
    if pcc.low is not None and pcc.high is not None:
        lines.append([(frame.x(pcc.low), frame.y(y)), (frame.x(pcc.high), frame.y(y))])
    if distance.low is not None and distance.high is not None:
        lines.append([(frame.x(x), frame.y(distance.low)), (frame.x(x), frame.y(distance.high))])
    drawn = "".join(path(map(frame.inside, ends), closed=False) for ends in lines)
    return [element("path", class_="whisker", d=drawn, stroke=group.colour)] if drawn else []


def _dot(frame: _Frame, group: Group, dot: Dot) -> Markup:
    at = _place(frame, dot.pcc, dot.distance or 0)
    said = f"{group.name}, actor {dot.actor}: distance {fmt(dot.distance)}, PCC {fmt(dot.pcc)}"
    mark = element("path", class_="dot", d=symbol(_shape(group), at, 8), **_paint(group, 1.2))
    return _link(cell_page(dot.cell), f"{said}; {dot.rests_on}", mark, by_keyboard=False)


def _names(frame: _Frame, groups: Sequence[Group], tools: dict[str, str]) -> list[Markup]:
    """The tools' names beside their marks, each joined to its mark by a thin line."""
    shown = [group for group in groups if group.seen]
    labels = [Label(text=g.label, x=centre(g)[0], y=centre(g)[1]) for g in shown]
    dots = [(d.pcc, d.distance or 0) for g in shown for d in g.seen if len(g.seen) > 1]
    offsets = place_labels(labels, dots, frame.spans, MAIN_PX)
    parts = []
    for group, label, offset in zip(shown, labels, offsets, strict=True):
        x, y = _place(frame, label.x, label.y)
        end = (x + offset.right_px, y + offset.down_px)
        look = "name" if offset.right_px > 0 else "name end"
        line = path([(x, y), end], closed=False)
        parts.append(element("path", class_="leader", d=line, stroke=group.colour))
        at = (end[0] + (2 if offset.right_px > 0 else -2), end[1] + 4)
        word = _text(label.text, at, f"{look}{' control' if group.control else ''}", group)
        parts.append(_link(tool_page(tools[group.name]), "", word, by_keyboard=False))
    return parts


def _lane(frame: _Frame, rows: Sequence[Group], tools: dict[str, str]) -> list[Markup]:
    """Tools whose face is not detected any more: they have a PCC at most."""
    if not rows:
        return []
    size = {"width": frame.right - frame.left, "height": frame.row_px * len(rows)}
    parts = [
        element("rect", class_="lane", x=frame.left, y=frame.lane, **size),
        _text(
            "not detected: no distance, placed by PCC alone", (frame.left, frame.lane - 6), "small"
        ),
    ]
    for place, group in enumerate(rows):
        top = frame.lane + place * frame.row_px
        two_lines = frame.row_px > ROW_PX[WIDTHS_PX[0]]
        y = top + (30 if two_lines else frame.row_px / 2)
        name = f"{group.label}: {group.lost_cells} of {group.cells} cells"
        marks = [frame.x(dot.pcc) for dot in group.lost]
        left = two_lines or all(x > frame.left + 12 + len(name) * CHARACTER_PX for x in marks)
        at = (frame.left + 6 if left else frame.right - 6, top + (15 if two_lines else y - top + 4))
        word = _text(name, at, "lost" if left else "lost end")
        parts.append(_link(tool_page(tools[group.name]), "", word))
        parts += [_lost(group, dot, (x, y)) for dot, x in zip(group.lost, marks, strict=True)]
    return parts


def _lost(group: Group, dot: Dot, at: Point) -> Markup:
    said = f"{group.name}, actor {dot.actor}, not detected: PCC {fmt(dot.pcc)}; {dot.rests_on}"
    mark = element("path", class_="dot", d=symbol("x", at, 11), **_paint(group, 2, filled=False))
    return _link(cell_page(dot.cell), said, mark, by_keyboard=False)


def _place(frame: _Frame, pcc: float, distance: float) -> Point:
    return frame.x(pcc), frame.y(distance)


def _paint(group: Group, width: float, *, filled: bool = True) -> dict[str, str | float]:
    solid = filled and not group.symbol.endswith("-open")
    return {
        "fill": group.colour if solid else "transparent",
        "stroke": group.colour,
        "stroke_width": width if not solid else 1,
    }


def _shape(group: Group) -> str:
    return group.symbol.removesuffix("-open")


def _said(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return fmt(estimate.value)
    return f"{fmt(estimate.value)} ({fmt(estimate.low)} to {fmt(estimate.high)})"


def _over(actors: int) -> str:
    return "1 actor" if actors == 1 else f"mean over {actors} actors"


def _text(text: str, at: Point, look: str, group: Group | None = None) -> Markup:
    fill = group.colour if group and not group.control else None
    return element("text", words(text), x=at[0], y=at[1], class_=look, fill=fill)


def _link(href: str, said: str, inner: Markup, *, by_keyboard: bool = True) -> Markup:
    """A link with a hover text. The many small ones are left out of the tab order: their cells are
    in the tables as well."""
    title = element("title", words(said)) if said else Markup("")
    return element(
        "a",
        title,
        inner,
        href=href,
        aria_label=said or None,
        tabindex=None if by_keyboard else "-1",
    )
