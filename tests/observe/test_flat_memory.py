"""Hours of video take no more memory to measure than minutes."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from harness.core.hashing import file_sha256
from harness.model.observed import BLENDSHAPES
from harness.model.video import VideoInfo, VideoRef
from harness.observe.face_mesh import Expressions, Landmarks
from harness.observe.observer import Observer, key_of
from harness.observe.pictures import FaceCrops, Thumbnails
from harness.observe.probes import FaceProbes
from harness.observe.tracking import TrackedFrame
from harness.observe.video import measure_video
from harness.store.observations import ObservationStore
from harness.vision.hog import Face


def embeddings(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """As many numbers for each face as the recogniser gives."""
    return np.full((len(chips), 128), len(chips), np.float32)


class Aligner:
    """A face of the size that the recogniser wants, without looking for one."""

    def chip(self, picture: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        return np.full((150, 150, 3), face[0], np.uint8)


def frames_of(total: int) -> Iterator[TrackedFrame]:
    random = np.random.default_rng(4)
    shapes = [SimpleNamespace(category_name=name, score=0.5) for name in BLENDSHAPES]
    result = SimpleNamespace(face_blendshapes=[shapes], facial_transformation_matrixes=[np.eye(4)])
    pictures = random.integers(0, 256, (16, 72, 128, 3)).astype(np.uint8)
    meshes = random.uniform(10, 60, (16, 478, 2))
    for frame in range(total):
        # Copies, so that each takes memory of its own.
        bgr, mesh = pictures[frame % 16].copy(), meshes[frame % 16].copy()
        box = (10.0, 10.0, 60.0, 60.0)
        yield TrackedFrame(frame, frame / 25, bgr, bgr, (mesh,), (box,), 0, result, total)


def peak_bytes(total: int, home: Path, patch: pytest.MonkeyPatch) -> int:
    """The most memory, of Python and of Arrow, that measuring ``total`` frames took."""
    patch.setattr("harness.observe.video.track", lambda *_: frames_of(total))
    patch.setattr("harness.observe.probes.open_aligner", Aligner)
    info = VideoInfo(
        frames=total,
        width=128,
        height=72,
        fps="25/1",
        duration_s=total / 25,
        codec="h264",
        pixel_format="yuv420p",
        has_audio=False,
    )
    everything: list[Observer] = [
        *(Expressions(), Thumbnails(), Landmarks(), FaceCrops()),
        FaceProbes(embeddings, None, None),
    ]
    store, most = ObservationStore(home), [0]

    def look(done: int, _: int) -> None:
        if done % 128 == 0:
            most[0] = max(most[0], pa.total_allocated_bytes())

    video = home / "none.mp4"
    video.parent.mkdir(parents=True, exist_ok=True)
    video.write_bytes(b"read by nobody: the frames are synthetic")
    sha256 = file_sha256(video)
    gc.collect()
    tracemalloc.start()
    try:
        measure_video(VideoRef(video, sha256, info), everything, store, look)
        python = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    for one in (*everything[:3], everything[-1]):
        assert len(pd.read_parquet(store.path(key_of(one, sha256)))) == total
    return python + most[0]


def test_ten_times_as_long_a_video_takes_hardly_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peak_bytes(300, tmp_path / "warm", monkeypatch)
    short = peak_bytes(600, tmp_path / "short", monkeypatch)
    long = peak_bytes(6000, tmp_path / "long", monkeypatch)
    # Kept in memory, 5400 frames more would take over 5 MB as bare numbers alone.
    assert long - short < 1_000_000
