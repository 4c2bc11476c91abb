"""Plans are pure: from names to cells, with errors that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.model.dataset import Actor, Clip, Dataset, Donor, Sex
from harness.model.job import Role
from harness.model.suite import Repeat, Suite, ToolEntry
from harness.model.tool import ChildProcess, SettingSpec, Tool
from harness.planning.plan import choose_actors, expand, find_donor, parse_numbers

ACTORS = tuple(
    Actor(
        number=number,
        sex=Sex.MALE if number % 2 else Sex.FEMALE,
        clips=(Clip(path=Path(f"/clips/{number}.mp4")),),
    )
    for number in (1, 2, 3)
)
DATASET = Dataset(
    name="synthetic",
    actors=ACTORS,
    donors=(Donor(name="giorgio", sex=Sex.MALE), Donor(name="giulia", sex=Sex.FEMALE)),
)
SWAP = Tool(
    name="swap",
    summary="",
    homepage="",
    licence="",
    versions=("1", "2"),
    needs=(Role.TEST_VIDEO, Role.DONOR_REFERENCE),
    runs_as=ChildProcess(module="x"),
)
ORACLE = SWAP.model_copy(
    update={"name": "oracle", "control": True, "needs": (Role.TEST_VIDEO, Role.DONOR_TEST)}
)
PLAIN = SWAP.model_copy(update={"name": "plain", "needs": (Role.TEST_VIDEO,)})
CROWD = PLAIN.model_copy(
    update={
        "name": "crowd",
        "needs": (Role.TEST_VIDEO, Role.GALLERY),
        "settings": (SettingSpec(name="k", default=3, help="", minimum=2, maximum=9),),
        "gallery_at_least": "k",
    }
)
TOOLS = {tool.name: tool for tool in (SWAP, ORACLE, PLAIN, CROWD)}


def plan(*tools: str, **fields: str) -> list[tuple[str, int, str | None]]:
    suite = Suite(name="s", tools=tuple(ToolEntry(tool=t) for t in tools), **fields)  # type: ignore[arg-type]
    return [(c.tool, c.actor, c.donor) for c in expand(suite, DATASET, TOOLS)]


def test_numbers_and_ranges_name_actors_once_each() -> None:
    assert parse_numbers("1-4, 3,7") == (1, 2, 3, 4, 7)


@pytest.mark.parametrize("text", ["", "a", "3-1", "1-", "-2", "1,,2", "1-99999999", "²"])
def test_what_names_no_actor_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_numbers(text)


def test_a_range_may_span_gaps_but_a_single_unknown_number_is_an_error() -> None:
    assert [a.number for a in choose_actors(DATASET, "2-24")] == [2, 3]
    with pytest.raises(UsageError, match="no actor 9; it has 1, 2, 3"):
        choose_actors(DATASET, "1,9")


def test_the_donor_has_the_actors_sex_unless_asked_otherwise() -> None:
    assert plan("swap", actors="1-2") == [("swap", 1, "giorgio"), ("swap", 2, "giulia")]
    assert plan("swap", actors="1", donors="other-sex") == [("swap", 1, "giulia")]
    assert len(plan("swap", donors="all")) == 6


def test_a_tool_that_needs_no_donor_has_none_in_its_cell() -> None:
    assert plan("plain", actors="1") == [("plain", 1, None)]


def test_the_oracle_shows_another_actor_never_the_actor_itself() -> None:
    assert plan("oracle") == [
        ("oracle", 1, "actor02"),
        ("oracle", 2, "actor03"),
        ("oracle", 3, "actor01"),
    ]
    assert find_donor(DATASET, "actor02").clips == ACTORS[1].clips


def test_an_actor_may_be_another_actors_donor_but_not_their_own() -> None:
    assert plan("swap", actors="1", donors="actor02") == [("swap", 1, "actor02")]
    with pytest.raises(UsageError, match="Actor 2 cannot be their own donor"):
        plan("swap", actors="1-2", donors="actor02")


def test_unknown_names_get_the_nearest_known_one() -> None:
    with pytest.raises(UsageError, match="Did you mean 'swap'"):
        plan("swpa")
    with pytest.raises(UsageError, match="Did you mean 'giulia'"):
        plan("swap", donors="giulai")


def test_a_wrong_donor_is_an_error_even_for_a_tool_that_uses_none() -> None:
    with pytest.raises(UsageError, match="Did you mean 'giorgio'"):
        plan("plain", donors="girgio")


def test_a_gallery_holds_all_actors_of_the_dataset_whoever_is_asked_for() -> None:
    assert plan("crowd", actors="2") == [("crowd", 2, None)]


def test_too_few_people_for_a_gallery_are_told_before_anything_is_prepared() -> None:
    suite = Suite(name="s", tools=(ToolEntry(tool="crowd", set={"k": 4}),), actors="1")
    with pytest.raises(UsageError, match=r"needs 4 people .* has 3 actors") as told:
        expand(suite, DATASET, TOOLS)
    assert told.value.field == ("tools", 0, "set")
    assert "set k to at most 3" in str(told.value)


def test_a_cell_named_twice_is_planned_once() -> None:
    assert plan("plain", "plain", actors="1") == [("plain", 1, None)]


def test_both_sexes_are_the_first_donor_of_each() -> None:
    assert plan("swap", actors="1-2", donors="both-sexes") == [
        ("swap", 1, "giorgio"),
        ("swap", 1, "giulia"),
        ("swap", 2, "giulia"),
        ("swap", 2, "giorgio"),
    ]
    alone = DATASET.model_copy(update={"donors": DATASET.donors[:1]})
    suite = Suite(name="s", tools=(ToolEntry(tool="swap"),), donors="both-sexes")
    with pytest.raises(UsageError, match="no donor for actor 1 by the rule 'both-sexes'"):
        expand(suite, alone, TOOLS)


def test_the_next_actor_stands_in_and_the_last_ones_is_the_first() -> None:
    assert plan("swap", donors="next-actor") == [
        ("swap", 1, "actor02"),
        ("swap", 2, "actor03"),
        ("swap", 3, "actor01"),
    ]


def test_cells_of_repeated_actors_differ_in_their_seed_only() -> None:
    repeat = Repeat(times=3, actors="1-2")
    suite = Suite(name="s", tools=(ToolEntry(tool="plain"),), seed=7, repeat=repeat)
    cells = expand(suite, DATASET, TOOLS)
    assert [(c.actor, c.seed) for c in cells] == [
        (1, 7), (1, 8), (1, 9), (2, 7), (2, 8), (2, 9), (3, 7),
    ]  # fmt: skip
    assert len({cell.model_dump_json() for cell in cells}) == 7


def test_too_few_donors_of_a_sex_are_refused_where_a_suite_wants_more() -> None:
    suite = Suite(
        name="s", tools=(ToolEntry(tool="swap"),), donors="all", actors="1", donors_of_each_sex=2
    )
    with pytest.raises(UsageError, match=r"'all' names 1 male on 'synthetic'.*be distinguished"):
        expand(suite, DATASET, TOOLS)
    more = (Donor(name="ugo", sex=Sex.MALE), Donor(name="ada", sex=Sex.FEMALE))
    rich = DATASET.model_copy(update={"donors": DATASET.donors + more})
    assert len(expand(suite, rich, TOOLS)) == 4


def test_an_actor_that_can_be_fetched_is_told_with_how() -> None:
    dataset = DATASET.model_copy(update={"more": "Fetch actor 5: bench data fetch more"})
    with pytest.raises(UsageError) as told:
        choose_actors(dataset, "5")
    assert told.value.hint == "Fetch actor 5: bench data fetch more"
