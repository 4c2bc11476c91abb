"""One line per tool, version and config: what it hides, what it keeps, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum

from harness.model.base import Frozen
from harness.model.cohort import CohortScore, Rate
from harness.model.score import Comparison
from harness.statistics.intervals import t_interval
from harness.statistics.rates import clustered_rate
from harness.statistics.values import actor_means
from reports.aggregate import (
    Detection,
    attribute_sources,
    by_actor_distance,
    cells_of,
    detected,
    detection,
    is_control,
    leak,
    mean_pcc,
    variants,
)
from reports.headline import MINIMUM_COVERAGE
from reports.model import ReportCell, ReportData

DISTANCES = (0.0, math.inf)
CORRELATIONS = (-1.0, 1.0)
NO_DISTANCE = "No face was detected in any of its cells, which is not the same as hidden."
NO_SCORE = "None of its cells has a score."
NO_UNITS = "No action unit could be measured in any of its cells."


class Metric(StrEnum):
    """What tools compete in; of both, more is better."""

    DISTANCE = "distance"
    PCC = "pcc"


class Estimate(Frozen):
    """A number over actors with its 95 % interval; ``reason`` says why one of them is missing."""

    n: int
    """Actors."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""
    """How the interval was made: ``t``, or ``actor-shares``."""
    reason: str = ""


class Attacked(Frozen):
    """What the worst of the attackers makes of the tool (docs/protocol.md)."""

    attacker: str
    source: str
    """What it compares by."""
    rank_1: Estimate
    """Share of probes given to the right person; less hides better."""
    chance: float | None
    """The same by guessing."""
    advantage: float | None
    """(rank-1 - chance) / (1 - chance): what attackers and tools are compared by."""
    control: Estimate
    """Rank-1 of the same attack on the original videos."""


class Row(Frozen):
    """A column of the report: a tool with a version, a config, and whatever else tells it apart."""

    name: str
    tool: str
    version: str
    config: str
    control: bool
    actors: int
    """Actors that were asked for."""
    cells: int
    scored: int
    detected: int
    """Cells in which enough of the original's faces are still found."""
    distance: Estimate
    """Mean SW-OR distance (L2) over the actors of detected cells; more hides better."""
    with_pcc: int
    """Cells with a mean PCC."""
    recognised: Estimate
    """Share of all sampled frames at or under the threshold, detected cells; less hides better."""
    lost: Estimate
    """Share of cells in which the face is not detected any more, among those scored."""
    pcc: Estimate
    """Mean PCC of action units; more keeps more of the expression."""

    worst_attack: Attacked | None = None
    """None where no attack was computed for just these cells, or none could be."""

    def estimate(self, metric: Metric) -> Estimate:
        """The number of that name."""
        return self.distance if metric is Metric.DISTANCE else self.pcc

    def competes(self, metric: Metric) -> bool:
        """Whether the number rests on enough cells to be compared with other tools'."""
        known = self.detected if metric is Metric.DISTANCE else self.with_pcc
        enough = known >= MINIMUM_COVERAGE * self.cells
        return not self.control and enough and self.estimate(metric).value is not None


def leaderboard(data: ReportData, cohorts: Sequence[CohortScore] = ()) -> list[Row]:
    """All rows, controls last, each in the order of the selection."""
    sources = attribute_sources(data)
    source = sources[0] if sources else None
    return [_row(data, name, source, cohorts) for name in variants(data)]


def cohorts_of(cells: Sequence[ReportCell], cohorts: Sequence[CohortScore]) -> list[CohortScore]:
    """The cohorts that are made of these cells."""
    ids = {cell.spec.id for cell in cells}
    return [cohort for cohort in cohorts if ids.issuperset(cohort.cells)]


