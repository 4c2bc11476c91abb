"""Leaks on real video: an injected frame, odd swaps, a face that leaves, a second person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from harness.model.identity import IdentityPath
from harness.model.privacy import LeakProfile
from harness.model.protocol import Protocol

if TYPE_CHECKING:
    from tests.scoring.conftest import Bench, Frame, Frames

pytestmark = pytest.mark.clips

FRAMES, LEAK, FPS = 16, 11, 24
"""Fewer than 20 frames: too few for any correlation, and enough for a leak."""


@pytest.fixture
def man(sample_dir: Path) -> Frames:
    """A man who looks like the reference photo (distance about 0.45)."""
    from tests.scoring.conftest import first_frames

    return first_frames(sample_dir / "single_face.mp4", FRAMES)


@pytest.fixture
def woman(sample_dir: Path) -> Frames:
    from tests.scoring.conftest import first_frames

    return first_frames(sample_dir / "WolfgangLanger_Pexels.mp4", FRAMES)


@pytest.fixture
def profile(make_bench: Callable[[Frames], Bench], man: Frames) -> Callable[..., LeakProfile]:
    """The leaks of a swapped video of the man; in so many frames only by the reference path, as
    the fast one looks at all."""
    bench = make_bench(man)

    def of(name: str, frames: Frames, look_at: int = FRAMES) -> LeakProfile:
        sampled = look_at < FRAMES
        path = IdentityPath.REFERENCE if sampled else IdentityPath.FAST
        bench.protocol = Protocol(frames=look_at, identity=path)
        found = bench.score(name, bench.write(frames, f"{name}.mp4", fps=f"{FPS}/1")).leaks
        assert found is not None
        return found

    return of


def test_one_leaked_frame_in_a_swap_is_found_exactly_at_the_right_time(
    profile: Callable[..., LeakProfile], man: Frames, woman: Frames
) -> None:
    found = profile("leak", [*woman[:LEAK], man[LEAK], *woman[LEAK + 1 :]])
    assert found.every_frame
    (stretch,) = found.stretches
    assert (stretch.first_frame, stretch.last_frame) == (LEAK, LEAK)
    assert (found.leaking, found.used) == (1, FRAMES)
    assert found.first_leak_s == pytest.approx(LEAK / FPS)


def test_a_face_that_leaves_and_comes_back_leaks_in_two_stretches(
    profile: Callable[..., LeakProfile], man: Frames
) -> None:
    empty = [np.zeros_like(frame) for frame in man[5:9]]
    found = profile("gone", [*man[:5], *empty, *man[9:]])
    assert (found.asked, found.used, found.leaking) == (FRAMES, FRAMES - 4, FRAMES - 4)
    spans = [(stretch.first_frame, stretch.last_frame) for stretch in found.stretches]
    assert spans == [(0, 4), (9, FRAMES - 1)]


def mirrored(frame: Frame) -> Frame:
    return np.ascontiguousarray(frame[:, ::-1])


def cropped(frame: Frame) -> Frame:
    height, width = frame.shape[:2]
    inner = frame[: height * 9 // 10, width // 10 : width * 9 // 10]
    return np.asarray(cv2.resize(inner, (width, height)), np.uint8)


def shifted(frame: Frame) -> Frame:
    return np.roll(frame, 40, axis=1)


@pytest.mark.parametrize("change", [mirrored, cropped, shifted])
def test_a_person_who_is_only_mirrored_cropped_or_shifted_is_not_hidden(
    profile: Callable[..., LeakProfile], man: Frames, change: Callable[[Frame], Frame]
) -> None:
    found = profile(change.__name__, [change(frame) for frame in man], 4)
    assert (found.asked, found.every_frame) == (4, False)
    assert found.share_of_asked == 1


def test_a_second_person_who_becomes_the_larger_one_hides_no_leak(
    make_bench: Callable[[Frames], Bench], man: Frames, woman: Frames
) -> None:
    from tests.scoring.test_several_faces import side_by_side

    pairs = list(zip(man, (frame[:, 80:560] for frame in woman), strict=True))
    half = FRAMES // 2
    frames = [side_by_side(m, w, (1, 0.45)) for m, w in pairs[:half]]
    frames += [side_by_side(m, w, (0.9, 1)) for m, w in pairs[half:]]
    bench = make_bench(frames)
    bench.protocol = Protocol(frames=6)
    found = bench.score("noop", bench.original_path).leaks
    assert found is not None
    assert found.leaking == found.used == FRAMES
