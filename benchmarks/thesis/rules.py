"""Decides a claim of the study on anybody's runs: pure functions of values per actor.

Every rule ends in one of three verdicts with its reason. Comparisons of tools are paired by actor,
tested with the exact sign-flip test and corrected after Holm within the claim; what so few actors
cannot carry is not decidable, never contradicted. A claim about single actors rests on one run of
each, so it can only be held against the order that these runs have.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from benchmarks.thesis.finding import by_value
from benchmarks.thesis.model import TOOLS
from benchmarks.thesis.runs import HIGHER_IS_BETTER, MARGINS, WORDS, Measure, Runs
from harness.core.base import Frozen
from harness.model.estimates import PairedComparison
from harness.statistics.equivalence import equivalence
from harness.statistics.intervals import t_interval
from harness.statistics.multiple import friedman, holm
from harness.statistics.paired import compare_differences
from harness.statistics.rates import wilson

ALPHA = 0.05
LEAST_ACTORS = 2


class Outcome(StrEnum):
    REPRODUCED = "reproduced"
    CONTRADICTED = "contradicted"
    NOT_DECIDABLE = "not decidable"


class Decided(Frozen):
    outcome: Outcome
    why: str
    """One or more sentences, with the numbers."""


Rule = Callable[..., Decided]
"""``rule(runs, **about)``."""


def _open(why: str) -> Decided:
    return Decided(outcome=Outcome.NOT_DECIDABLE, why=why)


class _Pair(Frozen):
    """``first`` minus ``second`` on the actors of both."""

    first: str
    second: str
    found: PairedComparison
    p: float = 1.0
    """After Holm within the claim; 1 without a test."""

    @property
    def mean(self) -> float:
        return self.found.mean_difference or 0.0

    def sentence(self, measure: Measure) -> str:
        interval = self.found.interval
        between = (
            f" [{interval.low:+z.3f}, {interval.high:+z.3f}]"
            if interval.low is not None and interval.high is not None
            else ""
        )
        return (
            f"{self.first} minus {self.second} in {WORDS[measure]}: {self.mean:+z.3f}{between}, "
            f"{self.found.n} actors, p {_p(self.p)}"
        )


def in_order(runs: Runs, measure: Measure, order: tuple[str, ...]) -> Decided:
    """The tools are ranked so, best first, each better than every later one."""
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    return _decide_pairs(runs, measure, pairs)


def better_than_all(runs: Runs, measure: Measure, tool: str) -> Decided:
    """The tool is better than each of the other three."""
    return _decide_pairs(runs, measure, [(tool, other) for other in TOOLS if other != tool])


def worse_than_all(runs: Runs, measure: Measure, tool: str) -> Decided:
    """The tool is worse than each of the other three."""
    return _decide_pairs(runs, measure, [(other, tool) for other in TOOLS if other != tool])


def _decide_pairs(runs: Runs, measure: Measure, pairs: Sequence[tuple[str, str]]) -> Decided:
    """Of each pair the first is better: reproduced when all are significantly so, contradicted
    when one is significantly not."""
    missing = _without(runs, measure, {tool for pair in pairs for tool in pair})
    sign = 1 if HIGHER_IS_BETTER[measure] else -1
    compared = _compare(
        {(a, b): _differences(runs.of(a, measure), runs.of(b, measure)) for a, b in pairs}
    )
    against = [one for one in compared if one.p <= ALPHA and sign * one.mean < 0]
    if against:
        told = "; ".join(one.sentence(measure) for one in against)
        return Decided(outcome=Outcome.CONTRADICTED, why=f"{told}.")
    if missing:
        return _open(f"No {WORDS[measure]} of {', '.join(missing)}.")
    unclear = [one for one in compared if one.p > ALPHA]
    if unclear:
        few = _few([one.found for one in unclear], len(pairs))
        told = "; ".join(one.sentence(measure) for one in unclear)
        return _open(f"{told}.{few}")
    told = "; ".join(one.sentence(measure) for one in compared)
    return Decided(outcome=Outcome.REPRODUCED, why=f"{told}.")


def least_spread(runs: Runs, measure: Measure, tool: str) -> Decided:
    """The tool's values differ least between actors: smaller distances from its own median."""
    missing = _without(runs, measure, TOOLS)
    if missing:
        return _open(f"No {WORDS[measure]} of {', '.join(missing)}.")
    values = {name: runs.of(name, measure) for name in TOOLS}
    away = {
        name: {a: abs(v - statistics.median(one.values())) for a, v in one.items()}
        for name, one in values.items()
    }
    sds = "; ".join(
        f"{name} {statistics.stdev(one.values()):.3f}" if len(one) > 1 else f"{name} none"
        for name, one in values.items()
    )
    others = [name for name in TOOLS if name != tool]
    pairs = _compare({(tool, name): _differences(away[tool], away[name]) for name in others})
    worse = [one.second for one in pairs if one.p <= ALPHA and one.mean > 0]
    if worse:
        why = f"Its values differ more between actors than those of {', '.join(worse)}. sd: {sds}."
        return Decided(outcome=Outcome.CONTRADICTED, why=why)
    if all(one.p <= ALPHA for one in pairs):
        return Decided(outcome=Outcome.REPRODUCED, why=f"sd over actors: {sds}.")
    unclear = [one.found for one in pairs if one.p > ALPHA]
    return _open(f"sd over actors: {sds}; the spreads cannot be parted.{_few(unclear, len(pairs))}")


