"""One night: run, compare with the last good version, run again before an alarm, record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.core.errors import UsageError
from harness.model.cell import CellSpec
from harness.model.compare import CompareResult, Family, MetricResult
from harness.model.nightly import Alarm, NightMetric, NightRecord
from harness.model.suite import Suite, UnpreparedCell
from harness.model.tool import Tool
from harness.model.verdict import Verdict
from harness.planning.plan import parse_numbers
from harness.planning.unprepared import unprepared_cells
from harness.results.compare.gather import Cell, Gathered, gather
from harness.results.compare.identified import identified_shares
from harness.results.compare.metrics import IDENTIFIED, MATCH_RATE, METRICS, Metric, readings
from harness.results.compare.people import stored_cohorts
from harness.results.compare.reasons import hides_less
from harness.results.compare.run import Terms, compare_gathered
from harness.results.compare.words import people
from harness.results.estimates import Estimate, mean_estimate, share_of_actors
from harness.results.nightly.entries import SECOND_RUN, Entry, entries
from harness.statistics.noise import run_noise
from harness.store.cells import CellStore
from harness.store.nights import NightStore

RunSuite = Callable[[Suite], Sequence[CellSpec]]
"""Runs and scores a suite; finished cells are kept. Returns the cells that it is made of."""


@dataclass(frozen=True)
class Night:
    """Inputs of a night, and the functions that do its work."""

    home: Path
    suite: Suite
    tools: Mapping[str, Tool]
    protocol: str
    """The name of the protocol that ``run`` scores with."""
    run: RunSuite
    today: str
    """``2026-01-31``."""
    good: Mapping[str, str] = field(default_factory=dict)
    """Good versions that the user names, by tool."""


def hold_night(night: Night) -> tuple[str, tuple[NightRecord, ...]]:
    """Do what is left of the night. Returns its name and its records, in the suite's order.

    A line that the night has recorded already is neither run nor recorded again, so an interrupted
    night resumes, under the day on which it began. Raises as ``run`` does, UsageError for a good
    version that is named too late, and StoreError when another nightly is at it; what was recorded
    by then is kept.
    """
    store = NightStore(night.home)
    with store.lock():
        history = store.records()
        # A refusal must not open a night again that is closed.
        _lines(night, night.today, history)
        name = store.begin(night.today, night.suite.name, night.suite.dataset)
        lines, done = _lines(night, name, history)
        left = [line for line in lines if (line.tool, line.config) not in done]
        if left:
            for record in _records(night, name, left):
                store.append(record)
        order = [(line.tool, line.config) for line in lines]
        recorded = [
            record
            for record in store.records()
            if record.night == name and (record.tool, record.config) in order
        ]
    return name, tuple(
        sorted(recorded, key=lambda record: order.index((record.tool, record.config)))
    )


def _lines(
    night: Night, name: str, history: Sequence[NightRecord]
) -> tuple[list[Entry], dict[tuple[str, str], NightRecord]]:
    """The lines of the night, and its records so far by tool and config.

    Raises UsageError for a good version that a record of the night was not compared with.
    """
    before = [record for record in history if record.night < name]
    lines = entries(night.suite, night.tools, before, night.good)
    here = name, night.suite.name, night.suite.dataset
    done = {
        (record.tool, record.config): record
        for record in history
        if (record.night, record.suite, record.dataset) == here
    }
    for line in lines:
        record = done.get((line.tool, line.config))
        if record and line.tool in night.good and not _as_named(record, line):
            raise UsageError(
                f"The night of {name} is recorded already for {line.tool}.",
                hint=f"Leave --good {line.tool}@{night.good[line.tool]} out, and name it on the "
                "next night.",
            )
    return lines, done


def _as_named(record: NightRecord, line: Entry) -> bool:
    """True when the record is what the same --good made, so that an interrupted night goes on with
    its own command."""
    named = None if line.good_version == line.version else line.good_version
    return (record.version, record.good_version) == (line.version, named)


def _records(night: Night, name: str, lines: Sequence[Entry]) -> Iterator[NightRecord]:
    """Each line's record as soon as it is known; what comes before is never lost."""
    now = night.run(_with(night.suite, [(line, line.version) for line in lines]))
    moved = [
        (line, line.good_version)
        for line in lines
        if line.good_version not in (None, line.version)
        and line.good_version in night.tools[line.tool].versions
    ]
    older = night.run(_with(night.suite, moved)) if moved else ()
    for line in lines:
        current = line.cells(now, line.version)
        good = _good_cells(night.home, line, older)
        yield _record(night, name, line, current, good)


