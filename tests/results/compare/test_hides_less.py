"""No verdict praises what hides less."""

from __future__ import annotations

import json

import pytest

from harness.model.cohort import ActorRate, Attack, Attacker, CohortScore, Rate, Verification
from harness.model.compare import MetricResult
from harness.model.verdict import Verdict
from harness.results.compare.identified import Identified, identified
from harness.results.compare.judge import judge, overall
from tests.results.compare.made_up import Home, Numbers, make_spec
from tests.results.compare.test_verdicts import cell

NOISE = (0.0, 0.002, -0.001, 0.003, -0.002, 0.001, 0.004, -0.003, 0.002, 0.001)


def better_expressions(rate: float) -> list[MetricResult]:
    """Ten actors whose PCC is surely better, while the match rate of one is up by ``rate``."""
    pairs = [
        (
            cell(k, Numbers(pcc=0.5, match_rate=0.1)),
            cell(
                k,
                Numbers(pcc=0.8 + noise, match_rate=0.1 + (rate if k == 1 else noise)),
                version="2",
            ),
        )
        for k, noise in enumerate(NOISE, 1)
    ]
    return judge(pairs)


def test_nothing_is_called_improved_while_the_match_rate_is_worse_by_its_point_estimate() -> None:
    praised, open_ = better_expressions(0.1), better_expressions(0.9)
    assert overall(praised) is Verdict.IMPROVED
    assert overall(open_) is Verdict.INCONCLUSIVE
    said = {one.key: one.verdict for one in open_}
    assert (said["pcc"], said["match_rate"]) == (Verdict.TRADED, Verdict.INCONCLUSIVE)
    assert Verdict.IMPROVED not in said.values()
    pcc = next(one for one in open_ if one.key == "pcc")
    assert pcc.reason.endswith("No improvement, as less is hidden: Match rate 0.100 to 0.191.")


def test_a_smaller_distance_forbids_the_word_as_well() -> None:
    pairs = [
        (
            cell(k, Numbers(pcc=0.5, sw_or=0.7)),
            cell(k, Numbers(pcc=0.8 + noise, sw_or=0.7 - (0.3 if k == 1 else noise)), version="2"),
        )
        for k, noise in enumerate(NOISE, 1)
    ]
    found = judge(pairs)
    assert [one.key for one in found if one.hides_less] == ["sw_or"]
    assert overall(found) is Verdict.INCONCLUSIVE


def test_faces_that_are_found_again_and_recognised_are_no_improvement(home: Home) -> None:
    for actor in (1, 2):
        home.add(make_spec("pixelate", actor), Numbers(sw_or=None, match_rate=0, faces=0, pcc=None))
        weak = Numbers(sw_or=0.55, match_rate=0.9, faces=580 + 100 * actor, pcc=0.5)
        home.add(make_spec("pixelate", actor, config="weak"), weak)
    for form in ([], ["--markdown"], ["--json"]):
        shown = home("pixelate:default", "pixelate:weak", *form, code=3).stdout
        assert "improved" not in shown
    text = " ".join(home("pixelate:default", "pixelate:weak", code=3).stdout.split())
    assert "regressed: actors 1 and 2 are recognised in 66 % of the frames" in text
    assert "hides less: Match rate 0.000 to 0.657" in text


def test_a_loss_of_privacy_that_two_actors_cannot_show_is_named_first_and_ends_with_0(
    home: Home,
) -> None:
    for actor in (1, 2):
        home.add(make_spec("blur", actor), Numbers(sw_or=0.70, match_rate=0.05, faces=500))
        weak = Numbers(sw_or=0.63 + actor / 50, match_rate=0.10, faces=1000)
        home.add(make_spec("blur", actor, config="weak"), weak)
    shown = " ".join(home("blur:default", "blur:weak").stdout.split())
    said = "inconclusive: hides less by its point estimate, beyond the margin (SW-OR distance 0.700"
    assert said in shown
    assert "improved" not in shown
    result = json.loads(home("blur:default", "blur:weak", "--json").stdout)
    assert [one["key"] for one in result["metrics"] if one["hides_less"]] == [
        "sw_or",
        "match_rate",
    ]


def test_behaviour_that_regressed_is_named_after_what_hides_less(home: Home) -> None:
    for k, noise in enumerate(NOISE, 1):
        home.add(make_spec("blur", k), Numbers(sw_or=0.7, pcc=0.8))
        rate = 0.8 if k == 1 else 0.1
        worse = Numbers(sw_or=0.7 + noise, pcc=0.5 + noise, match_rate=rate)
        home.add(make_spec("blur", k, config="weak"), worse)
    shown = " ".join(home("blur:default", "blur:weak", code=3).stdout.split())
    first, _, rest = shown.partition("hides less: Match rate")
    assert first.endswith("regressed: ")
    assert "regressed in Mean PCC" in rest


def attacked(tag: str, rates: dict[int, float]) -> CohortScore:
    found = Verification(
        actors=tuple(rates),
        probes=1,
        asked=1,
        rank_1=Rate(rate=0.5),
        by_actor=tuple(
            ActorRate(actor=a, asked=100, probes=100, identified=r, advantage=r)
            for a, r in rates.items()
        ),
    )
    return CohortScore(
        key="k",
        protocol="thesis",
        label="",
        tool="faceswap",
        version=tag,
        config="default",
        dataset="sample",
        cells=tuple(f"{tag}-{actor}" for actor in rates),
        actors=tuple(rates),
        impostor_pairs=1,
        attacks=(Attack(attacker=Attacker.NAIVE, source="r", method="", swapped=found),),
    )


def test_what_the_worst_attackers_identify_is_a_metric_of_privacy() -> None:
    before = attacked("1", dict.fromkeys(range(1, 11), 0.2))
    after = attacked("2", {k: 0.5 + noise for k, noise in enumerate(NOISE, 1)})
    found = identified([before], [after], (before.cells, after.cells))
    pairs = [(cell(k, Numbers()), cell(k, Numbers(), version="2")) for k in range(1, 11)]
    first = judge(pairs, identified=found)[0]
    assert (first.key, first.verdict, first.hides_less) == ("identified", Verdict.REGRESSED, True)
    assert first.baseline == pytest.approx(0.2)


def test_attackers_that_searched_among_others_or_not_at_all_are_no_measure() -> None:
    one, few = attacked("1", {1: 0.2, 2: 0.2}), attacked("2", {1: 0.2})
    cells = one.cells, few.cells
    assert "different people" in identified([one], [few], cells).reason
    for reason in (
        identified([one], [], cells).reason,
        identified([one], [few], (one.cells, ("2-1", "2-2"))).reason,
    ):
        assert reason == "Not attacked on both sides, with just these cells: bench score."
    pairs = [(cell(k, Numbers()), cell(k, Numbers(), version="2")) for k in (1, 2)]
    unattacked = judge(pairs, identified=Identified(reason="Not attacked."))
    assert unattacked[0].verdict is Verdict.NOT_COMPARABLE
    assert unattacked[0].reason == "Not attacked."
    assert overall(unattacked) is Verdict.UNCHANGED