def lowest_actors(runs: Runs, measure: Measure, tool: str, actors: tuple[int, ...]) -> Decided:
    """The named actors are the tool's lowest: reproduced when they are exactly these,
    contradicted when fewer than half of them are."""
    return _lowest(runs.of(tool, measure), actors, f"{tool}'s {WORDS[measure]}", "actor")


def lowest_units(runs: Runs, tool: str, units: tuple[int, ...]) -> Decided:
    """The same of action units, by their PCC over actors."""
    return _lowest(runs.units(tool, "pcc"), units, f"{tool}'s PCC", "unit")


def _lowest(values: Mapping[int, float], named: tuple[int, ...], what: str, kind: str) -> Decided:
    missing = [number for number in named if number not in values]
    if missing:
        return _open(f"There is no value of {kind} {_numbers(missing)} in {what}.")
    if len(values) < 2 * len(named):
        return _open(f"{len(values)} {kind}s are too few to name the {len(named)} lowest.")
    lowest = by_value(values, len(named))
    hits = len(set(lowest) & set(named))
    why = f"Lowest in {what} are {kind}s {_numbers(lowest)}; {hits} of {len(named)} are named."
    if hits == len(named):
        return Decided(outcome=Outcome.REPRODUCED, why=why)
    if 2 * hits < len(named):
        return Decided(outcome=Outcome.CONTRADICTED, why=why)
    return _open(why)


def on_one_side(runs: Runs, measure: Measure, below: bool) -> Decided:
    """Every tool's mean over actors lies on one side of the threshold, with its interval."""
    sides = []
    told = []
    for tool in TOOLS:
        values = list(runs.of(tool, measure).values())
        found = t_interval(values)
        if found.low is None or found.high is None:
            told.append(f"{tool}: {found.reason}")
            sides.append(0)
            continue
        under, over = found.high <= runs.threshold_l2, found.low > runs.threshold_l2
        sides.append((1 if under == below else -1) if under or over else 0)
        told.append(f"{tool} {found.estimate:z.3f} [{found.low:z.3f}, {found.high:z.3f}]")
    why = f"{WORDS[measure]} against {runs.threshold_l2:g}: {'; '.join(told)}."
    if -1 in sides:
        return Decided(outcome=Outcome.CONTRADICTED, why=why)
    return _open(why) if 0 in sides else Decided(outcome=Outcome.REPRODUCED, why=why)


def only_these_hide_everybody(runs: Runs, tools: tuple[str, ...]) -> Decided:
    """The named tools leave no actor under the threshold, and each of the others leaves some."""
    told, failing, clean = [], [], []
    missing = _without(runs, "sw_or", TOOLS)
    for tool in (name for name in TOOLS if name not in missing):
        values = runs.of(tool, "sw_or")
        under = [actor for actor, value in values.items() if value <= runs.threshold_l2]
        _, most = wilson(len(under), len(values))
        limit = f" (up to {100 * most:.0f} % by 95 % interval)" if not under else ""
        told.append(f"{tool} {len(under)} of {len(values)} actors{limit}")
        if under and tool in tools:
            failing.append(tool)
        if not under and tool not in tools:
            clean.append(tool)
    why = f"At or under {runs.threshold_l2:g}: {'; '.join(told) or 'no tool'}."
    if failing:
        return Decided(outcome=Outcome.CONTRADICTED, why=why)
    if missing:
        return _open(f"{why} No SW-OR of {', '.join(missing)}.")
    if clean:
        many = all(len(runs.of(tool, "sw_or")) >= _ALL_ACTORS for tool in clean)
        if many:
            return Decided(outcome=Outcome.CONTRADICTED, why=why)
        return _open(f"{why} That {', '.join(clean)} leaves none may be for lack of actors.")
    return Decided(outcome=Outcome.REPRODUCED, why=why)


