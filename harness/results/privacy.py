"""Identification of each actor by the worst attacker; a tool's privacy rests on this alone."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.base import Frozen
from harness.model.cohort import ActorRate, Attack, Attacker, CohortScore, Verification


class ActorPrivacy(Frozen):
    """One actor against one attack, the mean over seeds. ``identified`` is the share of all probes
    asked that are given to the right actor, ``advantage`` the same beyond chance; the other two are
    what the same attack reaches on the original videos, None where it was not computed.
    """

    actor: int
    identified: float
    advantage: float
    original_identified: float | None = None
    original_advantage: float | None = None


class Privacy(Frozen):
    """A tool against its worst attacker: of all attacks the one with the largest mean advantage
    over actors."""

    attacker: Attacker
    source: str
    actors: tuple[ActorPrivacy, ...]
    """Every actor with a result, ascending; one whose face is never found is identified in 0 %."""
    chance: float | None = None
    """Share of probes that guessing gives to the right actor; the mean over seeds."""
    unmodified: dict[int, float] = {}
    """Advantage on the original videos by actor, of the attack that is the strongest there: what an
    attacker reaches when nothing is hidden. It need not be the attack that is the worst here."""

    @property
    def identified(self) -> float:
        """Mean over actors."""
        return sum(actor.identified for actor in self.actors) / len(self.actors)

    @property
    def advantage(self) -> float:
        """Mean over actors."""
        return sum(actor.advantage for actor in self.actors) / len(self.actors)

    @property
    def widest_lead(self) -> float:
        """Largest difference of two advantages that there can be: all probes given to the right
        actor (an advantage of 1) against none, which lies below guessing."""
        return 1 / (1 - (self.chance or 0.0))


def worst_privacy(seeds: Sequence[CohortScore]) -> Privacy | None:
    """The worst attacker of one tool; ``seeds`` are its cohorts, one for each seed.

    Each actor's seeds are averaged before attackers are compared. None where no attack could be
    made. Of equals the earlier (simpler) attack counts.
    """
    attackers = {(a.attacker, a.source): None for cohort in seeds for a in cohort.attacks}
    attacks = [attack for key in attackers if (attack := _against(seeds, *key)) is not None]
    worst = max(attacks, key=lambda attack: attack.advantage, default=None)
    if worst is None:
        return None
    originals = [values for attack in attacks if (values := _on_originals(attack))]
    strongest = max(originals, key=lambda values: _mean(list(values.values())), default={})
    return worst.model_copy(update={"unmodified": strongest})


def _on_originals(attack: Privacy) -> dict[int, float]:
    """Advantage of the same attack on the original videos, by actor."""
    return {
        person.actor: person.original_advantage
        for person in attack.actors
        if person.original_advantage is not None
    }


def _against(seeds: Sequence[CohortScore], attacker: Attacker, source: str) -> Privacy | None:
    """The tool against one attack, over the seeds in which it could be made."""
    rows: dict[int, list[tuple[ActorRate | None, ActorRate | None]]] = {}
    chances: list[float] = []
    for cohort in seeds:
        attack = _attack(cohort, attacker, source)
        if attack is None or not (_made(attack.swapped) or _made(attack.control)):
            continue
        swapped, control = _rates(attack.swapped), _rates(attack.control)
        if attack.swapped is not None and attack.swapped.chance is not None:
            chances.append(attack.swapped.chance)
        for actor in cohort.actors:
            rows.setdefault(actor, []).append((swapped.get(actor), control.get(actor)))
    if not rows:
        return None
    return Privacy(
        attacker=attacker,
        source=source,
        actors=tuple(_actor(actor, rows[actor]) for actor in sorted(rows)),
        chance=_mean(chances) if chances else None,
    )


def _attack(cohort: CohortScore, attacker: Attacker, source: str) -> Attack | None:
    return next((a for a in cohort.attacks if (a.attacker, a.source) == (attacker, source)), None)


def _made(verification: Verification | None) -> bool:
    """True when anybody could be distinguished from anybody else."""
    return verification is not None and verification.rank_1.rate is not None


def _rates(verification: Verification | None) -> dict[int, ActorRate]:
    return {rate.actor: rate for rate in verification.by_actor} if verification else {}


def _actor(actor: int, seeds: Sequence[tuple[ActorRate | None, ActorRate | None]]) -> ActorPrivacy:
    swapped = [rate for rate, _ in seeds]
    control = [rate for _, rate in seeds if rate is not None]
    return ActorPrivacy(
        actor=actor,
        # Without a rate no probe of the actor could be compared: not identified, never missing.
        identified=_mean([rate.identified if rate else 0.0 for rate in swapped]),
        advantage=_mean([rate.advantage if rate else 0.0 for rate in swapped]),
        original_identified=_mean([rate.identified for rate in control]) if control else None,
        original_advantage=_mean([rate.advantage for rate in control]) if control else None,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
