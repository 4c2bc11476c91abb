"""The verdict in three cards: who hides best, who keeps most, and the worst leak. The report, the
site and the terminal print these words and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.base import Frozen
from harness.model.score import CellScore, Comparison
from harness.results.estimates import Estimate
from harness.results.ranking import ALPHA, COVERED, Pair, Verdict, smallest_adjusted
from harness.results.standing import FEWEST_ACTORS, Contender, Group, Standing
from harness.results.wording import (
    DASH,
    attacker_name,
    counted,
    detector_name,
    fmt,
    listing,
    number_words,
    p_words,
    percent,
    share_words,
    together,
)

HIDES = "Who hides best: how often the worst attacker still finds the person"
KEEPS = "Who keeps most of the expression: correlation of action units (PCC)"
LEAK = "Worst leak: sampled frames in which the person is still recognised"
RULE = (
    "Ranked by what the worst attacker identifies beyond chance, paired by actor: a frame without "
    "a face is not identified. Tools that cannot be distinguished share a rank. Controls do not "
    f"compete, nor do tools with under {100 * COVERED:.0f} % of their cells done or whose face is "
    f"gone, and fewer than {FEWEST_ACTORS} actors rank no tool. Nothing is ranked by distance."
)
NOBODY = "No tool is ranked"
NO_TOOL_HIDES = "No tool hides"
_MOST = 4
"""So many tools are named with their numbers on a card; a leaderboard has the rest."""
_LEVEL = 1e-9
_ONE_EYE = "By the study's own recogniser; attackers may find more."


class Card(Frozen):
    """One answer: a number with its owner, what it means, and how sure it is."""

    label: str
    value: str
    who: str
    """A tool, the tools that share the first rank, or that there is none."""
    detail: str
    sure: str
    clear: bool | None = None
    """True for one tool that is significantly better than every other, False for a warning (no tool
    hides, a control failed), None where tools cannot be distinguished or are not ranked."""


def cards(verdict: Verdict, contenders: Sequence[Contender]) -> tuple[Card, Card, Card]:
    """The three in order. ``contenders`` are those that the verdict is about."""
    return _hides(verdict), _keeps(verdict), _worst_leak(contenders)


def left_out(verdict: Verdict) -> list[str]:
    """Reasons why tools are not ranked, a sentence for each; where nobody is ranked, the
    card says why, and only the tools whose face is gone are left. Controls are not named."""
    some = any(tool.group is Group.RANKED for tool in verdict.tools)
    groups = (Group.UNRANKED, Group.FACE_GONE) if some else (Group.FACE_GONE,)
    return [
        f"{tool.name}: {gone_words(tool) if tool.group is Group.FACE_GONE else tool.hides.reason}"
        for tool in verdict.tools
        if tool.group in groups
    ]


def gone_words(tool: Standing) -> str:
    """Phrases on what is left of a face that is gone, and on what the attackers make of it."""
    seen = []
    if tool.tracked is not None:
        seen.append(f"the tracker still finds one in {percent(tool.tracked)} of frames")
    if tool.still_a_face is not None and tool.detector:
        seen.append(f"{detector_name(tool.detector)} alone in {percent(tool.still_a_face)}")
    if tool.privacy is not None:
        seen.append(
            f"its worst attacker, {_attacker(tool)}, identifies {share_words(tool.identified)}"
        )
    rest = f" What is left: {'; '.join(seen)}." if seen else ""
    return f"{tool.hides.reason}{rest}"


@dataclass(frozen=True)
class _Race:
    """One of the two rankings, as its card sees it."""

    ranked: tuple[Standing, ...]
    first: tuple[Standing, ...]
    """Tools at rank 1."""
    pairs: tuple[Pair, ...]
    share: bool
    """True when its numbers are shares, which are shown in per cent."""


def _hides(verdict: Verdict) -> Card:
    ranked = tuple(tool for tool in verdict.tools if tool.hides.rank is not None)
    first = tuple(tool for tool in ranked if tool.hides.rank == 1)
    if not first:
        return _nobody(HIDES, verdict, "hides")
    race = _Race(ranked, first, verdict.hiding, share=True)
    doubtful = [tool for tool in first if not tool.hides_at_all]
    no_tool = len(doubtful) == len(first)
    sentences = [_hardly(tool) for tool in doubtful[:_MOST]]
    if not no_tool:
        sentences.insert(0, _apart(race))
    elif len(first) > 1:
        sentences.append(_apart(race))
    return Card(
        label=HIDES,
        value=_span([tool.identified.value for tool in first], share=True),
        who=NO_TOOL_HIDES if no_tool else together([tool.name for tool in first]),
        detail=_attacked_words(first),
        sure=" ".join(sentences),
        clear=False if no_tool else _is_clear(race),
    )


def _attacked_words(tools: Sequence[Standing]) -> str:
    """The numbers of the tools at the first rank, with what guessing and the originals give."""
    alone = tools[0] if len(tools) == 1 else None
    if alone is not None:
        parts = [
            f"{share_words(alone.identified)} of all sampled frames, by {_attacker(alone)}",
            f"by chance {percent(alone.privacy.chance if alone.privacy else None)}",
            f"on the originals {share_words(alone.original)}",
        ]
    else:
        parts = [
            f"{tool.name} {share_words(tool.identified)} by {_attacker(tool)}"
            for tool in tools[:_MOST]
        ]
        parts.append(f"by chance {_span([_chance(tool) for tool in tools], share=True)}")
        parts.append(
            f"on the originals {_span([tool.original.value for tool in tools], share=True)}"
        )
    parts.append(f"over {_actors([tool.identified for tool in tools])}")
    parts += [_within_null(tool) for tool in tools[:_MOST] if tool.within_null]
    return f"{'; '.join(parts)}."


def _chance(tool: Standing) -> float | None:
    return tool.privacy.chance if tool.privacy else None


def _within_null(tool: Standing) -> str:
    largest = max(null.p for null in tool.nulls)
    return f"{tool.name}: no more than permuted names give (p {p_words(largest)})"


def _hardly(tool: Standing) -> str:
    """Reason why the tool is not shown to hide anybody."""
    if tool.gain.value is None:
        return f"{tool.name} is not shown to hide anybody: {_lower(tool.gain.reason)}"
    gain = _difference(tool.gain, share=True)
    zero = ", which includes 0" if tool.gain.bounds else ""
    return (
        f"{tool.name} is not shown to hide anybody: beyond chance its attacker identifies {gain} "
        f"less than the strongest does on the originals{zero}."
    )


def _keeps(verdict: Verdict) -> Card:
    ranked = tuple(tool for tool in verdict.tools if tool.keeps.rank is not None)
    first = tuple(tool for tool in ranked if tool.keeps.rank == 1)
    if not first:
        return _nobody(KEEPS, verdict, "keeps")
    race = _Race(ranked, first, verdict.keeping, share=False)
    alone = len(first) == 1
    parts = [f"{'' if alone else tool.name + ' '}{number_words(tool.expression)}" for tool in first]
    shown = parts[:_MOST]
    shown.append(f"over {_actors([tool.expression for tool in first])}")
    shown.append(f"source {verdict.source}")
    attacked = [tool for tool in first if tool.privacy is not None]
    if attacked:
        share = _span([tool.identified.value for tool in attacked], share=True)
        shown.append(f"the worst attacker still finds the person in {share} of frames")
        rest = [tool.name for tool in first if tool.privacy is None]
        shown += [f"not attacked: {listing(rest)}"] if rest else []
    return Card(
        label=KEEPS,
        value=_span([tool.expression.value for tool in first], share=False),
        who=together([tool.name for tool in first]),
        detail=f"{'; '.join(shown)}.",
        sure=_apart(race),
        clear=_is_clear(race),
    )


def _nobody(label: str, verdict: Verdict, ranking: str) -> Card:
    """Numbers and no winner: what the tools that still show a face come to, and why none is
    ranked."""
    hides = ranking == "hides"
    rivals = [tool for tool in verdict.tools if tool.group is not Group.CONTROL]
    known = [
        (tool, tool.identified if hides else tool.expression)
        for tool in rivals
        if tool.group is not Group.FACE_GONE
        and (tool.identified if hides else tool.expression).value is not None
    ]
    shown = [
        f"{tool.name} {share_words(estimate) if hides else number_words(estimate)}"
        f" over {counted(estimate.n, 'actor')}"
        for tool, estimate in known
    ]
    reasons: dict[str, list[str]] = {}
    for tool in rivals:
        reasons.setdefault((tool.hides if hides else tool.keeps).reason, []).append(tool.name)
    said = [
        why if len(names) == len(rivals) else f"{listing(names, 3)}: {why}"
        for why, names in reasons.items()
    ]
    guess = {_chance(tool) for tool, _ in known} if hides else set()
    if len(guess) == 1 and None not in guess:
        shown.append(f"by chance {percent(guess.pop())}")
    return Card(
        label=label,
        value=DASH,
        who=NOBODY,
        detail=f"{'; '.join(shown)}." if shown else "There is no number to compare.",
        sure=" ".join(said) or "There is no tool but controls.",
    )


def _is_clear(race: _Race) -> bool | None:
    """True where one tool is significantly better than every other, and there is one."""
    if len(race.ranked) == 1 or len(race.first) != 1:
        return None
    return len(_beaten(race.first[0].name, race.pairs)) == len(race.ranked) - 1 or None


def _beaten(name: str, pairs: Sequence[Pair]) -> list[str]:
    return [pair.other(name) for pair in pairs if pair.better == name]


def _apart(race: _Race) -> str:
    """Certainty of the first rank: the tools that it beats, or why tools share it."""
    if len(race.ranked) == 1:
        return "No other tool is ranked, so there is none to compare it with."
    return _winner(race) if len(race.first) == 1 else _tie(race)


def _winner(race: _Race) -> str:
    name = race.first[0].name
    beaten = _beaten(name, race.pairs)
    own = [pair for pair in race.pairs if name in (pair.first, pair.second)]
    won = [pair for pair in own if pair.better == name]
    said = [f"Better than {_of(len(beaten), len(race.ranked) - 1)}: {_nearest(won, race)}."]
    rest = [tool.name for tool in race.ranked if tool.name not in (name, *beaten)]
    if rest:
        said.append(f"Not distinguished from {listing(rest, 3)}.")
    return " ".join([*said, *_smaller(own)])


def _tie(race: _Race) -> str:
    names = {tool.name for tool in race.first}
    tied = [pair for pair in race.pairs if {pair.first, pair.second} <= names]
    said = [f"These {len(names)} cannot be distinguished: {_nearest(tied, race)}."]
    least = smallest_adjusted(race.pairs)
    if least is not None and least > ALPHA:
        most = max(pair.lead.n for pair in race.pairs)
        pairs = counted(len(race.pairs), "pair")
        said.append(
            f"With {counted(most, 'actor')} and {pairs} of tools no adjusted p under "
            f"{p_words(least)} is possible."
        )
    return " ".join([*said, *_smaller(tied)])


def _nearest(pairs: Sequence[Pair], race: _Race) -> str:
    """The pair whose difference is the least certain, with its numbers."""
    pair = max(pairs, key=lambda pair: 2.0 if pair.p_adjusted is None else pair.p_adjusted)
    ahead, behind, lead = pair.first, pair.second, pair.lead
    if (lead.value or 0.0) < 0:
        ahead, behind, lead = behind, ahead, _turned(lead)
    of = "" if len(pairs) == 1 else f" (the nearest of {len(pairs)} pairs)"
    if abs(lead.value or 0.0) < _LEVEL:
        return f"{ahead} and {behind} are level over {counted(lead.n, 'actor')}{of}"
    gap = _difference(lead, share=race.share)
    return (
        f"{ahead} is {gap} ahead of {behind}, adjusted p {p_words(pair.p_adjusted)}, "
        f"{counted(lead.n, 'actor')}{of}"
    )


def _turned(lead: Estimate) -> Estimate:
    def minus(value: float | None) -> float | None:
        return None if value is None else -value

    turned = {"value": minus(lead.value), "low": minus(lead.high), "high": minus(lead.low)}
    return lead.model_copy(update=turned)


def _difference(estimate: Estimate, *, share: bool) -> str:
    """``2.0 points [-3.0, 7.0]`` of shares, ``0.020 [-0.030, 0.070]`` of correlations."""
    if not share:
        return number_words(estimate)
    shown = f"{fmt(100 * (estimate.value or 0.0), 1)} points"
    if estimate.bounds is None:
        return shown
    low, high = (fmt(100 * end, 1) for end in estimate.bounds)
    return f"{shown} [{low}, {high}]"


def _smaller(pairs: Sequence[Pair]) -> list[str]:
    """A sentence where tools are compared on fewer actors than they have."""
    partly = [pair for pair in pairs if pair.lead.n < max(pair.actors)]
    if not partly:
        return []
    pair = partly[0]
    return [
        f"{pair.first} (of {pair.actors[0]} actors) and {pair.second} (of {pair.actors[1]}) are "
        f"compared on the {pair.lead.n} that both have."
    ]


def _of(count: int, total: int) -> str:
    if total == 1:
        return "the other tool" if count else "none"
    if count == total == 2:
        return "both other tools"
    return f"all {total} other tools" if count == total else f"{count} of {total} other tools"


def _span(values: Sequence[float | None], *, share: bool) -> str:
    """One number, or from the least to the most."""
    known = sorted({round(value, 3) for value in values if value is not None})
    if not known:
        return DASH
    if len(known) == 1:
        return percent(known[0]) if share else fmt(known[0])
    if share:
        return f"{fmt(100 * known[0], 1)}{DASH}{percent(known[-1])}"
    return f"{fmt(known[0])}{DASH}{fmt(known[-1])}"


def _actors(estimates: Sequence[Estimate]) -> str:
    counts = sorted({estimate.n for estimate in estimates})
    if len(counts) == 1:
        return counted(counts[0], "actor")
    return f"{counts[0]} to {counts[-1]} actors"


def _attacker(tool: Standing) -> str:
    if tool.privacy is None:
        return DASH
    return attacker_name(tool.privacy.attacker, tool.privacy.source)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _worst_leak(contenders: Sequence[Contender]) -> Card:
    """Of all sampled frames: seven recognised frames out of seven with a face are not a worse leak
    than fifty out of sixty."""
    worst: tuple[float, str, CellScore] | None = None
    for contender in contenders:
        for cell in () if contender.control else contender.cells:
            share = recognised_share(cell.score) if cell.score else None
            if share is None or cell.score is None or not _swapped_used(cell.score):
                continue
            if worst is None or share > worst[0]:
                worst = (share, f"{contender.name}, actor {cell.actor}", cell.score)
    if worst is None:
        nothing = "No frame with a face was scored."
        return Card(label=LEAK, value=DASH, who="No tool", detail=nothing, sure="")
    share, who, score = worst
    if not share:
        nothing = (
            f"No sampled frame of any tool is at or under distance {score.identity.threshold:g}."
        )
        return Card(
            label=LEAK, value=percent(share), who="No leak is seen", detail=nothing, sure=_ONE_EYE
        )
    distances = score.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    own = score.identity.comparisons.get(Comparison.ORIGINAL_ORIGINAL)
    hits = round(share * distances.asked)
    detail = (
        f"{hits} of {distances.asked} sampled frames at or under distance "
        f"{score.identity.threshold:g}; {percent(hits / distances.used)} of the {distances.used} "
        f"with a face{f'; the original has a face in {own.used}' if own else ''}."
    )
    sure = f"One cell. {_ONE_EYE}"
    return Card(label=LEAK, value=percent(share), who=who, detail=detail, sure=sure)


def _swapped_used(score: CellScore) -> int:
    return score.identity.comparisons[Comparison.SWAPPED_ORIGINAL].used


def recognised_share(score: CellScore) -> float | None:
    """Share of all sampled swapped frames at or under the threshold; no face is no match."""
    distances = score.identity.comparisons.get(Comparison.SWAPPED_ORIGINAL)
    if distances is None or not distances.asked:
        return None
    return (distances.share_at_or_under_threshold or 0.0) * distances.used / distances.asked
