"""Simulated stores whose true shift is known: what is found, and what is never alarmed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from harness.model.compare import Family, MetricResult
from harness.model.verdict import Verdict
from harness.results.compare.gather import Cell
from harness.results.compare.judge import judge, overall
from harness.results.compare.people import gate_of
from tests.results.compare.made_up import Study

# Some look at the same results, so one worker has them all.
pytestmark = pytest.mark.xdist_group("known-shifts")


def pairs_of(
    seed: int, shift: float, run_sd: float, actors: int, *, viewed: bool
) -> list[tuple[Cell, Cell]]:
    study = Study(seed, actors)
    sides = (study.side(v, s, run_sd, viewed=viewed) for v, s in (("1", 0), ("2", shift)))
    return list(zip(*sides, strict=True))


@cache
def results(
    shift: float, run_sd: float, *, actors: int = 10, runs: int = 200, viewed: bool = False
) -> list[list[MetricResult]]:
    return [judge(pairs_of(seed, shift, run_sd, actors, viewed=viewed)) for seed in range(runs)]


def alarms(found: list[list[MetricResult]], run_sd: float, actors: int, *, viewed: bool) -> float:
    """Share of the stores without a change that are called regressed, single people included."""
    gates = (
        gate_of(pairs_of(seed, 0, run_sd, actors, viewed=viewed), (), 0.05)
        for seed in range(len(found))
    )
    both = zip(found, gates, strict=True)
    return float(np.mean([overall(row, gate) is Verdict.REGRESSED for row, gate in both]))


def verdicts(found: list[list[MetricResult]], key: str) -> list[Verdict]:
    return [one.verdict for row in found for one in row if one.key == key]


@pytest.mark.parametrize(
    ("run_sd", "actors", "viewed"),
    [(0.01, 10, False), (0.03, 10, False), (0.03, 5, False), (0.03, 10, True)],
)
def test_a_version_that_changed_nothing_is_alarmed_in_at_most_6_of_100_runs(
    run_sd: float, actors: int, viewed: bool
) -> None:
    found = results(0, run_sd, actors=actors, viewed=viewed)
    # Stricter than the verdict: any metric significant after Holm, whatever its margin.
    significant = [any((one.p_adjusted or 1) <= 0.05 for one in row) for row in found]
    assert np.mean(significant) <= 0.06
    assert alarms(found[:50], run_sd, actors, viewed=viewed) <= 0.06
    assert np.mean([overall(row) is Verdict.REGRESSED for row in found]) <= 0.06


@pytest.mark.parametrize("viewed", [False, True], ids=["study", "study and viewer"])
def test_a_shift_of_3_percent_for_the_worse_is_found_in_at_least_80_of_100_runs(
    viewed: bool,
) -> None:
    found = verdicts(results(-0.021, 0.01, runs=100, viewed=viewed), "sw_or")
    assert np.mean([one is Verdict.REGRESSED for one in found]) >= 0.8


def test_a_shift_of_3_percent_for_the_better_is_an_improvement_and_no_regression() -> None:
    found = results(0.021, 0.01, runs=60)
    assert np.mean([one is Verdict.IMPROVED for one in verdicts(found, "sw_or")]) >= 0.8
    assert np.mean([overall(row) is Verdict.REGRESSED for row in found]) <= 0.06


def test_no_change_is_shown_as_equivalence_and_noise_is_inconclusive() -> None:
    quiet, loud = results(0, 0.01), results(0, 0.1, runs=30)
    assert np.mean([v is Verdict.UNCHANGED for v in verdicts(quiet, "sw_or")]) >= 0.9
    assert np.mean([v is Verdict.INCONCLUSIVE for v in verdicts(loud, "sw_or")]) >= 0.8


def test_a_shift_at_the_margin_is_called_unchanged_in_at_most_5_of_100_runs() -> None:
    # The level of the equivalence test, where it is hardest to keep.
    found = verdicts(results(-0.01, 0.01, runs=100), "sw_or")
    assert np.mean([v is Verdict.UNCHANGED for v in found]) <= 0.07


def test_five_actors_find_a_large_shift_by_the_t_test_and_say_so() -> None:
    study = Study(1, actors=5)
    pairs = list(zip(study.side("1"), study.side("2", -0.06), strict=True))
    one = next(r for r in judge(pairs) if r.key == "sw_or")
    assert one.verdict is Verdict.REGRESSED
    assert one.test == "t"
    assert "cannot reach alpha by sign-flips" in one.reason


@pytest.mark.parametrize("viewed", [False, True], ids=["study", "study and viewer"])
def test_ten_actors_are_tested_by_sign_flips_in_what_the_study_measures(viewed: bool) -> None:
    study = Study(1)
    sides = (study.side(v, s, viewed=viewed) for v, s in (("1", 0.0), ("2", -0.06)))
    found = judge(list(zip(*sides, strict=True)))
    tests = {one.test for one in found if one.p is not None and one.family is Family.STUDY}
    assert tests == {"sign-flip"}