def _row(data: ReportData, name: str, source: str | None, cohorts: Sequence[CohortScore]) -> Row:
    cells = cells_of(data, name)
    spec = cells[0].spec
    scored = [cell for cell in cells if cell.score is not None]
    kept = mean_pcc(cells, source) if source else []
    return Row(
        name=name,
        tool=spec.tool,
        version=spec.version,
        config=spec.config,
        control=is_control(data, name),
        actors=len({cell.spec.actor.number for cell in cells}),
        cells=len(cells),
        scored=len(scored),
        detected=sum(detected(cell) for cell in cells),
        distance=mean_estimate(
            by_actor_distance(cells, Comparison.SWAPPED_ORIGINAL),
            NO_DISTANCE if scored else NO_SCORE,
            DISTANCES,
        ),
        recognised=_recognised(cells),
        lost=_lost(scored),
        worst_attack=_worst(cohorts_of(cells, cohorts)),
        pcc=mean_estimate(kept, NO_UNITS, CORRELATIONS),
        with_pcc=sum(value is not None for _, value in kept),
    )


def mean_estimate(
    pairs: Iterable[tuple[int, float | None]],
    missing: str,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """Mean over actors of (actor, value) with Student's interval, cut to what the number can be;
    ``missing`` says why there is none.
    """
    found = t_interval(list(actor_means(pairs).values()))
    if found.estimate is None:
        return Estimate(n=0, reason=missing)
    return Estimate(
        n=found.n,
        value=found.estimate,
        low=None if found.low is None else max(found.low, bounds[0]),
        high=None if found.high is None else min(found.high, bounds[1]),
        method=found.method if found.known else "",
        reason=found.reason,
    )


def _worst(cohorts: Sequence[CohortScore]) -> Attacked | None:
    """Of several cohorts (of several seeds, say) the one that is attacked best."""
    found = [attack for cohort in cohorts if (attack := cohort.worst_attack) and attack.swapped]
    worst = max(found, key=lambda attack: attack.advantage or 0.0, default=None)
    if worst is None or worst.swapped is None:
        return None
    return Attacked(
        attacker=worst.attacker.value,
        source=worst.source,
        rank_1=of_rate(worst.swapped.rank_1),
        chance=worst.swapped.chance,
        advantage=worst.advantage,
        control=of_rate(worst.control.rank_1) if worst.control else Estimate(n=0),
    )


def of_rate(rate: Rate) -> Estimate:
    """A cohort's rate as the tables show it."""
    return Estimate(
        n=rate.actors, value=rate.rate, low=rate.low, high=rate.high, reason=rate.reason
    )


def _recognised(cells: Sequence[ReportCell]) -> Estimate:
    """Over the actors of detected cells, as the distance is."""
    seen = [(c.spec.actor.number, k) for c in cells if detected(c) and (k := leak(c))]
    hits = [(actor, float(k.recognised), float(k.asked)) for actor, k in seen]
    if not hits:
        scored = any(cell.score for cell in cells)
        return Estimate(n=0, reason=NO_DISTANCE if scored else NO_SCORE)
    return _rate(hits)


def _lost(scored: Sequence[ReportCell]) -> Estimate:
    known = [(c.spec.actor.number, detection(c)) for c in scored]
    hits = [
        (actor, float(state is Detection.NOT_DETECTED), 1.0)
        for actor, state in known
        if state in (Detection.NOT_DETECTED, Detection.DETECTED)
    ]
    return _rate(hits) if hits else Estimate(n=0, reason=NO_SCORE)


def _rate(hits: Iterable[tuple[int, float, float]]) -> Estimate:
    """Of (actor, hits, trials): the rate with an interval that knows of trials alike per actor."""
    by_actor: dict[int, list[float]] = {}
    for actor, hit, total in hits:
        sums = by_actor.setdefault(actor, [0.0, 0.0])
        sums[0] += hit
        sums[1] += total
    found = clustered_rate([h for h, _ in by_actor.values()], [m for _, m in by_actor.values()])
    known = found.low is not None
    return Estimate(
        n=len(by_actor),
        value=found.rate,
        low=found.low,
        high=found.high,
        method="actor-shares" if known else "",
        reason=found.reason,
    )


def ranking(rows: Sequence[Row], metric: Metric) -> list[Row]:
    """The tools that compete, the largest value first; controls do not."""
    fit = [row for row in rows if row.competes(metric)]
    return sorted(fit, key=lambda row: -(row.estimate(metric).value or 0.0))
