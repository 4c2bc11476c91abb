"""Each known answer passes on what must be seen, and fails on what a broken harness would see; the
report and the self-test judge by the same table."""

from __future__ import annotations

from typing import Any

import pytest

from harness.model.job import Setting
from harness.model.privacy import LeakingStretch, LeakProfile
from harness.model.quality import Flicker, Quality
from harness.model.score import (
    Alignment,
    Attributes,
    CellScore,
    Comparison,
    Distances,
    Identity,
    SwappedReading,
)
from harness.model.video import VideoInfo
from harness.results.known_answers import RULES, Shown, known_answer

INFO = VideoInfo(
    frames=60,
    width=640,
    height=360,
    fps="25/1",
    duration_s=2.4,
    codec="h264",
    pixel_format="yuv420p",
    has_audio=False,
)


def _distances(mean: float | None, used: int = 60) -> Distances:
    return Distances(asked=60, used=used, several_faces=0, mean=mean)


def score(**seen: Any) -> CellScore:
    """A cell's score of an untouched clip, but for what is named."""
    what: dict[str, Any] = {
        "sw_or": 0.4,
        "used": 60,
        "original": 60,
        "sw_sw": 0.8,
        "pcc": 1.0,
        "rmse": 0.0,
        "floor": 0.98,
        "lag": 0,
        "aligned": True,
        "leaks": None,
        **seen,
    }
    return CellScore(
        cell_id="c",
        protocol="thesis",
        inputs={},
        alignment=Alignment(
            frames_original=60,
            frames_swapped=60,
            same_size=True,
            same_rate=True,
            lag_frames=what["lag"],
            lag_correlation=1.0,
            aligned=what["aligned"],
            reason="",
        ),
        identity=Identity(
            recogniser="dlib",
            threshold=0.6,
            comparisons={
                Comparison.ORIGINAL_ORIGINAL: _distances(0.4, what["original"]),
                Comparison.ORIGINAL_SWAPPED: _distances(0.8),
                Comparison.SWAPPED_ORIGINAL: _distances(what["sw_or"], what["used"]),
                Comparison.SWAPPED_SWAPPED: _distances(what["sw_sw"]),
            },
            swapped_reading=SwappedReading.NONE,
            seed=2020,
            frames=60,
        ),
        attributes=(
            Attributes(
                source="mediapipe-blendshapes",
                scale="0 to 1",
                frames=60,
                paired=60,
                units=(),
                mean_pcc=what["pcc"],
                mean_rmse=what["rmse"],
                mean_ccc=None,
                floor_mean_pcc=what["floor"],
            ),
        ),
        leaks=what["leaks"],
    )


def judged(tool: str, score: CellScore, **settings: Setting) -> bool | None:
    answer = known_answer(tool, Shown(score, settings, INFO))
    assert answer is not None
    assert answer.expected == RULES[tool].expected
    return answer.passed


def test_a_tool_without_a_known_answer_has_none() -> None:
    assert known_answer("blur", Shown(score(), {}, INFO)) is None


def test_an_untouched_clip_must_be_met_exactly() -> None:
    assert judged("noop", score()) is True
    for wrong in ({"sw_or": 0.401}, {"sw_or": None}, {"pcc": 0.99}, {"rmse": 0.01}):
        assert judged("noop", score(**wrong)) is False
    assert judged("noop", score(sw_sw=0.81)) is False, "the other face moved"
    assert judged("noop", score(used=2)) is False, "the face is lost"


def test_what_a_cell_cannot_decide_is_left_open() -> None:
    assert judged("noop", score(original=0, used=0, sw_or=None)) is None, "no face to be kept"
    assert judged("noop", score(pcc=None, rmse=None)) is None, "nothing moves"
    assert judged("noop", score(pcc=None, rmse=None, sw_or=0.5)) is False, "yet the distance did"
    assert judged("blackbox", score(original=0, used=0, sw_or=None)) is None
    assert judged("flicker", score(), strength=8.0) is None, "a score without video quality"
    bare = Shown(score(leaks=_leaks((15, 15))), {"at_s": 0.6}, None)
    answer = known_answer("leak", bare)
    assert answer is not None
    assert answer.passed is None, "without a frame rate there is no time"


def test_every_source_of_action_units_has_a_say() -> None:
    fine = score()
    other = fine.attributes[0].model_copy(update={"source": "openface", "mean_pcc": 0.9})
    assert (
        judged("noop", fine.model_copy(update={"attributes": (*fine.attributes, other)})) is False
    )


