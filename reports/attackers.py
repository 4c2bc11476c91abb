"""What attackers make of a tool: who looks for the actor, and how often each is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.core.base import Frozen
from harness.model.cohort import Attack, CohortScore, DetectionSplit
from harness.results.attacks import WORST, standing, verdict
from harness.results.wording import detector_name
from reports.aggregate import DASH, fmt, listing, percent
from reports.attack_tables import donor_table, rate_table, threshold_origin, threshold_table
from reports.cohorts import (
    ILLUSTRATION,
    NOT_SCORED,
    attack_name,
    interval_words,
    is_control_cohort,
    name_of,
    ordered,
    rank_1,
    seen_by,
)
from reports.model import ReportData
from reports.tables import Table


class AttackBar(Frozen):
    """One attacker of one tool as a bar; places are in per cent of its width."""

    label: str
    worst: bool
    """True when it is the strongest attack of the cohort and works."""
    standing: str
    """``worst``, or why the strongest attack is not called that; empty for the others."""
    words: str
    """The same in words."""
    shown: str
    at: float | None = None
    low: float | None = None
    high: float | None = None
    control: float | None = None
    chance: float | None = None


class SplitBar(Frozen):
    """What became of the frames of one kind of video; the parts add up to 100 per cent."""

    label: str
    words: str
    parts: tuple[tuple[str, float], ...]
    """(``matched``, ``hidden`` or ``lost``, per cent)."""


class AttackCard(Frozen):
    """One cohort: its attackers as bars, and what became of its frames."""

    name: str
    control: bool
    basis: str
    verdict: str
    """True when any attack works."""
    bars: tuple[AttackBar, ...]
    probes: str
    """Number of faces that attackers compare and the study does not find, as a sentence."""
    splits: tuple[SplitBar, ...]


class AttackersView(Frozen):
    """The section as its template shows it."""

    warning: str
    missing: str
    """Which tools have no cohort score; empty when all have one."""
    cards: tuple[AttackCard, ...]
    methods: tuple[tuple[str, str], ...]
    """(attacker, gallery and probes)."""
    rates: Table
    thresholds: Table | None
    origin: str
    donors: Table | None
    """Actors behind one donor; None where no tool of the page has donors."""
    notes: tuple[tuple[str, str], ...]
    """(what could not be computed, of which tools)."""


def attackers_view(data: ReportData) -> AttackersView | None:
    """The section; None without any cohort score."""
    cohorts = ordered(data)
    if not cohorts:
        return None
    return AttackersView(
        warning=few_actors(cohorts),
        missing=missing_cohorts(data),
        cards=tuple(_card(data, cohort) for cohort in cohorts),
        methods=_methods(cohorts),
        rates=rate_table(data, cohorts),
        thresholds=threshold_table(data, cohorts),
        origin=threshold_origin(cohorts),
        donors=donor_table(data, cohorts),
        notes=notes_of(data, cohorts),
    )


def few_actors(cohorts: Sequence[CohortScore]) -> str:
    """A sentence where rates rest on so few actors that they are illustrations."""
    most = max(len(cohort.actors) for cohort in cohorts)
    if most >= ILLUSTRATION:
        return ""
    who = "One actor" if most == 1 else f"{most} actors at most"
    return (
        f"{who}: the rates of this section are illustrations, no estimates. They show what "
        "the attacks report; how well a tool hides people in general needs "
        f"{ILLUSTRATION} actors or more."
    )


def missing_cohorts(data: ReportData) -> str:
    """Which scored columns no stored cohort covers, as a sentence."""
    covered = {cell for cohort in data.cohorts for cell in cohort.cells}
    lacking = dict.fromkeys(
        cell.variant for cell in data.cells if cell.score and cell.spec.id not in covered
    )
    if not lacking:
        return ""
    return (
        f"No attacker has been scored for just these cells of {listing(list(lacking))}; "
        "bench score with the same selection does it."
    )


def _card(data: ReportData, cohort: CohortScore) -> AttackCard:
    pairs = cohort.impostor_pairs
    splits = (("swapped", cohort.swapped_split), ("original", cohort.original_split))
    return AttackCard(
        name=name_of(data, cohort),
        control=is_control_cohort(data, cohort),
        basis=f"{_count(len(cohort.actors), 'actor')}, {_count(pairs, 'impostor pair')}",
        verdict=verdict(cohort),
        bars=tuple(_bar(attack, cohort) for attack in cohort.attacks),
        probes=_probes(cohort),
        splits=tuple(_split(label, split) for label, split in splits if split),
    )


def _probes(cohort: CohortScore) -> str:
    """Of the first attack, the naive one, which asks for every sampled frame."""
    found = cohort.attacks[0].swapped if cohort.attacks else None
    beyond = seen_by(found)
    if found is None or not beyond:
        return ""
    return (
        f"Attackers compare faces in {fmt(found.probes, 0)} of {fmt(found.asked, 0)} sampled "
        f"frames. Faces that the study's detector does not find: {beyond}."
    )


def _bar(attack: Attack, cohort: CohortScore) -> AttackBar:
    label, place = attack_name(attack, cohort), standing(attack, cohort)
    swapped, own = rank_1(attack.swapped), rank_1(attack.control)
    if attack.swapped is None or swapped is None:
        why = attack.reason or NOT_SCORED
        return AttackBar(label=label, worst=False, standing="", words=f"{label}: {why}", shown=DASH)
    rate, chance = attack.swapped.rank_1, attack.swapped.chance
    words = f"{label}: {interval_words(rate)}, on originals {percent(own)}, by chance "
    return AttackBar(
        label=label,
        worst=place == WORST,
        standing=place,
        words=words + percent(chance) + (f" ({place})" if place else ""),
        shown=f"{100 * swapped:.0f} %",
        at=_place(swapped),
        low=_place(rate.low),
        high=_place(rate.high),
        control=_place(own),
        chance=_place(chance),
    )


def _place(share: float | None) -> float | None:
    return None if share is None else round(100 * min(1.0, max(0.0, share)), 2)


def _split(label: str, split: DetectionSplit) -> SplitBar:
    words = (
        f"{label} frames: {percent(split.matched)} matched, {percent(split.hidden)} hidden, "
        f"{percent(split.not_detected)} not even detected"
    )
    if split.still_a_face is not None and split.detector:
        words += f" ({percent(split.still_a_face)} still a face to {detector_name(split.detector)})"
    shares = (("matched", split.matched), ("hidden", split.hidden), ("lost", split.not_detected))
    return SplitBar(
        label=label, words=words, parts=tuple((kind, round(100 * part, 2)) for kind, part in shares)
    )


def notes_of(data: ReportData, cohorts: Sequence[CohortScore]) -> tuple[tuple[str, str], ...]:
    """What could not be computed, in the cohorts' own sentences, each once with its tools."""
    said: dict[str, list[str]] = {}
    for cohort in cohorts:
        name = name_of(data, cohort)
        found = list(cohort.notes)
        for attack in cohort.attacks:
            label = attack_name(attack, cohort)
            found += [f"{label}: {s}" for s in (attack.reason, *attack.notes) if s]
        for sentence in dict.fromkeys(found):
            said.setdefault(sentence, []).append(name)
    everyone = len(cohorts)
    return tuple(
        (sentence, "all tools" if len(names) == everyone > 1 else listing(names))
        for sentence, names in said.items()
    )


def _methods(cohorts: Iterable[CohortScore]) -> tuple[tuple[str, str], ...]:
    found = {
        attack_name(attack, cohort): f"{attack.method} Compared by {attack.source}."
        for cohort in cohorts
        for attack in cohort.attacks
    }
    return tuple(found.items())


def _count(count: int, noun: str) -> str:
    return f"{fmt(count, 0)} {noun}{'s' if count != 1 else ''}"
