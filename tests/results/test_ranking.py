"""Rankings by who hides best and who keeps most, of tools whose numbers are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.model.cohort import Attacker, CohortScore, Verification
from harness.model.estimates import Null
from harness.results.headline import NO_TOOL_HIDES, NOBODY, Card, cards, left_out
from harness.results.ranking import rank, verdict
from harness.results.standing import AskedCell, Contender, Group
from tests.results.scored import around, attacked, scored, tool


def hides(*tools: Contender) -> Card:
    return cards(verdict(tools), tools)[0]


def keeps(*tools: Contender) -> Card:
    return cards(verdict(tools), tools)[1]


def ranks(*tools: Contender) -> dict[str, int | None]:
    return {one.name: one.hides.rank for one in verdict(tools).tools}


def moved_by(step: int, made: Contender) -> Contender:
    """The same numbers of the actors 1 + step, 2 + step, ..."""

    def moved(found: Verification | None) -> Verification | None:
        if found is None:
            return None
        rates = [one.model_copy(update={"actor": one.actor + step}) for one in found.by_actor]
        return found.model_copy(update={"by_actor": tuple(rates)})

    def of(cohort: CohortScore) -> CohortScore:
        attacks = [
            one.model_copy(update={"swapped": moved(one.swapped), "control": moved(one.control)})
            for one in cohort.attacks
        ]
        actors = tuple(actor + step for actor in cohort.actors)
        return cohort.model_copy(update={"actors": actors, "attacks": tuple(attacks)})

    cells = tuple(replace(cell, actor=cell.actor + step) for cell in made.cells)
    return replace(made, cells=cells, cohorts=tuple(map(of, made.cohorts)))


def test_a_tool_that_hides_significantly_better_has_a_lower_rank() -> None:
    tools = (tool("weak", around(0.8)), tool("strong", around(0.1)), tool("middle", around(0.4)))
    assert ranks(*tools) == {"strong": 1, "middle": 2, "weak": 3}
    found = hides(*tools)
    assert (found.who, found.value, found.clear) == ("strong", "10.0 %", True)
    assert "Better than both other tools" in found.sure
    assert "10 actors" in found.sure
    assert "by chance 4.0 %" in found.detail
    assert "on the originals 100.0 %" in found.detail


def test_tools_that_cannot_be_told_apart_share_a_rank_and_the_headline() -> None:
    first, second = around(0.3, spread=0.1), around(0.29, spread=0.1)[::-1]
    tools = (tool("blur", first), tool("pixelate", second), tool("weak", around(0.9)))
    assert ranks(*tools) == {"blur": 1, "pixelate": 1, "weak": 3}
    found = hides(*tools)
    assert (found.who, found.clear) == ("blur and pixelate", None)
    assert found.value == "29.0\N{EN DASH}30.0 %"
    assert "cannot be distinguished" in found.sure


def test_a_failed_cell_is_no_hidden_person() -> None:
    """A tool that failed for 18 of 25 actors once won with "7 of 7 compared"."""
    few, many = tool("few", around(0.05, 7), failed=18), tool("many", around(0.3, 25))
    found = verdict([few, many])
    assert (found.of("few").group, found.of("few").hides.rank) == (Group.UNRANKED, None)
    assert "7 of its 25 cells" in found.of("few").hides.reason
    assert found.of("few").identified.value == pytest.approx(0.05, abs=0.01), "its number is shown"
    assert hides(few, many).who == "many"
    assert any("7 of its 25 cells" in sentence for sentence in left_out(found))


def test_nine_of_ten_cells_are_enough() -> None:
    assert ranks(tool("whole", around(0.5)), tool("less", around(0.1, 9), failed=1)) == {
        "less": 1,
        "whole": 2,
    }


def test_an_actor_counts_by_the_share_of_its_cells_that_are_done() -> None:
    """Ten actors with two seeds each, of which the second always failed."""
    half = tool("half", around(0.1))
    cells = (*half.cells, *(AskedCell(cell.actor, None) for cell in half.cells))
    found = verdict([Contender("half", cells, half.cohorts, footage="stand-in")]).of("half")
    assert (found.covered, found.hides.rank) == (0.5, None)


def test_a_face_that_is_gone_is_neither_ranked_nor_hidden_among_the_others() -> None:
    gone, kept = tool("gone", around(0.04), faces=49), tool("kept", around(0.3), faces=50)
    found = verdict([gone, kept])
    assert [one.name for one in found.tools] == ["kept", "gone"]
    assert found.of("gone").group is Group.FACE_GONE
    assert found.of("gone").keeps.rank is None
    (sentence,) = left_out(found)
    assert "The face is gone: only 49.0 %" in sentence
    assert "tracker still finds one in 100.0 %" in sentence
    assert "CenterFace alone in 25.0 %" in sentence
    assert hides(gone, kept).who == "kept"
    alone = hides(gone)
    assert (alone.who, alone.detail) == (NOBODY, "There is no number to compare.")
    assert "The face is gone" in alone.sure


def test_fewer_than_six_actors_are_numbers_and_no_winner() -> None:
    tools = (tool("strong", around(0.1, 5)), tool("weak", around(0.9, 5)))
    assert ranks(*tools) == {"strong": None, "weak": None}
    found = hides(*tools)
    assert (found.who, found.value, found.clear) == (NOBODY, "\N{EN DASH}", None)
    assert "strong 10." in found.detail
    assert "weak 90." in found.detail
    assert "fewer than 6" in found.sure


def test_better_on_all_measures_but_five_actors_left_gives_the_win_to_nobody_else() -> None:
    """Blur, better on every measure, had lost so many faces that five actors could be compared;
    the headline was "Best hidden: 100.0 %, pixelate". No face is not identified, never missing."""
    blurred = [0.24, 0.24, 0.24, 0.12, 0.12, *[0.0] * 19]
    blur, pixelate = tool("blur", blurred), tool("pixelate", [1.0] * 24)
    assert ranks(blur, pixelate) == {"blur": 1, "pixelate": 2}
    found = hides(blur, pixelate)
    assert found.who == "blur"
    assert found.value == "4.0 %"


def test_no_tool_hides_when_the_best_is_recognised_as_often_as_the_original() -> None:
    tools = (tool("a", around(0.9, spread=0.1), original=0.9), tool("b", [1.0] * 10))
    found = hides(*tools)
    assert (found.who, found.clear) == (NO_TOOL_HIDES, False)
    assert "a is not shown to hide anybody" in found.sure
    assert "includes 0" in found.sure


def test_a_hider_is_not_denied_for_a_worst_attacker_who_is_weak_on_originals_too() -> None:
    """Motion identifies 6 % of originals and of this tool's videos; the face identified everybody,
    and now nobody."""
    perfect = tool("perfect", [0.0] * 10)
    face = attacked({Attacker.NAIVE: [0.0] * 10}, gallery=25)
    (weak,) = attacked({Attacker.MOTION: around(0.06)}, original=0.06, gallery=25).attacks
    both = face.model_copy(update={"attacks": (*face.attacks, weak)})
    assert hides(replace(perfect, cohorts=(both,))).who == "perfect"
    none = face.model_copy(update={"attacks": (weak,)})
    assert hides(replace(perfect, cohorts=(none,))).who == NO_TOOL_HIDES


def test_of_tools_that_share_the_first_rank_the_doubtful_one_is_named() -> None:
    """A tie of one that hides and one that is not shown to: the headline names both, and which."""
    sure = tool("sure", around(0.55), original=0.9)
    shaky = tool("shaky", [cell for cell in (0.02, 1.0) for _ in range(5)], original=0.8)
    found = hides(sure, shaky)
    assert found.who == "sure and shaky"
    assert "shaky is not shown to hide anybody" in found.sure
    assert "sure is not shown" not in found.sure


def test_the_same_everywhere_is_no_gain_and_a_gain_without_spread_is_one() -> None:
    assert hides(tool("noop", [1.0] * 8)).who == NO_TOOL_HIDES
    assert hides(tool("perfect", [0.0] * 8)).who == "perfect"


def test_p_values_are_adjusted_over_all_pairs() -> None:
    """Six actors show a difference between two tools (p 0.031), and none among three pairs."""
    two = (tool("a", around(0.1, 6)), tool("b", around(0.5, 6)))
    assert ranks(*two) == {"a": 1, "b": 2}
    three = (*two, tool("c", around(0.9, 6)))
    assert set(ranks(*three).values()) == {1}
    (p,) = {pair.p_adjusted for pair in verdict(three).hiding}
    assert p == pytest.approx(3 * 2 / 2**6)
    assert "no adjusted p under 0.094 is possible" in hides(*three).sure


def test_a_rank_counts_the_tools_that_are_better_and_not_the_places() -> None:
    """Two tie at 1, and the third, worse than one of them only, is second."""
    people = [("x", actor) for actor in range(8)]
    steady = dict.fromkeys(people, 0.5)
    noisy = {person: 0.5 + 0.6 * (-1) ** k for k, person in enumerate(people)}
    worse = {person: 0.4 + 0.001 * k for k, person in enumerate(people)}
    found, pairs = rank({"steady": steady, "noisy": noisy, "worse": worse})
    assert found == {"steady": 1, "noisy": 1, "worse": 2}
    assert len(pairs) == 3


def test_seeds_are_averaged_per_actor_before_anything_else() -> None:
    """One seed lets through everybody, the other nobody; report and site once chose different
    ones."""
    seeds = [attacked({Attacker.NAIVE: [share] * 8}) for share in (1.0, 0.0)]
    cells = tuple(AskedCell(actor, scored()) for actor in range(1, 9) for _ in seeds)
    found = verdict([Contender("seeded", cells, tuple(seeds))]).of("seeded")
    assert found.identified.value == 0.5
    assert found.identified.n == 8


def test_every_tool_meets_its_own_worst_attacker() -> None:
    made = attacked({Attacker.NAIVE: around(0.1), Attacker.PARROT: around(0.7)}, gallery=25)
    naive = tool("naive", around(0.3))
    parrot = Contender("parrot", naive.cells, (made,), footage="stand-in")
    assert ranks(naive, parrot) == {"naive": 1, "parrot": 2}
    assert "A0 naive (dlib)" in hides(naive, parrot).detail


def test_galleries_of_other_sizes_are_compared_beyond_chance() -> None:
    """Half of the probes right among two is guessing, among 25 it is not."""
    small = attacked({Attacker.NAIVE: around(0.5)}, gallery=2)
    pair = Contender("of two", tool("x", around(0.5)).cells, (small,), footage="stand-in")
    assert ranks(tool("of 25", around(0.4)), pair) == {"of two": 1, "of 25": 2}


def test_controls_never_compete() -> None:
    tools = (tool("blur", around(0.5)), tool("blackbox", [0.0] * 10, control=True))
    found = verdict(tools)
    assert [one.group for one in found.tools] == [Group.RANKED, Group.CONTROL]
    assert found.hiding == ()
    assert hides(*tools).who == "blur"
    assert left_out(found) == []


def test_pairs_are_compared_on_the_actors_that_both_have() -> None:
    long, short = tool("long", around(0.5, 24)), tool("short", around(0.1, 8))
    found = verdict([long, short])
    (pair,) = found.hiding
    assert (pair.lead.n, pair.actors) == (8, (24, 8))
    assert "compared on the 8 that both have" in hides(long, short).sure


def test_the_same_number_in_another_dataset_is_another_person() -> None:
    here, there = tool("here", around(0.5)), tool("there", around(0.1))
    elsewhere = Contender("there", there.cells, there.cohorts, footage="other")
    found = verdict([here, elsewhere])
    assert [one.hides.rank for one in found.tools] == [None, None]
    assert found.of("here").hides.reason == "Not comparable with there (no common actor)."
    card = hides(here, elsewhere)
    assert (card.who, card.value, card.clear) == (NOBODY, "\N{EN DASH}", None)
    assert "there: Not comparable with here (no common actor)." in card.sure
    assert "there 10.0 %" in card.detail


def test_a_tool_on_another_dataset_costs_the_others_no_rank() -> None:
    away = tool("away", around(0.02))
    elsewhere = Contender("away", away.cells, away.cohorts, footage="other")
    tools = (elsewhere, tool("strong", around(0.1)), tool("weak", around(0.8)))
    assert ranks(*tools) == {"away": None, "strong": 1, "weak": 2}
    assert hides(*tools).who == "strong"
    assert keeps(*tools).who == "strong and weak"
    assert left_out(verdict(tools)) == [
        "away: Not comparable with strong and weak (no common actor)."
    ]


def test_tools_that_share_too_few_actors_for_any_test_are_not_ranked_against_each_other() -> None:
    """Actors 1-10 against 6-15: five in common, of which no test can reach 5 %."""
    first, second = tool("first", around(0.1)), tool("moved", around(0.8))
    found = verdict([first, moved_by(5, second)])
    assert [one.hides.rank for one in found.tools] == [None, None]
    assert ranks(first, moved_by(4, second)) == {"first": 1, "moved": 2}
    assert "only 5 actors in common" in found.of("moved").hides.reason


def test_a_lead_never_exceeds_what_a_lead_can_be() -> None:
    """Everybody is identified, or almost nobody: Student's interval reaches beyond that."""
    never, always = tool("never", [*[0.0] * 5, 0.9], pcc=[0.9] * 6), tool("always", [1.0] * 6)
    found = verdict([never, always])
    (pair,) = found.hiding
    assert pair.lead.value is not None
    assert pair.lead.bounds is not None
    assert pair.lead.bounds[1] == pytest.approx(1 / (1 - 1 / 25))
    assert found.of("never").gain.bounds == pair.lead.bounds
    wide = [*[1.0] * 5, -0.2]
    (kept,) = verdict(
        [tool("a", [0.5] * 6, pcc=wide), tool("b", [0.5] * 6, pcc=[-1.0] * 6)]
    ).keeping
    assert kept.lead.bounds is not None
    assert kept.lead.bounds[1] == 2.0


