"""The study's claims, decided on runs whose right verdict is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from benchmarks.thesis import rules
from benchmarks.thesis.claims import RULES, Claim, decide, load_claims
from benchmarks.thesis.load import load_published
from benchmarks.thesis.model import TOOLS, Sex
from benchmarks.thesis.rules import Decided, Outcome
from benchmarks.thesis.runs import CellValues, Measure, Runs, UnitValue, published_runs
from harness.core.errors import UsageError

CLAIMS = {claim.id: claim for claim in load_claims()}
ORDER = ("faceswap", "dfaker", "faceswap-gan", "deepfacelab")


def wobble(actor: int) -> float:
    """Differs between actors, and is no straight line."""
    return 0.003 * ((actor * 7) % 5 - 2)


def make_runs(
    level: Mapping[str, float] | Callable[[str, int], float],
    actors: int = 24,
    measure: Measure = "sw_or",
    switched: Callable[[str, int], float] | None = None,
    donors: int = 1,
) -> Runs:
    """One cell per tool and actor at the tool's level; ``switched`` adds other-sex cells, at that
    distance from the same-sex ones, with ``donors`` of each sex."""
    cells = []
    for place, tool in enumerate(TOOLS):
        for actor in range(1, actors + 1):
            sex: Sex = "M" if actor % 2 else "F"
            other: Sex = "F" if actor % 2 else "M"
            value = level(tool, actor) if callable(level) else level[tool] + wobble(actor + place)
            for n in range(donors):
                common = {"tool": tool, "actor": actor, "sex": sex}
                same = {"donor": f"{sex}{n}", "donor_sex": sex, "values": {measure: value}}
                cells.append(CellValues.model_validate(common | same))
                if switched:
                    moved = {measure: value + switched(tool, actor)}
                    swap = {"donor": f"{other}{n}", "donor_sex": other, "values": moved}
                    cells.append(CellValues.model_validate(common | swap))
    return Runs(cells=tuple(cells))


SPACED = {"faceswap": 0.80, "dfaker": 0.75, "faceswap-gan": 0.70, "deepfacelab": 0.65}


def test_every_claim_names_a_rule_and_every_rule_serves_a_claim() -> None:
    assert {claim.rule for claim in CLAIMS.values()} == set(RULES)
    assert list(CLAIMS) == [f"K{number:02d}" for number in range(1, 26)]


def test_every_claim_is_open_without_any_run() -> None:
    found = decide(tuple(CLAIMS.values()), Runs(cells=()))
    assert {claim.outcome for claim in found} == {Outcome.NOT_DECIDABLE}
    assert all(claim.why.endswith(".") for claim in found)


def test_the_order_of_well_spaced_tools_is_reproduced_and_its_reverse_contradicted() -> None:
    runs = make_runs(SPACED)
    assert rules.in_order(runs, "sw_or", ORDER).outcome is Outcome.REPRODUCED
    assert rules.in_order(runs, "sw_or", ORDER[::-1]).outcome is Outcome.CONTRADICTED
    assert rules.better_than_all(runs, "sw_or", "faceswap").outcome is Outcome.REPRODUCED
    assert rules.better_than_all(runs, "sw_or", "dfaker").outcome is Outcome.CONTRADICTED
    assert rules.worse_than_all(runs, "sw_or", "deepfacelab").outcome is Outcome.REPRODUCED


def test_of_rmse_the_lower_one_is_better() -> None:
    runs = make_runs(SPACED, measure="rmse")
    assert rules.better_than_all(runs, "rmse", "deepfacelab").outcome is Outcome.REPRODUCED
    assert rules.better_than_all(runs, "rmse", "faceswap").outcome is Outcome.CONTRADICTED


def test_three_actors_decide_no_comparison_and_are_told_so() -> None:
    found = rules.better_than_all(make_runs(SPACED, actors=3), "sw_or", "faceswap")
    assert found.outcome is Outcome.NOT_DECIDABLE
    assert "3 actors could not reach 0.05 after Holm" in found.why


def test_tools_alike_are_not_decidable_without_blaming_the_number_of_actors() -> None:
    found = rules.better_than_all(make_runs(dict.fromkeys(TOOLS, 0.7)), "sw_or", "faceswap")
    assert found.outcome is Outcome.NOT_DECIDABLE
    assert "could not reach" not in found.why


def test_a_missing_tool_leaves_a_claim_open_unless_the_others_refute_it() -> None:
    whole = make_runs(SPACED)
    without = Runs(cells=tuple(c for c in whole.cells if c.tool != "deepfacelab"))
    found = rules.better_than_all(without, "sw_or", "faceswap")
    assert found == Decided(outcome=Outcome.NOT_DECIDABLE, why="No SW-OR of deepfacelab.")
    assert rules.better_than_all(without, "sw_or", "dfaker").outcome is Outcome.CONTRADICTED


def test_spread_is_compared_by_distances_from_the_own_median() -> None:
    def level(tool: str, actor: int) -> float:
        width = 0.002 if tool == "faceswap-gan" else 0.02
        return 0.7 + width * ((actor * 7) % 11 - 5)

    runs = make_runs(level)
    assert rules.least_spread(runs, "sw_or", "faceswap-gan").outcome is Outcome.REPRODUCED
    assert rules.least_spread(runs, "sw_or", "dfaker").outcome is Outcome.CONTRADICTED
    few = rules.least_spread(make_runs(level, actors=3), "sw_or", "faceswap-gan")
    assert few.outcome is Outcome.NOT_DECIDABLE


@pytest.mark.parametrize(
    ("low", "outcome"),
    [
        ({3, 11, 17, 20, 24}, Outcome.REPRODUCED),
        ({3, 11, 17, 1, 2}, Outcome.NOT_DECIDABLE),
        ({3, 11, 1, 2, 4}, Outcome.CONTRADICTED),
    ],
)
def test_named_actors_are_held_against_the_lowest(low: set[int], outcome: Outcome) -> None:
    runs = make_runs(lambda _, actor: 0.5 if actor in low else 0.7)
    assert rules.lowest_actors(runs, "sw_or", "dfaker", (3, 11, 17, 20, 24)).outcome is outcome


def test_named_actors_who_were_not_run_leave_a_claim_open() -> None:
    found = rules.lowest_actors(make_runs(SPACED, actors=12), "sw_or", "dfaker", (3, 11, 17))
    assert found.outcome is Outcome.NOT_DECIDABLE
    assert "actor 17" in found.why


def test_units_are_ranked_by_their_mean_over_actors() -> None:
    pcc = {1: 0.2, 2: 0.3, 4: 0.1, 12: 0.9, 25: 0.8, 45: 0.7}
    cells = tuple(
        CellValues(
            tool="deepfacelab",
            actor=actor,
            sex="M",
            donor="M0",
            donor_sex="M",
            units={unit: UnitValue(pcc=r + wobble(actor)) for unit, r in pcc.items()},
        )
        for actor in (1, 3)
    )
    runs = Runs(cells=cells)
    assert rules.lowest_units(runs, "deepfacelab", (1, 2, 4)).outcome is Outcome.REPRODUCED
    assert rules.lowest_units(runs, "deepfacelab", (12, 25)).outcome is Outcome.CONTRADICTED
    assert rules.lowest_units(runs, "deepfacelab", (1, 2, 7)).outcome is Outcome.NOT_DECIDABLE


def test_a_side_of_the_threshold_needs_the_whole_interval() -> None:
    assert rules.on_one_side(make_runs(SPACED), "sw_or", False).outcome is Outcome.REPRODUCED
    assert rules.on_one_side(make_runs(SPACED), "sw_or", True).outcome is Outcome.CONTRADICTED
    near = make_runs({**SPACED, "dfaker": 0.6})
    assert rules.on_one_side(near, "sw_or", False).outcome is Outcome.NOT_DECIDABLE


def test_who_hides_everybody_is_not_refuted_by_few_actors() -> None:
    def level(tool: str, actor: int) -> float:
        return 0.5 if tool in {"dfaker", "deepfacelab"} and actor == 2 else 0.7

    named = ("faceswap", "faceswap-gan")
    assert rules.only_these_hide_everybody(make_runs(level), named).outcome is Outcome.REPRODUCED
    all_hidden = dict.fromkeys(TOOLS, 0.7)
    few = rules.only_these_hide_everybody(make_runs(all_hidden, actors=4), named)
    many = rules.only_these_hide_everybody(make_runs(all_hidden), named)
    assert (few.outcome, many.outcome) == (Outcome.NOT_DECIDABLE, Outcome.CONTRADICTED)
    leaking = make_runs({**all_hidden, "faceswap": 0.5}, actors=2)
    assert rules.only_these_hide_everybody(leaking, named).outcome is Outcome.CONTRADICTED


def test_no_effect_of_sex_needs_equivalence_for_every_tool() -> None:
    def nothing(tool: str, actor: int) -> float:
        return wobble(actor) / 10

    def much(tool: str, actor: int) -> float:
        return 0.05 + wobble(actor) if tool == "deepfacelab" else wobble(actor)

    def unclear(tool: str, actor: int) -> float:
        return 20 * wobble(actor)

    rule = rules.no_effect_of_the_donors_sex
    assert rule(make_runs(SPACED, 10, switched=nothing), "sw_or").outcome is Outcome.REPRODUCED
    assert rule(make_runs(SPACED, 10, switched=unclear), "sw_or").outcome is Outcome.NOT_DECIDABLE
    one_donor = rule(make_runs(SPACED, 10, switched=much), "sw_or")
    assert one_donor.outcome is Outcome.NOT_DECIDABLE
    assert "whether it is the sex or the donor" in one_donor.why
    crossed = make_runs(SPACED, 10, switched=much, donors=2)
    assert rule(crossed, "sw_or").outcome is Outcome.CONTRADICTED


@pytest.mark.parametrize(
    ("swapped", "outcome"),
    [(0.5, Outcome.REPRODUCED), (1.5, Outcome.CONTRADICTED), (1.0, Outcome.NOT_DECIDABLE)],
)
def test_flattened_units_reach_less_far(swapped: float, outcome: Outcome) -> None:
    cells = tuple(
        CellValues(
            tool="dfaker",
            actor=actor,
            sex="M",
            donor="M0",
            donor_sex="M",
            units={4: UnitValue(reach_original=1.0, reach_swapped=swapped + wobble(actor))},
        )
        for actor in range(1, 11)
    )
    assert rules.reach_moves(Runs(cells=cells), "dfaker", (4, 5), up=False).outcome is outcome


def test_that_no_difference_is_found_reproduces_nothing() -> None:
    assert rules.tools_differ(make_runs(SPACED), "sw_or").outcome is Outcome.REPRODUCED
    whole = make_runs(SPACED)
    fewer = Runs(cells=tuple(c for c in whole.cells if c.tool != "dfaker"))
    assert rules.tools_differ(fewer, "sw_or").why == "No SW-OR of dfaker."
    alike = make_runs(lambda tool, actor: 0.7 + wobble(actor * (1 + TOOLS.index(tool))))
    assert rules.tools_differ(alike, "sw_or").outcome is Outcome.NOT_DECIDABLE


def test_the_published_tables_decide_what_they_print_per_actor() -> None:
    found = {c.id: c for c in decide(tuple(CLAIMS.values()), published_runs(load_published()))}
    reproduced = {"K01", "K06", "K09", "K10", "K22"}
    contradicted = {"K04", "K05", "K07", "K08"}
    assert {i for i, c in found.items() if c.outcome is Outcome.REPRODUCED} == reproduced
    assert {i for i, c in found.items() if c.outcome is Outcome.CONTRADICTED} == contradicted
    assert "one donor of a sex" in found["K20"].why


def test_a_claim_with_an_unknown_rule_or_what_does_not_fit_is_told() -> None:
    claim = Claim(id="K99", section="1", says="So.", rule="better_than_any")
    with pytest.raises(UsageError, match="Did you mean 'better_than_all'"):
        decide((claim,), Runs(cells=()))
    unfit = claim.model_copy(update={"rule": "in_order", "about": {"measures": "pcc"}})
    with pytest.raises(UsageError, match="does not fit the claim K99"):
        decide((unfit,), Runs(cells=()))
