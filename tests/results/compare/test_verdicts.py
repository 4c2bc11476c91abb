"""Grounds of a verdict, from synthetic cells."""

from __future__ import annotations

import pytest

from harness.model.compare import Family, MetricResult
from harness.model.verdict import Verdict
from harness.results.compare.gather import Cell
from harness.results.compare.judge import Pair, judge, overall
from harness.results.compare.metrics import METRICS
from harness.results.compare.run import paired
from tests.results.compare.made_up import Numbers, Viewed, make_score, make_spec, quick_score

SPREAD = (0.0, 0.002, -0.001, 0.003, -0.002, 0.001, 0.004, -0.003, 0.002, 0.001)


def cell(actor: int, numbers: Numbers, donor: str | None = None, version: str = "1") -> Cell:
    spec = make_spec("faceswap", actor, donor, version=version)
    return Cell(spec, quick_score(numbers) if numbers.viewed else make_score(spec, numbers))


def pairs_of(before: list[float], after: list[float]) -> list[Pair]:
    return [
        (cell(k + 1, Numbers(sw_or=a)), cell(k + 1, Numbers(sw_or=b), version="2"))
        for k, (a, b) in enumerate(zip(before, after, strict=True))
    ]


def sw_or(pairs: list[Pair], **options: float) -> MetricResult:
    found = judge(pairs, margins=options or None)
    return next(one for one in found if one.key == "sw_or")


def shifted(by: float) -> list[Pair]:
    return pairs_of([0.7] * 10, [0.7 + by + noise for noise in SPREAD])


def test_worse_and_beyond_the_margin_is_a_regression_and_the_same_upwards_is_not() -> None:
    assert sw_or(shifted(-0.03)).verdict is Verdict.REGRESSED
    assert sw_or(shifted(0.03)).verdict is Verdict.IMPROVED


def test_of_a_metric_that_is_better_when_low_a_rise_is_a_regression() -> None:
    pairs = [
        (
            cell(k, Numbers(match_rate=0.1)),
            cell(k, Numbers(match_rate=0.3 + k / 1000), version="2"),
        )
        for k in range(1, 11)
    ]
    found = {one.key: one.verdict for one in judge(pairs)}
    assert found["match_rate"] is Verdict.REGRESSED
    assert found["sw_or"] is Verdict.UNCHANGED


def test_a_sure_shift_within_the_margin_is_no_regression() -> None:
    found = sw_or(shifted(-0.005))
    assert found.p_adjusted is not None
    assert found.p_adjusted <= 0.05
    assert found.verdict is Verdict.UNCHANGED
    assert sw_or(shifted(-0.005), sw_or=0.003).verdict is Verdict.REGRESSED


def test_a_sure_shift_about_the_margin_is_inconclusive_and_says_so() -> None:
    found = sw_or(shifted(-0.0105))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "not beyond the margin" in found.reason


def test_donors_of_one_actor_are_averaged_before_anything_is_tested() -> None:
    pairs = []
    for actor in (1, 2):
        for d in range(20):
            before, after = Numbers(sw_or=0.7), Numbers(sw_or=0.6 + 0.001 * d)
            pairs.append((cell(actor, before, f"d{d}"), cell(actor, after, f"d{d}", "2")))
    found = sw_or(pairs)
    assert found.comparison is not None
    assert found.comparison.n == 2
    assert [a.pairs for a in found.actors] == [20, 20]
    # 40 pairs would be significant many times over; two actors never are by sign-flips.
    assert found.comparison.sign_flip.p == 0.5


def test_identical_results_are_unchanged_without_any_spread() -> None:
    found = sw_or(pairs_of([0.7, 0.8, 0.75], [0.7, 0.8, 0.75]))
    assert found.verdict is Verdict.UNCHANGED
    assert found.reason == "Both sides are the same for all 3 actors."


def test_what_every_actor_shows_alike_is_a_regression_though_it_has_no_spread() -> None:
    pairs = [
        (cell(k, Numbers()), cell(k, Numbers(sw_or=None, faces=0), version="2"))
        for k in range(1, 5)
    ]
    found = judge(pairs)
    lost = next(one for one in found if one.key == "lost_faces")
    assert lost.verdict is Verdict.REGRESSED
    assert lost.reason.startswith("The shift is +1.000 for every one of 4 actors")
    assert overall(found) is Verdict.REGRESSED


def test_a_coarse_metric_that_moves_alike_for_few_actors_is_left_open() -> None:
    def blinks(f1: float, actor: int, version: str) -> Cell:
        return cell(actor, Numbers(viewed=Viewed(blinks=f1)), version=version)

    two, ten = (
        [(blinks(1.0, k, "1"), blinks(0.5, k, "2")) for k in range(1, n + 1)] for n in (2, 14)
    )
    few = next(one for one in judge(two) if one.key == "blinks")
    assert few.verdict is Verdict.INCONCLUSIVE
    assert "so few actors may do so by chance" in few.reason
    many = next(one for one in judge(ten) if one.key == "blinks")
    assert many.verdict is Verdict.REGRESSED


def test_a_shift_alike_for_all_but_within_the_margin_is_no_change() -> None:
    # Halves, quarters and eighths: the differences are exactly the same.
    found = sw_or(pairs_of([0.5, 0.75, 0.625], [0.375, 0.625, 0.5]), sw_or=0.2)
    assert found.verdict is Verdict.UNCHANGED
    assert "for every one of 3 actors, within the margin" in found.reason


