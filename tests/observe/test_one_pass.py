"""One pass over a video feeds all observers, and gives what each would have measured alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.core.errors import BenchWarning
from harness.core.hashing import file_sha256
from harness.media import frames as media_frames
from harness.media.frames import Frame, VideoWriter, read_frames
from harness.media.probe import probe
from harness.model.observed import GROUPS, POINTS, positions
from harness.model.video import VideoInfo, VideoRef
from harness.observe.face_mesh import Expressions, Landmarks
from harness.observe.faces import FaceEmbeddings
from harness.observe.observer import Observer
from harness.observe.pictures import Thumbnails
from harness.observe.video import (
    measure_video,
    observe_crops,
    observe_faces,
    observe_second_detector,
    observe_video,
)
from harness.store.observations import ObservationStore
from harness.vision.colour import bgr_to_rgb

pytestmark = pytest.mark.clips

FRAMES = 8


@pytest.fixture
def video(tmp_path: Path, sample_dir: Path) -> Path:
    """Eight frames of a woman; the fourth is black."""
    path = tmp_path / "short.mp4"
    with VideoWriter(path, 640, 360, "24/1") as writer:
        clip = read_frames(sample_dir / "WolfgangLanger_Pexels.mp4")
        for number, frame in enumerate(islice(clip, FRAMES)):
            writer.write(np.zeros_like(frame) if number == 3 else frame)
    return path


def stored_at(observer: Observer, home: Path) -> Path:
    (path,) = home.glob(f"observations/*/{observer.name}@{observer.version}.parquet")
    return path


@pytest.fixture(autouse=True)
def landmarker(face_landmarker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_FACE_LANDMARKER", str(face_landmarker))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of frames that each reading of a video gave."""
    counts: list[int] = []

    def counting(path: Path, info: VideoInfo | None = None) -> Iterator[Frame]:
        counts.append(0)
        for frame in read_frames(path, info):
            counts[-1] += 1
            yield frame

    monkeypatch.setattr(media_frames, "read_frames", counting)
    return counts


def test_one_pass_measures_what_several_do_and_decodes_once(
    video: Path, tmp_path: Path, decoded: list[int]
) -> None:
    home, apart = tmp_path / "together", tmp_path / "apart"
    everything: list[Observer] = [Expressions(), Thumbnails(), Landmarks(), FaceEmbeddings(home)]
    measure_video(VideoRef(video, file_sha256(video)), everything, ObservationStore(home))
    assert decoded == [FRAMES]
    for one in (Expressions(), Thumbnails(), Landmarks(), FaceEmbeddings(home)):
        measure_video(VideoRef(video, file_sha256(video)), [one], ObservationStore(apart))
        first, second = (pd.read_parquet(stored_at(one, place)) for place in (home, apart))
        pd.testing.assert_frame_equal(first, second)
        assert first["frame"].tolist() == list(range(FRAMES))
    assert decoded == [FRAMES] * 5


def test_what_is_stored_is_read_and_only_what_is_missing_is_measured(
    video: Path, tmp_path: Path, decoded: list[int]
) -> None:
    first = observe_video(
        VideoRef(video, file_sha256(video), probe(video)), ObservationStore(tmp_path)
    )
    again = observe_video(
        VideoRef(video, file_sha256(video), probe(video)), ObservationStore(tmp_path)
    )
    assert decoded == [FRAMES]
    pd.testing.assert_frame_equal(first.expressions, again.expressions)
    before = stored_at(Expressions(), tmp_path).stat().st_mtime_ns
    stored_at(Landmarks(), tmp_path).unlink()
    third = observe_video(VideoRef(video, file_sha256(video)), ObservationStore(tmp_path))
    assert decoded == [FRAMES, FRAMES]
    assert np.array_equal(third.landmarks, first.landmarks, equal_nan=True)
    assert stored_at(Expressions(), tmp_path).stat().st_mtime_ns == before


