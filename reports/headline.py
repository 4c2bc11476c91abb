"""The three numbers a report starts with."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.base import Frozen
from harness.model.cohort import Attack, CohortScore
from harness.model.score import Comparison
from reports.aggregate import (
    DASH,
    Leak,
    attribute_sources,
    attributes,
    by_actor_distance,
    cells_of,
    detected,
    distances,
    fmt,
    is_control,
    leak,
    mean_fta,
    mean_leak,
    mean_pcc,
    over_actors,
    percent,
    spread,
    units_used,
    variants,
)
from reports.cohorts import (
    ENOUGH_ACTORS,
    ILLUSTRATION,
    attack_name,
    interval_words,
    is_control_cohort,
    name_of,
    ordered,
    rank_1,
)
from reports.model import ReportCell, ReportData
from reports.plot import threshold_of

MINIMUM_COVERAGE = 0.5
"""A tool competes for "best" only when at least this share of its cells has the number: a mean
over the few cells that happened to work is not a merit."""


class HeadlineNumber(Frozen):
    """One number with what it means and what to know beside it."""

    label: str
    value: str
    who: str
    detail: str


def headline_numbers(data: ReportData) -> list[HeadlineNumber]:
    """Best hidden from its worst attacker (or, without one, by distance), best kept expressions,
    worst leak; controls do not compete."""
    names = [name for name in variants(data) if not is_control(data, name)]
    return [_best_hidden(data, names), _best_kept(data, names), _worst_leak(data)]


def headline(data: ReportData) -> list[tuple[str, str]]:
    """The same three as (label, value) for a terminal."""
    return [(n.label, f"{n.value} ({n.who}; {n.detail})") for n in headline_numbers(data)]


def _best_hidden(data: ReportData, names: Sequence[str]) -> HeadlineNumber:
    """By the worst attacker where one could be computed, else by the mean distance."""
    return _best_against_attackers(data) or _best_distance(data, names)


def _best_against_attackers(data: ReportData) -> HeadlineNumber | None:
    """The tool that leaves its own worst attacker the least, beyond chance; None where no tool has
    an attacker for at least half of its actors, and for enough of them to rank tools.
    """
    best: tuple[float, CohortScore, Attack] | None = None
    for cohort in ordered(data):
        attack = cohort.worst_attack
        if attack is None or attack.swapped is None or is_control_cohort(data, cohort):
            continue
        advantage, rate = attack.advantage, rank_1(attack.swapped)
        compared = len(attack.swapped.actors)
        covered = compared >= max(ENOUGH_ACTORS, MINIMUM_COVERAGE * len(cohort.actors))
        known = advantage is not None and rate is not None
        if advantage is not None and known and covered and (best is None or advantage < best[0]):
            best = (advantage, cohort, attack)
    if best is None or best[2].swapped is None:
        return None
    _, cohort, attack = best
    swapped = best[2].swapped
    actors = len(swapped.actors)
    detail = (
        f"{attack_name(attack, cohort)}, rank-1 {interval_words(swapped.rank_1)}; by chance "
        f"{percent(swapped.chance)}, on the originals {percent(rank_1(attack.control))}; "
        f"{_of(actors, len(cohort.actors), 'actor')} compared"
    )
    if actors < ILLUSTRATION:
        detail += f". With {actors} actors this is an illustration, no estimate"
    return HeadlineNumber(
        label="Best hidden: how often its worst attacker finds the person again",
        value=percent(rank_1(swapped)),
        who=name_of(data, cohort),
        detail=detail,
    )


NO_ATTACKER = (
    f"by distance, as no attacker could be scored for at least half of a tool's actors and for "
    f"{ENOUGH_ACTORS} or more"
)


def _best_distance(data: ReportData, names: Sequence[str]) -> HeadlineNumber:
    label = "Best hidden: mean distance from the original face"
    best: tuple[float, str] | None = None
    for name in names:
        cells = cells_of(data, name)
        mean = over_actors(by_actor_distance(cells, Comparison.SWAPPED_ORIGINAL)).mean
        covered = sum(detected(cell) for cell in cells) >= MINIMUM_COVERAGE * len(cells)
        if covered and mean is not None and (best is None or mean > best[0]):
            best = (mean, name)
    if best is None:
        detail = "in no tool is the face detected in at least half of the cells"
        detail += "; that is not the same as hidden"
        return HeadlineNumber(label=label, value=DASH, who="no tool", detail=detail)
    cells = cells_of(data, best[1])
    own = mean_fta(cells, Comparison.ORIGINAL_ORIGINAL)
    detail = (
        f"still recognised in {percent(mean_leak(cells, of_all=True).mean)} of sampled frames; "
        f"no face in {percent(mean_fta(cells).mean)}, original {percent(own.mean)}; "
        f"{_of(sum(detected(cell) for cell in cells), len(cells), 'cell')} detected; {NO_ATTACKER}"
        f"{_worst_attack(data, best[1])}"
    )
    return HeadlineNumber(label=label, value=fmt(best[0]), who=best[1], detail=detail)


def _worst_attack(data: ReportData, name: str) -> str:
    """What the tool's worst attacker reached all the same, or nothing where none was scored."""
    for cohort in ordered(data):
        attack = cohort.worst_attack
        if name_of(data, cohort) == name and attack is not None and attack.swapped is not None:
            actors = len(attack.swapped.actors)
            return (
                f". Its worst attacker, {attack_name(attack, cohort)}, finds "
                f"{percent(rank_1(attack.swapped))} of {actors} actors again "
                f"(by chance {percent(attack.swapped.chance)})"
            )
    return ""


