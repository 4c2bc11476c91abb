"""Ranking by who hides best and who keeps most of the expression, with its certainty; the only one.

Tools are compared pair by pair on the actors that both have, by an exact sign-flip test of the
actors' differences, adjusted over all pairs (Holm 1979). A tool's rank is 1 plus the number of
tools that are significantly better, so tools that cannot be distinguished share a rank. Tools with
too few actors in common for any test are not ranked relative to each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations

from harness.core.base import Frozen
from harness.results.estimates import Estimate, mean_estimate
from harness.results.privacy import Privacy
from harness.results.standing import (
    FEWEST_ACTORS,
    ByActor,
    Contender,
    Group,
    Place,
    Standing,
    attribute_source,
    by_actor,
    mean_pcc,
    standing,
)
from harness.results.wording import counted, together
from harness.statistics.multiple import holm
from harness.statistics.sign_flip import sign_flip_test, smallest_p

COVERED = 0.9
"""Least share of the asked cells that must have a result: a failed cell is not a hidden person."""
KEPT = 0.5
"""Least share of the original's faces that a tool must leave, for its face not to be gone."""
ALPHA = 0.05
WIDEST_PCC_LEAD = 2.0
NO_ATTACK = "No attacker has been scored for just these cells; `bench score` does it."


class Pair(Frozen):
    """Two tools on the actors that both have."""

    first: str
    second: str
    lead: Estimate
    """Lead of the first, mean over these actors; below 0 where the second is better. Its interval
    is cut to what a lead can be."""
    actors: tuple[int, int]
    """Actors that each of them has."""
    p: float | None
    """Of an exact sign-flip test, two-sided."""
    p_adjusted: float | None
    """By Holm, over all pairs of the ranking."""

    @property
    def better(self) -> str | None:
        """The one that is significantly better."""
        if self.p_adjusted is None or self.p_adjusted > ALPHA or not self.lead.value:
            return None
        return self.first if self.lead.value > 0 else self.second

    def other(self, name: str) -> str:
        """The one of the two that is not ``name``."""
        return self.second if name == self.first else self.first


class Verdict(Frozen):
    """All tools, the ranked ones first, in the order of a leaderboard."""

    tools: tuple[Standing, ...]
    hiding: tuple[Pair, ...]
    """Every pair of the tools ranked by what they hide."""
    keeping: tuple[Pair, ...]
    """The same by what they keep."""
    source: str | None
    """Of the action units."""

    def of(self, name: str) -> Standing:
        """The tool of that name. Raises KeyError."""
        return {one.name: one for one in self.tools}[name]


def verdict(contenders: Sequence[Contender]) -> Verdict:
    """Ranks the contenders, whose names must differ. Controls never compete."""
    source = attribute_source([cell.score for one in contenders for cell in one.cells])
    standings = {one.name: standing(one, source) for one in contenders}
    kept = {one.name: by_actor(one, lambda score: mean_pcc(score, source)) for one in contenders}
    footage = {one.name: one.footage for one in contenders}

    def placed(
        reasons: Mapping[str, str], values: Callable[[str], Mapping[int, float]], widest: float
    ) -> tuple[dict[str, Place], tuple[Pair, ...]]:
        people = {
            name: {(footage[name], actor): value for actor, value in values(name).items()}
            for name, reason in reasons.items()
            if not reason
        }
        strangers = not_comparable(people)
        reasons = {**reasons, **strangers}
        comparable = {name: own for name, own in people.items() if name not in strangers}
        ranks, pairs = rank(comparable, widest)
        return {n: Place(rank=ranks.get(n), reason=why) for n, why in reasons.items()}, pairs

    hides, hiding = placed(
        {one.name: _not_ranked(standings[one.name], one) for one in contenders},
        lambda name: {a: -v for a, v in _advantages(standings[name].privacy).items()},
        max((one.privacy.widest_lead for one in standings.values() if one.privacy), default=1.0),
    )
    keeps, keeping = placed(
        {one.name: _not_kept(standings[one.name], one, kept[one.name]) for one in contenders},
        lambda name: kept[name].means,
        WIDEST_PCC_LEAD,
    )
    tools = [
        standings[name].model_copy(
            update={
                "group": _group(standings[name], hides[name]),
                "hides": hides[name],
                "keeps": keeps[name],
            }
        )
        for name in standings
    ]
    order = list(Group)
    tools.sort(key=lambda one: (order.index(one.group), one.hides.rank or 0))
    return Verdict(tools=tuple(tools), hiding=hiding, keeping=keeping, source=source)


Person = tuple[str, int]


