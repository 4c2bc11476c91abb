"""From paired values to a verdict per metric. Pure.

The actor is the unit: values of several donors and seeds are averaged within the actor first. p is
the exact sign-flip test's; where so few actors cannot reach alpha at all with it, it is Student's
paired t test's, which assumes normal differences, and the result says so. That choice depends on
the number of actors alone, never on what they show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.model.compare import ActorDifference, ActorGate, Family, MetricResult
from harness.model.estimates import PairedComparison, TestResult
from harness.model.verdict import Verdict
from harness.results.compare.gather import Cell
from harness.results.compare.identified import Identified
from harness.results.compare.metrics import IDENTIFIED, METRICS, Metric, Reading, readings
from harness.results.compare.reasons import constant, hides_less, moved, open_question, p_text
from harness.statistics.equivalence import equivalence
from harness.statistics.intervals import cut_to
from harness.statistics.multiple import holm
from harness.statistics.paired import compare_paired
from harness.statistics.power import detectable_dz, detectable_dz_by_signs
from harness.statistics.sign_flip import smallest_p

ALPHA = 0.05
SHARES = {Family.STUDY: 0.8, Family.VIEWER: 0.2}
"""Of alpha, in which a family is tested; with one family alone it has all of it."""
_ALL_OF_IT = 0.95
"""Share of the largest shift there can be, from which on a shift is called that."""
Pair = tuple[Cell, Cell]
Update = dict[str, str | float | None]
"""Fields of a MetricResult."""
Read = Callable[[Cell, int], float | None]
"""The value of a cell on side 0 (baseline) or 1 (candidate)."""


def judge(
    pairs: Sequence[Pair],
    *,
    alpha: float = ALPHA,
    metrics: Sequence[Metric] = METRICS,
    margins: dict[str, float] | None = None,
    identified: Identified | None = None,
) -> list[MetricResult]:
    """Every metric on the pairs of baseline and candidate, with Holm over each family.

    ``margins`` replaces a metric's own margin, by key. ``identified`` adds what each side's worst
    attacker identifies. While a metric of privacy hides less by its point estimate, none is called
    improved.
    """
    given = margins or {}
    measured = [] if identified is None else [_identified(pairs, identified, given)]
    measured += [_measured(pairs, reading, given) for reading in _readings(pairs, metrics)]
    tested = _tested(measured, alpha)
    decided = [
        decide(result.model_copy(update=tested.get((result.key, result.source), {})), alpha)
        for result in measured
    ]
    return _without_praise(decided)


def _without_praise(results: Sequence[MetricResult]) -> list[MetricResult]:
    """Metrics that are better are not called improved while anything hides less."""
    worse = [result for result in results if result.hides_less]
    if not worse:
        return list(results)
    caveat = f" No improvement, as less is hidden: {'; '.join(map(hides_less, worse))}."
    return [
        result.model_copy(update={"verdict": Verdict.TRADED, "reason": result.reason + caveat})
        if result.verdict is Verdict.IMPROVED
        else result
        for result in results
    ]


def _tested(measured: Sequence[MetricResult], alpha: float) -> Mapping[tuple[str, str], Update]:
    """Test, p and adjusted p of every metric with at least two actors, by key and source."""
    computed = [
        metric for metric in measured if metric.comparison is not None and metric.comparison.n > 1
    ]
    families = {metric.family for metric in computed}
    whole = sum(SHARES[family] for family in families)
    updates: dict[tuple[str, str], Update] = {}
    for family in families:
        members = [metric for metric in computed if metric.family is family]
        scale = whole / SHARES[family]
        tests = [_test(metric.comparison, alpha / scale / len(members)) for metric in members]
        known = [test.p for test in tests if test.p is not None]
        adjusted = iter(holm(known))
        # Metrics without any spread have no t test, and take no part in the first step.
        level = alpha / scale / max(1, len(known))
        for metric, test in zip(members, tests, strict=True):
            # Scaled by the family's share, so that it is held against alpha itself.
            p = None if test.p is None else min(1.0, next(adjusted) * scale)
            updates[metric.key, metric.source] = {
                "test": test.name,
                "p": test.p,
                "p_adjusted": p,
                "level": level,
                "detectable": _detectable(metric, test.name, level),
            }
    return updates


def _detectable(metric: MetricResult, test: str, level: float) -> float | None:
    """The least shift that is found with 80 % power; None without spread."""
    c = metric.comparison
    if c is None or c.dz is None or not c.mean_difference:
        return None
    dz = (detectable_dz if test == "t" else detectable_dz_by_signs)(c.n, alpha=level)
    return None if dz is None else dz * c.mean_difference / c.dz


def overall(results: Sequence[MetricResult], gate: ActorGate | None = None) -> Verdict:
    """Regressed when any metric has, or any actor is recognised who was hidden; else the worst of
    the study's family. Metrics that cannot be compared count when none can. Never improved while a
    metric of privacy hides less by its point estimate.
    """
    said = {result.verdict for result in results}
    if gate is not None and gate.crossed:
        return Verdict.REGRESSED
    if Verdict.REGRESSED not in said:
        said = {result.verdict for result in results if result.family is Family.STUDY} or said
    if Verdict.REGRESSED not in said and any(result.hides_less for result in results):
        return Verdict.INCONCLUSIVE
    for verdict in (Verdict.REGRESSED, Verdict.INCONCLUSIVE, Verdict.IMPROVED, Verdict.UNCHANGED):
        if verdict in said:
            # An improvement stands alongside metrics that leave it open.
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
        "level": None,
        "detectable": None,
        "hides_less": False,
        "verdict": Verdict.NOT_COMPARABLE,
        "reason": reason,
    }
    return [result.model_copy(update=bare) for result in results]


def decide(result: MetricResult, alpha: float) -> MetricResult:
    """The metric with its verdict and the sentence for it."""
    verdict, reason = _verdict(result, alpha)
    shift = result.comparison.mean_difference if result.comparison else None
    worse = shift is not None and abs(shift) > result.margin and not _better(result, shift)
    return result.model_copy(
        update={"verdict": verdict, "reason": reason, "hides_less": result.privacy and worse}
    )


def _better(result: MetricResult, shift: float) -> bool:
    return (shift > 0) == result.higher_is_better


def _readings(pairs: Sequence[Pair], metrics: Sequence[Metric]) -> list[Reading]:
    names = {a.source for pair in pairs for cell in pair for a in cell.score.attributes}
    return [reading for metric in metrics for reading in readings(metric, tuple(sorted(names)))]


def _measured(
    pairs: Sequence[Pair], reading: Reading, margins: Mapping[str, float]
) -> MetricResult:
    def read(cell: Cell, side: int) -> float | None:
        return reading.read(cell.score)

    metric = reading.metric
    margin = margins.get(metric.key, reading.margin)
    return _measure(pairs, metric, read, margin, source=reading.source)


def _identified(
    pairs: Sequence[Pair], shares: Identified, margins: Mapping[str, float]
) -> MetricResult:
    def read(cell: Cell, side: int) -> float | None:
        return shares.of(side, cell.spec.actor.number)

    margin = margins.get(IDENTIFIED.key, IDENTIFIED.margin)
    return _measure(pairs, IDENTIFIED, read, margin, missing=shares.reason)


def _measure(
    pairs: Sequence[Pair],
    metric: Metric,
    read: Read,
    margin: float,
    *,
    source: str = "",
    missing: str = "",
) -> MetricResult:
    by_actor: dict[int, list[tuple[float, float]]] = {}
    for first, second in pairs:
        before, after = read(first, 0), read(second, 1)
        if before is not None and after is not None:
            by_actor.setdefault(first.spec.actor.number, []).append((before, after))
    actors = [_of_actor(actor, by_actor[actor]) for actor in sorted(by_actor)]
    before_all = [actor.baseline for actor in actors]
    after_all = [actor.candidate for actor in actors]
    baseline = _mean(before_all)
    ends = (None, None) if baseline is None else metric.shifts(baseline)
    differences = [b - a for a, b in zip(before_all, after_all, strict=True)]
    alike = equivalence(differences, margin) if actors else None
    return MetricResult(
        key=metric.key,
        title=metric.title,
        source=source,
        family=metric.family,
        whole=metric.whole,
        privacy=metric.privacy,
        higher_is_better=metric.higher_is_better,
        margin=margin,
        digits=metric.digits,
        baseline=baseline,
        candidate=_mean(after_all),
        largest=_largest(ends),
        actors=tuple(actors),
        comparison=_cut(compare_paired(before_all, after_all), ends) if actors else None,
        equivalence=alike and alike.model_copy(update={"interval": cut_to(alike.interval, *ends)}),
        verdict=Verdict.NOT_COMPARABLE,
        reason="" if actors else missing or _without_values(pairs, metric, read),
    )


def _cut(comparison: PairedComparison, ends: tuple[float | None, float | None]) -> PairedComparison:
    intervals = {
        name: cut_to(getattr(comparison, name), *ends) for name in ("interval", "bootstrap")
    }
    return comparison.model_copy(update=intervals)


def _largest(ends: tuple[float | None, float | None]) -> float | None:
    """The largest shift there can be in either direction; None without a limit."""
    low, high = ends
    return None if low is None or high is None else max(-low, high)


def _of_actor(actor: int, values: list[tuple[float, float]]) -> ActorDifference:
    n = len(values)
    return ActorDifference(
        actor=actor,
        pairs=n,
        baseline=sum(before for before, _ in values) / n,
        candidate=sum(after for _, after in values) / n,
    )


def _without_values(pairs: Sequence[Pair], metric: Metric, read: Read) -> str:
    sides = [any(read(pair[k], k) is not None for pair in pairs) for k in (0, 1)]
    why = f" {metric.missing}" if metric.missing else ""
    if not any(sides):
        return f"Neither side has a value.{why}"
    if not all(sides):
        return f"The {'candidate' if sides[0] else 'baseline'} has no value of this metric.{why}"
    return f"No actor has a value on both sides.{why}"


def _test(comparison: PairedComparison | None, level: float) -> TestResult:
    """The sign-flip test, or the t test where n actors could never reach the first step of Holm
    (``level``) with it.
    """
    assert comparison is not None
    reachable = smallest_p(comparison.n) <= level
    return comparison.sign_flip if reachable else comparison.t_test


def _verdict(result: MetricResult, alpha: float) -> tuple[Verdict, str]:
    c, e = result.comparison, result.equivalence
    if c is None or e is None or c.mean_difference is None:
        return Verdict.NOT_COMPARABLE, result.reason
    if c.n < 2:
        return Verdict.INCONCLUSIVE, (
            "Only one actor in common: the difference is shown, but there is no spread over "
            "actors, so no interval, no test and no equivalence can be computed."
        )
    if c.ties == c.n:
        return Verdict.UNCHANGED, f"Both sides are the same for all {c.n} actors."
    better = Verdict.IMPROVED if _better(result, c.mean_difference) else Verdict.REGRESSED
    significant = result.p_adjusted is not None and result.p_adjusted <= alpha
    beyond = abs(c.mean_difference) > result.margin
    if c.dz is None:
        # A coarse metric can move alike for a few actors by chance; the largest shift there is,
        # such as all faces lost, cannot.
        all_of_it = result.whole is not None and abs(c.mean_difference) >= _ALL_OF_IT * result.whole
        sure = significant or all_of_it
        verdict = Verdict.UNCHANGED if not beyond else better if sure else Verdict.INCONCLUSIVE
        return verdict, constant(result, c, beyond=beyond, sure=sure)
    if significant and beyond:
        return better, moved(result, c)
    if e.shown:
        return Verdict.UNCHANGED, (
            f"Equivalence within {result.margin:g} is shown (p {p_text(e.p)}, n = {c.n})."
        )
    return Verdict.INCONCLUSIVE, open_question(result, c, e, alpha, significant=significant)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
