"""Nights on synthetic cells: a runner that stores what it is asked to, and counts its work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from harness.core.errors import StoreError, UsageError
from harness.model.cell import CellSpec
from harness.model.dataset import Sex, Split
from harness.model.nightly import Alarm, NightRecord
from harness.model.suite import PlannedCell, Repeat, Suite, ToolEntry, UnpreparedCell
from harness.model.tool import ChildProcess, NamedConfig, Tool
from harness.model.verdict import Verdict
from harness.results.nightly.digest import digest, new_alarms
from harness.results.nightly.entries import SECOND_RUN
from harness.results.nightly.feed import atom_feed
from harness.results.nightly.night import Night, hold_night
from harness.results.nightly.series import history_series
from harness.store.manifests import ManifestStore, UnpreparedUse
from harness.store.nights import NightStore
from tests.results.compare.made_up import Home, Numbers, make_spec

ACTORS = range(1, 11)


def tool(name: str, *versions: str) -> Tool:
    return Tool(
        name=name,
        summary="",
        homepage="",
        licence="",
        versions=versions,
        runs_as=ChildProcess(module="none"),
        configs=(NamedConfig(name="default"),),
    )


class Lab:
    """Two tools whose versions score as given; ``seen`` are the suites that were run."""

    def __init__(self, home: Path) -> None:
        self.home = Home(home)
        self.levels: dict[tuple[str, str], float] = {}
        self.once: dict[tuple[str, str], float] = {}
        """Levels of the first run only; a second run has those of ``levels``."""
        self.versions = {"faceswap": ["1"], "blur": ["1"]}
        self.seen: list[Suite] = []
        self.stop_at = 0

    def run(self, suite: Suite) -> Sequence[CellSpec]:
        self.seen.append(suite)
        if self.stop_at and len(self.seen) >= self.stop_at:
            raise KeyboardInterrupt
        specs = []
        for entry in suite.tools:
            for actor in ACTORS:
                times = suite.repeat.times if suite.repeat and actor <= 2 else 1
                specs += [self.cell(entry, actor, suite.seed + k) for k in range(times)]
        return specs

    def cell(self, entry: ToolEntry, actor: int, seed: int) -> CellSpec:
        spec = make_spec(entry.tool, actor, "d", version=entry.version or "")
        spec = spec.model_copy(update={"seed": seed})
        if self.home.store.result(spec) is None:
            named = entry.tool, entry.version or ""
            level = self.levels.get(named, 0.7)
            if seed < SECOND_RUN:
                level = self.once.get(named, level)
            rng = np.random.default_rng([actor, seed, len(named[1]), ord(named[1][-1])])
            noise = float(rng.normal(0, 0.003))
            self.home.add(spec, Numbers(sw_or=level + 0.01 * actor + noise))
        return spec

    def unprepared(self, actor: int) -> None:
        """Store that a cell of faceswap was asked for, and that the actor has no face."""
        cell = PlannedCell(
            tool="faceswap", version="1", config="default", settings={}, actor=actor, donor="d"
        )
        asked = UnpreparedCell(
            dataset="sample", split=Split.HELD_OUT, cell=cell, sex=Sex.MALE, reason="No face."
        )
        use = UnpreparedUse(used_at="2026-01-01T00:00:00Z", manifest=None, asked=asked)
        ManifestStore(self.home.home).keep_unprepared([use])

    def night(self, day: str, **good: str) -> tuple[str, tuple[NightRecord, ...]]:
        """Hold a night and say what it says, as the command does."""
        suite = Suite(
            name="nightly",
            dataset="sample",
            tools=(ToolEntry(tool="faceswap"), ToolEntry(tool="blur")),
            repeat=Repeat(times=3, actors="1-2"),
        )
        tools = {name: tool(name, *versions) for name, versions in self.versions.items()}
        name, records = hold_night(
            Night(self.home.home, suite, tools, "thesis", self.run, day, good)
        )
        self.store.close(name, suite.name, suite.dataset, self.say(name, records))
        return name, records

    @property
    def store(self) -> NightStore:
        return NightStore(self.home.home)

    def say(self, name: str, records: Sequence[NightRecord]) -> str:
        return digest(name, records, self.store.records())


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "store")


def test_the_first_night_has_nothing_to_compare_with_and_says_so(lab: Lab) -> None:
    _, records = lab.night("2026-01-01")
    assert [one.what for one in records] == ["faceswap@1:default", "blur@1:default"]
    assert all(one.verdict is None and "is the first" in one.reason for one in records)
    assert len(lab.seen) == 1


def test_a_night_without_a_new_version_runs_nothing_twice_and_is_unchanged(lab: Lab) -> None:
    lab.night("2026-01-01")
    _, records = lab.night("2026-01-02")
    assert all(one.verdict is Verdict.UNCHANGED for one in records)
    assert "nothing changed" in records[0].reason


def test_an_actor_who_cannot_be_prepared_is_asked_for_and_named(lab: Lab) -> None:
    lab.unprepared(11)
    name, records = lab.night("2026-01-01")
    swap, blur = records
    assert blur.good
    # Ten actors, two of them three times, and the one who could not be prepared.
    assert (swap.scored, swap.asked) == (14, 15)
    assert swap.unprepared == ("faceswap-1-default-actor11-d",)
    assert not swap.good, "one asked for is missing"
    assert "14 of 15 cells have a score (not prepared: faceswap-1-default-actor11-d)" in (
        swap.reason
    )
    said = lab.say(name, records)
    assert "1 of 15; could not be prepared: faceswap-1-default-actor11-d" in said


def test_a_worse_version_is_alarmed_after_a_second_run_with_other_seeds(lab: Lab) -> None:
    lab.night("2026-01-01")
    lab.versions["faceswap"].append("2")
    lab.levels["faceswap", "2"] = 0.65
    _, records = lab.night("2026-01-02")
    swap, blur = records
    assert (swap.alarm, swap.alarmed) == (Alarm.CONFIRMED, ("sw_or",))
    assert swap.good_version == "1"
    assert blur.alarm is Alarm.NONE
    second = lab.seen[-1]
    assert (second.seed, second.repeat) == (SECOND_RUN, None)
    assert [(t.tool, t.version) for t in second.tools] == [("faceswap", "2"), ("faceswap", "1")]


def test_what_a_second_run_does_not_show_again_is_no_alarm(lab: Lab) -> None:
    lab.night("2026-01-01")
    lab.versions["faceswap"].append("2")
    lab.once["faceswap", "2"] = 0.65
    name, records = lab.night("2026-01-02")
    assert records[0].verdict is Verdict.REGRESSED
    assert records[0].alarm is Alarm.UNCONFIRMED
    assert new_alarms(records, lab.store.records()) == []
    assert "## Seen once, not confirmed" in lab.say(name, records)


def test_an_alarm_is_given_once_and_the_good_version_stays_the_good_one(lab: Lab) -> None:
    lab.night("2026-01-01")
    lab.versions["faceswap"].append("2")
    lab.levels["faceswap", "2"] = 0.65
    first_name, first = lab.night("2026-01-02")
    name, again = lab.night("2026-01-03")
    assert again[0].good_version == "1"
    assert again[0].alarm_id == first[0].alarm_id
    assert "1 new alarm" in lab.say(first_name, first).splitlines()[0]
    said = lab.say(name, again)
    assert said.startswith("# Nightly 2026-01-03: no new alarm\n")
    assert "## Standing alarms" in said
    assert "Since 2026-01-02." in said


def test_a_version_that_is_good_again_is_compared_with_the_last_good_one(lab: Lab) -> None:
    lab.night("2026-01-01")
    lab.versions["faceswap"].append("2")
    lab.levels["faceswap", "2"] = 0.65
    lab.night("2026-01-02")
    lab.versions["faceswap"].append("3")
    _, (swap, _) = lab.night("2026-01-03")
    assert (swap.version, swap.good_version) == ("3", "1")
    assert swap.verdict is Verdict.UNCHANGED
    _, (swap, _) = lab.night("2026-01-04")
    assert swap.good_version == "3"


def test_a_user_may_name_the_good_version_of_a_first_night(lab: Lab) -> None:
    lab.versions["faceswap"] = ["1", "2"]
    lab.levels["faceswap", "2"] = 0.65
    _, (swap, _) = lab.night("2026-01-01", faceswap="1")
    assert swap.alarm is Alarm.CONFIRMED


def test_a_good_version_that_does_not_exist_is_refused_before_anything_runs(lab: Lab) -> None:
    with pytest.raises(UsageError, match="version of faceswap"):
        lab.night("2026-01-01", faceswap="9")
    with pytest.raises(UsageError, match="faceswap"):
        lab.night("2026-01-01", faceswp="1")
    assert lab.seen == []


def test_an_interrupted_night_goes_on_under_its_own_name_and_doubles_nothing(lab: Lab) -> None:
    lab.night("2026-01-01")
    lab.versions["blur"].append("2")
    lab.levels["blur", "2"] = 0.6
    # The suite, the last good version, and then the second run of blur alone.
    lab.stop_at = len(lab.seen) + 3
    with pytest.raises(KeyboardInterrupt):
        lab.night("2026-01-02")
    kept = [one for one in lab.store.records() if one.night == "2026-01-02"]
    assert [one.tool for one in kept] == ["faceswap"]
    lab.stop_at = 0
    name, records = lab.night("2026-01-03")
    assert name == "2026-01-02"
    assert [one.tool for one in records] == ["faceswap", "blur"]
    assert records[1].alarm is Alarm.CONFIRMED
    nights = [(one.night, one.tool) for one in lab.store.records()]
    assert len(nights) == len(set(nights)) == 4
    assert lab.night("2026-01-03")[0] == "2026-01-03"


def test_an_interrupted_night_of_another_suite_is_left_as_it_is(lab: Lab) -> None:
    store = lab.store
    assert store.begin("2026-01-01", "weekly", "sample") == "2026-01-01"
    lab.night("2026-01-02")
    store.close("2026-01-02", "other", "sample", "another digest")
    assert len(list((store.folder / "2026-01-02").glob("*.md"))) == 2
    assert store.begin("2026-01-03", "weekly", "sample") == "2026-01-01"
    assert store.begin("2026-01-03", "nightly", "sample") == "2026-01-03"


def test_a_night_held_twice_is_recorded_once(lab: Lab) -> None:
    lab.night("2026-01-01")
    before = len(lab.seen)
    _, records = lab.night("2026-01-01")
    assert len(records) == 2
    assert len(lab.seen) == before
    assert not lab.store.append(records[0])
    assert len(lab.store.records()) == 2


def test_two_nightlies_at_once_are_refused(lab: Lab) -> None:
    with lab.store.lock(), pytest.raises(StoreError, match="Another `bench nightly`"):
        lab.night("2026-01-01")


def test_the_noise_from_run_to_run_comes_from_the_repeated_cells(lab: Lab) -> None:
    _, (swap, _) = lab.night("2026-01-01")
    distance = next(one for one in swap.metrics if one.key == "sw_or")
    assert distance.run_sd is not None
    assert 0.0005 < distance.run_sd < 0.01
    assert distance.n == 10
    assert (swap.scored, len(swap.cells)) == (14, 14)


def test_a_damaged_record_is_warned_of_and_the_others_are_read(lab: Lab) -> None:
    from harness.core.errors import BenchWarning

    lab.night("2026-01-01")
    path = next(iter((lab.store.folder / "2026-01-01").glob("blur*.json")))
    path.write_text("{")
    with pytest.warns(BenchWarning, match="damaged"):
        assert [one.tool for one in lab.store.records()] == ["faceswap"]


def nights(lab: Lab) -> tuple[NightRecord, ...]:
    for day in range(1, 5):
        lab.night(f"2026-01-0{day}")
    lab.versions["faceswap"].append("2")
    lab.levels["faceswap", "2"] = 0.6
    for day in range(5, 9):
        lab.night(f"2026-01-0{day}")
    return lab.store.records()


def test_the_history_of_a_metric_has_its_step_on_the_night_of_the_new_version(lab: Lab) -> None:
    found = history_series(nights(lab))
    series = next(s for s in found if (s.tool, s.key) == ("faceswap", "sw_or"))
    assert len(series.points) == 8
    assert [(s.night, s.version, s.worse) for s in series.steps] == [("2026-01-05", "2", True)]
    assert all(s.steps == () for s in found if s.tool == "blur")


def test_nights_of_another_protocol_are_a_series_of_their_own_with_its_name(lab: Lab) -> None:
    records = [
        one.model_copy(update={"protocol": "thesis" if one.version == "1" else "thesis-60"})
        for one in nights(lab)
    ]
    found = [s for s in history_series(records) if s.key == "sw_or"]
    assert all(one.steps == () for one in found)
    swaps = [one for one in found if one.tool == "faceswap"]
    assert [(s.protocol, s.title, len(s.points)) for s in swaps] == [
        ("thesis", "SW-OR distance, thesis", 4),
        ("thesis-60", "SW-OR distance, thesis-60", 4),
    ]
    alone = [s for s in history_series([o for o in records if o.version == "1"]) if s in found]
    assert all(one.protocol == "thesis" and "thesis" not in one.title for one in alone)


def test_the_feed_has_one_entry_for_an_alarm_that_stands_for_many_nights(lab: Lab) -> None:
    records = nights(lab)
    text = atom_feed(records, link="https://example.org/")
    space = {"a": "http://www.w3.org/2005/Atom"}
    feed = ElementTree.fromstring(text)
    ids = [one.text for one in feed.findall("a:entry/a:id", space)]
    assert len(ids) == 1
    assert feed.findtext("a:entry/a:updated", None, space) == "2026-01-05T00:00:00Z"
    assert text == atom_feed(tuple(reversed(records)), link="https://example.org/")
    assert feed.findtext("a:updated", None, space) == "2026-01-05T00:00:00Z"


def test_a_feed_without_alarms_is_a_feed_all_the_same() -> None:
    feed = ElementTree.fromstring(atom_feed(()))
    assert feed.findtext("{http://www.w3.org/2005/Atom}id") == "urn:deid-bench:alarms"
