"""Groups cells that belong together, and computes what attackers make of them; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from harness.core.hashing import content_hash
from harness.model.cell import CellSpec
from harness.model.cohort import CohortScore
from harness.model.observed import SECOND_DETECTOR
from harness.model.protocol import Protocol
from harness.model.score import CellScore
from harness.model.video import WhichVideo
from harness.scoring.cohort.score import (
    attacks,
    calibrated_leaks,
    detection_split,
    remarks,
    worst_of,
)
from harness.scoring.cohort.trials import Member, by_actor
from harness.statistics.rates import resolvable_fmr

COHORT_VERSION = 3
"""Raised whenever the same observations would give another score."""


class Cohort(NamedTuple):
    """Cells that are alike in everything but actor and donor, by actor and donor, with the scores
    they have under one protocol."""

    specs: tuple[CellSpec, ...]
    scores: tuple[CellScore, ...]
    key: str

    @property
    def label(self) -> str:
        """``blur-1-default``: for people, and not unique."""
        first = self.specs[0]
        return f"{first.tool}-{first.version}-{first.config}"


def alike(specs: Iterable[CellSpec]) -> list[tuple[CellSpec, ...]]:
    """Groups of cells that differ in actor and donor only, in the order of their first cells."""
    groups: dict[str, list[CellSpec]] = {}
    for spec in specs:
        rest = spec.model_dump(mode="json", exclude={"actor", "donor"})
        groups.setdefault(content_hash(rest), []).append(spec)
    return [tuple(sorted(group, key=_person)) for group in groups.values()]


def _person(spec: CellSpec) -> tuple[int, str, str]:
    return spec.actor.number, spec.donor.name if spec.donor else "", spec.id


def compute(cohort: Cohort, members: Sequence[Member], protocol: Protocol) -> CohortScore:
    """The cohort's score from what was measured of its cells."""
    results = attacks(members, cohort.scores[0].identity.recogniser, protocol.threshold)
    actors, worst = tuple(by_actor(members)), worst_of(results)
    first = cohort.specs[0]
    return CohortScore(
        key=cohort.key,
        protocol=protocol.name,
        label=cohort.label,
        tool=first.tool,
        version=first.version,
        config=first.config,
        dataset=first.dataset,
        cells=tuple(spec.id for spec in cohort.specs),
        actors=actors,
        impostor_pairs=len(actors) * (len(actors) - 1) // 2,
        fmr_floor=resolvable_fmr(len(actors) - 1).rule_of_3 if len(actors) > 2 else None,
        attacks=results,
        worst=worst,
        worst_null=None if worst is None else results[worst].best_null,
        swapped_split=detection_split(
            members, WhichVideo.SWAPPED, protocol.threshold, SECOND_DETECTOR
        ),
        original_split=detection_split(
            members, WhichVideo.ORIGINAL, protocol.threshold, SECOND_DETECTOR
        ),
        leaks=calibrated_leaks(members, results),
        notes=remarks(members, results),
    )
