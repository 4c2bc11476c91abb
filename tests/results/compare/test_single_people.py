"""People who leak alone: found by themselves, and never by noise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.simulations.gate import LEAKS, NULLS, Scenario, shares_named
from harness.model.cohort import CellLeaks, CohortScore
from harness.model.compare import ActorGate, NoiseSource, Route
from harness.model.privacy import LeakProfile
from harness.model.score import Comparison, Distances
from harness.results.compare.gate import independent
from harness.results.compare.gather import Cell
from harness.results.compare.people import gate_of
from harness.results.compare.runs import run_of
from tests.results.compare.made_up import Home, Numbers, make_score, make_spec

HIDDEN, LEAKED = Numbers(sw_or=0.75, match_rate=0.0), Numbers(sw_or=0.30, match_rate=1.0)
FACELESS = Numbers(sw_or=None, match_rate=0.0, faces=0)


def cell(actor: int, numbers: Numbers, version: str, donor: str = "d", seed: int = 0) -> Cell:
    spec = make_spec("faceswap", actor, donor, version=version)
    spec = spec.model_copy(update={"seed": seed})
    return Cell(spec, make_score(spec, numbers))


def gate(before: Sequence[Numbers], after: Sequence[Numbers]) -> ActorGate:
    """The gate on one cell of each actor; actors count from 1."""
    pairs = [
        (cell(k, a, "1"), cell(k, b, "2"))
        for k, (a, b) in enumerate(zip(before, after, strict=True), 1)
    ]
    return judged(pairs)


def judged(pairs: Sequence[tuple[Cell, Cell]], cohorts: Sequence[CohortScore] = ()) -> ActorGate:
    found = gate_of(pairs, cohorts, 0.05)
    assert found is not None
    return found


def names(found: ActorGate) -> list[int]:
    return [one.actor for one in found.crossed]


def spread(n: int, sd: float = 0.01, seed: int = 0) -> list[Numbers]:
    """Hidden actors whose distances differ by noise."""
    rng = np.random.default_rng(seed)
    return [replace(HIDDEN, sw_or=0.75 + float(x)) for x in rng.normal(0, sd, n)]


@pytest.mark.parametrize("leaks", [1, 2, 4, 6, 7])
def test_whoever_leaks_of_24_is_named_and_nobody_else(leaks: int) -> None:
    after = [LEAKED] * leaks + spread(24 - leaks, seed=1)
    found = gate(spread(24), after)
    assert names(found) == list(range(1, leaks + 1))
    assert found.noise is NoiseSource.ACTORS


@pytest.mark.parametrize(("actors", "leaks"), [(12, 1), (12, 4), (12, 6), (24, 10), (24, 12)])
def test_as_many_as_half_of_the_actors_who_leak_are_all_named(actors: int, leaks: int) -> None:
    """Their own shifts once made the spread over actors so wide that six of twelve people passed
    for noise, and the means left it open: exit 0."""
    after = [LEAKED] * leaks + spread(actors - leaks, seed=1)
    assert names(gate(spread(actors), after)) == list(range(1, leaks + 1))


def test_one_or_two_actors_are_held_against_a_stated_bound_that_the_output_names() -> None:
    for n in (1, 2):
        found = gate([HIDDEN] * n, [LEAKED] * n)
        assert names(found) == list(range(1, n + 1))
        assert found.noise is NoiseSource.STATED
        assert "a stated bound" in found.basis


def test_a_face_that_is_found_again_and_recognised_is_a_leak_without_any_distance_before() -> None:
    found = gate([FACELESS] * 2, [Numbers(sw_or=0.5, match_rate=0.9, faces=730)] * 2)
    assert [one.route for one in found.crossed] == [Route.FOUND] * 2
    assert found.crossed[0].candidate == pytest.approx(0.657)


def test_a_face_that_is_found_again_and_not_recognised_is_no_leak() -> None:
    assert names(gate([FACELESS] * 2, [HIDDEN] * 2)) == []


def test_more_faces_of_which_few_are_recognised_are_no_leak_of_a_person() -> None:
    before = replace(HIDDEN, match_rate=0.05, faces=500)
    assert names(gate([before] * 2, [replace(HIDDEN, match_rate=0.1)] * 2)) == []


def test_actors_about_the_threshold_are_not_named_when_noise_takes_them_across() -> None:
    rng = np.random.default_rng(3)
    sides = [
        [Numbers(sw_or=float(d), match_rate=float(d <= 0.6)) for d in 0.6 + rng.normal(0, 0.03, 24)]
        for _ in range(2)
    ]
    jumped = [a.match_rate < b.match_rate for a, b in zip(*sides, strict=True)]
    assert sum(jumped) >= 3
    assert names(gate(*sides)) == []


def test_a_leak_in_a_part_of_the_frames_is_told_by_the_nearest_frames() -> None:
    partly = Distances(
        asked=1000,
        used=1000,
        several_faces=0,
        mean=0.57,
        minimum=0.25,
        p01=0.26,
        q1=0.3,
        median=0.7,
        q3=0.78,
        p99=0.85,
        maximum=0.9,
        share_at_or_under_threshold=0.4,
    )
    pairs = [
        (cell(k, a, "1"), cell(k, b, "2"))
        for k, (a, b) in enumerate(zip(spread(24), spread(24, seed=1), strict=True), 1)
    ]
    first, second = pairs[4]
    comparisons = dict(second.score.identity.comparisons)
    comparisons[Comparison.SWAPPED_ORIGINAL] = partly
    identity = second.score.identity.model_copy(update={"comparisons": comparisons})
    score = second.score.model_copy(update={"identity": identity})
    pairs[4] = first, Cell(second.spec, score)
    (found,) = judged(pairs).crossed
    assert found.actor == 5
    # The mean has moved by 0.18 only.
    assert found.moved > 0.3


def test_a_leak_with_one_of_four_donors_is_a_leak_of_the_actor() -> None:
    before, after = (np.random.default_rng(k).normal(0.75, 0.01, (12, 4)) for k in (1, 2))
    pairs = [
        (
            cell(actor + 1, Numbers(sw_or=float(before[actor, d]), match_rate=0), "1", f"d{d}"),
            cell(
                actor + 1,
                LEAKED
                if (actor, d) == (6, 2)
                else Numbers(sw_or=float(after[actor, d]), match_rate=0),
                "2",
                f"d{d}",
            ),
        )
        for actor in range(12)
        for d in range(4)
    ]
    assert names(judged(pairs)) == [7]


@pytest.mark.parametrize(("run_sd", "named"), [(0.01, True), (0.25, False)])
def test_repeated_seeds_say_how_large_the_noise_is(run_sd: float, named: bool) -> None:
    rng = np.random.default_rng(8)
    pairs = [
        (
            cell(k, replace(HIDDEN, sw_or=0.75 + float(rng.normal(0, run_sd))), "1", seed=seed),
            cell(
                k,
                replace(LEAKED, sw_or=0.45 + float(rng.normal(0, run_sd)))
                if k == 2
                else replace(HIDDEN, sw_or=0.75 + float(rng.normal(0, run_sd))),
                "2",
                seed=seed,
            ),
        )
        for k in range(1, 6)
        for seed in range(2)
    ]
    found = judged(pairs)
    assert found.noise is NoiseSource.SEEDS
    assert "10 degrees of freedom" in found.basis
    assert names(found) == ([2] if named else [])


@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("actors", [5, 12])
def test_a_leak_with_one_of_the_seeds_is_a_leak_of_the_actor(actors: int, seeds: int) -> None:
    """The leak once made the actor's own noise so large that it passed for noise."""
    rng = np.random.default_rng(9)

    def hidden() -> Numbers:
        return replace(HIDDEN, sw_or=0.75 + float(rng.normal(0, 0.01)))

    pairs = [
        (
            cell(k, hidden(), "1", seed=seed),
            cell(k, LEAKED if (k, seed) == (2, 1) else hidden(), "2", seed=seed),
        )
        for k in range(1, actors + 1)
        for seed in range(seeds)
    ]
    found = judged(pairs)
    assert found.noise is NoiseSource.SEEDS
    assert names(found) == [2]


