"""Rank and margin of a recogniser on faces of known people, computed another way."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from harness.vision.recognisers.base import Distance
from harness.vision.recognisers.trial import (
    LEAST_MARGIN,
    Labelled,
    Trial,
    first_of_the_best,
    try_out,
)

FACES = [
    Labelled(person=person, take=take)
    for person, take in ("aX", "aX", "aY", "bX", "bY", "bZ", "cX", "dX")
]
CENTRES = {"a": [1, 0, 0, 0], "b": [0, 1, 0, 0], "c": [0, 0, 1, 0], "d": [0, 0, 0, 1]}


def vectors(noise: float, seed: int = 0) -> np.ndarray:
    """One direction for each person, and noise."""
    exact = np.array([CENTRES[face.person] for face in FACES], np.float32)
    return (exact + noise * np.random.default_rng(seed).normal(size=exact.shape)).astype(np.float32)


def test_rank_and_margin_are_those_of_the_pairs_counted_one_by_one() -> None:
    found = vectors(0.3)
    trial = try_out(found, FACES, Distance.L2)
    apart = {
        (a, b): float(np.linalg.norm(found[a] - found[b])) for a, b in combinations(range(8), 2)
    }
    apart |= {(b, a): value for (a, b), value in apart.items()}
    person, take = ([getattr(face, what) for face in FACES] for what in ("person", "take"))
    pairs = list(combinations(range(8), 2))
    mated = [apart[p] for p in pairs if person[p[0]] == person[p[1]] and take[p[0]] != take[p[1]]]
    others = [apart[p] for p in pairs if person[p[0]] != person[p[1]]]
    assert (len(mated), len(others)) == (5, 22)
    d_prime = (np.mean(others) - np.mean(mated)) / np.sqrt(
        (np.var(others, ddof=1) + np.var(mated, ddof=1)) / 2
    )
    ranked = 0
    for a in range(6):
        own = [apart[a, b] for b in range(6) if person[a] == person[b] and take[a] != take[b]]
        ranked += max(own) < min(apart[a, b] for b in range(8) if person[a] != person[b])
    assert (trial.faces, trial.ranked) == (6, ranked)
    assert (trial.mated, trial.non_mated) == pytest.approx((np.mean(mated), np.mean(others)))
    assert trial.margin == pytest.approx(d_prime)


def test_clear_embeddings_pass_and_noise_or_nothing_does_not() -> None:
    assert try_out(vectors(0.05), FACES, Distance.COSINE).passed
    noise = [try_out(vectors(50, seed), FACES, Distance.COSINE) for seed in range(50)]
    assert not any(one.passed for one in noise)
    for value in (0, 1, np.nan, np.inf):
        same = try_out(np.full((8, 4), value, np.float32), FACES, Distance.COSINE)
        assert (same.ranked, same.margin, same.passed) == (0, 0, False)


def trial(margin: float, ranked: int = 10, non_mated: float = 0.9) -> Trial:
    return Trial(faces=10, ranked=ranked, mated=0.3, non_mated=non_mated, margin=margin)


def test_rank_and_margin_are_both_needed() -> None:
    assert trial(LEAST_MARGIN, 9).passed
    assert not trial(LEAST_MARGIN - 0.01, 10).passed
    assert not trial(9, 8).passed
    assert str(trial(4.25)) == (
        "distinguishes 10 of 10 faces, margin 4.2 (mated 0.3, non-mated 0.9)"
    )


def test_an_earlier_convention_is_taken_unless_a_later_one_is_clearly_better() -> None:
    assert first_of_the_best([trial(3), trial(5), trial(6)]) == 1
    assert first_of_the_best([trial(4.1), trial(6)]) == 1
    assert first_of_the_best([trial(9, ranked=2), trial(4.5)]) == 1
    assert first_of_the_best([trial(3), trial(3.9)]) is None
    assert first_of_the_best([]) is None


def test_a_convention_that_makes_all_faces_alike_is_not_taken_before_one_that_does_not() -> None:
    alike = trial(5, non_mated=0.1)
    assert first_of_the_best([alike, trial(4.1), trial(4.5)]) == 1
    assert first_of_the_best([trial(3), alike]) == 1
