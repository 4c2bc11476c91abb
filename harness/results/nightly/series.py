"""The history of a metric over nights, with the steps in it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from harness.core.base import Frozen
from harness.model.nightly import NightMetric, NightRecord
from harness.statistics.steps import Segment, fit_steps


class Point(Frozen):
    """One night of a series."""

    night: str
    version: str
    n: int
    mean: float
    low: float | None
    high: float | None
    run_sd: float | None


class Step(Frozen):
    """A night from which on the level is another one."""

    night: str
    version: str
    before: float
    after: float
    worse: bool


class Series(Frozen):
    """One metric of one tool and config, night after night."""

    suite: str
    dataset: str
    protocol: str
    tool: str
    config: str
    key: str
    title: str
    """The metric's, with the protocol where the line has nights of several."""
    source: str
    higher_is_better: bool
    margin: float
    points: tuple[Point, ...]
    segments: tuple[Segment, ...]
    steps: tuple[Step, ...]


def history_series(records: Sequence[NightRecord]) -> tuple[Series, ...]:
    """Every metric's series, by suite, dataset, tool, config, metric and protocol.

    Nights of another protocol are another series: that they differ is no step of the tool.

    Nights are equally spaced. Noise below a tenth of the metric's margin is not believed in, so
    that a tool without any noise has no steps of no consequence.
    """
    groups: dict[tuple[str, ...], list[tuple[NightRecord, NightMetric]]] = {}
    for record in sorted(records, key=lambda record: record.night):
        for metric in record.metrics:
            named = record.suite, record.dataset, record.tool, record.config
            key = *named, metric.key, metric.source, record.protocol
            groups.setdefault(key, []).append((record, metric))
    several = Counter(key[:-1] for key in groups)
    return tuple(
        _series(nights, several=several[key[:-1]] > 1) for key, nights in sorted(groups.items())
    )


def _series(nights: Sequence[tuple[NightRecord, NightMetric]], *, several: bool) -> Series:
    record, metric = nights[-1]
    segments = fit_steps([m.mean for _, m in nights], metric.margin / 10)
    steps = []
    for before, after in pairwise(segments):
        there = nights[after.start][0]
        up = after.level > before.level
        steps.append(
            Step(
                night=there.night,
                version=there.version,
                before=before.level,
                after=after.level,
                worse=up != metric.higher_is_better,
            )
        )
    return Series(
        suite=record.suite,
        dataset=record.dataset,
        protocol=record.protocol,
        tool=record.tool,
        config=record.config,
        key=metric.key,
        title=f"{metric.title}, {record.protocol}" if several else metric.title,
        source=metric.source,
        higher_is_better=metric.higher_is_better,
        margin=metric.margin,
        points=tuple(_point(*pair) for pair in nights),
        segments=segments,
        steps=tuple(steps),
    )


def _point(record: NightRecord, metric: NightMetric) -> Point:
    return Point(
        night=record.night,
        version=record.version,
        n=metric.n,
        mean=metric.mean,
        low=metric.low,
        high=metric.high,
        run_sd=metric.run_sd,
    )