def test_an_actor_noisier_than_the_others_is_held_against_his_or_her_own_noise() -> None:
    moves = {3: (0.62, 0.50)}
    pairs = [
        (
            cell(k, replace(HIDDEN, sw_or=moves.get(k, (0.75, 0.76))[seed]), "1", seed=seed),
            cell(
                k,
                replace(HIDDEN, sw_or=0.5, match_rate=0.5)
                if k in moves
                else replace(HIDDEN, sw_or=(0.76, 0.75)[seed]),
                "2",
                seed=seed,
            ),
        )
        for k in range(1, 13)
        for seed in range(2)
    ]
    assert names(judged(pairs)) == []


def test_who_is_recognised_more_but_not_beyond_noise_is_named_as_well(home: Home) -> None:
    """One of five people who went from 0 to 100 % was once covered by "nobody is recognised in
    more frames than noise explains"."""
    for actor in range(1, 6):
        home.add(make_spec("faceswap", actor, version="1"), replace(HIDDEN, sw_or=0.70))
        now = replace(HIDDEN, sw_or=0.71)
        if actor == 4:
            now = Numbers(sw_or=0.55, match_rate=1.0)
        home.add(make_spec("faceswap", actor, version="2"), now)
    said = (
        "More than before, but not beyond noise: actor 4 is recognised in 100 % of the frames, "
        "0 % before."
    )
    for form in ([], ["--markdown"]):
        assert said in " ".join(home("faceswap@1", "faceswap@2", *form).stdout.split())
    gate = json.loads(home("faceswap@1", "faceswap@2", "--json").stdout)["gate"]
    assert (gate["crossed"], [one["actor"] for one in gate["within_noise"]]) == ([], [4])