_ALL_ACTORS = 24
"""The study's own number: with fewer, that a tool leaves nobody contradicts nothing it saw."""


def no_effect_of_the_donors_sex(runs: Runs, measure: Measure) -> Decided:
    """Switching the donor's sex changes nothing: reproduced when equivalence is shown for every
    tool, contradicted when a change is significant and not one donor's alone."""
    changes = {
        tool: _differences(runs.of(tool, measure, switched=True), runs.of(tool, measure))
        for tool in TOOLS
    }
    missing = [tool for tool, values in changes.items() if len(values) < LEAST_ACTORS]
    if missing:
        return _open(f"No actors with donors of both sexes for {', '.join(missing)}.")
    margin = MARGINS[measure]
    shown = [tool for tool, values in changes.items() if equivalence(values, margin).shown]
    pairs = _compare({(f"{tool} other-sex", "same-sex"): v for tool, v in changes.items()})
    moved = [one for one in pairs if one.p <= ALPHA]
    donors = runs.donors_per_sex()
    told = "; ".join(one.sentence(measure) for one in pairs)
    if moved and donors > 1:
        return Decided(outcome=Outcome.CONTRADICTED, why=f"{told}.")
    if moved:
        return _open(
            f"{told}. A change is there, but with one donor of a sex nobody can say whether it is "
            "the sex or the donor."
        )
    if len(shown) == len(TOOLS):
        return Decided(outcome=Outcome.REPRODUCED, why=f"Within {margin:g} for every tool: {told}.")
    rest = ", ".join(tool for tool in TOOLS if tool not in shown)
    return _open(f"{told}. No change within {margin:g} is shown for {rest}.")


def reach_moves(runs: Runs, tool: str, units: tuple[int, ...], up: bool) -> Decided:
    """The named units reach further (``up``) or less far in the swapped video, over actors."""
    changes = list(runs.reach_change(tool, units).values())
    if len(changes) < LEAST_ACTORS:
        return _open(f"{len(changes)} actors have intensities of {tool} in these units.")
    (one,) = _compare({("swapped", "original"): changes})
    why = f"Reach of units {_numbers(units)}, swapped minus original: {one.mean:+z.3f}, "
    why += f"{one.found.n} actors, p {_p(one.p)}."
    if one.p > ALPHA:
        return _open(why + _few([one.found], 1))
    agrees = (one.mean > 0) == up
    return Decided(outcome=Outcome.REPRODUCED if agrees else Outcome.CONTRADICTED, why=why)


def tools_differ(runs: Runs, measure: Measure) -> Decided:
    """The tools perform differently: Friedman's test on the actors that all have."""
    missing = _without(runs, measure, TOOLS)
    if missing:
        return _open(f"No {WORDS[measure]} of {', '.join(missing)}.")
    values = {tool: runs.of(tool, measure) for tool in TOOLS}
    common = sorted(set.intersection(*(set(one) for one in values.values())))
    found = friedman([[one[actor] for actor in common] for one in values.values()])
    if found.p is None:
        return _open(found.reason)
    why = f"Friedman's chi2 {found.chi2:.1f} on {found.actors} actors, p {_p(found.p)}."
    if found.p <= ALPHA:
        return Decided(outcome=Outcome.REPRODUCED, why=why)
    return _open(f"{why} That none is found does not show that there is none.")


def _without(runs: Runs, measure: Measure, tools: Sequence[str] | set[str]) -> list[str]:
    return [tool for tool in TOOLS if tool in tools and not runs.of(tool, measure)]


def _differences(first: Mapping[int, float], second: Mapping[int, float]) -> list[float]:
    """On common actors; rounded, since binary noise would part what is tied."""
    return [round(first[actor] - second[actor], 9) for actor in sorted(first.keys() & second)]


def _compare(differences: Mapping[tuple[str, str], list[float]]) -> list[_Pair]:
    found = {names: compare_differences(values) for names, values in differences.items()}
    tested = [names for names, one in found.items() if one.sign_flip.p is not None]
    adjusted = dict(
        zip(tested, holm([float(found[names].sign_flip.p or 0) for names in tested]), strict=True)
    )
    return [
        _Pair(first=a, second=b, found=one, p=adjusted.get((a, b), 1.0))
        for (a, b), one in found.items()
    ]


def _few(found: Sequence[PairedComparison], asked: int) -> str:
    """Sentence that so few actors could not have been significant, where it is so."""
    least = [one.sign_flip.smallest_p for one in found if one.sign_flip.smallest_p is not None]
    if not least or max(least) * asked <= ALPHA:
        return ""
    actors = min(one.n for one in found)
    return f" {actors} actors could not reach {ALPHA:g} after Holm, whatever they show."


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"
