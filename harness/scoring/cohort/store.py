"""Cohorts of a selection: which cells belong together, and the one place that stores the scores.

``scores/cohorts/<key>/<protocol>.json``; the key names the cells and all they were scored from, so
a cohort that would come out otherwise is another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.core.hashing import content_hash
from harness.model.cell import CellSpec
from harness.model.cohort import CohortScore
from harness.model.protocol import Protocol
from harness.model.score import CellScore
from harness.observe.crops import FaceCrops
from harness.observe.probes import probes_version
from harness.observe.second_detector import OBSERVER as DETECTOR
from harness.observe.second_detector import second_detector_version
from harness.observe.sighting import Listen
from harness.scoring.cohort.members import member_of
from harness.scoring.cohort.score import (
    attacks,
    calibrated_leaks,
    detection_split,
    remarks,
    worst_of,
)
from harness.scoring.cohort.trials import Member, Video, by_actor
from harness.scoring.score import load_score
from harness.statistics.rates import resolvable_fmr
from harness.store.observations import locked, store_sentences
from harness.store.score_files import load_stored

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


def cohorts_of(home: Path, specs: Sequence[CellSpec], protocol_name: str) -> tuple[Cohort, ...]:
    """The cohorts of a selection. Cells without a result or a score are left out, and so are those
    whose score is of an earlier result; a cohort that has no others is left out too. Raises
    StoreError.
    """
    from harness.store.cells import CellStore

    store = CellStore(home)
    cohorts = []
    for group in alike(specs):
        pairs = [
            (spec, score)
            for spec in group
            if (result := store.result(spec)) is not None
            and (score := load_score(spec, home, protocol_name)) is not None
            and score.inputs.get("swapped") in (None, result.swapped.sha256)
        ]
        if pairs:
            own, scores = zip(*pairs, strict=True)
            cohorts.append(Cohort(own, scores, _key(scores)))
    return tuple(cohorts)


def _key(scores: Sequence[CellScore]) -> str:
    inputs = [[score.cell_id, score.inputs] for score in scores]
    probes = probes_version(every_frame=False, second_detector=True)
    versions = [COHORT_VERSION, FaceCrops().version, second_detector_version(), probes]
    return content_hash({"cells": inputs, "versions": versions})


def cohort_path(home: Path, key: str, protocol_name: str) -> Path:
    """Path of a cohort's JSON."""
    return home / "scores" / "cohorts" / key / f"{protocol_name}.json"


def load_cohorts(
    home: Path, specs: Sequence[CellSpec], protocol_name: str
) -> tuple[CohortScore, ...]:
    """The stored scores of the selection's cohorts; one that was never computed for just these
    cells is left out (``bench score`` makes it). Nothing is computed. Raises StoreError.
    """
    scores = (
        load_cohort(home, cohort.key, protocol_name)
        for cohort in cohorts_of(home, specs, protocol_name)
    )
    return tuple(score for score in scores if score is not None)


def load_cohort(home: Path, key: str, protocol_name: str) -> CohortScore | None:
    """One stored score, or None. A damaged file is set aside and counts as none. Raises StoreError
    for one of a newer schema version.
    """
    return load_stored(cohort_path(home, key, protocol_name), CohortScore)


def score_cohort(
    cohort: Cohort, home: Path, protocol: Protocol, listen: Listen | None = None
) -> CohortScore:
    """The cohort's score, computed unless it is stored. Raises UnusableInputError and StoreError
    as the observers do."""
    from harness.store.atomic import write_json

    path = cohort_path(home, cohort.key, protocol.name)
    # Of two commands at once only one computes.
    with locked(path):
        known = load_cohort(home, cohort.key, protocol.name)
        if known is not None:
            return known
        members = []
        for number, (spec, score) in enumerate(zip(cohort.specs, cohort.scores, strict=True)):
            if listen is not None:
                listen(f"cells of {cohort.label}", number + 1, len(cohort.specs))
            members.append(member_of(spec, score, home, protocol))
        computed = compute(cohort, members, protocol)
        with store_sentences(path):
            write_json(path, computed)
    return computed


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
        swapped_split=detection_split(members, Video.SWAPPED, protocol.threshold, DETECTOR),
        original_split=detection_split(members, Video.ORIGINAL, protocol.threshold, DETECTOR),
        leaks=calibrated_leaks(members, results),
        notes=remarks(members, results),
    )