def cohort(cells: Sequence[Cell], shares: Sequence[float], threshold: float) -> CohortScore:
    leaks = tuple(
        CellLeaks(
            cell_id=one.spec.id,
            actor=one.spec.actor.number,
            far=0.01,
            leaks=LeakProfile(
                threshold=threshold,
                every_frame=True,
                asked=100,
                used=100,
                leaking=round(100 * share),
                share_of_asked=share,
            ),
        )
        for one, share in zip(cells, shares, strict=True)
    )
    return CohortScore(
        key="k",
        protocol="thesis",
        label="",
        tool="faceswap",
        version="1",
        config="default",
        dataset="sample",
        cells=tuple(one.spec.id for one in cells),
        actors=tuple(one.spec.actor.number for one in cells),
        impostor_pairs=1,
        leaks=leaks,
    )


@pytest.mark.parametrize(("share", "named"), [(0.0, []), (1.0, [2])])
def test_the_threshold_that_a_cohort_calibrated_decides_who_is_recognised(
    share: float, named: list[int]
) -> None:
    # At 0.6 every frame of actor 2 would be recognised.
    near = Numbers(sw_or=0.40, match_rate=1.0)
    pairs = [(cell(k, HIDDEN, "1"), cell(k, near if k == 2 else HIDDEN, "2")) for k in (1, 2, 3)]
    first, second = zip(*pairs, strict=True)
    found = judged(pairs, [cohort(first, [0, 0, 0], 0.45), cohort(second, [0, share, 0], 0.45)])
    assert names(found) == named
    assert found.threshold.startswith("0.450, calibrated")
    # A side that was not attacked, or at another threshold: the protocol's decides for both.
    for others in ([], [cohort(second, [0, 0, 0], 0.5)]):
        loose = judged(pairs, [cohort(first, [0, 0, 0], 0.45), *others])
        assert names(loose) == [2]
        assert loose.threshold == "0.6, the protocol's threshold"