def _record(
    night: Night,
    name: str,
    line: Entry,
    current: Sequence[CellSpec],
    good: Sequence[CellSpec],
) -> NightRecord:
    bare = _unprepared(night, line, current)
    gathered = gather(night.home, line.tool, current, night.protocol, unprepared=bare)
    record = NightRecord(
        night=name,
        suite=night.suite.name,
        dataset=night.suite.dataset,
        protocol=night.protocol,
        tool=line.tool,
        config=line.config,
        version=line.version,
        image_digest=next((spec.image_digest for spec in current), None),
        cells=tuple(sorted(spec.id for spec in current)),
        unprepared=gathered.unprepared,
        scored=len(gathered.cells),
        good_version=line.good_version if good else None,
        good_cells=tuple(sorted(spec.id for spec in good)),
        metrics=tuple(_metrics(gathered, night.protocol)),
    )
    if not good:
        reason = "There is no good night to compare with yet; this one is the first."
        if not record.complete:
            reason = f"There is no good night to compare with yet; in this one {_share(record)}."
        return record.model_copy(update={"reason": reason})
    if record.cells == record.good_cells:
        # Cells are always equal to themselves: without all scores that says nothing.
        same = record.complete and line.good is not None and line.good.complete
        reason = "The very cells of the last good night: nothing changed."
        if not same:
            reason = f"The very cells of the last good night, but {_share(record)}."
        verdict = Verdict.UNCHANGED if same else Verdict.NOT_COMPARABLE
        return record.model_copy(update={"verdict": verdict, "reason": reason})
    try:
        result = _compare(night, line, good, gathered)
    except UsageError as error:
        update = {"verdict": Verdict.NOT_COMPARABLE, "reason": error.message}
        return record.model_copy(update=update)
    record = record.model_copy(
        update={
            "verdict": result.verdict,
            "reason": _because(result),
            "metrics": tuple(_metrics(gathered, night.protocol, result)),
        }
    )
    return _confirm(night, line, record, result, good)


def _unprepared(night: Night, line: Entry, current: Sequence[CellSpec]) -> list[UnpreparedCell]:
    """Cells of the line that the night asks for and that could not be prepared."""
    suite = night.suite
    seeds = range(suite.seed, suite.seed + (suite.repeat.times if suite.repeat else 1))
    actors = None if suite.actors == "all" else parse_numbers(suite.actors)
    return [
        one
        for one in unprepared_cells(night.home, current)
        if (one.dataset, one.split) == (suite.dataset, suite.split)
        and line.fits(one.cell, line.version)
        and one.cell.seed in seeds
        and (actors is None or one.cell.actor in actors)
    ]


def _confirm(
    night: Night,
    line: Entry,
    record: NightRecord,
    first: CompareResult,
    good: Sequence[CellSpec],
) -> NightRecord:
    """Run both versions a second time, with other seeds, before an alarm is given."""
    suspected = _regressed(first)
    if not suspected:
        return record
    again = night.suite.model_copy(update={"seed": night.suite.seed + SECOND_RUN, "repeat": None})
    wanted = [(line, line.version)]
    # An image that was rebuilt cannot be run as it was: its first run then stands for both.
    repeatable = line.good_version not in (None, line.version)
    if repeatable and line.good_version in night.tools[line.tool].versions:
        wanted.append((line, line.good_version))
    specs = night.run(_with(again, wanted))
    second = gather(night.home, line.tool, line.cells(specs, line.version), night.protocol)
    baseline: Sequence[CellSpec] = good
    if len(wanted) > 1:
        baseline = line.cells(specs, str(line.good_version))
    else:
        second = _reseeded(second, -SECOND_RUN)
    try:
        repeated = _compare(night, line, baseline, second)
    except UsageError as error:
        return _unrepeated(record, error.message)
    both = suspected & _regressed(repeated)
    if both:
        reason = f"{record.reason} A second run showed it again."
        who = _crossed(first) and _crossed(repeated)
        if who and MATCH_RATE in both:
            reason = f"{reason} In it, actor{'s' if len(who) > 1 else ''} {_listed(who)}."
        update = {
            "alarm": Alarm.CONFIRMED,
            "alarmed": tuple(sorted(both)),
            "alarmed_actors": _crossed(first) if who else (),
            "reason": reason,
        }
        return record.model_copy(update=update)
    why = _uncleared(first, repeated, suspected)
    if why:
        return _unrepeated(record, why)
    reason = f"{record.reason} A second run did not show it again, so there is no alarm."
    return record.model_copy(update={"alarm": Alarm.UNCONFIRMED, "reason": reason})


