"""The whole comparison: two stores in, one result out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import UsageError, unknown_name
from harness.model.cell import CellSpec
from harness.model.compare import CompareResult, Side
from harness.model.suite import UnpreparedCell
from harness.model.verdict import Aspect
from harness.results.compare.alike import differences
from harness.results.compare.gather import (
    Cell,
    Gathered,
    Key,
    chosen_cells,
    common_protocol,
    gather,
)
from harness.results.compare.identified import identified
from harness.results.compare.judge import ALPHA, Pair, judge, not_comparable, overall
from harness.results.compare.metrics import IDENTIFIED, MATCH_RATE, METRICS
from harness.results.compare.people import gate_of, stored_cohorts
from harness.results.compare.selector import labels, parse_selector, variant_of


@dataclass(frozen=True)
class Request:
    """The two sides to compare, and the cells they are compared on."""

    baseline: str
    candidate: str
    baseline_home: Path
    candidate_home: Path
    actors: Collection[int] | None = None
    dataset: str | None = None
    protocol: str | None = None
    accepted: frozenset[Aspect] = frozenset()
    """Differences that the user knows of and compares across all the same."""
    margins: Mapping[str, float] = field(default_factory=dict)
    alpha: float = ALPHA


@dataclass(frozen=True)
class Terms:
    """Options of a comparison of two sides."""

    protocol: str
    accepted: frozenset[Aspect] = frozenset()
    margins: Mapping[str, float] = field(default_factory=dict)
    alpha: float = ALPHA


def compare(request: Request) -> CompareResult:
    """Compare both sides on the actors and donors that both have.

    Raises UsageError when there is nothing to compare, naming why and what to do.
    """
    _check_margins(request.margins)
    variants = [
        chosen_cells(home, parse_selector(text), request.dataset) for home, text in _sides(request)
    ]
    specs = [_of_actors(variant.specs, request.actors) for variant in variants]
    first, second = (variant_of(cells[0]) for cells in specs)
    if first == second and request.baseline_home == request.candidate_home:
        raise UsageError(
            f"Baseline and candidate are the same cells: {first.spelled()}.",
            hint="Name two versions, tools or configs, or the store of the other machine: "
            "--candidate-home DIR",
        )
    homes = (request.baseline_home, request.candidate_home)
    protocol, others = common_protocol(list(zip(homes, specs, strict=True)), request.protocol)
    sides = [
        gather(
            home,
            text,
            cells,
            protocol,
            variant.earlier,
            _unprepared_actors(variant.unprepared, request.actors),
        )
        for (home, text), cells, variant in zip(_sides(request), specs, variants, strict=True)
    ]
    result = compare_gathered(
        sides[0],
        sides[1],
        labels(first, second),
        Terms(protocol, request.accepted, request.margins, request.alpha),
    )
    notes = dict.fromkeys(note for variant in variants for note in variant.notes)
    if others:
        notes[f"Both sides are also scored with {', '.join(others)}; see --frames."] = None
    return result.model_copy(update={"notes": (*result.notes, *notes)})


def compare_gathered(
    baseline: Gathered, candidate: Gathered, names: tuple[str, str], terms: Terms
) -> CompareResult:
    """Compare cells that were read already. Raises UsageError when they have none in common, and
    StoreError for cohorts of a newer version."""
    pairs = paired(baseline.cells, candidate.cells)
    if not pairs:
        raise _nothing_common((baseline, candidate), terms.protocol)
    differ, notes = differences(pairs, terms.accepted)
    cohorts = [stored_cohorts(side, terms.protocol) for side in (baseline, candidate)]
    ids = tuple({c.spec.id for c in side.cells.values()} for side in (baseline, candidate))
    results = judge(
        pairs,
        alpha=terms.alpha,
        margins=dict(terms.margins),
        identified=identified(cohorts[0], cohorts[1], (ids[0], ids[1])),
    )
    gate = gate_of(pairs, [cohort for side in cohorts for cohort in side], _gate_margin(terms))
    blocking = [difference for difference in differ if not difference.accepted]
    if blocking:
        aspects = " and ".join(difference.aspect.value for difference in blocking)
        sentences = " ".join(difference.sentence for difference in blocking)
        results = not_comparable(results, f"The sides differ in {aspects}. {sentences}")
        gate = None
    return CompareResult(
        protocol=terms.protocol,
        baseline=_side(baseline, names[0], pairs, 0),
        candidate=_side(candidate, names[1], pairs, 1),
        actors=tuple(sorted({cell.spec.actor.number for cell, _ in pairs})),
        pairs=len(pairs),
        alpha=terms.alpha,
        differences=tuple(differ),
        notes=tuple(notes),
        metrics=tuple(results),
        gate=gate,
        verdict=overall(results, gate),
    )


def paired(baseline: Mapping[Key, Cell], candidate: Mapping[Key, Cell]) -> list[Pair]:
    """Cells of the same split, actor, donor and seed, in that order.

    Where one side's tool takes no donor at all, its one cell of an actor stands against each of
    the other side's.
    """
    if _donorless(baseline) == _donorless(candidate):
        shared = sorted(baseline.keys() & candidate.keys())
        return [(baseline[key], candidate[key]) for key in shared]
    many = candidate if _donorless(baseline) else baseline
    pairs = []
    for split, actor, donor, seed in sorted(many):
        keys = {(split, actor, donor, seed), (split, actor, "", seed)}
        first = next((baseline[key] for key in keys if key in baseline), None)
        second = next((candidate[key] for key in keys if key in candidate), None)
        if first and second:
            pairs.append((first, second))
    return pairs


def _gate_margin(terms: Terms) -> float:
    """A single person's recognised share has the margin of the match rate, which is its mean."""
    own = next(metric.margin for metric in METRICS if metric.key == MATCH_RATE)
    return terms.margins.get(MATCH_RATE, own)