def test_a_reencoded_clip_meets_the_floor() -> None:
    assert judged("reencode", score(sw_or=0.42, pcc=0.98)) is True
    assert judged("reencode", score(sw_or=0.42, pcc=0.98), crf=28) is True
    assert judged("reencode", score(sw_or=0.46, pcc=0.98)) is False
    assert judged("reencode", score(pcc=0.92)) is False
    assert judged("reencode", score(pcc=0.97)) is None, "another encoder than the floor's"
    assert judged("reencode", score(floor=None)) is None
    assert judged("reencode", score(pcc=0.8), crf=40) is True, "the floor is of another setting"


def test_a_black_box_leaves_no_face() -> None:
    assert judged("blackbox", score(sw_or=None, used=0)) is True
    assert judged("blackbox", score(sw_or=0.9, used=30)) is False
    # Half of the original has no face either: what counts is what is lost of the rest.
    assert judged("blackbox", score(sw_or=0.9, used=3, original=30)) is False


@pytest.mark.parametrize(
    "wrong", [{"sw_or": 0.55}, {"pcc": 0.7}, {"sw_sw": 0.7}, {"pcc": 0.7, "sw_or": 0.9}]
)
def test_somebody_else_is_far_and_moves_otherwise(wrong: dict[str, float]) -> None:
    """An oracle with a PCC of 0.7 once passed in the report and failed in the self-test."""
    right = {"sw_or": 0.8, "pcc": 0.1, "sw_sw": 0.3}
    assert judged("oracle", score(**right)) is True
    assert judged("oracle", score(**{**right, **wrong})) is False


def test_a_short_shift_is_named_to_the_frame_and_nothing_is_paired() -> None:
    right = {"lag": 5, "aligned": False, "pcc": None}
    assert judged("time-shift", score(**right), shift_s=0.2) is True
    for wrong in ({"lag": 4}, {"aligned": True}, {"pcc": 0.5}, {"sw_or": 0.5}):
        assert judged("time-shift", score(**{**right, **wrong}), shift_s=0.2) is False
    early = score(lag=-5, aligned=False, pcc=None)
    assert judged("time-shift", early, shift_s=2.2) is True, "it goes round"
    assert judged("time-shift", score(lag=None, pcc=0.9), shift_s=0.2) is False, "unseen"
    assert judged("time-shift", score(lag=None, pcc=0.1), shift_s=0.2) is None, "a still picture"


def test_after_a_long_shift_the_person_stays_and_the_movements_do_not() -> None:
    assert judged("time-shift", score(lag=None, pcc=0.1), shift_s=1.2) is True
    for wrong in ({"sw_or": 0.5}, {"pcc": 0.9}, {"lag": 3}):
        seen = {"lag": None, "pcc": 0.1, **wrong}
        assert judged("time-shift", score(**seen), shift_s=1.2) is False
    assert judged("time-shift", score(lag=None, pcc=None), shift_s=1.2) is None


def test_injected_flicker_comes_back() -> None:
    def seen(added: float | None) -> CellScore:
        flicker = Flicker(above_hz=5.0, frames=60, added=added)
        return score(pcc=0.98).model_copy(update={"quality": Quality(flicker=flicker)})

    assert judged("flicker", seen(7.0), strength=8.0) is True
    for wrong in (0.0, 3.9, 9.0):
        assert judged("flicker", seen(wrong), strength=8.0) is False


def _leaks(*found: tuple[int, int], every_frame: bool = True, late_s: float = 0.0) -> LeakProfile:
    stretches = tuple(
        LeakingStretch(
            first_frame=first,
            last_frame=last,
            frames=last - first + 1,
            start_s=first / 25 + late_s,
            duration_s=(last - first + 1) / 25,
            minimum_l2=0.3,
        )
        for first, last in found
    )
    return LeakProfile(
        threshold=0.6,
        every_frame=every_frame,
        asked=60,
        used=60,
        leaking=len(found),
        stretches=stretches,
    )


def test_one_leaked_frame_is_found_exactly_and_at_its_time() -> None:
    assert judged("leak", score(leaks=_leaks((15, 15))), at_s=0.6) is True
    assert judged("leak", score(leaks=_leaks((15, 17))), at_s=0.6, frames=3) is True
    for wrong in (
        _leaks(),
        _leaks((15, 16)),
        _leaks((15, 15), (20, 20)),
        _leaks((15, 15), late_s=0.04),
    ):
        assert judged("leak", score(leaks=wrong), at_s=0.6) is False
    sample = _leaks((15, 15), every_frame=False)
    assert judged("leak", score(leaks=sample), at_s=0.6) is None
    assert judged("leak", score(leaks=None), at_s=0.6) is None
