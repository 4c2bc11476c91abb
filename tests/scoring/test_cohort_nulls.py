"""Attackers are at chance where nothing is left of the actors, and say so; else they find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.model.cohort import Attacker
from harness.model.video import WhichVideo
from harness.results.privacy import worst_privacy
from harness.scoring.biometrics import linkability, probe_scores
from harness.scoring.cohort.heads import Lesson, taught_trial, whitened_pca, within_head
from harness.scoring.cohort.linkability import linkability_of
from harness.scoring.cohort.motion import motion_trial
from harness.scoring.cohort.nulls import nulls_of
from harness.scoring.cohort.rates import credits_of, verify
from harness.scoring.cohort.score import attacks, worst_of
from harness.scoring.cohort.trials import (
    Halves,
    Member,
    Probe,
    Trial,
    enrolments,
    naive_trial,
    split_trial,
)
from harness.statistics.identities import auc
from tests.scoring.cohorts import Array, People, looked, motions, score_of

SIZE, FRAMES = 24, 24
EDGES = np.linspace(0, 3, 31)


def take(random: np.random.Generator, frames: int) -> Array:
    """Frames of one face that nobody else has, all much alike."""
    taken: Array = random.normal(size=SIZE) + random.normal(0, 0.4, (frames, SIZE))
    return taken


def strangers(random: np.random.Generator, count: int, donors: int) -> list[Member]:
    """People whose photo, original and both halves of whose swapped video have nothing in common.

    Their videos differ in length, and those of one donor look alike.
    """
    offsets = random.normal(0, 3, (donors, SIZE))
    members = []
    for number in range(1, count + 1):
        frames = FRAMES * (1 + number % 2)
        donor = number % donors
        original, swapped = (
            np.concatenate([take(random, frames // 2) for _ in range(2)]) for _ in range(2)
        )
        seen = {
            WhichVideo.ORIGINAL: looked(original),
            WhichVideo.SWAPPED: looked(offsets[donor] + swapped),
        }
        members.append(
            Member(str(number), number, str(donor), random.normal(size=SIZE), seen, crops=seen)
        )
    return members


def parts(enrolled: WhichVideo, probed: WhichVideo) -> Halves:
    return Halves(
        lambda member: member.faces[enrolled],
        lambda member: member.faces[probed],
        same_donor=enrolled is probed is WhichVideo.SWAPPED,
    )


BOTH_SWAPPED = parts(WhichVideo.SWAPPED, WhichVideo.SWAPPED)
FROM_ORIGINALS = parts(WhichVideo.ORIGINAL, WhichVideo.SWAPPED)
ORIGINALS = parts(WhichVideo.ORIGINAL, WhichVideo.ORIGINAL)
ATTACKS: dict[str, Callable[[list[Member]], Trial]] = {
    "naive": lambda m: naive_trial(m, WhichVideo.SWAPPED),
    "parrot": lambda m: split_trial(m, BOTH_SWAPPED),
    "informed": lambda m: taught_trial(
        m, BOTH_SWAPPED, Lesson(enrolments(m, BOTH_SWAPPED), within_head)
    ),
    "naive by crops": lambda m: taught_trial(
        m, FROM_ORIGINALS, Lesson(enrolments(m, ORIGINALS), whitened_pca, frames=20)
    ),
    "parrot by crops": lambda m: taught_trial(
        m, BOTH_SWAPPED, Lesson(enrolments(m, ORIGINALS), whitened_pca, frames=20)
    ),
}


@pytest.mark.parametrize(("count", "donors", "cohorts"), [(3, 1, 250), (6, 1, 100), (8, 2, 80)])
def test_no_attacker_is_off_chance_where_nothing_is_shared(
    count: int, donors: int, cohorts: int
) -> None:
    random = np.random.default_rng(count)
    areas: dict[str, list[float]] = {name: [] for name in ATTACKS}
    advantages: dict[str, list[float]] = {name: [] for name in ATTACKS}
    for _ in range(cohorts):
        members = strangers(random, count, donors)
        for name, attack in ATTACKS.items():
            trial = attack(members)
            people = [(p.distances, trial.gallery.index(p.actor)) for p in trial.scored()]
            areas[name].append(auc(probe_scores(people)))
            advantages[name].append(advantage_of(trial))
    for found, expected in ((areas, 0.5), (advantages, 0.0)):
        for name, values in found.items():
            error = float(np.std(values) / np.sqrt(cohorts))
            assert error < 0.025, name
            assert np.mean(values) == pytest.approx(expected, abs=max(0.03, 2.5 * error)), name


def test_the_motion_attacker_is_at_chance_where_no_style_is_shared() -> None:
    random = np.random.default_rng(4)
    areas, advantages = [], []
    for _ in range(80):
        members = [
            replace(
                member,
                motion={
                    video: motions(random, random.normal(size=(19, 19)), frames=200 + 100 * odd)
                    for video in WhichVideo
                },
            )
            for odd, member in zip((0, 1, 0, 1), people_of(4), strict=True)
        ]
        trial = motion_trial(members, WhichVideo.SWAPPED)
        people = [(p.distances, trial.gallery.index(p.actor)) for p in trial.scored()]
        areas.append(auc(probe_scores(people)))
        advantages.append(advantage_of(trial))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.03)
    assert np.mean(advantages) == pytest.approx(0, abs=2.5 * np.std(advantages) / np.sqrt(80))


def advantage_of(trial: Trial) -> float:
    own = [credits_of(p).advantage[trial.gallery.index(p.actor)] for p in trial.scored()]
    return float(np.mean(own))


def people_of(count: int, donor: Callable[[int], str | None] = lambda n: None) -> list[Member]:
    return [Member(str(n), n, donor(n), np.empty(0), {}) for n in range(1, count + 1)]


def accidental(random: np.random.Generator, count: int, shared: Array, rows: int = 6) -> Trial:
    """Distances that are as ``shared`` (people x people) by half, and otherwise nobody's; the
    probes of a person agree with each other."""
    base = shared + random.normal(size=(count, count))
    actors = tuple(range(1, count + 1))
    return Trial(
        actors,
        tuple(
            Probe(actor, 1.5 + 0.2 * (base[actor - 1] + random.normal(0, 0.3, (rows, count))), rows)
            for actor in actors
        ),
    )


def test_p_is_at_most_005_in_5_percent_of_cohorts_for_one_attack_and_for_the_best_of_six() -> None:
    random = np.random.default_rng(5)
    alone, best, linked = [], [], []
    for _ in range(120):
        shared = random.normal(size=(5, 5))
        trials = [(accidental(random, 5, shared), EDGES) for _ in range(6)]
        found = nulls_of(trials, people_of(5))
        alone += [one.own.p for one in found if one.own]
        best.append(min(one.best.p for one in found if one.best))
        linked += [one.linkability.p for one in found if one.linkability]
    # The best of six by itself would be under 0.05 far more often.
    assert np.mean(np.array(alone).reshape(-1, 6).min(axis=1) <= 0.05) > 0.1
    for values in (alone, best, linked):
        assert np.mean(np.array(values) <= 0.05) < 0.08


def test_six_attacks_on_seven_strangers_are_within_the_null_of_their_best() -> None:
    random = np.random.default_rng(3)
    observed, null_means, called = [], [], []
    for _ in range(25):
        trials = [(accidental(random, 7, np.zeros((7, 7))), EDGES) for _ in range(6)]
        found = nulls_of(trials, people_of(7))
        observed.append(max(advantage_of(trial) for trial, _ in trials))
        null_means.append(found[0].best.mean if found[0].best else 0.0)
        called.append(min(one.best.p for one in found if one.best) <= 0.05)
    assert np.mean(observed) > 0.15, "what an unadjusted maximum would report"
    assert np.mean(null_means) == pytest.approx(np.mean(observed), abs=0.05)
    assert np.mean(called) <= 0.2


def test_a_planted_identity_is_found_and_p_is_exact_for_seven_actors() -> None:
    random = np.random.default_rng(1)
    trial = accidental(random, 7, -6 * np.eye(7))
    (found,) = nulls_of([(trial, EDGES)], people_of(7))
    assert found.own is not None
    assert found.own.draws == 5039
    assert found.own.p == pytest.approx(1 / 5040)
    assert found.own == found.best
    assert found.linkability is not None
    assert found.linkability.p < 0.01
    assert linkability_of(trial, EDGES).value > found.linkability.high


def test_of_three_actors_no_attack_can_be_shown_to_work() -> None:
    trial = accidental(np.random.default_rng(1), 3, -6 * np.eye(3))
    (found,) = nulls_of([(trial, EDGES)], people_of(3))
    assert found.own is not None
    assert found.own.p == found.own.smallest_p == pytest.approx(1 / 6)


def test_names_change_places_behind_one_donor_only() -> None:
    """An attacker who distinguishes donors, and no actors, is within the null of actors."""
    behind: Array = np.kron(np.eye(3), np.ones((3, 3))).astype(np.float64)
    trial = accidental(np.random.default_rng(0), 9, -6 * behind)
    (blind,) = nulls_of([(trial, EDGES)], people_of(9))
    (found,) = nulls_of([(trial, EDGES)], people_of(9, lambda n: "abc"[(n - 1) // 3]))
    assert blind.own is not None
    assert found.own is not None
    assert blind.own.p < 0.05 < found.own.p
    assert found.own.draws == 6**3 - 1
    (own_donors,) = nulls_of([(trial, EDGES)], people_of(9, str))
    assert own_donors == blind, "where no two share a donor, donors cannot be what is compared"


def test_an_actor_without_a_face_changes_places_with_nobody() -> None:
    trial = accidental(np.random.default_rng(1), 6, np.zeros((6, 6)))
    lost = trial.probes[0]._replace(distances=np.empty((0, 6)))
    (found,) = nulls_of([(Trial(trial.gallery, (lost, *trial.probes[1:])), EDGES)], people_of(6))
    assert found.own is not None
    assert found.own.draws == 119


def test_the_histograms_linkability_is_that_of_the_scores_with_several_donors_too() -> None:
    random = np.random.default_rng(2)
    trial = accidental(random, 6, -np.eye(6))
    mixed = []
    for probe in trial.probes:
        # Three rows are compared with the first four faces only, the rest with all.
        distances = probe.distances.copy()
        distances[:3, 4:] = np.nan
        mixed.append(probe._replace(distances=distances))
    for one in (trial, Trial(trial.gallery, tuple(mixed))):
        people = [(p.distances, one.gallery.index(p.actor)) for p in one.scored()]
        found = linkability_of(one, EDGES)
        assert found.value == pytest.approx(linkability(probe_scores(people), EDGES))
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high
        (null,) = nulls_of([(one, EDGES)], people_of(6))
        assert null.linkability is not None
        reached = null.linkability
        assert 0 < reached.mean <= reached.high


def test_linkability_of_strangers_has_an_interval_that_reaches_down_to_nothing() -> None:
    random = np.random.default_rng(4)
    values, lows = [], []
    for _ in range(60):
        found = linkability_of(accidental(random, 7, np.zeros((7, 7))), EDGES)
        values.append(found.value)
        lows.append(found.low)
    assert np.mean(values) > 0.1, "D_sys is above 0 by itself"
    assert np.mean([low is not None and low < 0.05 for low in lows]) > 0.9


def test_one_advantage_is_that_of_the_attack_its_null_and_the_privacy_of_the_tool() -> None:
    people = People(6)
    donor = people.face()

    def swap(number: int) -> Array:
        frames = people.clip(donor + 0.3 * (people.faces[number] - donor))
        frames[number::7] = np.nan
        # Of one actor no face is left, and another's clip is too short to be divided.
        return (
            np.full_like(frames, np.nan) if number == 6 else frames[: 12 if number == 5 else None]
        )

    members = people.members(swap)
    made = attacks(members, "r", 0.6)
    place = worst_of(made)
    assert place is not None
    privacy = worst_privacy([score_of(made, people.numbers, place)])
    assert privacy is not None
    assert (privacy.attacker, privacy.source) == (made[place].attacker, made[place].source)
    assert privacy.advantage == pytest.approx(made[place].advantage)
    naive = made[0]
    assert naive.attacker is Attacker.NAIVE
    assert naive.swapped is not None
    assert naive.swapped.rank_1_corrected is not None
    assert naive.advantage is not None
    assert naive.advantage < naive.swapped.rank_1_corrected, "lost frames are not identified"
    by_actor = [one.advantage for one in naive.swapped.by_actor]
    assert naive.advantage == pytest.approx(sum(by_actor) / 6)


def test_what_is_left_of_the_actors_works_and_strangers_are_within_their_null() -> None:
    people = People(7, seed=3, frames=120)
    donor = people.face()
    left = attacks(
        people.members(lambda n: people.clip(donor + 0.35 * (people.faces[n] - donor))), "r", 0.6
    )
    place = worst_of(left)
    assert place is not None
    assert left[place].works
    assert left[place].linkability_null is not None
    gone = attacks(people.members(lambda n: people.clip(donor)), "r", 0.6)
    assert not any(attack.works for attack in gone)
    assert all(attack.null is not None for attack in gone if attack.swapped)


def test_a_rate_of_all_actors_counts_those_who_were_never_asked() -> None:
    trial = accidental(np.random.default_rng(1), 4, -6 * np.eye(4))
    absent = Trial(trial.gallery, (*trial.probes, Probe(9, np.empty((0, 4)), 0)))
    whole, found = verify(trial, EDGES), verify(absent, EDGES)
    assert whole.advantage is not None
    assert found.advantage == pytest.approx(whole.advantage * 4 / 5)
