"""Two real people side by side: the main one is followed, and the frames are counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest

from harness.media.frames import read_frames_at
from harness.model.score import Comparison
from harness.observe.identity import observe_identity
from harness.observe.video import observe_attributes, observe_faces
from harness.store.observations import ObservationStore

if TYPE_CHECKING:
    from tests.scoring.conftest import Bench, Frame, Frames

pytestmark = pytest.mark.clips

FRAMES, WIDTH, HEIGHT = 12, 480, 360


def side_by_side(man: Frame, woman: Frame, shares: tuple[float, float]) -> Frame:
    """The man in the left half and the woman in the right, each at a share of his half's size."""
    frame = np.zeros((HEIGHT, 2 * WIDTH, 3), np.uint8)
    for left, picture, share in ((0, man, shares[0]), (WIDTH, woman, shares[1])):
        width, height = int(WIDTH * share), int(HEIGHT * share)
        frame[:height, left : left + width] = cv2.resize(picture, (width, height))
    return frame


@pytest.fixture
def people(sample_dir: Path) -> list[tuple[Frame, Frame]]:
    """Frames of the man and, cut to his proportions, of the woman."""
    from tests.scoring.conftest import first_frames

    man = first_frames(sample_dir / "single_face.mp4", FRAMES)
    woman = first_frames(sample_dir / "WolfgangLanger_Pexels.mp4", FRAMES)
    return [(m, w[:, 80:560]) for m, w in zip(man, woman, strict=True)]


@pytest.fixture
def pair(make_bench: Callable[[Frames], Bench], people: list[tuple[Frame, Frame]]) -> Bench:
    """The man large, the woman small."""
    return make_bench([side_by_side(man, woman, (1, 0.45)) for man, woman in people])


def test_the_fast_path_follows_and_embeds_the_same_of_several_faces(pair: Bench) -> None:
    fast = observe_faces(pair.video, pair.observations)
    assert fast["frame"].tolist() == list(range(FRAMES))
    plain = observe_identity(pair.video, range(0, FRAMES, 4), pair.observations)
    same = fast.iloc[::4]
    assert same["faces"].tolist() == plain["faces"].tolist()
    for side in ("top", "right", "bottom", "left"):
        assert same[side].to_numpy() == pytest.approx(plain[side].to_numpy(), abs=2)
    for first, second in zip(same["embedding"], plain["embedding"], strict=True):
        assert np.asarray(first) == pytest.approx(np.asarray(second), abs=0.02)


def test_the_larger_face_is_followed_and_measured(pair: Bench) -> None:
    import face_recognition

    path = pair.original_path
    tracked = observe_attributes(pair.video, pair.observations)
    assert (tracked["box_x1"] < WIDTH).all()
    seen = observe_identity(pair.video, range(0, FRAMES, 4), pair.observations)
    assert (seen["faces"] >= 2).all()
    assert (seen["right"] < WIDTH).all()
    for frame, picture in read_frames_at(path, [0, 8]):
        image = np.ascontiguousarray(picture[:, :, ::-1])
        faces = face_recognition.face_locations(image)
        largest = max(faces, key=lambda f: (f[2] - f[0]) * (f[1] - f[3]))
        (plain,) = face_recognition.face_encodings(image, [largest])
        stored = seen.loc[seen["frame"] == frame, "embedding"].item()
        assert np.asarray(stored) == pytest.approx(plain, abs=1e-6)


def test_frames_with_several_faces_are_counted_in_the_score(pair: Bench) -> None:
    score = pair.score("noop", pair.original_path)
    for comparison in (Comparison.ORIGINAL_ORIGINAL, Comparison.SWAPPED_ORIGINAL):
        assert score.identity.comparisons[comparison].several_faces == pair.protocol.frames


def test_the_main_face_stays_the_same_person_when_the_other_comes_nearer(
    pair: Bench, people: list[tuple[Frame, Frame]]
) -> None:
    # From the middle on the woman is the larger one: the man is still followed.
    frames = [
        side_by_side(man, woman, (1, 0.45) if number < FRAMES // 2 else (0.9, 1))
        for number, (man, woman) in enumerate(people)
    ]
    video = pair.media.video(pair.store(frames, "nearer.mp4"))
    tracked = observe_attributes(video, pair.observations)
    assert (tracked["faces"].iloc[FRAMES // 2 + 1 :] == 2).all()
    assert (tracked["box_x1"] < WIDTH).all()
    late = observe_identity(video, [FRAMES - 1], pair.observations)
    assert late["faces"].item() == 2
    assert late["right"].item() < WIDTH


@pytest.mark.own_observations
def test_the_main_of_several_faces_does_not_depend_on_the_frames_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_faces(_: Path, frames: list[int]) -> list[tuple[int, object]]:
        large, small = (0, 200, 200, 0), (10, 350, 60, 300)
        found = ([large, small], [np.full(128, 1.0), np.full(128, 2.0)])
        return [(frame, found) for frame in frames]

    tracked = pd.DataFrame(
        {"frame": [0, 1, 2], "faces": [1, 1, 0]}
        | {f"box_{side}": value for side, value in zip(("x0", "y0", "x1", "y1"), BOX, strict=True)}
    )
    monkeypatch.setattr("harness.observe.identity._detect_all", two_faces)
    monkeypatch.setattr("harness.observe.identity.observe_attributes", lambda *_: tracked)
    whole = observe_identity(bench.video, [0, 1, 2], bench.observations)
    other = ObservationStore(bench.home / "other")
    single = observe_identity(bench.video, [1], other)
    assert [row[0] for row in whole["embedding"]] == [2.0, 2.0, 1.0]
    assert single["embedding"].iloc[0][0] == 2.0
    assert whole["faces"].tolist() == [2, 2, 2]


BOX = (300.0, 10.0, 350.0, 60.0)
