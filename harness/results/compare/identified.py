"""Identification of each actor by each side's worst attacker, from the cohorts in the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from harness.model.cohort import CohortScore
from harness.results.privacy import worst_privacy

UNATTACKED = "Not attacked on both sides, with just these cells: bench score"


@dataclass(frozen=True)
class Identified:
    """Shares by actor, baseline first; without them, ``reason`` says why in a sentence."""

    sides: tuple[Mapping[int, float], Mapping[int, float]] = field(default=({}, {}))
    reason: str = ""

    def of(self, side: int, actor: int) -> float | None:
        return self.sides[side].get(actor)


def identified(
    baseline: Sequence[CohortScore],
    candidate: Sequence[CohortScore],
    cells: tuple[Collection[str], Collection[str]],
) -> Identified:
    """Each side by its own worst attacker, where attackers have seen all cells of both sides and
    searched among the same people. ``cells`` are the ids of each side's cells."""
    for cohorts, ids in zip((baseline, candidate), cells, strict=True):
        if not _all_attacked(cohorts, ids):
            return Identified(reason=f"{UNATTACKED}.")
    sides = identified_shares(baseline, cells[0]), identified_shares(candidate, cells[1])
    if not all(sides):
        return Identified(reason="No attack could be made on one side.")
    if sides[0].keys() != sides[1].keys():
        return Identified(
            reason="The attackers of the two sides searched among different people, which changes "
            "what they find."
        )
    return Identified(sides)


def identified_shares(cohorts: Sequence[CohortScore], ids: Collection[str]) -> dict[int, float]:
    """Share by actor that the worst attacker of these cohorts identifies; empty where no attack
    was made, or not on just the cells of these ids."""
    worst = worst_privacy(cohorts) if _all_attacked(cohorts, ids) else None
    return {one.actor: one.identified for one in worst.actors} if worst else {}


def _all_attacked(cohorts: Sequence[CohortScore], ids: Collection[str]) -> bool:
    return {cell for one in cohorts for cell in one.cells} == set(ids)
