"""The questions of a reader with one minute: who hides best, who keeps expressions best, and is
that sure?"""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.base import Frozen
from harness.model.score import Comparison
from harness.statistics.paired import compare_paired
from harness.statistics.values import actor_means
from reports.aggregate import (
    DASH,
    attribute_sources,
    by_actor_distance,
    cells_of,
    fmt,
    mean_pcc,
    percent,
)
from reports.cohorts import ENOUGH_ACTORS
from reports.controls import control_checks
from reports.model import ReportData
from reports.plot import threshold_of
from reports.site.leaderboard import Attacked, Estimate, Metric, Row, ranking

ALPHA = 0.05


class Lead(Frozen):
    """The best tool against the next one, on the actors that both have."""

    first: str
    second: str
    n: int
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    """Exact sign-flip test, two-sided."""
    clear: bool
    """Whether chance is an unlikely reason (p of at most 0.05)."""
    reason: str = ""


class Answer(Frozen):
    """One question's answer."""

    question: str
    who: str
    """A tool, or that there is none."""
    value: str
    meaning: str
    """What the number is."""
    sure: str
    """How sure it is, in a sentence."""
    clear: bool | None
    """Whether the first place is more than chance; None where that cannot be told."""


def answers(data: ReportData, rows: Sequence[Row]) -> list[Answer]:
    """Hides best (by the worst attacker, where that is known of all), keeps expressions best, and
    what both rest on."""
    hides = _hides_from_attackers(data, rows) or _answer(data, rows, Metric.DISTANCE)
    keeps = _answer(data, rows, Metric.PCC)
    return [hides, keeps, _overall(data, rows)]


def lead(data: ReportData, rows: Sequence[Row], metric: Metric) -> Lead | None:
    """The first against the second, paired by actor; None with fewer than two that compete."""
    ranked = ranking(rows, metric)
    if len(ranked) < 2:
        return None
    first, second = (_by_actor(data, row.name, metric) for row in ranked[:2])
    shared = sorted(first.keys() & second.keys())
    found = compare_paired([second[a] for a in shared], [first[a] for a in shared])
    test = found.sign_flip
    return Lead(
        first=ranked[0].name,
        second=ranked[1].name,
        n=found.n,
        difference=found.mean_difference,
        low=found.interval.low,
        high=found.interval.high,
        p=test.p,
        clear=test.p is not None and test.p <= ALPHA and (found.mean_difference or 0) > 0,
        reason=found.reason or ("" if test.can_reach(ALPHA) else test.verdict(ALPHA)),
    )


def _by_actor(data: ReportData, name: str, metric: Metric) -> dict[int, float]:
    cells = cells_of(data, name)
    if metric is Metric.DISTANCE:
        return actor_means(by_actor_distance(cells, Comparison.SWAPPED_ORIGINAL))
    sources = attribute_sources(data)
    return actor_means(mean_pcc(cells, sources[0]) if sources else ())


WORDS = {
    Metric.DISTANCE: (
        "Which tool hides best?",
        "mean distance from the person's own face",
        "In no tool is a face detected in at least half of the cells: nothing can be ranked, "
        "which is not the same as hidden.",
    ),
    Metric.PCC: (
        "Which keeps expressions best?",
        "mean correlation (PCC) of facial action units",
        "No tool has measurable action units in at least half of its cells.",
    ),
}


def _answer(data: ReportData, rows: Sequence[Row], metric: Metric) -> Answer:
    question, meaning, none = WORDS[metric]
    ranked = ranking(rows, metric)
    if not ranked:
        return Answer(
            question=question, who="no tool", value=DASH, meaning=meaning, sure=none, clear=None
        )
    row = ranked[0]
    parts = [meaning, interval_words(row.estimate(metric))]
    if metric is Metric.DISTANCE:
        parts += _how_hidden(row, threshold_of(data))
    ahead = lead(data, rows, metric)
    return Answer(
        question=question,
        who=row.name,
        value=fmt(row.estimate(metric).value),
        meaning="; ".join(part for part in parts if part),
        sure=_sure(ahead),
        clear=None if ahead is None or ahead.p is None or ahead.n < ENOUGH_ACTORS else ahead.clear,
    )