def _best_kept(data: ReportData, names: Sequence[str]) -> HeadlineNumber:
    label = "Best kept expressions: mean correlation of action units (PCC)"
    sources = attribute_sources(data)
    best: tuple[float, str] | None = None
    for name in names if sources else ():
        cells = cells_of(data, name)
        pairs = mean_pcc(cells, sources[0])
        known = sum(value is not None for _, value in pairs)
        mean = over_actors(pairs).mean
        covered = known >= MINIMUM_COVERAGE * len(cells)
        if covered and mean is not None and (best is None or mean > best[0]):
            best = (mean, name)
    if best is None:
        return HeadlineNumber(
            label=label,
            value=DASH,
            who="no tool",
            detail="no tool has measurable action units in at least half of its cells",
        )
    cells = cells_of(data, best[1])
    found = [a for cell in cells if (a := attributes(cell, sources[0])) and a.mean_pcc is not None]
    paired, frames = sum(a.paired for a in found), sum(a.frames for a in found)
    detail = (
        f"{_of(len(found), len(cells), 'cell')}; {spread(units_used(a) for a in found)} of "
        f"{spread(len(a.units) for a in found)} units; {paired} of {frames} frames paired; "
        f"source {sources[0]}"
    )
    return HeadlineNumber(label=label, value=fmt(best[0]), who=best[1], detail=detail)


def _worst_leak(data: ReportData) -> HeadlineNumber:
    """By the share of all sampled frames: seven recognised frames out of seven with a face are
    not a worse leak than fifty out of sixty.
    """
    label = "Worst leak: sampled frames in which the person is still recognised"
    worst: tuple[float, ReportCell, Leak] | None = None
    for cell in data.cells:
        found = leak(cell)
        share = found.of_all if found else None
        if found is None or share is None or is_control(data, cell.variant) or not found.used:
            continue
        if worst is None or share > worst[0]:
            worst = (share, cell, found)
    if worst is None:
        return HeadlineNumber(
            label=label, value=DASH, who="no tool", detail="no frame with a face was scored"
        )
    share, cell, found = worst
    original = distances(cell, Comparison.ORIGINAL_ORIGINAL)
    own = f"; the original has a face in {original.used}" if original else ""
    detail = (
        f"{found.recognised} of {found.asked} sampled frames at or under distance "
        f"{threshold_of(data):g}; {percent(found.of_seen)} of the {found.used} with a face{own}"
    )
    who = f"{cell.variant}, actor {cell.spec.actor.number}"
    return HeadlineNumber(label=label, value=percent(share), who=who, detail=detail)


def _of(count: int, total: int, noun: str) -> str:
    return f"{count} of {total} {noun}{'s' if total != 1 else ''}"