def test_one_actor_in_common_has_a_difference_and_says_what_it_cannot_have() -> None:
    found = sw_or(pairs_of([0.7], [0.5]))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "Only one actor in common" in found.reason
    assert found.comparison is not None
    assert found.comparison.mean_difference == pytest.approx(-0.2)
    assert found.p is None


def test_a_side_without_any_value_is_not_comparable_and_says_why() -> None:
    pairs = [
        (cell(k, Numbers()), cell(k, Numbers(sw_or=None, faces=0), version="2")) for k in (1, 2, 3)
    ]
    found = sw_or(pairs)
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.reason == (
        "The candidate has no value of this metric. "
        "A video in which almost no face is found has no distance."
    )


def test_a_video_without_faces_has_no_distance_however_large_it_reads() -> None:
    pairs = [
        (cell(k, Numbers()), cell(k, Numbers(sw_or=0.99, faces=20), version="2")) for k in (1, 2, 3)
    ]
    assert sw_or(pairs).verdict is Verdict.NOT_COMPARABLE
    lost = next(one for one in judge(pairs) if one.key == "lost_faces")
    assert lost.candidate == pytest.approx(0.98)


def test_the_match_rate_counts_frames_without_a_face_as_asked() -> None:
    rate = next(metric for metric in METRICS if metric.key == "match_rate")
    assert rate.read is not None
    score = cell(1, Numbers(match_rate=0.5, faces=400)).score
    assert rate.read(score) == pytest.approx(0.2)


def test_more_metrics_make_each_of_them_harder_to_alarm() -> None:
    pairs = shifted(-0.03)
    alone = judge(pairs, metrics=METRICS[:1])[0]
    among = sw_or(pairs)
    assert alone.p == among.p == 2.0**-9
    assert alone.p_adjusted == alone.p
    # PCC, CCC, RMSE, match rate and lost faces are the others.
    assert among.p_adjusted == pytest.approx(6 * 2.0**-9)


def viewed_pairs(worse: float, shift: float = 0.0) -> list[Pair]:
    """Ten actors; ``worse`` degrees are added to the head pose, ``shift`` to the distance."""
    pairs = []
    for k in range(1, 11):
        steps = [0.001 * ((k * step) % 7) for step in (3, 5)]
        before = Numbers(sw_or=0.7 + steps[0], viewed=Viewed(head_pose=2 + steps[1]))
        after = Numbers(sw_or=0.7 + shift + steps[1], viewed=Viewed(head_pose=2 + worse + steps[0]))
        pairs.append((cell(k, before), cell(k, after, version="2")))
    return pairs


def test_behaviour_that_is_worse_is_a_regression_though_the_study_sees_none() -> None:
    found = judge(viewed_pairs(worse=2.0))
    said = {one.key: one.verdict for one in found}
    assert said["head_pose"] is Verdict.REGRESSED
    assert {v for key, v in said.items() if key != "head_pose"} == {Verdict.UNCHANGED}
    assert overall(found) is Verdict.REGRESSED


def test_behaviour_that_cannot_be_told_does_not_hide_that_the_study_sees_no_change() -> None:
    found = judge(viewed_pairs(worse=0.0), margins={"head_pose": 1e-4})
    assert {one.verdict for one in found if one.key == "head_pose"} == {Verdict.INCONCLUSIVE}
    assert overall(found) is Verdict.UNCHANGED


def test_behaviour_and_quality_leave_the_study_four_fifths_of_alpha_and_have_one() -> None:
    alone, among = (sw_or(pairs) for pairs in (shifted(-0.03), viewed_pairs(0.0, -0.03)))
    assert alone.p == among.p == 2.0**-9
    assert alone.p_adjusted == pytest.approx(6 * 2.0**-9)
    assert among.p_adjusted == pytest.approx(6 * 2.0**-9 / 0.8)
    pose = next(one for one in judge(viewed_pairs(2.0)) if one.key == "head_pose")
    # The other five stand still: without spread there is no t test of them.
    assert pose.p is not None
    assert pose.p_adjusted == pytest.approx(min(1, pose.p / 0.2))


def test_the_whole_is_as_bad_as_its_worst_metric() -> None:
    found = judge(shifted(-0.03))
    study = {one.verdict for one in found if one.family is Family.STUDY}
    assert study == {Verdict.REGRESSED, Verdict.UNCHANGED}
    assert overall(found) is Verdict.REGRESSED
    assert overall([]) is Verdict.NOT_COMPARABLE


def test_a_tool_without_donors_stands_against_every_donor_of_the_other() -> None:
    plain = {c.key: c for c in (cell(1, Numbers()), cell(2, Numbers()))}
    swaps = {c.key: c for c in (cell(1, Numbers(), "a"), cell(1, Numbers(), "b"))}
    found = paired(plain, swaps)
    assert [(a.key[2], b.key[2]) for a, b in found] == [("", "a"), ("", "b")]
    assert [(a.key[2], b.key[2]) for a, b in paired(swaps, plain)] == [("a", ""), ("b", "")]
    assert paired(swaps, {}) == []
