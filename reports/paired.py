"""Tools beside each other on the same actors: paired differences, their interval and a test."""

from __future__ import annotations

from itertools import combinations

from harness.compare.metrics import METRICS, Reading, readings
from harness.model.base import Frozen
from harness.statistics.intervals import cut_to
from harness.statistics.multiple import holm
from harness.statistics.paired import PairedComparison, compare_paired
from reports.aggregate import DASH, cells_of, finite, fmt, is_control, over_actors, variants
from reports.model import ReportData
from reports.tables import Table, TableCell, number, text

SHOWN = ("sw_or", "match_rate", "pcc")
"""Of the metrics that `bench compare` knows, those that rank tools."""
ALPHA = 0.05
MOST_PAIRS = 28
"""Of eight tools; with more, a table of all pairs would be read by nobody."""


class _Pair(Frozen):
    """Candidate minus baseline in one metric, over the actors that both have."""

    baseline: str
    candidate: str
    metric: str
    found: PairedComparison


def paired_table(data: ReportData, source: str | None) -> Table | None:
    """One row per pair of tools and metric; None where no two tools share two actors."""
    names = [name for name in variants(data) if not is_control(data, name)]
    pairs = list(combinations(names, 2))
    found = [
        pair
        for reading in _readings(source)
        for baseline, candidate in pairs[:MOST_PAIRS]
        if (pair := _compared(data, reading, baseline, candidate)) is not None
    ]
    if not found:
        return None
    p_values = [one.found.sign_flip.p for one in found]
    known = [p for p in p_values if p is not None]
    adjusted = iter(holm(known))
    holms = [None if p is None else next(adjusted) for p in p_values]
    left = len(pairs) - MOST_PAIRS
    more = f" The first {MOST_PAIRS} of {len(pairs)} pairs of tools are shown." if left > 0 else ""
    return Table(
        title="Tools against each other, paired by actor",
        columns=(
            "Tools",
            "Metric",
            "Actors",
            "Difference",
            "95 % interval",
            "p",
            "p (Holm)",
            "Test",
        ),
        rows=tuple(_row(one, p) for one, p in zip(found, holms, strict=True)),
        note="Difference: the second tool minus the first, mean over the actors that both have, "
        "with Student's interval, cut at what the metric can be. The test is the exact sign-flip "
        "test of actors' differences; "
        "Holm's p is adjusted over all rows. With n actors no p under 2/2ⁿ is possible, so "
        f"fewer than 6 cannot reach {ALPHA:g}: this is no sign that tools are alike.{more}",
    )


def _readings(source: str | None) -> list[Reading]:
    sources = (source,) if source else ()
    return [r for m in METRICS if m.key in SHOWN for r in readings(m, sources)]


def _compared(data: ReportData, reading: Reading, baseline: str, candidate: str) -> _Pair | None:
    first, second = (_by_actor(data, name, reading) for name in (baseline, candidate))
    shared = sorted(first.keys() & second.keys())
    if len(shared) < 2:
        return None
    before = [first[a] for a in shared]
    found = compare_paired(before, [second[a] for a in shared])
    ends = reading.metric.shifts(sum(before) / len(before))
    found = found.model_copy(update={"interval": cut_to(found.interval, *ends)})
    return _Pair(baseline=baseline, candidate=candidate, metric=reading.metric.title, found=found)


def _by_actor(data: ReportData, name: str, reading: Reading) -> dict[int, float]:
    """Each actor's mean over its cells of a column."""
    values: dict[int, list[float]] = {}
    for cell in cells_of(data, name):
        value = finite(reading.read(cell.score)) if cell.score else None
        if value is not None:
            values.setdefault(cell.spec.actor.number, []).append(value)
    means = {a: over_actors((a, v) for v in own).mean for a, own in values.items()}
    return {actor: mean for actor, mean in means.items() if mean is not None}


def _row(pair: _Pair, p_holm: float | None) -> tuple[TableCell, ...]:
    found, interval = pair.found, pair.found.interval
    span = (
        TableCell(text=DASH, reason=interval.reason, look="muted")
        if interval.low is None or interval.high is None
        else text(_span(interval.low, interval.high, cut=interval.cut), "number", interval.low)
    )
    return (
        text(f"{pair.candidate} minus {pair.baseline}"),
        text(pair.metric),
        text(found.n, "number", float(found.n)),
        number(found.mean_difference, found.reason),
        span,
        number(found.sign_flip.p, found.sign_flip.reason),
        number(p_holm, found.sign_flip.reason),
        _verdict(found, p_holm),
    )


def _span(low: float, high: float, *, cut: bool) -> str:
    return f"{fmt(low)} to {fmt(high)}{' (cut)' if cut else ''}"


def _verdict(found: PairedComparison, p_holm: float | None) -> TableCell:
    test = found.sign_flip
    if p_holm is None or found.mean_difference == 0:
        return text("no difference" if found.mean_difference == 0 else test.reason, "soft")
    if not test.can_reach(ALPHA):
        return text(f"cannot reach {ALPHA:g} with n = {found.n}", "soft")
    return text("differ", "good") if p_holm <= ALPHA else text("no difference shown", "soft")
