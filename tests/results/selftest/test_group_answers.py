"""Expected results of several cells together: they pass as expected, and fail on anything else."""

from __future__ import annotations

import numpy as np

from harness.results.selftest.group_answers import Missing, missing, parrot_wins, shared_faces
from harness.scoring.cohort.trials import Probe, Trial


def test_of_shared_faces_at_most_one_in_k_is_named_rightly() -> None:
    enrolled = {1: [0.0], 2: [1.0], 3: [2.0], 4: [3.0]}
    shared = {1: [0.2], 2: [0.2], 3: [2.2], 4: [2.2]}
    assert shared_faces(shared, enrolled, 2).passed
    assert "2 of 4 = 0.500" in shared_faces(shared, enrolled, 2).seen
    assert not shared_faces({**shared, 2: [0.9]}, enrolled, 2).passed
    assert not shared_faces({**shared, 2: None}, enrolled, 2).passed
    assert not shared_faces({}, enrolled, 2).passed


def _trial(mated: float, other: float, spread: float = 0.1) -> Trial:
    """Two actors with three probes each, around these distances."""
    around = np.array([-spread, 0.0, spread])[:, None]
    own, strange = mated + around, other + around
    return Trial(
        (2, 3),
        (
            Probe(2, np.concatenate([own, strange], axis=1), 3),
            Probe(3, np.concatenate([strange, own], axis=1), 3),
        ),
    )


def test_the_parrot_must_tell_people_apart_better_than_the_naive_attacker() -> None:
    good, fair, wrong = _trial(0.2, 0.8), _trial(0.5, 0.8), _trial(0.8, 0.7)
    assert parrot_wins("blur", fair, good).passed
    assert parrot_wins("blur", wrong, good).passed
    for naive, parrot in ((good, fair), (fair, fair), (good, wrong), (Trial((), ()), good)):
        assert not parrot_wins("blur", naive, parrot).passed
        assert not parrot_wins("blur", parrot, Trial((), ())).passed
    seen = parrot_wins("blur", wrong, good).seen
    assert seen == "naive 1.143, rank-1 0.000; parrot 0.250, rank-1 1.000"


def test_a_cell_without_a_score_fails_with_its_reason() -> None:
    answer = missing("noop", "the same", Missing(reason="the disk was full"))
    assert not answer.passed
    assert answer.seen == "no score: the disk was full"
