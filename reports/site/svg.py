"""A very small SVG writer: elements as text, everything escaped, numbers to a tenth of a pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

Point = tuple[float, float]


def element(tag: str, *inner: Markup, **attributes: str | float | None) -> Markup:
    """``<tag a="1">inner</tag>``; a trailing ``_`` of a name is dropped, ``_`` inside becomes
    ``-``, and an attribute that is None is left out.
    """
    written = "".join(
        f" {name.rstrip('_').replace('_', '-')}={quoteattr(_spell(value))}"
        for name, value in attributes.items()
        if value is not None
    )
    content = Markup("").join(inner)
    return Markup(f"<{tag}{written}>{content}</{tag}>")


def words(text: str) -> Markup:
    """Text between tags."""
    return Markup(escape(text))


def path(points: Iterable[Point], *, closed: bool = True) -> str:
    """The ``d`` of a line through the points."""
    line = "L".join(f"{_spell(x)} {_spell(y)}" for x, y in points)
    return f"M{line}{'Z' if closed else ''}"


def symbol(name: str, at: Point, size_px: float) -> str:
    """The ``d`` of one of the marks that figures use, by its Plotly name without ``-open``."""
    x, y = at
    r = size_px / 2
    if name == "circle":
        arc = f"a{_spell(r)} {_spell(r)} 0 1 0"
        return f"M{_spell(x - r)} {_spell(y)}{arc} {_spell(2 * r)} 0{arc} {_spell(-2 * r)} 0Z"
    if name == "x":
        d = r * 0.75
        return path([(x - d, y - d), (x + d, y + d)], closed=False) + path(
            [(x - d, y + d), (x + d, y - d)], closed=False
        )
    if name == "cross":
        return path(_plus(at, r))
    corners, turn, inner = SHAPES[name]
    radii = (r * 1.12, r * 1.12 * inner) if inner else (r * 1.12,)
    count = corners * len(radii)
    return path(
        (
            x + radii[k % len(radii)] * math.sin(turn + 2 * math.pi * k / count),
            y - radii[k % len(radii)] * math.cos(turn + 2 * math.pi * k / count),
        )
        for k in range(count)
    )


SHAPES = {
    "square": (4, math.pi / 4, 0.0),
    "diamond": (4, 0.0, 0.0),
    "triangle-up": (3, 0.0, 0.0),
    "star": (5, 0.0, 0.45),
    "pentagon": (5, 0.0, 0.0),
    "hexagon": (6, 0.0, 0.0),
}
"""(corners, turn in radians, radius of the inner corners in outer ones)"""


def _plus(at: Point, r: float) -> list[Point]:
    x, y = at
    thin = r * 0.38
    corners = [(-thin, -r), (thin, -r), (thin, -thin), (r, -thin), (r, thin), (thin, thin)]
    return [(x + a, y + b) for a, b in [*corners, *((-a, -b) for a, b in corners)]]


def _spell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
