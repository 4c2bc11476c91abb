"""Numbers over actors. The actor is the unit: frames are never pooled across actors."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from harness.model.base import Frozen
from harness.model.score import Attributes, Comparison, Distances, UnitScore
from reports.model import NOT_DETECTED_FTA, ReportCell, ReportData

DASH = "\N{EN DASH}"
PCC_CLIP = 1.0 - 1e-6


class Mean(Frozen):
    """Mean over actors, sample standard deviation across actors (None below two), and n."""

    n: int
    mean: float | None = None
    sd: float | None = None


def finite(value: float | None) -> float | None:
    """The value, or None where it is missing, NaN or infinite."""
    return value if value is not None and math.isfinite(value) else None


def fmt(value: float | None, digits: int = 3) -> str:
    """Fixed decimals; a missing value is an en dash, never NaN and never minus zero."""
    number = finite(value)
    if number is None:
        return DASH
    text = f"{number:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def percent(value: float | None) -> str:
    """A share in per cent with one decimal."""
    number = finite(value)
    return DASH if number is None else f"{100 * number:.1f} %"


def over_actors(pairs: Iterable[tuple[int, float | None]]) -> Mean:
    """Mean of per-actor means of (actor number, value); values that are missing are left out."""
    by_actor: dict[int, list[float]] = {}
    for actor, value in pairs:
        number = finite(value)
        if number is not None:
            by_actor.setdefault(actor, []).append(number)
    means = [statistics.fmean(values) for values in by_actor.values()]
    if not means:
        return Mean(n=0)
    sd = statistics.stdev(means) if len(means) > 1 else None
    return Mean(n=len(means), mean=statistics.fmean(means), sd=sd)


def fisher_mean(pairs: Iterable[tuple[int, float | None]]) -> Mean:
    """tanh of the mean of artanh(r) over actors (Fisher 1915); r is clipped to 1 - 1e-6.

    The sd is left out: on the z scale it has no reading in r.
    """
    clipped = (
        (actor, None if r is None else math.atanh(max(-PCC_CLIP, min(PCC_CLIP, r))))
        for actor, r in pairs
    )
    z = over_actors(clipped)
    return Mean(n=z.n, mean=None if z.mean is None else math.tanh(z.mean))


def distances(cell: ReportCell, comparison: Comparison) -> Distances | None:
    """The cell's distances of one comparison, or None when there is no score."""
    return cell.score.identity.comparisons.get(comparison) if cell.score else None


def detected(cell: ReportCell) -> bool:
    """Whether enough sampled frames of the swapped video had a face for a distance to count."""
    found = distances(cell, Comparison.SWAPPED_ORIGINAL)
    return found is not None and found.mean is not None and found.fta < NOT_DETECTED_FTA


def attributes(cell: ReportCell, source: str) -> Attributes | None:
    """The cell's attributes from one source, or None."""
    if cell.score is None:
        return None
    return next((a for a in cell.score.attributes if a.source == source), None)


def attribute_sources(data: ReportData) -> list[str]:
    """All action-unit sources, most widely available first."""
    counts: dict[str, int] = {}
    for cell in data.cells:
        for found in cell.score.attributes if cell.score else ():
            counts[found.source] = counts.get(found.source, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))


def unit_score(cell: ReportCell, source: str, unit: str) -> UnitScore | None:
    """One action unit of a cell, or None."""
    found = attributes(cell, source)
    return next((u for u in found.units if u.unit == unit), None) if found else None


def units_of(data: ReportData, source: str) -> list[str]:
    """The action units of a source, by number."""
    names: set[str] = set()
    for cell in data.cells:
        found = attributes(cell, source)
        names.update(u.unit for u in found.units) if found else None
    return sorted(names, key=_unit_key)


def _unit_key(unit: str) -> tuple[int, str]:
    digits = "".join(c for c in unit.split("/", maxsplit=1)[0] if c.isdigit())
    return (int(digits) if digits else 999, unit)


def variants(data: ReportData) -> list[str]:
    """Tool columns: tools first, controls last, each in the order of the selection."""
    seen = dict.fromkeys(cell.variant for cell in data.cells)
    return sorted(seen, key=lambda name: is_control(data, name))


def cells_of(data: ReportData, variant: str) -> list[ReportCell]:
    """The cells of one column, by actor."""
    chosen = [cell for cell in data.cells if cell.variant == variant]
    return sorted(chosen, key=lambda cell: (cell.spec.actor.number, cell.spec.seed))


def is_control(data: ReportData, variant: str) -> bool:
    """Whether the column's tool is a control."""
    tool = next(cell.spec.tool for cell in data.cells if cell.variant == variant)
    return tool in data.tools and data.tools[tool].control


def by_actor_distance(
    cells: Sequence[ReportCell], comparison: Comparison
) -> list[tuple[int, float | None]]:
    """(actor, mean distance) of cells; a cell that is not detected has no swapped distance."""
    from_swapped = comparison in (Comparison.SWAPPED_ORIGINAL, Comparison.SWAPPED_SWAPPED)
    values: list[tuple[int, float | None]] = []
    for cell in cells:
        found = distances(cell, comparison)
        usable = found is not None and (detected(cell) or not from_swapped)
        values.append((cell.spec.actor.number, found.mean if found and usable else None))
    return values


def mean_fta(cells: Sequence[ReportCell]) -> Mean:
    """Failure to acquire in the swapped videos, over actors."""
    found = [(c.spec.actor.number, distances(c, Comparison.SWAPPED_ORIGINAL)) for c in cells]
    return over_actors((actor, d.fta if d else None) for actor, d in found)


def mean_pcc(cells: Sequence[ReportCell], source: str) -> list[tuple[int, float | None]]:
    """(actor, the cell's mean PCC over measurable units)."""
    found = [(c.spec.actor.number, attributes(c, source)) for c in cells]
    return [(actor, a.mean_pcc if a else None) for actor, a in found]
