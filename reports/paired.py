"""Tools beside each other on the same actors: paired differences, their interval and a test."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from harness.core.base import Frozen
from harness.model.estimates import PairedComparison
from harness.results.compare.metrics import METRICS, Reading, readings
from harness.results.ranking import Pair, Verdict
from harness.statistics.intervals import cut_to
from harness.statistics.multiple import holm
from harness.statistics.paired import compare_paired
from reports.aggregate import DASH, cells_of, finite, fmt, is_control, over_actors, variants
from reports.model import ReportData
from reports.tables import Table, TableCell, number, text

SHOWN = ("sw_or", "match_rate")
"""Of the metrics that `bench compare` knows, those that are shown besides what tools are ranked by;
PCC too where no tool is ranked by it."""
ALPHA = 0.05
FOUND = "Found by worst attacker"
KEPT = "Mean PCC"
MOST_PAIRS = 28
"""Of eight tools; with more, a table of all pairs would be read by nobody."""


class _Pair(Frozen):
    """Candidate minus baseline in one metric, over the actors that both have."""

    baseline: str
    candidate: str
    metric: str
    found: PairedComparison


def paired_table(data: ReportData, source: str | None, verdict: Verdict) -> Table | None:
    """One row per pair of tools and metric, those that decide the ranks first; None where no two
    tools share two actors."""
    names = [name for name in variants(data) if not is_control(data, name)]
    pairs = list(combinations(names, 2))
    keys = SHOWN if verdict.keeping else (*SHOWN, "pcc")
    found = [
        pair
        for reading in _readings(source, keys)
        for baseline, candidate in pairs[:MOST_PAIRS]
        if (pair := _compared(data, reading, baseline, candidate)) is not None
    ]
    deciding = [
        _deciding(pair, metric, sign)
        for metric, ranked, sign in ((FOUND, verdict.hiding, -1), (KEPT, verdict.keeping, 1))
        for pair in ranked[:MOST_PAIRS]
    ]
    if not found and not deciding:
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
        rows=(*deciding, *(_row(one, p) for one, p in zip(found, holms, strict=True))),
        note="Difference: the first tool minus the second, mean over the actors that both have, "
        "with Student's interval, cut at what the metric can be. The test is the exact sign-flip "
        "test of actors' differences. "
        f"Ranks follow from two metrics alone: \u201c{FOUND}\u201d (beyond chance) and "
        f"\u201c{KEPT}\u201d, Holm's p adjusted over the pairs of each; of the rest it is adjusted "
        "over all rows. With n actors no p under 2/2ⁿ is possible, so "
        f"fewer than 6 cannot reach {ALPHA:g}: this is no sign that tools are alike.{more}",
    )


def _deciding(pair: Pair, metric: str, sign: int) -> tuple[TableCell, ...]:
    """A pair of the ranking; ``sign`` is -1 where less is better, so that a lead is a difference
    below 0."""
    lead, p = pair.lead, pair.p_adjusted
    low, high = sorted(sign * end for end in lead.bounds) if lead.bounds else (None, None)
    verdict = text("differ", "good") if pair.better else text("no difference shown", "soft")
    return (
        text(f"{pair.first} minus {pair.second}"),
        text(metric),
        text(lead.n, "number", float(lead.n)),
        number(None if lead.value is None else sign * lead.value, lead.reason),
        _span(low, high, lead.reason),
        number(pair.p),
        number(p),
        verdict,
    )


def _readings(source: str | None, keys: Sequence[str]) -> list[Reading]:
    sources = (source,) if source else ()
    return [r for m in METRICS if m.key in keys for r in readings(m, sources)]


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
    return (
        text(f"{pair.candidate} minus {pair.baseline}"),
        text(pair.metric),
        text(found.n, "number", float(found.n)),
        number(found.mean_difference, found.reason),
        _span(interval.low, interval.high, interval.reason, cut=interval.cut),
        number(found.sign_flip.p, found.sign_flip.reason),
        number(p_holm, found.sign_flip.reason),
        _verdict(found, p_holm),
    )


def _span(low: float | None, high: float | None, reason: str, *, cut: bool = False) -> TableCell:
    if low is None or high is None:
        return TableCell(text=DASH, reason=reason, look="muted")
    return text(f"{fmt(low)} to {fmt(high)}{' (cut)' if cut else ''}", "number", low)


def _verdict(found: PairedComparison, p_holm: float | None) -> TableCell:
    test = found.sign_flip
    if p_holm is None or found.mean_difference == 0:
        return text("no difference" if found.mean_difference == 0 else test.reason, "soft")
    if not test.can_reach(ALPHA):
        return text(f"cannot reach {ALPHA:g} with n = {found.n}", "soft")
    return text("differ", "good") if p_holm <= ALPHA else text("no difference shown", "soft")