def _unrepeated(record: NightRecord, why: str) -> NightRecord:
    reason = (
        f"{record.reason} A second run could not be compared, so there is no alarm, and the "
        f"suspicion stays open. {why}"
    )
    return record.model_copy(update={"alarm": Alarm.UNREPEATED, "reason": reason})


def _uncleared(first: CompareResult, repeated: CompareResult, suspected: set[str]) -> str:
    """Reason why a second run without the suspicion does not clear it; else empty."""
    for side in (repeated.baseline, repeated.candidate):
        lost = len(side.failed) + len(side.unscored) + len(side.damaged)
        if lost:
            return f"{lost} of {side.cells} cells of {side.label} have no score of it."
    metrics = {_name(metric): metric for metric in repeated.metrics}
    for name in sorted(suspected):
        metric = metrics.get(name)
        if metric is None:
            return f"It has no {name}."
        if name == MATCH_RATE and set(_crossed(first)) - set(repeated.actors):
            gone = sorted(set(_crossed(first)) - set(repeated.actors))
            return f"It has nothing of actor{'s' if len(gone) > 1 else ''} {_listed(gone)}."
        if name == MATCH_RATE and repeated.gate is not None and _crossed(first):
            # Every single person was looked at, be it only one.
            continue
        # With one actor alone nothing can regress.
        if metric.comparison is None or metric.comparison.n < 2:
            return f"{metric.title}: {metric.reason}"
    return ""


def _compare(
    night: Night, line: Entry, good: Sequence[CellSpec], candidate: Gathered
) -> CompareResult:
    baseline = gather(night.home, line.tool, good, night.protocol)
    names = f"{line.tool}@{line.good_version}", f"{line.tool}@{line.version}"
    return compare_gathered(baseline, candidate, names, Terms(night.protocol))


def _good_cells(home: Path, line: Entry, older: Sequence[CellSpec]) -> list[CellSpec]:
    """The cells to compare with: those of the good version that were run now, else the very cells
    of the last good night."""
    if line.good_version is None:
        return []
    run_now = line.cells(older, line.good_version)
    if run_now or line.good is None:
        return run_now
    wanted = set(line.good.cells)
    return [spec for spec in CellStore(home).list() if spec.id in wanted]


def _with(suite: Suite, lines: Sequence[tuple[Entry, str | None]]) -> Suite:
    chosen = tuple(line.at(version) for line, version in lines if version is not None)
    return suite.model_copy(update={"tools": chosen})


def _reseeded(gathered: Gathered, by: int) -> Gathered:
    """The cells keyed by another seed, so that they pair with those of a first run."""
    moved = {
        (split, actor, donor, seed + by): cell
        for (split, actor, donor, seed), cell in gathered.cells.items()
    }
    return replace(gathered, cells=moved)


def _regressed(result: CompareResult) -> set[str]:
    """Names of the metrics that regressed; single people who are recognised count for the match
    rate, no matter which people: a tool may fail on others each time."""
    regressed = {_name(metric) for metric in result.metrics if metric.verdict is Verdict.REGRESSED}
    return regressed | ({MATCH_RATE} if _crossed(result) else set())


def _crossed(result: CompareResult) -> tuple[int, ...]:
    """Actors who are recognised and were hidden."""
    return tuple(crossing.actor for crossing in result.gate.crossed) if result.gate else ()


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _name(metric: MetricResult) -> str:
    return f"{metric.key}:{metric.source}" if metric.source else metric.key


