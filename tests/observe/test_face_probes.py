"""Attackers' faces where the study's detector finds none, and nothing measured twice for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from harness.core.errors import UnfitMachineError
from harness.core.hashing import file_sha256
from harness.media import frames as media_frames
from harness.media.frames import Frame, VideoWriter, read_frames
from harness.model.cohort import ProbeSource
from harness.model.identity import IdentityPath
from harness.model.video import VideoInfo, VideoRef
from harness.observe.faces import FaceEmbeddings, FaceFinder
from harness.observe.observer import Observer, key_of
from harness.observe.probes import FaceProbes, dlib_box, open_probes, probes_version
from harness.observe.second_detector import SecondDetector, open_second_detector
from harness.observe.tracking import TrackedFrame
from harness.observe.video import measure_video, observe_faces, observe_probes
from harness.store.observations import ObservationStore
from harness.vision.boxes import Box
from harness.vision.centerface import Found
from harness.vision.embedder import shared_embedder

FACE: Box = (20.0, 20.0, 80.0, 80.0)
ELSEWHERE: Box = (200.0, 20.0, 260.0, 80.0)
EACH = 4


def embed(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.zeros((len(chips), 128), np.float32)


class Hog:
    """In place of a ``FaceFinder``: the main face in each frame, or none."""

    def __init__(self, *boxes: Box | None) -> None:
        self._boxes = boxes

    def find(self, seen: TrackedFrame) -> tuple[list[tuple[int, int, int, int]], int | None]:
        box = self._boxes[seen.frame]
        if box is None:
            return [], None
        left, top, right, bottom = (int(edge) for edge in box)
        return [(top, right, bottom, left)], 0


class Second:
    """In place of a ``SecondDetector``; remembers where it was asked."""

    def __init__(self, *found: Found) -> None:
        self.found, self.asked = list(found), list[int]()

    def find(self, seen: TrackedFrame) -> list[Found]:
        self.asked.append(seen.frame)
        return self.found


def frames_of(*tracked: Box | None) -> Iterator[TrackedFrame]:
    """One frame for each face of the tracker."""
    rgb = np.random.default_rng(1).integers(0, 256, (100, 300, 3)).astype(np.uint8)
    for frame, box in enumerate(tracked):
        boxes = () if box is None else (box,)
        main = None if box is None else 0
        yield TrackedFrame(frame, frame / 25, rgb, rgb, (), boxes, main, None, len(tracked))


def rows_of(probes: FaceProbes, frames: Iterator[TrackedFrame]) -> dict[int, str]:
    rows = [row for seen in frames for row in probes.see(seen)] + list(probes.rest())
    return {row["frame"]: row["source"] for row in rows}


def made(hog: Hog | None, second: Second | None) -> FaceProbes:
    return FaceProbes(embed, cast("FaceFinder", hog), cast("SecondDetector", second))


def test_the_tracker_goes_before_the_second_detector_and_neither_is_asked_without_need() -> None:
    hog = Hog(FACE, None, None, FACE)
    second = Second(Found(FACE, 0.9))
    found = rows_of(made(hog, second), frames_of(FACE, FACE, None, None))
    assert found == {1: ProbeSource.TRACKER, 2: ProbeSource.SECOND_DETECTOR}
    assert second.asked == [2]


def test_a_bystander_whom_hog_finds_is_no_reason_to_leave_out_the_tracked_face() -> None:
    found = rows_of(made(Hog(ELSEWHERE), None), frames_of(FACE))
    assert found == {0: ProbeSource.TRACKER}


def test_the_second_detector_must_be_sure_and_look_near_the_tracked_face() -> None:
    unsure, far = Found(FACE, 0.49), Found(ELSEWHERE, 0.9)
    for one, expected in ((unsure, {0}), (far, {0})):
        found = rows_of(made(Hog(None, None), Second(one)), frames_of(FACE, None))
        assert found.keys() == expected
    # Of somebody whom the tracker has never seen there is no place yet.
    assert rows_of(made(Hog(None), Second(far)), frames_of(None)).keys() == {0}


def test_without_hog_every_frame_has_a_row_and_another_name() -> None:
    probes = made(None, Second(Found(FACE, 0.9)))
    assert list(rows_of(probes, frames_of(FACE, None, FACE))) == [0, 1, 2]
    versions = {
        probes_version(every_frame=every, second_detector=second)
        for every in (True, False)
        for second in (True, False)
    }
    assert probes.version in versions
    assert len(versions) == 4


def test_a_face_at_the_edge_or_of_a_pixel_is_embedded_too() -> None:
    outside, dot = (-40.0, 60.0, 30.0, 140.0), (50.0, 50.0, 50.5, 50.5)
    assert len(rows_of(made(Hog(None, None), None), frames_of(outside, dot))) == 2


def test_no_row_is_needed_where_the_network_cannot_run_and_the_reference_path_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unfit(home: Path) -> None:
        raise UnfitMachineError("other numbers")

    monkeypatch.setattr("harness.observe.probes.shared_embedder", unfit)
    assert open_probes(IdentityPath.REFERENCE, tmp_path, FaceFinder(), None) is None
    assert open_probes(IdentityPath.FAST, tmp_path, FaceFinder(), None) is not None


def blurred(sigma: float) -> Callable[[Frame], Frame]:
    import cv2

    return lambda frame: np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), np.uint8)


def mosaic(frame: Frame) -> Frame:
    import cv2

    height, width = frame.shape[:2]
    small = cv2.resize(frame, (width // 24, height // 24), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


@pytest.fixture
def video(
    tmp_path: Path,
    sample_dir: Path,
    sample_cache: Path,
    face_landmarker: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A man's clip, four frames each: clear (HOG finds him), blurred (the tracker does), as mosaic
    (nobody does), blurred more (CenterFace does).
    """
    monkeypatch.setenv("BENCH_FACE_LANDMARKER", str(face_landmarker))
    (tmp_path / "models").symlink_to(sample_cache / "models")
    path = tmp_path / "short.mp4"
    with VideoWriter(path, 640, 360, "24/1") as writer:
        clip = list(islice(read_frames(sample_dir / "single_face.mp4"), EACH))
        for look in (lambda frame: frame, blurred(8), mosaic, blurred(16)):
            for frame in clip:
                writer.write(look(frame))
    return path