def _hides_from_attackers(data: ReportData, rows: Sequence[Row]) -> Answer | None:
    """The tool whose worst attacker gains least. None when an attack is missing for a tool that
    competes, or rests on too few actors to mean something.
    """
    known = [(row, row.worst_attack) for row in rows if row.competes(Metric.DISTANCE)]
    attacked = [
        (row, attack, attack.advantage)
        for row, attack in known
        if attack and attack.advantage is not None and attack.rank_1.n >= ENOUGH_ACTORS
    ]
    if not attacked or len(attacked) < len(known):
        return None
    attacked.sort(key=lambda one: one[2])
    row, attack, _ = attacked[0]
    parts = [
        f"of probes are given to the right person by the worst attacker, {attack.attacker}",
        f"guessing: {percent(attack.chance)}",
        share_words(attack.rank_1),
        f"mean distance {fmt(row.distance.value)}",
        *_how_hidden(row, threshold_of(data)),
    ]
    clear, sure = None, "No other tool can be compared with it."
    if len(attacked) > 1:
        clear, sure = _against(attack, *attacked[1][:2])
    return Answer(
        question=WORDS[Metric.DISTANCE][0],
        who=row.name,
        value=percent(attack.rank_1.value),
        meaning="; ".join(parts),
        sure=sure,
        clear=clear,
    )


def _against(first: Attacked, row: Row, second: Attacked) -> tuple[bool | None, str]:
    """Whether the intervals of the two best are apart, which asks more than a test would."""
    mine, other = first.rank_1, second.rank_1
    next_one = f"the next, {row.name}: {percent(other.value)}"
    if mine.high is None or other.low is None:
        return None, f"Not sure: there is no interval for {next_one}."
    said = f"{next_one}, {share_words(other)}"
    if mine.high < other.low:
        return True, f"Clear: its interval is below that of {said}."
    return False, f"Not clear: its interval overlaps with that of {said}."


def share_words(estimate: Estimate) -> str:
    """``95 % interval 10.0 % to 30.0 % over 24 actors``."""
    actors = f"over {estimate.n} actor{'s' if estimate.n != 1 else ''}"
    if estimate.low is None or estimate.high is None:
        return actors
    return f"95 % interval {percent(estimate.low)} to {percent(estimate.high)} {actors}"


def _how_hidden(row: Row, threshold: float) -> list[str]:
    """What the distance of the best means: the best of bad ones hides nobody."""
    parts = []
    if (row.distance.value or 0.0) <= threshold:
        parts.append(f"at or under the threshold {threshold:g}: on average still recognised")
    if row.recognised.value is not None:
        parts.append(f"recognised in {percent(row.recognised.value)} of frames")
    return parts


def interval_words(estimate: Estimate) -> str:
    """``95 % interval 0.70 to 0.78 over 24 actors``; without one, over how many actors."""
    actors = f"over {estimate.n} actor{'s' if estimate.n != 1 else ''}"
    if estimate.low is None or estimate.high is None:
        return actors
    return f"95 % interval {fmt(estimate.low)} to {fmt(estimate.high)} {actors}"


def _sure(ahead: Lead | None) -> str:
    if ahead is None:
        return "No other tool can be compared with it."
    gap = f"{fmt(ahead.difference)} ahead of {ahead.second}"
    if ahead.n < ENOUGH_ACTORS:
        actors = "1 actor" if ahead.n == 1 else f"{ahead.n} actors"
        return f"Not sure: {gap}, but {actors} cannot show that a lead is more than chance."
    within = f" (95 % interval {fmt(ahead.low)} to {fmt(ahead.high)}, {ahead.n} actors)"
    span = within if ahead.low is not None else f" ({ahead.n} actors)"
    if ahead.clear:
        return f"Clear: {gap}{span}."
    return f"Not clear: {gap}{span}; this may be chance."


def _overall(data: ReportData, rows: Sequence[Row]) -> Answer:
    """What both answers rest on: actors, cells, controls."""
    checks = control_checks(data)
    failed = [check for check in checks if check.passed is False]
    passed = sum(check.passed is True for check in checks)
    actors = len({cell.spec.actor.number for cell in data.cells if cell.score})
    cells, scored = len(data.cells), sum(cell.score is not None for cell in data.cells)
    tools = sum(not row.control for row in rows)
    parts = [f"{scored} of {cells} cells have a score"]
    if failed:
        parts.append(f"{len(failed)} control checks failed: do not trust the other numbers")
    elif checks:
        parts.append(f"{passed} of {len(checks)} control checks passed, none failed")
    else:
        parts.append("no control checks the measuring")
    sure = (
        "Enough actors for a large difference to show; each interval says how large."
        if actors >= ENOUGH_ACTORS
        else f"With fewer than {ENOUGH_ACTORS} actors no ranking can be told from chance."
    )
    return Answer(
        question="What does it rest on?",
        who=f"{tools} tools and configs",
        value="on 1 actor" if actors == 1 else f"on {actors} actors",
        meaning="; ".join(parts),
        sure=sure,
        clear=None if not failed else False,
    )
