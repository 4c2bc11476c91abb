"""Sentences for a metric's verdict: each names what decided."""

from __future__ import annotations

from harness.model.compare import MetricResult
from harness.model.estimates import Equivalence, Interval, PairedComparison
from harness.results.wording import fmt


def constant(result: MetricResult, c: PairedComparison, *, beyond: bool, sure: bool) -> str:
    """Of a shift without any spread over actors, of which no interval and no t test can be made."""
    shift = f"The shift is {_signed(result, c.mean_difference)} for every one of {c.n} actors"
    if not beyond:
        return f"{shift}, within the margin of {result.margin:g}."
    if not sure:
        return (
            f"{shift}, beyond the margin of {result.margin:g}; so few actors may do so by chance, "
            "and without spread there is no interval."
        )
    return f"{shift}, beyond the margin of {result.margin:g}; without spread, no interval."


def moved(result: MetricResult, c: PairedComparison) -> str:
    """Of a shift that is significant and beyond the margin."""
    larger = c.wins if (c.mean_difference or 0) > 0 else c.losses
    return (
        f"{_signed(result, c.mean_difference)} is beyond the margin of {result.margin:g} and "
        f"significant (p {p_text(result.p_adjusted)} after Holm; {_how(result)}), in the same "
        f"direction for {larger} of {c.n} actors."
    )


def open_question(
    result: MetricResult, c: PairedComparison, e: Equivalence, alpha: float, *, significant: bool
) -> str:
    """Explains why neither a change nor equivalence is shown."""
    shift, margin = _signed(result, c.mean_difference), result.margin
    if significant:
        return (
            f"The shift is significant (p {p_text(result.p_adjusted)} after Holm), but at {shift} "
            f"not beyond the margin of {margin:g}, nor is it shown to lie within."
        )
    where = _place(result, e.interval)
    if where != _BEYOND:
        return f"The 90 % interval, {where}{_power(result, c)}."
    ends = span(e.interval, result.digits)
    why = (
        f"the shift is not significant after Holm: p {p_text(result.p_adjusted)} where {alpha:g} "
        f"is asked (p {p_text(result.p)} before; {_how(result)})"
        if result.p_adjusted is not None
        else "no test can be made"
    )
    return (
        f"The 90 % interval, {ends}, is wholly beyond the margin of {margin:g}, but {why}"
        f"{_power(result, c)}."
    )


_BEYOND = "beyond"


def _place(result: MetricResult, interval: Interval) -> str:
    """Position of the interval with respect to the margin, as a phrase; ``beyond`` when it is
    wholly on one side of it."""
    low, high, margin = interval.low, interval.high, result.margin
    if low is None or high is None:
        return "which cannot be computed, decides nothing"
    ends = span(interval, result.digits)
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


def hides_less(result: MetricResult) -> str:
    """``Match rate 0.000 to 0.658``."""
    digits = result.digits
    return (
        f"{title(result)} {number(result.baseline, digits)} to {number(result.candidate, digits)}"
    )


def title(result: MetricResult) -> str:
    """The metric's title, with the source of action units."""
    return f"{result.title} ({result.source})" if result.source else result.title


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


def _how(result: MetricResult) -> str:
    few = ", as so few actors cannot reach alpha by sign-flips"
    return f"{result.test} test{'' if result.test == 'sign-flip' else few}"


def _power(result: MetricResult, c: PairedComparison) -> str:
    """The shift that would be found, at the level and by the test that were used."""
    if result.detectable is None or result.level is None:
        return ""
    level = f"by the {result.test} test at p {result.level:.2g}, the first step of Holm"
    if result.largest is not None and result.detectable > result.largest:
        return (
            f"; {c.n} actors with this spread cannot find even the largest shift there can be, "
            f"{result.largest:g}, with 80 % power ({level})"
        )
    shift = number(result.detectable, result.digits)
    return f"; {c.n} actors with this spread find a shift of {shift} with 80 % power ({level})"


def _signed(result: MetricResult, value: float | None) -> str:
    return number(value or 0.0, result.digits, signed=True)