def _because(result: CompareResult) -> str:
    """The reason for the verdict; metrics by which less is hidden come first."""
    worst = [metric for metric in result.metrics if metric.verdict is result.verdict]
    less = [metric for metric in result.metrics if metric.hides_less]
    loose = [metric for metric in less if metric.verdict is not Verdict.REGRESSED]
    loss = f"Less is hidden: {'; '.join(map(hides_less, loose))}. " if loose else ""
    if result.verdict is Verdict.REGRESSED:
        who = people(result)[: len(_crossed(result))]
        return " ".join([*who, *([loss.strip()] if loss else []), *_reasons(worst)])
    if result.verdict is Verdict.IMPROVED:
        return " ".join(_reasons(worst))
    if result.verdict is Verdict.NOT_COMPARABLE:
        return worst[0].reason if worst else "No metric could be compared."
    if result.verdict is Verdict.UNCHANGED:
        return _alike(result)
    unsure = ", ".join(metric.title for metric in worst)
    return f"{loss}Neither a change nor equivalence is shown for {unsure}."


def _reasons(metrics: Sequence[MetricResult]) -> list[str]:
    return [f"{metric.title}: {metric.reason}" for metric in metrics]


def _alike(result: CompareResult) -> str:
    """Summary of what an unchanged whole rests on, and what it leaves open."""
    shown = f"Equivalence is shown for every metric of {Family.STUDY} that could be compared."
    unsure = [
        metric.title
        for metric in result.metrics
        if metric.family is Family.VIEWER and metric.verdict is Verdict.INCONCLUSIVE
    ]
    # Titles have commas of their own.
    return f"{shown} Inconclusive in {Family.VIEWER}: {'; '.join(unsure)}." if unsure else shown


def _share(record: NightRecord) -> str:
    without = f" (not prepared: {', '.join(record.unprepared)})" if record.unprepared else ""
    return f"{record.scored} of {record.asked} cells have a score{without}"


def _metrics(
    gathered: Gathered, protocol: str, result: CompareResult | None = None
) -> list[NightMetric]:
    """Every metric of the night's version, with what the comparison said of it."""
    cells = list(gathered.cells.values())
    names = tuple(sorted({a.source for cell in cells for a in cell.score.attributes}))
    metrics = [_identified(gathered, protocol)]
    for reading in (reading for metric in METRICS for reading in readings(metric, names)):
        values = [(cell, reading.read(cell.score)) for cell in cells]
        known = [(cell, value) for cell, value in values if value is not None]
        pairs = [(cell.spec.actor.number, value) for cell, value in known]
        estimate = mean_estimate(pairs, bounds=reading.metric.bounds)
        noise = run_noise(_repeats(known)).sd
        metrics.append(_night_metric(reading.metric, reading.source, estimate, noise))
    compared = {(one.key, one.source): one for one in (result.metrics if result else ())}
    return [
        _with_verdict(metric, compared.get((metric.key, metric.source)))
        for metric in metrics
        if metric is not None
    ]


def _identified(gathered: Gathered, protocol: str) -> NightMetric | None:
    """Share that the worst attacker identifies, by the function that reports and comparisons read;
    None where these cells were not attacked."""
    ids = {cell.spec.id for cell in gathered.cells.values()}
    shares = identified_shares(stored_cohorts(gathered, protocol), ids)
    return _night_metric(IDENTIFIED, "", share_of_actors(shares), None)


def _night_metric(
    metric: Metric, source: str, estimate: Estimate, run_sd: float | None
) -> NightMetric | None:
    """The metric on its own; None without any actor."""
    if estimate.value is None:
        return None
    return NightMetric(
        key=metric.key,
        title=metric.title,
        source=source,
        higher_is_better=metric.higher_is_better,
        margin=metric.margin_of(source),
        n=estimate.n,
        mean=estimate.value,
        low=estimate.low,
        high=estimate.high,
        run_sd=run_sd,
    )


def _with_verdict(metric: NightMetric, compared: MetricResult | None) -> NightMetric:
    if compared is None:
        return metric
    update = {
        "shift": compared.comparison.mean_difference if compared.comparison else None,
        "p_adjusted": compared.p_adjusted,
        "verdict": compared.verdict,
    }
    return metric.model_copy(update=update)


def _repeats(known: Sequence[tuple[Cell, float]]) -> list[list[float]]:
    """Values of cells that are alike but for their seed, group by group."""
    groups: dict[tuple[str, int, str], list[float]] = {}
    for cell, value in known:
        split, actor, donor, _ = cell.key
        groups.setdefault((split, actor, donor), []).append(value)
    return list(groups.values())
