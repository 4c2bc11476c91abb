"""The sentence about a cohort in the terminal."""

from __future__ import annotations

from harness.cli.summary import cohort_line
from harness.execution.outcomes import CohortOutcome
from harness.model.cohort import Attack, Attacker, Rate, Verification
from harness.model.estimates import Null
from harness.scoring.cohort.score import CROPS_SOURCE
from tests.scoring.cohorts import score_of

WITHIN = Null(draws=5039, mean=0.2, high=0.45, p=0.3)
BEYOND = Null(draws=5039, mean=0.1, high=0.25, p=0.0002)
FEW = Null(draws=5, mean=0.0, high=0.3, p=1 / 6)


def line(null: Null | None, source: str = CROPS_SOURCE, asked: int = 10) -> str:
    swapped = Verification(
        actors=tuple(range(1, 8)),
        probes=10,
        asked=asked,
        rank_1=Rate(rate=0.39),
        chance=1 / 7,
        rank_1_corrected=0.29,
        advantage=0.28,
    )
    attacks = (
        Attack(attacker=Attacker.NAIVE, source="dlib", method=""),
        Attack(attacker=Attacker.NAIVE, source=source, method="", swapped=swapped, best_null=null),
    )
    score = score_of(attacks, swapped.actors, 1)
    return cohort_line(CohortOutcome(label=score.label, score=score))


def test_another_recogniser_than_the_studys_is_named_with_its_attacker() -> None:
    assert "worst attacker A0 naive (self-trained), rank-1 39 %" in line(BEYOND)
    assert "dlib" not in line(BEYOND, source="dlib")


def test_the_worst_attacker_is_called_so_only_beyond_its_null() -> None:
    assert "worst attacker" in line(BEYOND)
    assert "works (0.28 beyond chance" in line(BEYOND)
    for null in (WITHIN, FEW, None):
        assert "worst attacker" not in line(null)
        assert "works" not in line(null)
    assert "within its null, so none is shown to work" in line(WITHIN)
    assert "p is never under 0.17" in line(FEW)
    assert "no two actors can change places" in line(None)


def test_a_null_of_six_permutations_has_no_twentieth_case() -> None:
    assert "in one case of 20" in line(WITHIN)
    assert "in one case of 20" not in line(FEW)


def test_a_rank_1_of_some_probes_says_so() -> None:
    assert "rank-1 39 % (chance" in line(BEYOND)
    assert "rank-1 39 % of the probes that could be compared (chance" in line(BEYOND, asked=30)


def test_no_number_is_minus_zero() -> None:
    assert "with permuted names 0.00 on average" in line(WITHIN.model_copy(update={"mean": -0.001}))