def _donorless(cells: Mapping[Key, Cell]) -> bool:
    return all(not donor for _, _, donor, _ in cells)


def _side(gathered: Gathered, label: str, pairs: Sequence[Pair], side: int) -> Side:
    return Side(
        selector=gathered.selector,
        label=label,
        cells=gathered.asked,
        scored=len(gathered.cells),
        failed=gathered.failed,
        unscored=gathered.unscored,
        damaged=gathered.damaged,
        replaced=gathered.replaced,
        unprepared=gathered.unprepared,
        hosts=tuple(sorted({pair[side].host for pair in pairs} - {""})),
    )


def _sides(request: Request) -> list[tuple[Path, str]]:
    return [
        (request.baseline_home, request.baseline),
        (request.candidate_home, request.candidate),
    ]


def _of_actors(specs: list[CellSpec], actors: Collection[int] | None) -> list[CellSpec]:
    chosen = specs if actors is None else [s for s in specs if s.actor.number in actors]
    if not chosen:
        known = ", ".join(map(str, sorted({spec.actor.number for spec in specs})))
        raise UsageError(
            "There is nothing to compare: one side has none of these actors.",
            hint=f"It has: --actor {known.replace(' ', '')}",
        )
    return chosen


def _unprepared_actors(
    cells: Sequence[UnpreparedCell], actors: Collection[int] | None
) -> list[UnpreparedCell]:
    return [one for one in cells if actors is None or one.cell.actor in actors]


def _check_margins(margins: Mapping[str, float]) -> None:
    known = [metric.key for metric in (IDENTIFIED, *METRICS)]
    for key, value in margins.items():
        if key not in known:
            raise unknown_name("metric", key, known, see="bench compare --help")
        if not 0 < value < float("inf"):
            raise UsageError(f"The margin of {key} must be above 0, not {value:g}.")


def _nothing_common(sides: Sequence[Gathered], protocol: str) -> UsageError:
    parts = []
    for name, side in zip(("baseline", "candidate"), sides, strict=True):
        people = sorted({(c.spec.actor.number, c.key[2]) for c in side.cells.values()})
        who = ", ".join(
            f"{actor}{f' with {donor}' if donor else ''}" for actor, donor in people[:6]
        )
        more = f" and {len(people) - 6} more" if len(people) > 6 else ""
        without = [
            f"{len(names)} {word}"
            for names, word in (
                (side.failed, "without a result"),
                (side.unprepared, "that could not be prepared"),
                (side.unscored, f"not scored with {protocol}"),
                (side.damaged, "damaged"),
            )
            if names
        ]
        aside = f" ({', '.join(without)})" if without else ""
        parts.append(f"the {name} has scores of actors {who or 'none'}{more}{aside}")
    unscored = any(side.unscored for side in sides)
    return UsageError(
        f"There is nothing to compare: no actor and donor are scored on both sides; "
        f"{', '.join(parts)}.",
        hint="Score what has run: bench score"
        if unscored
        else "Run both sides on the same actors and donors; see `bench status`.",
    )
