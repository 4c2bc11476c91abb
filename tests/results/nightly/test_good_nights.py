"""Good nights and others: cells that fail, second runs that fail, --good that is named late."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.model.cell import CellSpec
from harness.model.compare import CompareResult, Family
from harness.model.nightly import Alarm, NightRecord
from harness.model.suite import ToolEntry
from harness.model.verdict import Verdict
from harness.results.compare.judge import judge, overall
from harness.results.nightly import night
from harness.results.nightly.digest import new_alarms
from harness.results.nightly.entries import SECOND_RUN
from harness.store.records import read_members
from tests.results.compare.made_up import Numbers, Study, make_spec
from tests.results.nightly.test_nights import Lab

Fails = Callable[[ToolEntry, int, int], bool]


class FailingLab(Lab):
    """A lab in which chosen cells have no result, or no SW-OR distance."""

    fails: Fails = staticmethod(lambda entry, actor, seed: False)
    faceless: Fails = staticmethod(lambda entry, actor, seed: False)

    def cell(self, entry: ToolEntry, actor: int, seed: int) -> CellSpec:
        fails, faceless = self.fails(entry, actor, seed), self.faceless(entry, actor, seed)
        if not fails and not faceless:
            return super().cell(entry, actor, seed)
        spec = make_spec(entry.tool, actor, "d", version=entry.version or "")
        spec = spec.model_copy(update={"seed": seed})
        if not fails and self.home.store.result(spec) is None:
            self.home.add(spec, Numbers(sw_or=None))
        return spec

    def swap(self, day: str, **good: str) -> NightRecord:
        """The record of faceswap."""
        return self.night(day, **good)[1][0]

    def worse(self) -> None:
        """A new version of faceswap that hides less."""
        self.versions["faceswap"].append("2")
        self.levels["faceswap", "2"] = 0.3


@pytest.fixture
def lab(tmp_path: Path) -> FailingLab:
    return FailingLab(tmp_path / "store")


def never(entry: ToolEntry, actor: int, seed: int) -> bool:
    return False


def second_run(entry: ToolEntry, actor: int, seed: int) -> bool:
    return entry.tool == "faceswap" and seed >= SECOND_RUN


def unscore(lab: Lab, keep: int) -> None:
    """Take the scores of all of faceswap but those of the first ``keep`` cells."""
    specs = [spec for spec in lab.home.store.list() if spec.tool == "faceswap"]
    for spec in specs[keep:]:
        (lab.home.home / "scores" / spec.id / "thesis.json").unlink()


def test_a_version_whose_cells_mostly_failed_is_compared_when_they_are_done(
    lab: FailingLab,
) -> None:
    lab.night("2026-01-01")
    lab.worse()
    lab.fails = lambda entry, actor, seed: entry.version == "2" and actor > 1
    poor = lab.swap("2026-01-02")
    assert (poor.verdict, poor.good) == (Verdict.INCONCLUSIVE, False)
    lab.fails = never
    whole = lab.swap("2026-01-03")
    assert (whole.good_version, whole.alarm) == ("1", Alarm.CONFIRMED)


def test_one_cell_without_a_score_is_enough_for_a_night_not_to_be_good(lab: FailingLab) -> None:
    lab.fails = lambda entry, actor, seed: entry.tool == "faceswap" and actor == 10
    first = lab.swap("2026-01-01")
    assert (first.scored, len(first.cells), first.good) == (13, 14, False)
    assert first.reason == (
        "There is no good night to compare with yet; in this one 13 of 14 cells have a score."
    )
    lab.fails = never
    assert "is the first" in lab.swap("2026-01-02").reason
    assert lab.swap("2026-01-03").verdict is Verdict.UNCHANGED


@pytest.mark.parametrize("left", [0, 5])
def test_the_same_cells_are_not_called_unchanged_when_their_scores_are_gone(
    lab: FailingLab, left: int
) -> None:
    lab.night("2026-01-01")
    unscore(lab, left)
    swap = lab.swap("2026-01-02")
    assert (swap.scored, swap.verdict, swap.good) == (left, Verdict.NOT_COMPARABLE, False)
    assert swap.reason == (
        f"The very cells of the last good night, but {left} of 14 cells have a score."
    )


def all_fail(lab: FailingLab) -> None:
    lab.fails = second_run


def some_fail(lab: FailingLab) -> None:
    lab.fails = lambda entry, actor, seed: second_run(entry, actor, seed) and actor > 1


def the_older_fail(lab: FailingLab) -> None:
    lab.fails = lambda entry, actor, seed: second_run(entry, actor, seed) and entry.version == "1"


def no_faces(lab: FailingLab) -> None:
    lab.faceless = second_run


def one_face(lab: FailingLab) -> None:
    lab.faceless = lambda entry, actor, seed: second_run(entry, actor, seed) and actor > 1


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (all_fail, "There is nothing to compare: no actor and donor are scored on both sides"),
        (the_older_fail, "There is nothing to compare: no actor and donor are scored on both"),
        (some_fail, "9 of 10 cells of faceswap@1 have no score of it."),
        (no_faces, "SW-OR distance: Neither side has a value."),
        (one_face, "SW-OR distance: Only one actor in common"),
    ],
)
def test_a_second_run_that_cannot_be_compared_leaves_the_suspicion_open(
    lab: FailingLab, spoil: Callable[[FailingLab], None], why: str
) -> None:
    lab.night("2026-01-01")
    lab.worse()
    spoil(lab)
    name, records = lab.night("2026-01-02")
    swap = records[0]
    assert (swap.verdict, swap.alarm, swap.good) == (Verdict.REGRESSED, Alarm.UNREPEATED, False)
    told = "A second run could not be compared, so there is no alarm, and the suspicion stays open."
    assert f"{told} {why}" in swap.reason
    assert "did not show it again" not in swap.reason
    assert new_alarms(records, lab.store.records()) == []
    assert "## Suspected, without a second run to compare" in lab.say(name, records)
    assert lab.swap("2026-01-03").good_version == "1"


def test_a_suspicion_that_was_left_open_is_an_alarm_once_a_second_run_shows_it(
    lab: FailingLab,
) -> None:
    lab.night("2026-01-01")
    lab.worse()
    lab.fails = second_run
    lab.night("2026-01-02")
    lab.fails = never
    swap = lab.swap("2026-01-03")
    assert (swap.good_version, swap.alarm) == ("1", Alarm.CONFIRMED)


def test_a_second_run_that_does_not_show_it_again_leaves_the_night_good(lab: FailingLab) -> None:
    lab.night("2026-01-01")
    lab.versions["faceswap"].append("2")
    lab.once["faceswap", "2"] = 0.3
    swap = lab.swap("2026-01-02")
    assert (swap.alarm, swap.good) == (Alarm.UNCONFIRMED, True)


@pytest.mark.parametrize("unsure", [(), ("blinks", "flicker")])
def test_an_unchanged_night_says_which_metrics_that_rests_on(
    lab: FailingLab, unsure: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study(1)
    old, new = (study.side(version, run_sd=0.001, viewed=True) for version in ("1", "2"))
    metrics = tuple(
        one.model_copy(update={"verdict": Verdict.INCONCLUSIVE})
        if one.key in unsure
        else one.model_copy(update={"verdict": Verdict.UNCHANGED})
        for one in judge(list(zip(old, new, strict=True)))
    )
    assert {one.family for one in metrics if one.key in unsure} <= {Family.VIEWER}
    result = CompareResult.model_construct(metrics=metrics, verdict=overall(metrics))
    monkeypatch.setattr(night, "compare_gathered", lambda *_: result)
    lab.night("2026-01-01")
    lab.versions["faceswap"].append("2")
    swap = lab.swap("2026-01-02")
    assert swap.verdict is Verdict.UNCHANGED
    told = "Equivalence is shown for every metric of privacy and expression that could be compared."
    more = " Inconclusive in behaviour and video quality: Blinks, F1; Flicker added."
    assert swap.reason == told + (more if unsure else "")


def test_a_good_version_named_after_the_night_is_recorded_is_refused(lab: FailingLab) -> None:
    lab.night("2026-01-01")
    lab.worse()
    assert lab.swap("2026-01-02").alarm is Alarm.CONFIRMED
    with pytest.raises(UsageError) as caught:
        lab.night("2026-01-02", faceswap="2")
    assert caught.value.message == "The night of 2026-01-02 is recorded already for faceswap."
    assert caught.value.hint == "Leave --good faceswap@2 out, and name it on the next night."
    # The refusal has not opened the old night again.
    name, (swap, _) = lab.night("2026-01-03", faceswap="2")
    assert (name, swap.alarm, swap.good) == ("2026-01-03", Alarm.NONE, True)


def test_a_good_version_is_refused_when_what_was_recorded_is_an_older_version(
    lab: FailingLab,
) -> None:
    lab.night("2026-01-01")
    lab.worse()
    with pytest.raises(UsageError, match="2026-01-01 is recorded already for faceswap"):
        lab.night("2026-01-01", faceswap="1")


def test_an_interrupted_night_with_a_good_version_goes_on_with_the_same_command(
    lab: FailingLab,
) -> None:
    lab.worse()
    lab.versions["blur"].append("2")
    lab.levels["blur", "2"] = 0.3
    good = {"faceswap": "1", "blur": "1"}
    # The suite, the good versions, the second run of faceswap, and then that of blur.
    lab.stop_at = 4
    with pytest.raises(KeyboardInterrupt):
        lab.night("2026-01-01", **good)
    lab.stop_at = 0
    with pytest.raises(UsageError, match="2026-01-01 is recorded already for faceswap"):
        lab.night("2026-01-02", faceswap="2", blur="1")
    name, records = lab.night("2026-01-02", **good)
    assert name == "2026-01-01"
    assert [one.alarm for one in records] == [Alarm.CONFIRMED, Alarm.CONFIRMED]


def test_a_record_of_an_older_version_still_loads(lab: FailingLab) -> None:
    lab.night("2026-01-01")
    [path] = (lab.store.folder / "2026-01-01").glob("faceswap*.json")
    members = read_members(path)
    for alarm in ("none", "unconfirmed", "confirmed"):
        # Without a digest, as the older version wrote it.
        path.write_text(json.dumps(members | {"alarm": alarm}))
        swap = next(one for one in lab.store.records() if one.tool == "faceswap")
        assert (swap.alarm.value, swap.good) == (alarm, alarm != "confirmed")