def not_comparable(people: Mapping[str, Collection[Person]]) -> dict[str, str]:
    """The reasons why tools have no rank among the others, as sentences: too few people in common.

    The tool that lacks most others is left out first, equals together, until all that are left can
    be compared with each other: a tool on another dataset costs the rest nothing, and of two that
    share nobody neither is ahead.
    """
    left, reasons = dict(people), dict[str, str]()
    while True:
        lacking = {
            name: [
                other
                for other in left
                if other != name and len(set(left[name]) & set(left[other])) < FEWEST_ACTORS
            ]
            for name in left
        }
        most = max(map(len, lacking.values()), default=0)
        if not most:
            return reasons
        for name, others in lacking.items():
            if len(others) == most:
                shared = max(len(set(people[name]) & set(people[other])) for other in others)
                reasons[name] = _strangers(others, shared)
                del left[name]


def _strangers(others: Sequence[str], shared: int) -> str:
    few = f"only {counted(shared, 'actor')} in common, and a rank takes {FEWEST_ACTORS}"
    return f"Not comparable with {together(others)} ({few if shared else 'no common actor'})."


def rank(
    values: Mapping[str, Mapping[Person, float]], widest: float = math.inf
) -> tuple[dict[str, int], tuple[Pair, ...]]:
    """Ranks and pairs of tools by one value per person, of which more is better; each two have
    people in common, and no lead of one over another can exceed ``widest``."""
    bare = [_paired(first, second, values, widest) for first, second in combinations(values, 2)]
    adjusted = iter(holm([pair.p for pair in bare if pair.p is not None]))
    pairs = tuple(
        pair if pair.p is None else pair.model_copy(update={"p_adjusted": next(adjusted)})
        for pair in bare
    )
    worse = [pair.other(pair.better) for pair in pairs if pair.better]
    return {name: 1 + worse.count(name) for name in values}, pairs


def _paired(
    first: str, second: str, values: Mapping[str, Mapping[Person, float]], widest: float
) -> Pair:
    mine, theirs = values[first], values[second]
    shared = sorted(mine.keys() & theirs.keys())
    differences = [mine[person] - theirs[person] for person in shared]
    return Pair(
        first=first,
        second=second,
        lead=mean_estimate(enumerate(differences), bounds=(-widest, widest)),
        actors=(len(mine), len(theirs)),
        p=sign_flip_test(differences).p,
        p_adjusted=None,
    )


def smallest_adjusted(pairs: Sequence[Pair]) -> float | None:
    """The least adjusted p that any of these pairs can reach, whatever it shows; None for none."""
    if not pairs:
        return None
    return min(1.0, len(pairs) * smallest_p(max(pair.lead.n for pair in pairs)))


def _advantages(privacy: Privacy | None) -> dict[int, float]:
    return {one.actor: one.advantage for one in privacy.actors} if privacy else {}


def _group(standing: Standing, place: Place) -> Group:
    if standing.group is Group.CONTROL:
        return Group.CONTROL
    if place.rank is not None:
        return Group.RANKED
    gone = _covered(standing) and _face_gone(standing)
    return Group.FACE_GONE if gone else Group.UNRANKED


def _covered(standing: Standing) -> bool:
    return standing.covered >= COVERED - 1e-9


def _face_gone(standing: Standing) -> bool:
    return standing.face_kept is not None and standing.face_kept < KEPT


def _cannot_compete(standing: Standing) -> str:
    """The reason why the tool is in neither ranking, as a sentence; empty where it may be."""
    if standing.group is Group.CONTROL:
        return "Controls do not compete."
    if not _covered(standing):
        return (
            f"Only {standing.done_cells} of its {standing.cells} cells are done; a rank takes "
            f"{100 * COVERED:.0f} %."
        )
    if standing.face_kept is None:
        return "No face is found in the original videos."
    if _face_gone(standing):
        return (
            f"The face is gone: only {100 * standing.face_kept:.1f} % of the original's faces are "
            "still found, which is not the same as hidden."
        )
    return ""


def _not_ranked(standing: Standing, contender: Contender) -> str:
    if why := _cannot_compete(standing):
        return why
    if standing.privacy is None:
        reasons = [a.reason for c in contender.cohorts for a in c.attacks if a.reason]
        return next(iter(reasons), NO_ATTACK)
    attacked = len(standing.privacy.actors)
    if attacked < COVERED * standing.actors - 1e-9:
        return f"Only {attacked} of its {standing.actors} actors were attacked."
    return _too_few(attacked)


def _not_kept(standing: Standing, contender: Contender, kept: ByActor) -> str:
    if why := _cannot_compete(standing):
        return why
    if not kept.means:
        return "No action unit could be measured in any of its cells."
    if kept.covered < COVERED - 1e-9:
        return (
            f"Action units are measured for {len(kept.means)} of its {standing.actors} actors; "
            f"a rank takes {100 * COVERED:.0f} % of its cells."
        )
    return _too_few(len(kept.means))


def _too_few(actors: int) -> str:
    if actors >= FEWEST_ACTORS:
        return ""
    return (
        f"{actors} actor{'s' if actors != 1 else ''}: with fewer than {FEWEST_ACTORS} the exact "
        "test of ranks cannot show that a difference is more than chance."
    )
