"""Numbers over actors. The actor is the unit: frames are never pooled across actors."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from enum import StrEnum

from harness.core.base import Frozen
from harness.model.score import Attributes, Comparison, Distances, UnitScore
from harness.results.wording import DASH as DASH
from harness.results.wording import finite as finite
from harness.results.wording import fmt as fmt
from harness.results.wording import listing as listing
from harness.results.wording import percent as percent
from harness.scoring.detected import NOT_DETECTED_LOSS
from harness.scoring.detected import lost_share as lost_share_of
from reports.model import ReportCell, ReportData

PCC_CLIP = 1.0 - 1e-6


class Mean(Frozen):
    """Mean over actors, sample standard deviation across actors (None below two), and n."""

    n: int
    mean: float | None = None
    sd: float | None = None


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


def some_actors(n: int, of: int) -> str:
    """``, 5 of 7 actors`` after a mean that some actors are missing from; empty where none is, or
    where there is no number. Means over other actors are not to be compared unseen."""
    return f", {n} of {of} actors" if 0 < n < of else ""


class Detection(StrEnum):
    """Whether the swapped video still shows the faces that the original shows."""

    DETECTED = "detected"
    NOT_DETECTED = "not detected"
    NO_ORIGINAL_FACE = "no face in the original"
    NO_SCORE = "no score"


def lost_share(cell: ReportCell) -> float | None:
    """Share of the original's faces that the recogniser no longer finds; None without a score."""
    return lost_share_of(cell.score) if cell.score else None


def detection(cell: ReportCell) -> Detection:
    """What can be said of the cell's faces; only DETECTED cells have a distance that counts."""
    if distances(cell, Comparison.SWAPPED_ORIGINAL) is None:
        return Detection.NO_SCORE
    lost = lost_share(cell)
    if lost is None:
        return Detection.NO_ORIGINAL_FACE
    return Detection.NOT_DETECTED if lost >= NOT_DETECTED_LOSS else Detection.DETECTED


def detected(cell: ReportCell) -> bool:
    """Whether enough of the original's faces are still found for a distance to count."""
    return detection(cell) is Detection.DETECTED


class Leak(Frozen):
    """Sampled swapped frames in which the person is recognised, and out of how many."""

    recognised: int
    used: int
    """Frames with a face."""
    asked: int
    """All sampled frames."""

    @property
    def of_all(self) -> float | None:
        """The sound share: a face that is not found is no recognised one, but counts below."""
        return self.recognised / self.asked if self.asked else None

    @property
    def of_seen(self) -> float | None:
        """Over frames with a face only; says nothing of how few these may be."""
        return self.recognised / self.used if self.used else None


def leak(cell: ReportCell) -> Leak | None:
    """The cell's recognised frames (SW-OR distance at or under the threshold), or None."""
    found = distances(cell, Comparison.SWAPPED_ORIGINAL)
    if found is None:
        return None
    share = found.share_at_or_under_threshold or 0.0
    return Leak(recognised=round(share * found.used), used=found.used, asked=found.asked)


def attributes(cell: ReportCell, source: str) -> Attributes | None:
    """The cell's attributes from one source, or None."""
    if cell.score is None:
        return None
    return next((a for a in cell.score.attributes if a.source == source), None)


def attribute_sources(data: ReportData) -> list[str]:
    """All action-unit sources, the one with most measured cells first."""
    counts: dict[str, int] = {}
    for cell in data.cells:
        for found in cell.score.attributes if cell.score else ():
            measured = found.mean_pcc is not None
            counts[found.source] = counts.get(found.source, 0) + measured
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


def mean_fta(
    cells: Sequence[ReportCell], comparison: Comparison = Comparison.SWAPPED_ORIGINAL
) -> Mean:
    """Failure to acquire over actors: in the swapped videos, or with OR-OR in the originals."""
    found = [(c.spec.actor.number, distances(c, comparison)) for c in cells]
    return over_actors((actor, d.fta if d else None) for actor, d in found)


def mean_leak(cells: Sequence[ReportCell], *, of_all: bool) -> Mean:
    """Share of recognised frames over actors with a score: of all sampled frames, where one without
    a face is not recognised; or of those with a face, over the actors of detected cells."""
    found = [(c.spec.actor.number, leak(c)) for c in cells if of_all or detected(c)]
    return over_actors(
        (actor, (k.of_all if of_all else k.of_seen) if k else None) for actor, k in found
    )


def mean_pcc(cells: Sequence[ReportCell], source: str) -> list[tuple[int, float | None]]:
    """(actor, the cell's mean PCC over the units that have one)."""
    return _means(cells, source, "mean_pcc")


def mean_rmse(cells: Sequence[ReportCell], source: str) -> list[tuple[int, float | None]]:
    """(actor, the cell's mean RMSE over measurable units)."""
    return _means(cells, source, "mean_rmse")


def mean_ccc(cells: Sequence[ReportCell], source: str) -> list[tuple[int, float | None]]:
    """(actor, the cell's mean CCC over measurable units; a frozen swapped unit counts as 0)."""
    return _means(cells, source, "mean_ccc")


def _means(cells: Sequence[ReportCell], source: str, name: str) -> list[tuple[int, float | None]]:
    found = [(c.spec.actor.number, attributes(c, source)) for c in cells]
    return [(actor, getattr(a, name) if a else None) for actor, a in found]


def units_used(found: Attributes) -> int:
    """Over how many units the means go: those that move in the original and can be paired."""
    return sum(u.measurable for u in found.units)


def units_frozen(found: Attributes) -> int:
    """How many of these stand still in the swapped video, and so have no PCC."""
    return sum(u.measurable and u.pcc is None for u in found.units)


def frozen_note(data: ReportData) -> str:
    """What the means make of units that stand still; scores of older stores left them out."""
    found = [a for cell in data.cells if cell.score for a in cell.score.attributes]
    if any(a.units_used is None for a in found):
        return (
            "A unit that stands still in the swapped video is left out of the mean PCC (which "
            "flatters a frozen face) and counts as 0 in the mean CCC."
        )
    return "A unit that stands still in the swapped video counts as 0 in the means of PCC and CCC."


def spread(values: Iterable[int]) -> str:
    """``10`` or ``10-13`` (an en dash) of some counts; a dash for none."""
    known = sorted(set(values))
    if not known:
        return DASH
    return str(known[0]) if len(known) == 1 else f"{known[0]}{DASH}{known[-1]}"


def actors_named(numbers: Sequence[int]) -> str:
    """``actor 5``, ``actors 1-4, 7``."""
    return f"actor{'s' if len(set(numbers)) > 1 else ''} {actor_ranges(numbers)}"


def actor_ranges(numbers: Iterable[int]) -> str:
    """``1-4, 7`` (with en dashes) for actor numbers."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(
        str(run[0]) if len(run) == 1 else f"{run[0]}{DASH if len(run) > 2 else ', '}{run[-1]}"
        for run in runs
    )
