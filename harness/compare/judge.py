"""From paired values to a verdict per metric. Pure.

The actor is the unit: values of several donors and seeds are averaged within the actor first. p is
the exact sign-flip test's; where so few actors cannot reach alpha at all with it, it is Student's
paired t test's, which assumes normal differences, and the result says so. That choice depends on
the number of actors alone, never on what they show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.compare.gather import Cell
from harness.compare.metrics import METRICS, Metric, Reading, readings
from harness.compare.words import span
from harness.model.compare import ActorDifference, Family, MetricResult
from harness.model.verdict import Verdict
from harness.statistics.equivalence import Equivalence, equivalence
from harness.statistics.multiple import holm
from harness.statistics.paired import PairedComparison, compare_paired
from harness.statistics.sign_flip import TestResult, smallest_p

ALPHA = 0.05
SHARES = {Family.STUDY: 0.8, Family.VIEWER: 0.2}
"""Of alpha, in which a family is tested; with one family alone it has all of it."""
_ALL_OF_IT = 0.95
"""Share of the largest shift there can be, from which on a shift is called that."""
Pair = tuple[Cell, Cell]
Update = dict[str, str | float | None]
"""Fields of a MetricResult."""


def judge(
    pairs: Sequence[Pair],
    *,
    alpha: float = ALPHA,
    metrics: Sequence[Metric] = METRICS,
    margins: dict[str, float] | None = None,
) -> list[MetricResult]:
    """Every metric on the pairs of baseline and candidate, with Holm over each family.

    ``margins`` replaces a metric's own margin, by key.
    """
    measured = [_measure(pairs, one, margins or {}) for one in _readings(pairs, metrics)]
    tested = _tested(measured, alpha)
    return [
        decide(one.model_copy(update=tested.get((one.key, one.source), {})), alpha)
        for one in measured
    ]


def _tested(measured: Sequence[MetricResult], alpha: float) -> Mapping[tuple[str, str], Update]:
    """Test, p and adjusted p of every metric with at least two actors, by key and source."""
    computed = [one for one in measured if one.comparison is not None and one.comparison.n > 1]
    families = {one.family for one in computed}
    whole = sum(SHARES[family] for family in families)
    found: dict[tuple[str, str], Update] = {}
    for family in families:
        members = [one for one in computed if one.family is family]
        scale = whole / SHARES[family]
        tests = [_test(one.comparison, len(members), alpha / scale) for one in members]
        adjusted = iter(holm([test.p for test in tests if test.p is not None]))
        for one, test in zip(members, tests, strict=True):
            # Scaled by the family's share, so that it is held against alpha itself.
            p = None if test.p is None else min(1.0, next(adjusted) * scale)
            found[one.key, one.source] = {"test": test.name, "p": test.p, "p_adjusted": p}
    return found


def overall(results: Sequence[MetricResult]) -> Verdict:
    """Regressed when any metric has; else the worst of the study's family. Metrics that cannot be
    compared count when none can.
    """
    said = {one.verdict for one in results}
    if Verdict.REGRESSED not in said:
        said = {one.verdict for one in results if one.family is Family.STUDY} or said
    for verdict in (Verdict.REGRESSED, Verdict.INCONCLUSIVE, Verdict.IMPROVED, Verdict.UNCHANGED):
        if verdict in said:
            # An improvement stands beside metrics that leave it open.
            improved = verdict is Verdict.INCONCLUSIVE and Verdict.IMPROVED in said
            return Verdict.IMPROVED if improved else verdict
    return Verdict.NOT_COMPARABLE


def not_comparable(results: Sequence[MetricResult], reason: str) -> list[MetricResult]:
    """The metrics with their means, but without anything that would compare them."""
    bare = {
        "comparison": None,
        "equivalence": None,
        "test": "",
        "p": None,
        "p_adjusted": None,
        "verdict": Verdict.NOT_COMPARABLE,
        "reason": reason,
    }
    return [one.model_copy(update=bare) for one in results]


def decide(one: MetricResult, alpha: float) -> MetricResult:
    """The metric with its verdict and the sentence for it."""
    verdict, reason = _verdict(one, alpha)
    return one.model_copy(update={"verdict": verdict, "reason": reason})


def _readings(pairs: Sequence[Pair], metrics: Sequence[Metric]) -> list[Reading]:
    names = {a.source for pair in pairs for cell in pair for a in cell.score.attributes}
    return [one for metric in metrics for one in readings(metric, tuple(sorted(names)))]


def _measure(pairs: Sequence[Pair], reading: Reading, margins: dict[str, float]) -> MetricResult:
    metric = reading.metric
    margin = margins.get(metric.key, reading.margin)
    by_actor: dict[int, list[tuple[float, float]]] = {}
    for first, second in pairs:
        before, after = reading.read(first.score), reading.read(second.score)
        if before is not None and after is not None:
            by_actor.setdefault(first.spec.actor.number, []).append((before, after))
    actors = [_of_actor(actor, by_actor[actor]) for actor in sorted(by_actor)]
    before_all = [one.baseline for one in actors]
    after_all = [one.candidate for one in actors]
    comparison = compare_paired(before_all, after_all) if actors else None
    differences = [b - a for a, b in zip(before_all, after_all, strict=True)]
    return MetricResult(
        key=metric.key,
        title=metric.title,
        source=reading.source,
        family=metric.family,
        whole=metric.whole,
        higher_is_better=metric.higher_is_better,
        margin=margin,
        digits=metric.digits,
        baseline=_mean(before_all),
        candidate=_mean(after_all),
        actors=tuple(actors),
        comparison=comparison,
        equivalence=equivalence(differences, margin) if actors else None,
        verdict=Verdict.NOT_COMPARABLE,
        reason="" if actors else _without_values(pairs, reading),
    )


def _of_actor(actor: int, values: list[tuple[float, float]]) -> ActorDifference:
    n = len(values)
    return ActorDifference(
        actor=actor,
        pairs=n,
        baseline=sum(before for before, _ in values) / n,
        candidate=sum(after for _, after in values) / n,
    )


def _without_values(pairs: Sequence[Pair], reading: Reading) -> str:
    sides = [any(reading.read(pair[k].score) is not None for pair in pairs) for k in (0, 1)]
    why = f" {reading.metric.missing}" if reading.metric.missing else ""
    if not any(sides):
        return f"Neither side has a value.{why}"
    if not all(sides):
        return f"The {'candidate' if sides[0] else 'baseline'} has no value of this metric.{why}"
    return f"No actor has a value on both sides.{why}"


def _test(comparison: PairedComparison | None, family: int, alpha: float) -> TestResult:
    """The sign-flip test, or the t test where n actors could never reach the family's level
    (``alpha``) after Holm.
    """
    assert comparison is not None
    reachable = smallest_p(comparison.n) * family <= alpha
    return comparison.sign_flip if reachable else comparison.t_test


def _verdict(one: MetricResult, alpha: float) -> tuple[Verdict, str]:
    c, e = one.comparison, one.equivalence
    if c is None or e is None or c.mean_difference is None:
        return Verdict.NOT_COMPARABLE, one.reason
    if c.n < 2:
        return Verdict.INCONCLUSIVE, (
            "Only one actor in common: the difference is shown, but there is no spread over "
            "actors, so no interval, no test and no equivalence can be computed."
        )
    if c.ties == c.n:
        return Verdict.UNCHANGED, f"Both sides are the same for all {c.n} actors."
    if c.dz is None:
        return _constant(one, c, c.mean_difference, alpha)
    significant = one.p_adjusted is not None and one.p_adjusted <= alpha
    beyond = abs(c.mean_difference) > one.margin
    if significant and beyond:
        better = (c.mean_difference > 0) == one.higher_is_better
        return _moved(one, c, better)
    if e.shown:
        return Verdict.UNCHANGED, (
            f"Equivalence within {one.margin:g} is shown (p {_p(e.p)}, n = {c.n})."
        )
    return Verdict.INCONCLUSIVE, _open(one, c, e, significant)


def _constant(
    one: MetricResult, c: PairedComparison, shift: float, alpha: float
) -> tuple[Verdict, str]:
    """A shift without any spread over actors, of which no interval and no t test can be made. A
    coarse metric can move alike for a few actors by chance, so it takes the sign-flip test; but
    the largest shift there is, such as all faces lost, needs none.
    """
    told = f"The shift is {shift:+.{one.digits}f} for every one of {c.n} actors"
    if abs(shift) <= one.margin:
        return Verdict.UNCHANGED, f"{told}, within the margin of {one.margin:g}."
    sure = one.p_adjusted is not None and one.p_adjusted <= alpha
    if not sure and (one.whole is None or abs(shift) < _ALL_OF_IT * one.whole):
        return Verdict.INCONCLUSIVE, (
            f"{told}, beyond the margin of {one.margin:g}; so few actors may do so by chance, and "
            "without spread there is no interval."
        )
    better = (shift > 0) == one.higher_is_better
    verdict = Verdict.IMPROVED if better else Verdict.REGRESSED
    return verdict, f"{told}, beyond the margin of {one.margin:g}; without spread, no interval."


def _moved(one: MetricResult, c: PairedComparison, better: bool) -> tuple[Verdict, str]:
    verdict = Verdict.IMPROVED if better else Verdict.REGRESSED
    how = f"{one.test} test" + (
        "" if one.test == "sign-flip" else ", as so few actors cannot reach alpha by sign-flips"
    )
    larger = c.wins if (c.mean_difference or 0) > 0 else c.losses
    return verdict, (
        f"{c.mean_difference:+.{one.digits}f} is beyond the margin of {one.margin:g} and "
        f"significant (p {_p(one.p_adjusted)} after Holm; {how}), in the same direction for "
        f"{larger} of {c.n} actors."
    )


def _open(one: MetricResult, c: PairedComparison, e: Equivalence, significant: bool) -> str:
    if significant:
        return (
            f"The shift is significant (p {_p(one.p_adjusted)} after Holm), but at "
            f"{c.mean_difference:+.{one.digits}f} not beyond the margin of {one.margin:g}, nor is "
            "it shown to lie within."
        )
    ends = span(e.interval.low, e.interval.high, one.digits)
    text = f"The 90 % interval, {ends}, is wider than the margin of {one.margin:g} allows"
    if c.detectable is not None:
        shift = f"{c.detectable:.{one.digits}f}"
        text += f"; {c.n} actors with this spread find a shift of {shift} with 80 % power"
    return text + "."


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _p(p: float | None) -> str:
    if p is None:
        return "unknown"
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