@pytest.mark.clips
def test_faces_are_found_through_a_blur_that_stops_hog_and_each_is_embedded_once(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded, embedded = [0], [0]
    network = shared_embedder(tmp_path)

    def counting(path: Path, info: VideoInfo | None = None) -> Iterator[Frame]:
        for frame in read_frames(path, info):
            decoded[0] += 1
            yield frame

    class Network:
        def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
            embedded[0] += len(chips)
            return network.embed(chips)

    monkeypatch.setattr(media_frames, "read_frames", counting)
    for module in ("faces", "probes"):
        monkeypatch.setattr(f"harness.observe.{module}.shared_embedder", lambda home: Network())
    finder, second = FaceFinder(), open_second_detector(tmp_path)
    probes = open_probes(IdentityPath.FAST, tmp_path, finder, second)
    assert second is not None
    assert probes is not None
    ref, store = VideoRef(video, file_sha256(video)), ObservationStore(tmp_path)
    everyone: list[Observer] = [FaceEmbeddings(tmp_path, finder), second, probes]
    measure_video(ref, everyone, store)
    assert decoded == [4 * EACH]

    study = pd.read_parquet(store.path(key_of(FaceEmbeddings(tmp_path), ref.sha256)))
    found = pd.read_parquet(store.path(key_of(probes, ref.sha256)))
    assert study["frame"][study["faces"] > 0].tolist() == list(range(EACH))
    sources = dict(zip(found["frame"], found["source"], strict=True))
    expected = dict.fromkeys(range(EACH, 2 * EACH), "tracker")
    expected |= dict.fromkeys(range(3 * EACH, 4 * EACH), "second-detector")
    assert sources == expected
    assert embedded == [3 * EACH]
    # Stored: nothing is decoded or embedded again.
    pd.testing.assert_frame_equal(
        found, cast("pd.DataFrame", observe_probes(ref, IdentityPath.FAST, store))
    )
    assert (decoded, embedded) == ([4 * EACH], [3 * EACH])


@pytest.mark.clips
def test_a_tracked_face_is_embedded_nearly_as_the_study_embeds_it(
    video: Path, tmp_path: Path
) -> None:
    ref, store = VideoRef(video, file_sha256(video)), ObservationStore(tmp_path)
    study = observe_faces(ref, store)
    reference = observe_probes(ref, IdentityPath.REFERENCE, store)
    assert reference is not None
    # The reference path has no part in the pass, so all tracked frames are there.
    tracked = reference[reference["source"] == ProbeSource.TRACKER]
    assert tracked["frame"].tolist() == list(range(2 * EACH))
    own, other = (np.stack(rows["embedding"][:EACH].tolist()) for rows in (study, tracked))
    apart = np.linalg.norm(own - other, axis=1)
    assert apart.max() < 0.1
    boxes = study[["top", "right", "bottom", "left"]].to_numpy()[:EACH]
    for (x0, y0, x1, y1), box in zip(
        tracked[["x0", "y0", "x1", "y1"]].to_numpy(), boxes, strict=False
    ):
        shift = np.subtract(dlib_box(ProbeSource.TRACKER, (x0, y0, x1, y1)), box)
        assert abs(shift).max() < 0.15 * (box[1] - box[3])
