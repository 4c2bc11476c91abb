"""Attackers on synthetic people: every right answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.model.cohort import Attack, Attacker
from harness.model.video import WhichVideo
from harness.scoring.cohort.heads import shrunk_covariance, whitened_pca
from harness.scoring.cohort.rates import calibrate, verify
from harness.scoring.cohort.score import (
    attacks,
    calibrated_leaks,
    detection_split,
    remarks,
    worst_of,
)
from harness.scoring.cohort.trials import (
    FrameVectors,
    Member,
    enrolment_end,
    halves,
    naive_trial,
)
from tests.scoring.cohorts import FPS, FRAMES, SIZE, Array, People, looked, motions, with_motion

BINS = np.linspace(0, 2, 41)
GONE = np.full((FRAMES, SIZE), np.nan)


def made_by(members: list[Member], *attackers: Attacker) -> list[Attack]:
    found = attacks(members, "synthetic", 0.6)
    return [next(one for one in found if one.attacker is attacker) for attacker in attackers]


def made(members: list[Member], attacker: Attacker) -> Attack:
    return made_by(members, attacker)[0]


def test_untouched_videos_are_attacked_exactly_as_well_as_their_control() -> None:
    people = People(6)
    members = people.members(lambda n: people.original[n].copy())
    for attack in attacks(members, "synthetic", 0.6)[:3]:
        assert attack.swapped == attack.control
        assert attack.swapped is not None
        assert attack.swapped.rank_1.rate == 1
        assert attack.swapped.identified == 6
        assert attack.swapped.eer == pytest.approx(0, abs=0.01)
        assert attack.swapped.linkability == pytest.approx(1, abs=0.05)


def test_a_perfect_swap_leaves_every_attacker_at_chance() -> None:
    people = People(8)
    donor = people.face()
    members = people.members(lambda n: people.clip(donor), lambda n: "giorgio")
    naive, parrot, informed = made_by(members, *list(Attacker)[:3])
    for attack in (naive, parrot, informed):
        assert attack.control is not None
        assert attack.control.rank_1.rate == 1
        assert attack.swapped is not None
        assert attack.swapped.chance == pytest.approx(1 / 8)
        assert attack.advantage is not None
        assert abs(attack.advantage) < 0.25
        assert attack.swapped.auc.rate == pytest.approx(0.5, abs=0.15)
    assert naive.swapped is not None
    assert naive.swapped.match_rate.rate == pytest.approx(0, abs=0.1)


def test_what_is_left_of_the_actor_under_one_donor_is_found_by_the_parrot_alone() -> None:
    people = People(8)
    donor = people.face()
    members = people.members(
        lambda n: people.clip(donor + 0.35 * (people.faces[n] - donor)), lambda n: "giorgio"
    )
    found = attacks(members, "synthetic", 0.6)
    naive, parrot = found[:2]
    assert (naive.attacker, parrot.attacker) == (Attacker.NAIVE, Attacker.PARROT)
    assert naive.swapped is not None
    assert naive.swapped.match_rate.rate is not None
    assert naive.swapped.match_rate.rate < 0.2
    assert parrot.advantage is not None
    assert naive.advantage is not None
    assert parrot.advantage > 0.6
    assert parrot.advantage > naive.advantage
    place = worst_of(found)
    assert place is not None
    assert found[place].attacker in (Attacker.PARROT, Attacker.INFORMED)


def test_an_informed_attacker_sees_through_noise_that_others_videos_have_too() -> None:
    people = People(8)
    donor, direction = people.face(), np.linalg.qr(people.random.normal(size=(SIZE, 8)))[0]

    def swap(n: int) -> Array:
        # The tool trembles wildly in a few directions, the same for everybody.
        noise: Array = people.random.normal(0, 0.6, (FRAMES, 8)) @ direction.T
        return noise + people.clip(donor + 0.25 * (people.faces[n] - donor))

    members = people.members(swap, lambda n: "giulia")
    parrot, informed = made_by(members, Attacker.PARROT, Attacker.INFORMED)
    assert parrot.swapped is not None
    assert informed.swapped is not None
    assert parrot.swapped.rank_1.rate is not None
    assert informed.swapped.rank_1.rate is not None
    assert informed.swapped.rank_1.rate > parrot.swapped.rank_1.rate + 0.1


def test_different_donors_are_not_mistaken_for_different_actors() -> None:
    people = People(4)
    donors = {"a": people.face(), "b": people.face()}
    members = people.members(
        lambda n: people.clip(donors["a" if n < 3 else "b"]), lambda n: "a" if n < 3 else "b"
    )
    parrot = made(members, Attacker.PARROT)
    assert parrot.swapped is not None
    assert parrot.swapped.chance == 0.5
    # Two of two donors each: knowing the donor alone would be right half of the time.
    assert parrot.swapped.rank_1.rate == pytest.approx(0.5, abs=0.3)
    everyone_his_own = people.members(lambda n: people.clip(people.face()), str)
    alone = made(everyone_his_own, Attacker.PARROT)
    assert alone.swapped is None
    assert "same donor" in alone.reason


def test_a_black_box_is_not_detected_and_never_called_hidden() -> None:
    people = People(5)
    members = people.members(lambda n: GONE)
    found = attacks(members, "synthetic", 0.6)
    for attack in found[:3]:
        assert attack.swapped is None
        assert attack.reason.startswith("Not detected")
    assert worst_of(found) is None
    split = detection_split(members, WhichVideo.SWAPPED, 0.6, "other")
    assert split is not None
    assert (split.matched, split.hidden, split.not_detected) == (0, 0, 1)
    assert split.detector is None
    assert any("actors 1, 2, 3, 4, 5" in note for note in remarks(members, found))


def test_frames_are_matched_hidden_or_not_detected_and_a_second_detector_may_object() -> None:
    people = People(3)
    swapped = people.original[1].copy()
    swapped[: FRAMES // 4] = np.nan
    swapped[FRAMES // 2 :] += 1.0
    seen = {frame: frame < FRAMES // 8 for frame in range(FRAMES)}
    member = replace(
        people.members(lambda n: swapped)[0], seen_elsewhere={WhichVideo.SWAPPED: seen}
    )
    split = detection_split([member], WhichVideo.SWAPPED, 0.6, "other")
    assert split is not None
    assert (split.matched, split.hidden, split.not_detected) == (0.25, 0.5, 0.25)
    assert (split.detector, split.still_a_face) == ("other", 0.125)
    original = detection_split([member], WhichVideo.ORIGINAL, 0.6, "other")
    assert original is not None
    assert (original.matched, original.detector) == (1, None)


def test_one_actor_leaves_the_fixed_threshold_and_says_why_there_is_no_more() -> None:
    people = People(1)
    members = people.members(lambda n: people.original[n])
    found = attacks(members, "synthetic", 0.6)
    naive = found[0]
    assert naive.swapped is not None
    assert naive.swapped.match_rate.rate == 1
    assert naive.swapped.rank_1.rate is None
    assert naive.swapped.auc.rate is None
    assert all(attack.reason.startswith("There is one actor only") for attack in found)
    assert worst_of(found) is None
    assert calibrated_leaks(members, found) == ()
    assert "One actor" in remarks(members, found)[0]


def test_thresholds_come_from_originals_of_all_other_actors_and_a_far_is_held_by_them() -> None:
    people = People(24, frames=40)
    # Swapped videos that would move any threshold taken from them.
    members = people.members(lambda n: people.original[n] * 0.01)
    control = naive_trial(members, WhichVideo.ORIGINAL)
    thresholds = calibrate(control)
    originals = verify(control, BINS, calibration=thresholds)
    swapped = verify(naive_trial(members, WhichVideo.SWAPPED), BINS, calibration=thresholds)
    by_far = {one.far: one for one in originals.at_far}
    assert by_far[0.1].false_match_rate == pytest.approx(0.1, abs=0.02)
    assert by_far[0.1].tar.rate == pytest.approx(1, abs=0.01)
    assert {one.far: one.threshold for one in swapped.at_far} == {
        far: one.threshold for far, one in by_far.items()
    }
    # 23 other actors make 253 pairs: nothing under 3/253 can be measured.
    assert by_far[0.01].tar.rate is None
    assert "253 non-mated pairs" in by_far[0.01].tar.reason
    assert by_far[0.02].tar.rate is not None
    attack = Attack(attacker=Attacker.NAIVE, source="", method="", control=originals)
    leaks = calibrated_leaks(members, (attack,))
    assert {one.far for one in leaks} == {0.02}
    assert len(leaks) == 24


def test_the_probed_actor_never_sets_the_own_threshold() -> None:
    people = People(24, frames=40)
    members = people.members(lambda n: people.original[n])
    # An actor whose original looks like actor 2's photo spoils all thresholds but the own one.
    intruder = looked(people.clip(people.faces[2]))
    spoiled = [
        replace(members[0], faces={**members[0].faces, WhichVideo.ORIGINAL: intruder}),
        *members[1:],
    ]
    before, after = (
        calibrate(naive_trial(found, WhichVideo.ORIGINAL)).thresholds[0.02]
        for found in (members, spoiled)
    )
    assert before[1] == after[1]
    assert before[6] != after[6]


def test_covariances_are_shrunk_as_scikit_learn_does() -> None:
    from sklearn.covariance import LedoitWolf

    centred = np.random.default_rng(1).normal(size=(40, 30)) * np.linspace(0.2, 3, 30)
    expected = LedoitWolf(assume_centered=True).fit(centred).covariance_
    assert shrunk_covariance(centred) == pytest.approx(expected)


def test_principal_components_are_those_of_scikit_learn_whitened() -> None:
    from sklearn.decomposition import PCA

    faces = np.random.default_rng(1).normal(size=(30, 50)) * np.linspace(0.2, 3, 50)
    expected = PCA(n_components=0.95, whiten=True, svd_solver="full").fit(faces)
    matrix = whitened_pca([faces[:10], faces[10:]])
    ours, theirs = (faces - faces.mean(axis=0)) @ matrix, expected.transform(faces)
    assert np.abs(ours) == pytest.approx(np.abs(theirs), abs=1e-8)


def test_few_teachers_are_told_and_too_few_teach_nothing() -> None:
    people = People(3)
    members = people.members(lambda n: people.original[n])
    informed = made(members, Attacker.INFORMED)
    assert informed.swapped is not None
    assert "3 actors" in informed.notes[0]
    alone = made(members[:2], Attacker.INFORMED)
    assert alone.swapped is None
    assert "needs 3 actors to learn from" in alone.reason


def test_styles_of_movement_tell_people_apart_however_the_face_looks() -> None:
    people = People(5)
    random = np.random.default_rng(2)
    styles = {n: random.normal(size=(19, 19)) for n in people.numbers}
    moves = {n: motions(random, styles[n]) for n in people.numbers}
    still = FrameVectors(np.arange(500), np.full((500, 19), np.nan), 500, FPS)
    copied = with_motion(
        people.members(lambda n: GONE),
        {n: {WhichVideo.ORIGINAL: moves[n], WhichVideo.SWAPPED: moves[n]} for n in people.numbers},
    )
    motion = made(copied, Attacker.MOTION)
    assert motion.swapped == motion.control
    assert motion.advantage == pytest.approx(1, abs=0.1)
    shared = motions(random, styles[1])
    replayed = with_motion(
        copied,
        {n: {WhichVideo.ORIGINAL: moves[n], WhichVideo.SWAPPED: shared} for n in people.numbers},
    )
    lost = made(replayed, Attacker.MOTION)
    assert lost.swapped is not None
    assert lost.advantage == pytest.approx(0, abs=1e-9)
    unseen = with_motion(
        copied,
        {n: {WhichVideo.ORIGINAL: moves[n], WhichVideo.SWAPPED: still} for n in people.numbers},
    )
    black = made(unseen, Attacker.MOTION)
    assert black.swapped is None
    assert black.reason.startswith("Not detected")


def test_a_video_is_divided_with_a_gap_and_a_short_one_is_not() -> None:
    assert enrolment_end(1000, 25.0) == (487, 512)
    assert enrolment_end(100, 25.0) == (45, 55)
    assert enrolment_end(19, 25.0) is None
    early, late = halves(looked(np.zeros((19, 2))))
    assert len(early.frames) == len(late.frames) == 0
    sampled = FrameVectors(np.array([0, 44, 45, 54, 55, 99]), np.zeros((6, 2)), 100, 25.0)
    early, late = halves(sampled)
    assert (early.frames.tolist(), late.frames.tolist()) == ([0, 44], [55, 99])


def test_clips_that_are_too_short_say_so() -> None:
    people = People(3)
    short = [
        replace(m, faces={video: looked(seen.vectors[:12]) for video, seen in m.faces.items()})
        for m in people.members(lambda n: people.original[n])
    ]
    found = attacks(short, "synthetic", 0.6)
    assert found[0].swapped is not None
    assert found[0].swapped.rank_1.rate == 1
    assert "too short" in found[1].reason
    assert found[1].swapped is None


def test_the_self_trained_recogniser_tells_originals_apart_and_is_a_second_opinion() -> None:
    people = People(6)
    members = [replace(m, crops=m.faces) for m in people.members(lambda n: people.original[n])]
    found = attacks(members, "synthetic", 0.6)
    assert [attack.attacker for attack in found[4:]] == [Attacker.NAIVE, Attacker.PARROT]
    for attack in found[4:]:
        assert attack.swapped is not None
        assert attack.swapped == attack.control
        assert attack.swapped.rank_1.rate is not None
        assert attack.swapped.rank_1.rate > 0.8


@pytest.mark.parametrize("seed", [0, 1])
def test_donors_of_unequal_number_and_tightness_tell_no_actors_apart(seed: int) -> None:
    """Eight actors behind one donor, four behind another whose swaps scatter more; of the actors
    themselves nothing is left."""
    people = People(12, seed)
    donors = {"x": people.face(), "y": people.face()}
    scatter = {"x": 0.02, "y": 0.03}

    def donor(number: int) -> str:
        return "x" if number <= 8 else "y"

    def swap(number: int) -> Array:
        name = donor(number)
        return donors[name] + people.random.normal(0, scatter[name], (FRAMES, SIZE))

    parrot = next(
        one
        for one in attacks(people.members(swap, donor), "r", 0.6)
        if one.attacker is Attacker.PARROT
    )
    assert parrot.swapped is not None
    area, linkability = parrot.swapped.auc, parrot.swapped.linkability
    assert area.rate is not None
    assert area.rate == pytest.approx(0.5, abs=0.02)
    assert area.low is not None
    assert area.high is not None
    assert area.low < area.rate < area.high
    assert parrot.swapped.eer == pytest.approx(0.5, abs=0.03)
    assert linkability is not None
    assert linkability < 0.05