def test_a_damaged_observation_is_set_aside_and_measured_again(
    video: Path, tmp_path: Path, decoded: list[int]
) -> None:
    first = observe_video(VideoRef(video, file_sha256(video)), ObservationStore(tmp_path))
    stored = stored_at(Thumbnails(), tmp_path)
    data = bytearray(stored.read_bytes())
    data[4:40] = bytes(36)
    stored.write_bytes(data)
    with pytest.warns(BenchWarning, match="its digest is another one"):
        again = observe_video(VideoRef(video, file_sha256(video)), ObservationStore(tmp_path))
    assert np.array_equal(again.pictures, first.pictures)
    assert decoded == [FRAMES, FRAMES]
    assert list(stored.parent.glob("*.corrupt-1"))


def test_a_pass_that_is_cut_short_leaves_nothing_and_is_done_again(
    video: Path, tmp_path: Path
) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        observe_faces(VideoRef(video, file_sha256(video)), ObservationStore(tmp_path), interrupt)
    left = (tmp_path / "observations" / file_sha256(video)).iterdir()
    # What the video holds was found before its first frame was looked at, and is whole.
    kept = [path.name for path in left if not path.name.endswith(".lock")]
    assert [name for name in kept if not name.startswith("video-info@")] == []
    assert (
        len(observe_faces(VideoRef(video, file_sha256(video)), ObservationStore(tmp_path)))
        == FRAMES
    )


def test_landmarks_are_pixels_of_the_main_face_and_nan_without_one(
    video: Path, tmp_path: Path
) -> None:
    seen = observe_video(VideoRef(video, file_sha256(video)), ObservationStore(tmp_path))
    assert seen.landmarks.shape == (FRAMES, len(POINTS), 2)
    assert len(POINTS) == len(set(POINTS)) == sum(map(len, GROUPS.values()))
    assert np.isnan(seen.landmarks[3]).all()
    face, box = seen.landmarks[0], seen.expressions.iloc[0]
    assert (face[:, 0] >= box["box_x0"] - 0.01).all()
    assert (face[:, 0] <= box["box_x1"] + 0.01).all()
    # The person's right eye is on the left of the picture, and the lips are under the nose.
    assert face[positions("right_eye"), 0].mean() < face[positions("left_eye"), 0].mean()
    order = ("left_brow", "left_eye", "nose", "outer_lips")
    heights = [face[positions(group), 1].mean() for group in order]
    assert heights == sorted(heights)
    for side in ("right", "left"):
        eye, iris = face[positions(f"{side}_eye")], face[positions(f"{side}_iris")[0]]
        assert (iris > eye.min(axis=0)).all()
        assert (iris < eye.max(axis=0)).all()


def test_crops_show_the_face_upright_and_small_and_only_where_there_is_one(
    video: Path, tmp_path: Path
) -> None:
    frames, faces = observe_crops(VideoRef(video, file_sha256(video)), ObservationStore(tmp_path))
    assert frames.tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert faces.shape == (7, 64, 64)
    # Eyes are darker than the cheeks under them, and neighbouring frames show nearly the same.
    eyes, cheeks = faces[0, 26:32, 18:26].mean(), faces[0, 38:44, 14:22].mean()
    assert eyes < cheeks
    assert np.corrcoef(faces[0].ravel(), faces[1].ravel())[0, 1] > 0.95


def test_the_second_detector_looks_at_few_frames_and_sees_the_face_where_it_is(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.observe.tracking.SAMPLED_FRAMES", 3)
    seen = observe_second_detector(VideoRef(video, file_sha256(video)), ObservationStore(tmp_path))
    assert seen["frame"].tolist() == [0, 3, 6]
    assert seen["faces"].tolist() == [1, 0, 1]
    assert (seen["score"] > 0.5).tolist() == [True, False, True]


def test_colours_turn_as_a_reversed_slice_turns_them() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (33, 21, 3)).astype(np.uint8)
    turned = bgr_to_rgb(picture)
    assert np.array_equal(turned, picture[:, :, ::-1])
    assert turned.flags["C_CONTIGUOUS"]
