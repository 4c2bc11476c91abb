"""One line per tool, version and config: what it hides, what it keeps, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum

from harness.model.base import Frozen
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
    """How the interval was made: ``t``, or ``wilson-clustered``."""
    reason: str = ""


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

    def estimate(self, metric: Metric) -> Estimate:
        """The number of that name."""
        return self.distance if metric is Metric.DISTANCE else self.pcc

    def competes(self, metric: Metric) -> bool:
        """Whether the number rests on enough cells to be compared with other tools'."""
        known = self.detected if metric is Metric.DISTANCE else self.with_pcc
        enough = known >= MINIMUM_COVERAGE * self.cells
        return not self.control and enough and self.estimate(metric).value is not None


def leaderboard(data: ReportData) -> list[Row]:
    """All rows, controls last, each in the order of the selection."""
    sources = attribute_sources(data)
    return [_row(data, name, sources[0] if sources else None) for name in variants(data)]


def _row(data: ReportData, name: str, source: str | None) -> Row:
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
        method="wilson-clustered" if known else "",
        reason=found.reason,
    )


def ranking(rows: Sequence[Row], metric: Metric) -> list[Row]:
    """The tools that compete, the largest value first; controls do not."""
    fit = [row for row in rows if row.competes(metric)]
    return sorted(fit, key=lambda row: -(row.estimate(metric).value or 0.0))
