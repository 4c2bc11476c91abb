"""The page of one comparison: self-contained, without any script from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import __version__
from harness.core.base import Frozen
from harness.model.compare import CompareResult, MetricResult
from harness.model.verdict import Verdict
from harness.results.compare.reasons import number, span, title
from harness.results.compare.words import basis, effect, headline, people, probability, remarks
from reports.aggregate import DASH
from reports.render import whole_page, write_page
from reports.tables import Table, TableCell

_LOOK = {
    Verdict.REGRESSED: "bad",
    Verdict.IMPROVED: "good",
    Verdict.TRADED: "partly",
    Verdict.UNCHANGED: "soft",
    Verdict.INCONCLUSIVE: "partly",
    Verdict.NOT_COMPARABLE: "soft",
}
_REACH = 4.0
"""Margins to either side of the chart; what lies beyond ends at its edge."""


class Bar(Frozen):
    """A metric in the chart, in per cent of its width: better is to the right."""

    label: str
    low: float
    high: float
    at: float
    look: str
    text: str


def build_compare(result: CompareResult, out: Path) -> Path:
    """Writes the page to ``out`` (an ``.html`` file, or a folder that gets ``index.html``).

    Raises StoreError when it cannot be written.
    """
    return write_page(compare_page(result), out)


def compare_page(result: CompareResult) -> str:
    """The whole page as text."""
    return whole_page("compare.html.j2", view(result), ("page",))


def view(result: CompareResult) -> dict[str, Any]:
    """What the template shows, in its words."""
    return {
        "result": result,
        "bench_version": __version__,
        "title": f"{result.candidate.label} against {result.baseline.label}",
        "headline": headline(result),
        "look": _LOOK[result.verdict],
        "basis": basis(result),
        "metrics": metric_table(result),
        "people": people(result),
        "bars": [bar for one in result.metrics if (bar := _bar(one))],
        "reasons": [(title(one), one, effect(one)) for one in result.metrics],
        "actors": [actor_table(one) for one in result.metrics if one.actors],
        "remarks": remarks(result),
    }


def metric_table(result: CompareResult) -> Table:
    """Every metric with its means, shift, interval, p and verdict."""
    columns = (
        "Metric",
        # Next to the metric: a table that is wider than the screen is cut on the right.
        "Verdict",
        "Better",
        "Baseline",
        "Candidate",
        "Shift",
        "95 % interval",
        "Bootstrap-t",
        "dz",
        "p (Holm)",
        "Margin",
    )
    rows = tuple(_metric_row(one) for one in result.metrics)
    return Table(
        title="Every metric, candidate minus baseline",
        columns=columns,
        rows=rows,
        note="Intervals are of the mean difference over actors; (cut) marks an end at what the "
        "metric can be. p is the exact sign-flip test's "
        "after Holm, within privacy and expression (at four fifths of 5 %) and within behaviour "
        "and video quality (at one fifth), so that all together raise a false alarm in at most "
        "5 %; (t) marks the paired t test where so few actors cannot reach that with it.",
    )


def actor_table(one: MetricResult) -> Table:
    """One metric, actor by actor."""
    rows = []
    for actor in one.actors:
        shift = actor.candidate - actor.baseline
        numbers = (actor.baseline, actor.candidate)
        rows.append(
            (
                TableCell(text=f"Actor {actor.actor}", sort=actor.actor),
                TableCell(text=str(actor.pairs), sort=actor.pairs, look="number"),
                *(_number(value, one.digits) for value in numbers),
                _number(shift, one.digits, signed=True),
            )
        )
    return Table(
        title=f"{title(one)}, actor by actor",
        columns=("Actor", "Pairs", "Baseline", "Candidate", "Shift"),
        rows=tuple(rows),
    )


def _metric_row(one: MetricResult) -> tuple[TableCell, ...]:
    c = one.comparison
    spans = (c.interval, c.bootstrap) if c else (None, None)
    return (
        TableCell(text=title(one), sort=title(one), look="long"),
        TableCell(text=one.verdict.value, sort=one.verdict.value, look=_LOOK[one.verdict]),
        TableCell(text="higher" if one.higher_is_better else "lower", look="soft"),
        _number(one.baseline, one.digits),
        _number(one.candidate, one.digits),
        _number(c.mean_difference if c else None, one.digits, signed=True),
        *(_text(span(s, one.digits) if s else "-", s.reason if s else one.reason) for s in spans),
        _number(c.dz if c else None, 2, signed=True),
        TableCell(
            text=_dashed(probability(one)),
            sort=one.p_adjusted if one.p_adjusted is not None else "",
            look="number",
        ),
        _number(one.margin, 3),
    )


def _number(value: float | None, digits: int, *, signed: bool = False) -> TableCell:
    if value is None:
        return TableCell(text=DASH, look="muted")
    return TableCell(text=number(value, digits, signed=signed), sort=value, look="number")


def _text(text: str, reason: str) -> TableCell:
    missing = text == "-"
    return TableCell(
        text=_dashed(text),
        reason=reason if missing else "",
        look="muted" if missing else "number",
    )


def _dashed(text: str) -> str:
    return DASH if text == "-" else text


def _bar(one: MetricResult) -> Bar | None:
    """The interval in margins, turned so that better is to the right; None without one."""
    c = one.comparison
    if c is None or c.mean_difference is None or one.verdict is Verdict.NOT_COMPARABLE:
        return None
    sign = 1.0 if one.higher_is_better else -1.0
    ends = (c.interval.low, c.interval.high)
    known = [end if end is not None else c.mean_difference for end in ends]
    low, high = sorted(sign * end / one.margin for end in known)
    at = sign * c.mean_difference / one.margin
    shown_at, shown_low, shown_high = (number(end, 2, signed=True) for end in (at, low, high))
    return Bar(
        label=title(one),
        low=_place(low),
        high=_place(high),
        at=_place(at),
        look=_LOOK[one.verdict],
        text=f"{title(one)}: {shown_at} margins, interval {shown_low} to {shown_high}; "
        f"{one.verdict.value}",
    )


def _place(margins: float) -> float:
    """Margins as per cent of the chart's width."""
    return round(50 + 50 * max(-_REACH, min(_REACH, margins)) / _REACH, 2)
