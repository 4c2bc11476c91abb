"""Blinks and mouth openings in series whose events are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.scoring.events import (
    BLINK,
    MOUTH_OPENING,
    TOLERANCE_S,
    Event,
    Trigger,
    events,
    match_events,
    matches,
    same_event,
)

FPS = 25.0


def blinking(*frames: int, rest: float = 0.1, height: float = 0.5) -> NDArray[np.float64]:
    """Five seconds of eyes at rest that close for three frames from each of ``frames``."""
    series = np.full(125, rest)
    for frame in frames:
        series[frame : frame + 3] = rest + height
    return series


def starts(series: NDArray[np.float64], trigger: Trigger) -> tuple[int, ...]:
    return tuple(event.start for event in events(series, trigger))


def test_a_copy_keeps_every_blink() -> None:
    found = match_events(blinking(20, 60, 100), blinking(20, 60, 100), BLINK, FPS)
    assert (found.original, found.swapped, found.matched) == (3, 3, 3)
    assert (found.precision, found.recall, found.f1) == (1, 1, 1)
    assert found.reason == ""


def test_a_missed_blink_costs_recall_and_an_invented_one_precision() -> None:
    found = match_events(blinking(20, 60, 100), blinking(20, 80), BLINK, FPS)
    assert (found.original, found.swapped, found.matched) == (3, 2, 1)
    assert found.precision == 0.5
    assert found.recall == pytest.approx(1 / 3)
    assert found.f1 == pytest.approx(2 * 0.5 * (1 / 3) / (0.5 + 1 / 3))


@pytest.mark.parametrize(("late", "matched"), [(5, 1), (6, 0), (-5, 1), (-6, 0)])
def test_a_blink_matches_within_the_tolerance_of_its_beginning(late: int, matched: int) -> None:
    assert TOLERANCE_S * FPS == 5
    found = match_events(blinking(60), blinking(60 + late), BLINK, FPS)
    assert found.matched == matched


def test_without_an_event_in_the_original_nothing_is_measurable_but_inventions_are_counted() -> (
    None
):
    found = match_events(blinking(), blinking(20), BLINK, FPS)
    assert (found.original, found.swapped) == (0, 1)
    assert (found.precision, found.recall, found.f1) == (None, None, None)
    assert found.reason == "not measurable: the original has no blink"


def test_a_swap_that_never_blinks_has_no_precision_and_recalls_nothing() -> None:
    found = match_events(blinking(20, 60), blinking(), BLINK, FPS)
    assert (found.precision, found.recall, found.f1) == (None, 0, 0)


def test_each_face_is_measured_from_its_own_rest() -> None:
    assert starts(blinking(20, 60, rest=0.45), BLINK) == (20, 60)
    assert starts(blinking(20, height=0.2), BLINK) == ()


def test_a_value_that_trembles_at_the_threshold_is_one_event() -> None:
    trembling = blinking()
    trembling[40:60] = 0.1 + np.where(np.arange(20) % 2, BLINK.on + 0.02, BLINK.on - 0.02)
    assert starts(trembling, BLINK) == (41,)
    trembling[50] = 0.1 + BLINK.off - 0.01
    assert starts(trembling, BLINK) == (41, 51)


def test_lost_faces_end_events_and_what_the_original_does_not_show_is_not_counted() -> None:
    original, swapped = blinking(20, 60), blinking(20, 60, 100)
    original[90:] = np.nan
    found = match_events(original, swapped, BLINK, FPS)
    assert (found.original, found.swapped, found.matched) == (2, 2, 2)
    swapped[55:65] = np.nan
    found = match_events(original, swapped, BLINK, FPS)
    assert (found.original, found.matched, found.recall) == (2, 1, 0.5)


def test_a_video_without_any_face_has_no_events() -> None:
    nothing = np.full(125, np.nan)
    assert starts(nothing, MOUTH_OPENING) == ()
    found = match_events(nothing, nothing, MOUTH_OPENING, FPS)
    assert found.reason == "not measurable: the original has no mouth opening"


def test_an_event_lasts_until_the_series_falls_below_the_lower_threshold_or_ends() -> None:
    assert events(blinking(20, 123), BLINK) == (Event(20, 23), Event(123, 125))


@pytest.mark.parametrize(
    ("late", "expected"), [(Event(31, 60), True), (Event(41, 60), False), (Event(0, 45), False)]
)
def test_slow_openings_match_by_what_they_share(late: Event, expected: bool) -> None:
    assert same_event(Event(20, 60), late, 5) is expected
    assert same_event(late, Event(20, 60), 5) is expected


_EVENTS = st.lists(st.integers(0, 40), max_size=10, unique=True).map(
    lambda times: [
        Event(*pair) for pair in zip(sorted(times)[::2], sorted(times)[1::2], strict=False)
    ]
)


@given(_EVENTS, _EVENTS, st.integers(0, 8))
def test_as_many_events_are_paired_as_any_pairing_can(
    first: list[Event], second: list[Event], tolerance: int
) -> None:
    few, many = sorted((first, second), key=len)
    best = max(
        sum(same_event(a, b, tolerance) for a, b in zip(few, order, strict=True))
        for order in itertools.permutations(many, len(few))
    )
    assert matches(first, second, tolerance) == best