def test_expressions_are_ranked_by_the_same_rule() -> None:
    flat = [0.5] * 10
    best = tool("best", flat, pcc=around(0.9))
    worst = tool("worst", flat, pcc=around(0.2))
    few = tool("few", flat, pcc=[0.99] * 8 + [None] * 2)
    found = verdict([best, worst, few])
    assert {one.name: one.keeps.rank for one in found.tools} == {"best": 1, "worst": 2, "few": None}
    assert "8 of its 10 actors" in found.of("few").keeps.reason
    card = keeps(best, worst, few)
    assert (card.who, card.value, card.clear) == ("best", "0.900", True)
    assert "still finds the person in 50.0 % of frames" in card.detail


def test_a_tool_without_an_attacker_is_not_ranked_by_anything_else() -> None:
    bare = Contender("bare", tool("x", around(0.1)).cells)
    found = hides(bare)
    assert found.who == NOBODY
    assert "`bench score`" in found.sure


def test_of_tools_that_keep_most_the_one_nobody_attacked_is_named() -> None:
    """What the attackers of the others find was once said of all three."""
    unattacked = replace(tool("mask", around(0.1)), cohorts=())
    tools = (tool("blur", around(0.3)), tool("pixelate", around(0.4)), unattacked)
    kept = cards(verdict(tools), tools)[1]
    assert kept.who == "blur, pixelate and mask"
    assert kept.detail.endswith("in 30.0\u201340.0 % of frames; not attacked: mask.")


def test_a_worst_attack_within_its_null_is_said_to_be_no_more_than_chance() -> None:
    lucky = tool("lucky", around(0.1))
    null = Null(draws=99, mean=0.1, high=0.2, p=0.4)
    made = lucky.cohorts[0].model_copy(update={"worst_null": null})
    again = Contender("lucky", lucky.cells, (made,), footage="stand-in")
    assert "no more than permuted names give (p 0.400)" in hides(again).detail
    assert "permuted" not in hides(lucky).detail
