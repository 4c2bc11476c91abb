"""A night on which one person alone leaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.model.cell import CellSpec
from harness.model.nightly import Alarm
from harness.model.suite import ToolEntry
from harness.model.verdict import Verdict
from harness.results.nightly.digest import new_alarms
from harness.results.nightly.entries import SECOND_RUN
from tests.results.compare.made_up import Numbers, make_spec
from tests.results.nightly.test_nights import Lab


class LeakingLab(Lab):
    """A lab whose faceswap 2 leaks one actor in the first run, and one in the second."""

    first: int = 5
    second: int | None = 5

    def cell(self, entry: ToolEntry, actor: int, seed: int) -> CellSpec:
        leaks = self.second if seed >= SECOND_RUN else self.first
        if (entry.tool, entry.version, actor) != ("faceswap", "2", leaks):
            return super().cell(entry, actor, seed)
        spec = make_spec(entry.tool, actor, "d", version="2").model_copy(update={"seed": seed})
        if self.home.store.result(spec) is None:
            self.home.add(spec, Numbers(sw_or=0.3, match_rate=1.0))
        return spec


@pytest.fixture
def lab(tmp_path: Path) -> LeakingLab:
    made = LeakingLab(tmp_path / "store")
    made.night("2026-01-01")
    made.versions["faceswap"].append("2")
    return made


def test_one_person_who_leaks_in_both_runs_is_an_alarm_that_names_the_person(
    lab: LeakingLab,
) -> None:
    name, records = lab.night("2026-01-02")
    swap = records[0]
    assert (swap.verdict, swap.alarm) == (Verdict.REGRESSED, Alarm.CONFIRMED)
    assert (swap.alarmed, swap.alarmed_actors) == (("match_rate",), (5,))
    assert swap.reason.startswith("Actor 5: regressed. Recognised in 100 % of the frames")
    assert "A second run showed it again. In it, actor 5." in swap.reason
    said = lab.say(name, records)
    assert "1 new alarm" in said.splitlines()[0]
    assert "Actor 5: regressed" in said


def test_a_tool_that_fails_on_another_person_each_time_is_an_alarm_too(lab: LeakingLab) -> None:
    lab.second = 8
    swap = lab.night("2026-01-02")[1][0]
    assert (swap.alarm, swap.alarmed_actors) == (Alarm.CONFIRMED, (5,))
    assert "In it, actor 8." in swap.reason


def test_a_leak_that_a_second_run_does_not_show_is_no_alarm(lab: LeakingLab) -> None:
    lab.second = None
    _, records = lab.night("2026-01-02")
    assert records[0].alarm is Alarm.UNCONFIRMED
    assert new_alarms(records, lab.store.records()) == []


def test_what_hides_less_without_being_sure_is_said_first(lab: LeakingLab) -> None:
    # Half of the way: one of ten actors moves the means beyond their margins.
    swap = lab.night("2026-01-02")[1][0]
    assert "Less is hidden: SW-OR distance" in swap.reason
    assert swap.reason.index("Actor 5") < swap.reason.index("Less is hidden")
