"""Plans are pure: from names to cells, with errors that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.model.dataset import Actor, Clip, Dataset, Donor, Sex
from harness.model.job import Role
from harness.model.suite import Suite, ToolEntry
from harness.model.tool import ChildProcess, Tool
from harness.plan import choose_actors, expand, find_donor, parse_numbers

ACTORS = tuple(
    Actor(
        number=number,
        sex=Sex.MALE if number % 2 else Sex.FEMALE,
        clips=(Clip(path=Path(f"/clips/{number}.mp4")),),
    )
    for number in (1, 2, 3)
)
DATASET = Dataset(
    name="made-up",
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
TOOLS = {tool.name: tool for tool in (SWAP, ORACLE, PLAIN)}


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


def test_a_cell_named_twice_is_planned_once() -> None:
    assert plan("plain", "plain", actors="1") == [("plain", 1, None)]
