"""Each known answer passes on what must be seen, and fails on what a broken harness would see."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.conformance import known_answers as known
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
from harness.scoring.cohort_trials import Probe, Trial

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
                Comparison.ORIGINAL_ORIGINAL: _distances(0.4),
                Comparison.SWAPPED_ORIGINAL: _distances(what["sw_or"], what["used"]),
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


def test_an_untouched_clip_must_be_met_exactly() -> None:
    assert known.untouched(score()).passed
    for wrong in ({"sw_or": 0.401}, {"sw_or": None}, {"pcc": 0.99}, {"pcc": None}, {"rmse": 0.01}):
        assert not known.untouched(score(**wrong)).passed


def test_a_reencoded_clip_meets_the_floor() -> None:
    assert known.reencoded(score(sw_or=0.42, pcc=0.98)).passed
    for wrong in ({"sw_or": 0.46}, {"pcc": 0.97}, {"floor": None}):
        assert not known.reencoded(score(**{"pcc": 0.98, **wrong})).passed


def test_a_black_box_leaves_no_face() -> None:
    assert known.blackened(score(sw_or=None, used=0)).passed
    assert not known.blackened(score(sw_or=0.9, used=30)).passed


def test_somebody_else_is_far_and_moves_otherwise() -> None:
    assert known.somebody_else(score(sw_or=0.8, pcc=0.1)).passed
    for wrong in ({"sw_or": 0.55}, {"sw_or": None}, {"pcc": 0.7}, {"pcc": None}):
        assert not known.somebody_else(score(**{"sw_or": 0.8, "pcc": 0.1, **wrong})).passed


def test_a_short_shift_is_named_to_the_frame_and_nothing_is_paired() -> None:
    assert known.shift_named(score(lag=5, aligned=False, pcc=None), 5).passed
    for wrong in ({"lag": 4}, {"lag": None}, {"aligned": True}, {"pcc": 0.5}):
        seen = {"lag": 5, "aligned": False, "pcc": None, **wrong}
        assert not known.shift_named(score(**seen), 5).passed


def test_after_a_long_shift_the_person_stays_and_the_movements_do_not() -> None:
    assert known.shift_paired(score(lag=None, pcc=0.1), 30).passed
    for wrong in ({"sw_or": 0.5}, {"pcc": 0.9}, {"pcc": None}):
        assert not known.shift_paired(score(**{"pcc": 0.1, **wrong}), 30).passed


def test_injected_flicker_comes_back() -> None:
    def seen(added: float | None) -> CellScore:
        flicker = Flicker(above_hz=5.0, frames=60, added=added)
        return score(pcc=0.98).model_copy(update={"quality": Quality(flicker=flicker)})

    assert known.flickering(seen(7.0), 8.0).passed
    for wrong in (0.0, 3.9, 9.0, None):
        assert not known.flickering(seen(wrong), 8.0).passed
    assert not known.flickering(score(), 8.0).passed, "a score without video quality"


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
        used=1,
        leaking=len(found),
        stretches=stretches,
    )


def test_one_leaked_frame_is_found_exactly_and_at_its_time() -> None:
    assert known.leak_found(score(leaks=_leaks((15, 15))), 15, INFO).passed
    for wrong in (
        None,
        _leaks(),
        _leaks((15, 16)),
        _leaks((15, 15), (20, 20)),
        _leaks((15, 15), late_s=0.04),
        _leaks((15, 15), every_frame=False),
    ):
        assert not known.leak_found(score(leaks=wrong), 15, INFO).passed


def test_of_shared_faces_at_most_one_in_k_is_named_rightly() -> None:
    enrolled = {1: [0.0], 2: [1.0], 3: [2.0], 4: [3.0]}
    shared = {1: [0.2], 2: [0.2], 3: [2.2], 4: [2.2]}
    assert known.shared_faces(shared, enrolled, 2).passed
    assert "2 of 4 = 0.500" in known.shared_faces(shared, enrolled, 2).seen
    assert not known.shared_faces({**shared, 2: [0.9]}, enrolled, 2).passed
    assert not known.shared_faces({**shared, 2: None}, enrolled, 2).passed
    assert not known.shared_faces({}, enrolled, 2).passed


def _trial(mated: float, other: float, spread: float = 0.1) -> Trial:
    """Two actors with three probes each, around these distances."""
    around = np.array([-spread, 0.0, spread])[:, None]
    own, strange = mated + around, other + around
    return Trial(
        (2, 3),
        (
            Probe(2, np.concatenate([own, strange], axis=1), 3),
            Probe(3, np.concatenate([strange, own], axis=1), 3),
        ),
    )


def test_the_parrot_must_tell_people_apart_better_than_the_naive_attacker() -> None:
    good, fair, wrong = _trial(0.2, 0.8), _trial(0.5, 0.8), _trial(0.8, 0.7)
    assert known.parrot_wins("blur", fair, good).passed
    assert known.parrot_wins("blur", wrong, good).passed
    for naive, parrot in ((good, fair), (fair, fair), (good, wrong), (Trial((), ()), good)):
        assert not known.parrot_wins("blur", naive, parrot).passed
        assert not known.parrot_wins("blur", parrot, Trial((), ())).passed
    seen = known.parrot_wins("blur", wrong, good).seen
    assert seen == "naive 1.143, rank-1 0.000; parrot 0.250, rank-1 1.000"


def test_a_cell_without_a_score_fails_with_its_reason() -> None:
    answer = known.missing("noop", "the same", known.Missing(reason="the disk was full"))
    assert not answer.passed
    assert answer.seen == "no score: the disk was full"
