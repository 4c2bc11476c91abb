"""Forecasts of a plan's cost, and the order in which its cells are begun."""

from __future__ import annotations

import pytest

from harness.model.cell import CellSpec
from harness.model.dataset import MediaRef, PreparedActor, Sex, Split
from harness.model.job import Limits, Role, Step
from harness.model.suite import PlannedCell
from harness.model.tool import ChildProcess, Tool
from harness.model.video import VideoInfo
from harness.planning.forecast import (
    MODEL_BYTES,
    Basis,
    History,
    State,
    choose,
    forecast,
    longest_first,
)
from harness.store.history import PastCost, likeness

QUICK = Tool(
    name="quick",
    summary="",
    homepage="",
    licence="",
    versions=("1",),
    runs_as=ChildProcess(module="x"),
)
TRAINED = QUICK.model_copy(
    update={
        "name": "trained",
        "steps": (Step.EXTRACT, Step.TRAIN, Step.CONVERT),
        "needs": (Role.TEST_VIDEO,),
    }
)
TOOLS = {"quick": QUICK, "trained": TRAINED}


def cell(tool: str, actor: int = 1, **fields: object) -> PlannedCell:
    base = {"tool": tool, "version": "1", "config": "default", "settings": {}, "actor": actor}
    return PlannedCell.model_validate({**base, "donor": None, **fields})


def taken(tool: str, wall_s: float, dataset: str = "here", size_bytes: int = 100) -> PastCost:
    like = likeness(tool, "1", "default", {})
    return PastCost(like=like, dataset=dataset, wall_s=wall_s, size_bytes=size_bytes)


def test_like_cells_tell_the_cost_and_those_of_the_same_dataset_come_first() -> None:
    history = History([taken("quick", 10), taken("quick", 20), taken("quick", 90, "elsewhere")])
    near = history.cost(cell("quick"), QUICK, "here")
    far = history.cost(cell("quick"), QUICK, "third")
    assert (near.wall_s, near.size_bytes, near.basis, near.seen) == (15, 100, Basis.LIKE, 2)
    assert (far.wall_s, far.basis, far.seen) == (40, Basis.ELSEWHERE, 3)


@pytest.mark.parametrize(
    ("field", "value"), [("version", "2"), ("config", "strong"), ("settings", {"blur": 3})]
)
def test_another_version_config_or_setting_is_no_like_cell(field: str, value: object) -> None:
    other = cell("quick").model_copy(update={field: value})
    found = History([taken("quick", 10)]).cost(other, QUICK, "here")
    assert found.basis is Basis.LIMITS


def test_without_like_cells_the_limits_of_all_steps_bound_the_time() -> None:
    limits = Limits(wall_s=100)
    quick = History([]).cost(cell("quick", limits=limits), QUICK, "here")
    trained = History([]).cost(cell("trained", limits=limits), TRAINED, "here")
    assert (quick.wall_s, quick.size_bytes, quick.basis) == (100, None, Basis.LIMITS)
    assert (trained.wall_s, trained.size_bytes) == (300, MODEL_BYTES)


def test_a_plan_counts_states_and_costs_what_is_run_only() -> None:
    cells = [cell("quick", 1), cell("quick", 2), cell("quick", 3), cell("trained", 1)]
    states = [State.DONE, State.FAILED, State.NEW, State.RUNNING]
    plan = forecast(cells, states, cells[1:], TOOLS, History([taken("quick", 10)]), "here")
    quick, trained = plan.tools
    assert (quick.cells, quick.to_run, quick.wall_s, quick.size_bytes) == (3, 2, 20, 200)
    assert (plan.cells, plan.to_run, plan.actors, plan.donors, plan.seeds) == (4, 3, 3, (0, 0), 1)
    assert [plan.count(state) for state in State] == [1, 1, 1, 1]
    assert (plan.wall_s(bound=False), plan.wall_s(bound=True)) == (20, 3 * 3600)
    assert (plan.size_bytes, plan.unsized) == (200 + MODEL_BYTES, 0)
    assert trained.basis is Basis.LIMITS


def test_donors_and_seeds_are_counted_for_one_actor() -> None:
    cells = [cell("quick", 1, donor="a"), cell("quick", 1, donor="b"), cell("quick", 2, donor="a")]
    cells += [cell("trained", 1), cell("trained", 1, seed=1), cell("trained", 1, seed=2)]
    plan = forecast(cells, [State.NEW] * 6, cells, TOOLS, History([]), "here")
    assert (plan.donors, plan.seeds) == ((0, 2), 3)


def test_a_limit_takes_whole_actors_and_passes_over_what_is_done() -> None:
    cells = [cell(tool, actor) for tool in ("quick", "trained") for actor in (2, 1)]
    states = [State.DONE, State.NEW, State.NEW, State.NEW]
    found = choose(cells, states, limit=2)
    assert [(one.tool, one.actor) for one in found] == [("trained", 2), ("quick", 1)]
    assert choose(cells, states) == cells


def test_only_failed_cells_are_chosen_when_asked() -> None:
    cells = [cell("quick", 1), cell("quick", 2), cell("quick", 3)]
    states = [State.DONE, State.FAILED, State.RUNNING]
    assert [one.actor for one in choose(cells, states, only_failed=True)] == [2]
    assert choose(cells, states, only_failed=True, limit=5) == cells[1:2]


def spec(tool: str, actor: int, frames: int, wall_s: float = 3600) -> CellSpec:
    info = VideoInfo(
        frames=frames,
        width=64,
        height=64,
        fps="25",
        duration_s=1,
        codec="h264",
        pixel_format="yuv420p",
        has_audio=False,
    )
    video = MediaRef(sha256="0" * 64, suffix=".mp4", info=info)
    person = PreparedActor(
        number=actor,
        sex=Sex.MALE,
        split=Split.HELD_OUT,
        training=None,
        test=video,
        reference=video,
        reference_note="",
    )
    return CellSpec(
        tool=tool,
        version="1",
        config="default",
        settings={},
        dataset="here",
        split=Split.HELD_OUT,
        actor=person,
        limits=Limits(wall_s=wall_s),
    )


def test_the_longest_cells_come_first_and_of_equal_ones_the_longer_video() -> None:
    specs = [spec("quick", 1, 10), spec("quick", 2, 30), spec("trained", 3, 5)]
    order = [one.actor.number for one in longest_first(specs, TOOLS, History([]))]
    assert order == [3, 2, 1]
    seen = History([taken("quick", 99999)])
    assert [one.actor.number for one in longest_first(specs, TOOLS, seen)] == [2, 1, 3]
