"""Attackers compare faces that the study's detector does not find; the study's numbers stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from harness.execution.cohorts import load_member
from harness.model.cohort import Attack, ProbeSource, Verification
from harness.model.score import Comparison
from harness.model.video import WhichVideo
from harness.observe.video import observe_faces
from harness.scoring.cohort.members import attacked_faces
from harness.scoring.cohort.score import attacks, calibrated_leaks, detection_split, remarks
from harness.scoring.cohort.trials import FrameVectors, Member
from harness.store.observations import ObservationStore
from tests.scoring.cohorts import FRAMES, SIZE, Array, People, looked

if TYPE_CHECKING:
    from tests.scoring.conftest import Bench

HALF = FRAMES // 2
VECTOR = np.zeros(SIZE)


def unfound(vectors: Array, first: int, source: ProbeSource) -> tuple[FrameVectors, FrameVectors]:
    """The same frames as attackers have them, and as the study does: it finds no face before frame
    ``first``, and ``source`` does."""
    sources = np.where(np.arange(len(vectors)) < first, source.value, ProbeSource.STUDY.value)
    lost = vectors.copy()
    lost[:first] = np.nan
    return replace(looked(vectors), sources=sources), looked(lost)


def hidden_from_hog(people: People, first: Mapping[int, int]) -> list[Member]:
    """Untouched videos in which HOG finds no face up to a frame of each actor."""
    found = []
    for member in people.members(lambda n: people.original[n]):
        faces, study = dict(member.faces), dict(member.faces)
        faces[WhichVideo.SWAPPED], study[WhichVideo.SWAPPED] = unfound(
            people.original[member.actor], first.get(member.actor, 0), ProbeSource.TRACKER
        )
        found.append(replace(member, faces=faces, study=study, watched=study))
    return found


def swapped_of(attack: Attack) -> Verification:
    assert attack.swapped is not None
    return attack.swapped


def test_an_actor_whom_hog_never_finds_is_identified_through_the_tracker() -> None:
    people = People(5)
    members = hidden_from_hog(people, dict.fromkeys(people.numbers, FRAMES))
    found = attacks(members, "synthetic", 0.6)
    for attack in found[:3]:
        seen = swapped_of(attack)
        assert seen.rank_1.rate == 1
        assert seen.fta == 0
        assert seen.tracker_probes == seen.probes
        assert all(actor.identified == 1 for actor in seen.by_actor)
    split = detection_split(members, WhichVideo.SWAPPED, 0.6, "other")
    assert split is not None
    assert (split.matched, split.hidden, split.not_detected) == (0, 0, 1)
    assert remarks(members, found)[-1].startswith("No threshold")


def test_probes_are_counted_by_what_sees_them_in_the_frames_that_an_attack_compares() -> None:
    people = People(5)
    naive, parrot = attacks(hidden_from_hog(people, {2: HALF, 3: FRAMES}), "synthetic", 0.6)[:2]
    assert swapped_of(naive).probes == 5 * FRAMES
    assert swapped_of(naive).tracker_probes == HALF + FRAMES
    assert swapped_of(naive).second_detector_probes == 0
    # The parrot's probes are of the second halves, which HOG sees of all but one actor.
    assert swapped_of(parrot).tracker_probes == swapped_of(parrot).probes / 5
    # Of the originals it is not known here what sees a face.
    assert naive.control is not None
    assert naive.control.tracker_probes is None


def test_leaks_and_their_thresholds_rest_on_the_faces_that_the_study_finds() -> None:
    people = People(12)
    plain = people.members(lambda n: people.original[n])
    before = calibrated_leaks(plain, attacks(plain, "synthetic", 0.6))
    assert before
    members = hidden_from_hog(people, {1: HALF})
    wild = {n: people.random.normal(0, 9, (FRAMES, SIZE)) for n in people.numbers}
    # What attackers see of the originals is nothing like what the study sees.
    members = [
        replace(m, faces={**m.faces, WhichVideo.ORIGINAL: looked(wild[m.actor])}) for m in members
    ]
    after = calibrated_leaks(members, attacks(plain, "synthetic", 0.6))
    assert [one.leaks.threshold for one in after] == [one.leaks.threshold for one in before]
    assert (before[0].leaks.used, after[0].leaks.used) == (FRAMES, FRAMES - HALF)
    assert after[1] == before[1]


def study_row(frame: int, *, face: bool = True) -> dict[str, object]:
    box = (10, 70, 70, 10) if face else (-1, -1, -1, -1)
    row = dict(zip(("top", "right", "bottom", "left"), box, strict=True))
    return {"frame": frame, **row, "embedding": VECTOR if face else None}


def probe_row(frame: int, source: ProbeSource, left: float = 12.0) -> dict[str, object]:
    box = {"x0": left, "y0": 8.0, "x1": left + 60, "y1": 72.0}
    return {"frame": frame, "source": source.value, **box, "embedding": VECTOR + 1}


def test_the_studys_face_goes_first_unless_it_is_not_the_tracked_one() -> None:
    tracker, second = ProbeSource.TRACKER, ProbeSource.SECOND_DETECTOR
    study = [study_row(n, face=n not in (3, 7, 9)) for n in (1, 3, 4, 5, 7, 8, 9)]
    probes = [
        *(probe_row(3, tracker), probe_row(4, tracker), probe_row(5, tracker, left=300.0)),
        *(probe_row(6, tracker), probe_row(7, second), probe_row(8, second, left=300.0)),
    ]
    found = attacked_faces(pd.DataFrame(study), pd.DataFrame(probes))
    sources = dict(zip(found["frame"], found["source"], strict=True))
    expected = {1: "hog", 3: tracker, 4: "hog", 5: tracker, 7: second, 8: "hog", 9: ""}
    assert sources == expected
    first = [None if vector is None else vector[0] for vector in found["embedding"]]
    assert first == [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, None]


def test_a_cohort_score_that_knows_no_sources_is_still_read() -> None:
    stored = Verification(actors=(1,), probes=3, asked=4).model_dump()
    for name in ("tracker_probes", "second_detector_probes"):
        del stored[name]
    assert Verification.model_validate(stored).tracker_probes is None


@pytest.mark.clips
def test_a_blur_that_stops_hog_takes_no_probe_from_attackers_and_changes_no_comparison(
    bench: Bench,
) -> None:
    import cv2

    # The woman's face is lost to HOG under this blur; CenterFace sees it.
    blurred = [
        np.asarray(cv2.GaussianBlur(frame, (0, 0), 22), np.uint8) if number >= 12 else frame
        for number, frame in enumerate(bench.source)
    ]
    video = bench.write(blurred, "blurred.mp4")
    score = bench.score("blur", video)
    study = observe_faces(bench.as_video(video), bench.observations)
    member = load_member(bench.spec("blur"), score, ObservationStore(bench.home), bench.protocol)

    swapped = score.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    own, attackers = member.study[WhichVideo.SWAPPED], member.faces[WhichVideo.SWAPPED]
    assert own.usable.sum() == swapped.used < swapped.asked == len(attackers.frames)
    assert member.watched[WhichVideo.SWAPPED].usable.sum() == (study["faces"] > 0).sum() == 12
    distances = np.linalg.norm(own.faces() - member.reference, axis=1)
    assert distances.mean() == pytest.approx(swapped.mean)
    assert attackers.usable.all()
    assert attackers.seen_by() == {
        "hog": swapped.used,
        "second-detector": swapped.asked - swapped.used,
    }
    assert np.array_equal(attackers.vectors[own.usable], own.faces())
    original = member.faces[WhichVideo.ORIGINAL]
    assert original.seen_by() == {"hog": len(original.frames)}
