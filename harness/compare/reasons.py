"""Sentences for a metric's verdict: each names what decided."""

from __future__ import annotations

from harness.model.compare import MetricResult
from harness.results.wording import fmt
from harness.statistics.equivalence import Equivalence
from harness.statistics.intervals import Interval
from harness.statistics.paired import PairedComparison


def constant(one: MetricResult, c: PairedComparison, *, beyond: bool, sure: bool) -> str:
    """Of a shift without any spread over actors, of which no interval and no t test can be made."""
    told = f"The shift is {_signed(one, c.mean_difference)} for every one of {c.n} actors"
    if not beyond:
        return f"{told}, within the margin of {one.margin:g}."
    if not sure:
        return (
            f"{told}, beyond the margin of {one.margin:g}; so few actors may do so by chance, and "
            "without spread there is no interval."
        )
    return f"{told}, beyond the margin of {one.margin:g}; without spread, no interval."


def moved(one: MetricResult, c: PairedComparison) -> str:
    """Of a shift that is significant and beyond the margin."""
    larger = c.wins if (c.mean_difference or 0) > 0 else c.losses
    return (
        f"{_signed(one, c.mean_difference)} is beyond the margin of {one.margin:g} and "
        f"significant (p {p_text(one.p_adjusted)} after Holm; {_how(one)}), in the same direction "
        f"for {larger} of {c.n} actors."
    )


def open_question(
    one: MetricResult, c: PairedComparison, e: Equivalence, alpha: float, *, significant: bool
) -> str:
    """Why neither a change nor equivalence is shown."""
    shift, margin = _signed(one, c.mean_difference), one.margin
    if significant:
        return (
            f"The shift is significant (p {p_text(one.p_adjusted)} after Holm), but at {shift} not "
            f"beyond the margin of {margin:g}, nor is it shown to lie within."
        )
    where = _place(one, e.interval)
    if where != _BEYOND:
        return f"The 90 % interval, {where}{_power(one, c)}."
    ends = span(e.interval, one.digits)
    why = (
        f"the shift is not significant after Holm: p {p_text(one.p_adjusted)} where {alpha:g} is "
        f"asked (p {p_text(one.p)} before; {_how(one)})"
        if one.p_adjusted is not None
        else "no test can be made"
    )
    return (
        f"The 90 % interval, {ends}, is wholly beyond the margin of {margin:g}, but {why}"
        f"{_power(one, c)}."
    )


_BEYOND = "beyond"


def _place(one: MetricResult, interval: Interval) -> str:
    """Position of the interval with respect to the margin, as a phrase; ``beyond`` when it is
    wholly on one side of it."""
    low, high, margin = interval.low, interval.high, one.margin
    if low is None or high is None:
        return "which cannot be computed, decides nothing"
    ends = span(interval, one.digits)
    if low > margin or high < -margin:
        return _BEYOND
    if low < -margin and high > margin:
        return f"{ends}, reaches beyond the margin of {margin:g} on both sides: anything may be"
    if high - low > 2 * margin:
        return (
            f"{ends}, is wider than the margin of {margin:g} allows: it reaches from within it to "
            "beyond"
        )
    return f"{ends}, reaches from within the margin of {margin:g} to beyond it"


def hides_less(one: MetricResult) -> str:
    """``Match rate 0.000 to 0.658``."""
    digits = one.digits
    return f"{title(one)} {number(one.baseline, digits)} to {number(one.candidate, digits)}"


def title(one: MetricResult) -> str:
    """The metric's title, with the source of action units."""
    return f"{one.title} ({one.source})" if one.source else one.title


def number(value: float | None, digits: int, *, signed: bool = False) -> str:
    """``fmt`` for a terminal, where a missing value is a hyphen."""
    return fmt(value, digits, signed=signed, missing="-")


def span(interval: Interval, digits: int) -> str:
    """Both ends; ``(cut)`` where one of them is the end of what the metric can be."""
    if interval.low is None or interval.high is None:
        return "-"
    cut = " (cut)" if interval.cut else ""
    ends = (number(end, digits, signed=True) for end in (interval.low, interval.high))
    return f"{' to '.join(ends)}{cut}"


def p_text(p: float | None) -> str:
    if p is None:
        return "unknown"
    if p < 0.001:
        return "< 0.001"
    # 0.0504 must not read as the level that it misses.
    return f"= {p:.3f}" if abs(p - 0.05) > 0.0015 else f"= {p:.4f}"


def _how(one: MetricResult) -> str:
    few = ", as so few actors cannot reach alpha by sign-flips"
    return f"{one.test} test{'' if one.test == 'sign-flip' else few}"


def _power(one: MetricResult, c: PairedComparison) -> str:
    """The shift that would be found, at the level and by the test that were used."""
    if one.detectable is None or one.level is None:
        return ""
    level = f"by the {one.test} test at p {one.level:.2g}, the first step of Holm"
    if one.largest is not None and one.detectable > one.largest:
        return (
            f"; {c.n} actors with this spread cannot find even the largest shift there can be, "
            f"{one.largest:g}, with 80 % power ({level})"
        )
    shift = number(one.detectable, one.digits)
    return f"; {c.n} actors with this spread find a shift of {shift} with 80 % power ({level})"


def _signed(one: MetricResult, value: float | None) -> str:
    return number(value or 0.0, one.digits, signed=True)