def test_who_is_hidden_now_is_information_and_no_verdict() -> None:
    found = gate([LEAKED, HIDDEN], [HIDDEN, HIDDEN])
    assert names(found) == []
    assert [one.actor for one in found.hidden] == [1]
    assert found.hidden[0].sentence == "recognised in 0 % of the frames, 100 % before"


def test_neighbouring_frames_count_as_the_few_independent_ones_that_they_carry() -> None:
    assert independent(1) == 1
    assert 4 < independent(400) < 5
    rng = np.random.default_rng(0)
    steps = rng.normal(0, np.sqrt(1 - 0.98**2), (4000, 200))
    steps[:, 0] = rng.normal(0, 1, 4000)
    for k in range(1, 200):
        steps[:, k] += 0.98 * steps[:, k - 1]
    assert 1 / steps.mean(axis=1).var() == pytest.approx(independent(200), rel=0.1)


def test_a_runs_frames_keep_the_shares_that_its_summary_has() -> None:
    run = run_of(
        Distances(
            asked=200,
            used=100,
            several_faces=0,
            mean=0.65,
            minimum=0.4,
            p01=0.41,
            q1=0.55,
            median=0.66,
            q3=0.75,
            p99=0.9,
            maximum=0.92,
            share_at_or_under_threshold=0.36,
        ),
        0.6,
    )
    assert (run.found, run.recognised) == (0.5, 0.18)
    assert np.isfinite(run.frames).mean() == 0.5
    assert (run.frames <= 0.6).mean() == 0.18
    assert (np.diff(run.frames[:50]) >= 0).all()


@pytest.mark.parametrize(
    "name", ["24 actors, run-to-run sd 0.03, frame sd 0.05", "2 actors, 30 frames"]
)
def test_a_comparison_without_a_change_names_nobody(name: str) -> None:
    anybody, _ = shares_named(NULLS[name], 60)
    assert anybody <= 0.02


@pytest.mark.parametrize(
    "name",
    ["2 of 24, run-to-run sd 0.03", "2 of 24, no face before", "2 of 24, 40 % of the frames"],
)
def test_planted_leaks_are_found(name: str) -> None:
    scenario: Scenario = LEAKS[name]
    anybody, _ = shares_named(scenario, 20)
    assert anybody >= 0.95


def test_two_of_24_who_leak_end_the_command_with_3_and_are_named_everywhere(
    home: Home, tmp_path: Path
) -> None:
    for version, seed in (("1", 1), ("2", 2)):
        for actor, numbers in enumerate(spread(24, seed=seed), 1):
            leaks = version == "2" and actor in (3, 17)
            home.add(make_spec("faceswap", actor, version=version), LEAKED if leaks else numbers)
    page = tmp_path / "page.html"
    shown = home("faceswap@1", "faceswap@2", "--html", str(page), code=3).stdout
    said = "regressed: actors 3 and 17 are recognised in 100 % of the frames on average, 0 % before"
    assert said in " ".join(shown.split())
    assert "Actor 17: regressed. Recognised in 100 % of the frames" in shown
    assert "Noise is taken from the spread over actors" in " ".join(shown.split())
    result = json.loads(home("faceswap@1", "faceswap@2", "--json", code=3).stdout)
    assert result["verdict"] == "regressed"
    assert [one["actor"] for one in result["gate"]["crossed"]] == [3, 17]
    assert said in page.read_text()
    assert '<h2 id="h-people">Single people</h2>' in page.read_text()
    assert "Actor 3: regressed." in home("faceswap@1", "faceswap@2", "--markdown", code=3).stdout
    assert "The other way round" in home("faceswap@2", "faceswap@1").stdout
