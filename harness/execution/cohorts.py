"""Cohorts of a selection: which have a score, and what is measured, loaded and stored for one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import FetchError, UnusableInputError
from harness.core.hashing import content_hash
from harness.model.cell import CellSpec
from harness.model.cohort import CohortScore
from harness.model.protocol import Protocol
from harness.model.score import CellScore
from harness.model.video import VideoRef, WhichVideo
from harness.observe.identity import observe_recognised_faces, photo_face
from harness.observe.measure import Listen
from harness.observe.pictures import FaceCrops
from harness.observe.probes import probes_version
from harness.observe.second_detector import second_detector_version
from harness.observe.video import (
    observe_attributes,
    observe_crops,
    observe_probes,
    observe_second_detector,
    video_info,
)
from harness.scoring.cohort.compute import COHORT_VERSION, Cohort, alike, compute
from harness.scoring.cohort.members import AttackedVideo, member_of
from harness.scoring.cohort.trials import Member
from harness.scoring.sampling import sampled_of
from harness.store.cells import CellStore
from harness.store.media import MediaStore
from harness.store.observations import ObservationStore
from harness.store.score_files import ScoreStore

if TYPE_CHECKING:
    import pandas as pd


def cohorts_of(home: Path, specs: Sequence[CellSpec], protocol_name: str) -> tuple[Cohort, ...]:
    """The cohorts of a selection. Cells without a result or a score are left out, and so are those
    whose score is of an earlier result; a cohort that has no others is left out too. Raises
    StoreError.
    """
    store, scores_of = CellStore(home), ScoreStore(home)
    cohorts = []
    for group in alike(specs):
        pairs = [
            (spec, score)
            for spec in group
            if (result := store.result(spec)) is not None
            and (score := scores_of.load(spec, protocol_name)) is not None
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


def load_cohorts(
    home: Path, specs: Sequence[CellSpec], protocol_name: str
) -> tuple[CohortScore, ...]:
    """The stored scores of the selection's cohorts; one that was never computed for just these
    cells is left out (``bench score`` makes it). Nothing is computed. Raises StoreError.
    """
    store = ScoreStore(home)
    scores = (
        store.load_cohort(cohort.key, protocol_name)
        for cohort in cohorts_of(home, specs, protocol_name)
    )
    return tuple(score for score in scores if score is not None)


def score_cohort(
    cohort: Cohort, home: Path, protocol: Protocol, listen: Listen | None = None
) -> CohortScore:
    """The cohort's score, computed unless it is stored. Raises UnusableInputError and StoreError
    as the observers do."""
    store = ScoreStore(home)
    # Of two commands at once only one computes.
    with store.cohort_locked(cohort.key, protocol.name):
        observations = ObservationStore(home)
        known = store.load_cohort(cohort.key, protocol.name)
        if known is not None and observations.still_reads(known.observations):
            return known
        members = []
        for number, (spec, score) in enumerate(zip(cohort.specs, cohort.scores, strict=True)):
            if listen is not None:
                listen(f"cells of {cohort.label}", number + 1, len(cohort.specs))
            members.append(load_member(spec, score, observations, protocol))
        computed = compute(cohort, members, protocol)
        cohort_score = computed.model_copy(update={"observations": observations.read_digests})
        store.save_cohort(cohort_score)
    return cohort_score


def load_member(
    spec: CellSpec, score: CellScore, store: ObservationStore, protocol: Protocol
) -> Member:
    """All observations of a cell that has ``score``; what is not in the store is measured again.

    Raises UnusableInputError and StoreError as the observers do.
    """
    home, media = store.home, MediaStore(store.home)
    test = spec.actor.test
    swapped = CellStore(home).swapped_path(spec)
    refs = {
        WhichVideo.ORIGINAL: VideoRef(media.path(test), score.inputs["original"], test.info),
        WhichVideo.SWAPPED: VideoRef(swapped, score.inputs["swapped"]),
    }
    sampled = sampled_of(protocol, score.identity.frames)
    videos = {which: _load_video(ref, sampled, protocol, store) for which, ref in refs.items()}
    reference = photo_face(media.photo(spec.actor.reference), store)
    if reference is None:
        raise UnusableInputError(
            f"No face was found in the reference photo of actor {spec.actor.number}."
        )
    return member_of(spec, reference, videos)


def _load_video(
    video: VideoRef, sampled: tuple[int, ...], protocol: Protocol, store: ObservationStore
) -> AttackedVideo:
    info = video_info(video, store)
    wanted = tuple(frame for frame in sampled if frame < info.frames)
    return AttackedVideo(
        info=info,
        sampled=wanted,
        faces=observe_recognised_faces(video, wanted, protocol.identity, store),
        probes=observe_probes(video, protocol.identity, store),
        expressions=observe_attributes(video, store),
        crops=observe_crops(video, store),
        second_detector=_second_detector(video, store),
    )


def _second_detector(video: VideoRef, store: ObservationStore) -> pd.DataFrame | None:
    """None where the detector is unavailable."""
    try:
        return observe_second_detector(video, store)
    except FetchError:
        return None
