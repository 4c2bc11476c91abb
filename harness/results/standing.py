"""Facts about each tool before any comparison: coverage, face, attacker, expression."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.core.base import Frozen
from harness.model.cohort import ALPHA, CohortScore
from harness.model.estimates import Null
from harness.model.score import Attributes, CellScore
from harness.results.estimates import Estimate, mean_estimate, share_of_actors
from harness.results.privacy import Privacy, worst_privacy
from harness.scoring.detected import lost_share
from harness.statistics.values import actor_means

FEWEST_ACTORS = 6
"""With five, no exact sign-flip test can reach 5 %: its smallest p is 2 / 2^5, 0.0625."""


@dataclass(frozen=True)
class AskedCell:
    """One cell that was asked for. ``score`` is None where it failed, or was not run or scored."""

    actor: int
    score: CellScore | None


@dataclass(frozen=True)
class Contender:
    """A tool with a version and a config: all cells that were asked of it, whatever the donor and
    the seed, and what attackers made of them (one cohort for each seed)."""

    name: str
    cells: tuple[AskedCell, ...]
    cohorts: tuple[CohortScore, ...] = ()
    control: bool = False
    footage: str = ""
    """Names the videos, such as dataset and split: the same number is another person elsewhere."""


class Group(StrEnum):
    """Group of a tool; the order is that of a leaderboard."""

    RANKED = "ranked"
    UNRANKED = "not ranked"
    FACE_GONE = "the face is gone"
    CONTROL = "control"


class Place(Frozen):
    """A tool's place in one of the two rankings."""

    rank: int | None = None
    reason: str = ""
    """The reason why there is no rank, as a sentence."""


class Standing(Frozen):
    """The verdict on one tool."""

    name: str
    group: Group
    actors: int
    """Asked for."""
    cells: int
    done_cells: int
    covered: float
    """Share of an actor's asked cells that have a score, mean over actors."""
    face_kept: float | None
    """Share of the original's faces that the recogniser's own detector still finds, mean over
    actors; None where it finds none in the originals."""
    tracked: float | None
    """Share of the swapped frames in which the tracker finds a face, mean over actors."""
    still_a_face: float | None = None
    """Of all frames, the share where only the second detector finds one."""
    detector: str | None = None
    """The second detector."""

    privacy: Privacy | None = None
    identified: Estimate = Estimate(n=0)
    """Share of all sampled frames that the worst attacker gives to the right actor."""
    original: Estimate = Estimate(n=0)
    """The same attack on the original videos."""
    gain: Estimate = Estimate(n=0)
    """Advantage of the strongest attacker on the originals less that of the worst one here."""
    nulls: tuple[Null, ...] = ()
    """The worst attack against permuted names, for each seed that has it."""
    expression: Estimate = Estimate(n=0)
    """Mean PCC of action units."""
    hides: Place = Place()
    keeps: Place = Place()

    @property
    def within_null(self) -> bool:
        """True when permuted names give the worst attacker as much in every seed with a null."""
        return bool(self.nulls) and all(null.p > ALPHA for null in self.nulls)

    @property
    def hides_at_all(self) -> bool:
        """True when its worst attacker identifies less than the strongest does on the originals."""
        return self.gain.above_zero(FEWEST_ACTORS)


def attribute_source(scores: Sequence[CellScore | None]) -> str | None:
    """The source of action units with most measured cells; sources are never mixed."""
    counts: dict[str, int] = {}
    for score in scores:
        for found in score.attributes if score else ():
            counts[found.source] = counts.get(found.source, 0) + (found.mean_pcc is not None)
    return min(counts, key=lambda name: (-counts[name], name), default=None)


def mean_pcc(score: CellScore, source: str | None) -> float | None:
    """The cell's mean PCC, None where it has none."""
    found = _attributes(score, source)
    value = found.mean_pcc if found else None
    return value if value is not None and math.isfinite(value) else None


def _attributes(score: CellScore, source: str | None) -> Attributes | None:
    return next((one for one in score.attributes if one.source == source), None)


@dataclass(frozen=True)
class ByActor:
    """A number of a tool by actor: means over cells, and the share of asked cells that have it."""

    means: Mapping[int, float]
    covered: float


def by_actor(contender: Contender, read: Callable[[CellScore], float | None]) -> ByActor:
    """Reads a number of every scored cell."""
    values = [
        (cell.actor, read(cell.score) if cell.score is not None else None)
        for cell in contender.cells
    ]
    have = actor_means((actor, float(value is not None)) for actor, value in values)
    return ByActor(actor_means(values), sum(have.values()) / len(have) if have else 0.0)


def standing(contender: Contender, source: str | None) -> Standing:
    """The tool by itself, without a rank; ``source`` is that of the action units."""
    scored = [cell for cell in contender.cells if cell.score is not None]
    faces = by_actor(contender, _face_kept).means
    tracked = by_actor(contender, lambda score: _tracked(score, source)).means
    privacy = worst_privacy(contender.cohorts)
    split = next((c.swapped_split for c in contender.cohorts if c.swapped_split), None)
    pcc = by_actor(contender, lambda score: mean_pcc(score, source)).means
    bare = Standing(
        name=contender.name,
        group=Group.CONTROL if contender.control else Group.UNRANKED,
        actors=len({cell.actor for cell in contender.cells}),
        cells=len(contender.cells),
        done_cells=len(scored),
        covered=by_actor(contender, lambda _: 1.0).covered,
        face_kept=_mean(faces),
        tracked=_mean(tracked),
        still_a_face=split.still_a_face if split else None,
        detector=split.detector if split else None,
        nulls=tuple(null for c in contender.cohorts if (null := c.worst_null) is not None),
        expression=mean_estimate(pcc.items(), "No action unit could be measured.", (-1.0, 1.0)),
    )
    return bare if privacy is None else bare.model_copy(update=_attacked(privacy))


def _attacked(privacy: Privacy) -> dict[str, Privacy | Estimate]:
    original = {
        one.actor: one.original_identified
        for one in privacy.actors
        if one.original_identified is not None
    }
    gains = [
        (one.actor, privacy.unmodified[one.actor] - one.advantage)
        for one in privacy.actors
        if one.actor in privacy.unmodified
    ]
    why = "The attack was not made on the original videos."
    return {
        "privacy": privacy,
        "identified": share_of_actors({one.actor: one.identified for one in privacy.actors}),
        "original": share_of_actors(original, why),
        "gain": mean_estimate(gains, why, (-privacy.widest_lead, privacy.widest_lead)),
    }


def _face_kept(score: CellScore) -> float | None:
    lost = lost_share(score)
    return None if lost is None else 1.0 - lost


def _tracked(score: CellScore, source: str | None) -> float | None:
    found = _attributes(score, source)
    if found is None or not found.frames:
        return None
    seen = found.paired if found.seen_swapped is None else found.seen_swapped
    return min(1.0, seen / found.frames)


def _mean(by_actor: Mapping[int, float]) -> float | None:
    return sum(by_actor.values()) / len(by_actor) if by_actor else None
