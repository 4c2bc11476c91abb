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

from harness.model.video import VideoInfo
from harness.observe.attributes import BLENDSHAPES, Expressions
from harness.observe.crops import FaceCrops
from harness.observe.landmarks import Landmarks
from harness.observe.observer import Observer, Row, path_of
from harness.observe.thumbnails import Thumbnails
from harness.observe.tracking import Seen
from harness.observe.video import measure_video


class Embeddings:
    """As many numbers for each frame as the recogniser gives, a batch at a time."""

    name, version = "stand-in-embeddings", "1"

    def __init__(self) -> None:
        self._rows: list[Row] = []

    def schema(self) -> pa.Schema:
        return pa.schema([("frame", pa.int64()), ("embedding", pa.list_(pa.float32()))])

    def see(self, seen: Seen) -> Iterator[Row]:
        vector = np.full(128, seen.frame, np.float32)
        self._rows.append({"frame": seen.frame, "embedding": vector})
        if len(self._rows) == 16:
            yield from self.rest()

    def rest(self) -> Iterator[Row]:
        rows, self._rows = self._rows, []
        yield from rows


def frames_of(total: int) -> Iterator[Seen]:
    random = np.random.default_rng(4)
    shapes = [SimpleNamespace(category_name=name, score=0.5) for name in BLENDSHAPES]
    result = SimpleNamespace(face_blendshapes=[shapes], facial_transformation_matrixes=[np.eye(4)])
    pictures = random.integers(0, 256, (16, 72, 128, 3)).astype(np.uint8)
    meshes = random.uniform(10, 60, (16, 478, 2))
    for frame in range(total):
        # Copies, so that each takes memory of its own.
        bgr, mesh = pictures[frame % 16].copy(), meshes[frame % 16].copy()
        box = (10.0, 10.0, 60.0, 60.0)
        yield Seen(frame, frame / 25, bgr, bgr, (mesh,), (box,), 0, result, total)


def peak_bytes(total: int, home: Path, patch: pytest.MonkeyPatch) -> int:
    """The most memory, of Python and of Arrow, that measuring ``total`` frames took."""
    patch.setattr("harness.observe.video.track", lambda *_: frames_of(total))
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
        Expressions(), Thumbnails(), Landmarks(), FaceCrops(), Embeddings(),
    ]  # fmt: skip
    most = [0]

    def look(done: int, _: int) -> None:
        if done % 128 == 0:
            most[0] = max(most[0], pa.total_allocated_bytes())

    gc.collect()
    tracemalloc.start()
    try:
        measure_video(Path("none.mp4"), "a", home, everything, info, look)
        python = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    for one in everything[:3]:
        assert len(pd.read_parquet(path_of(one, "a", home))) == total
    return python + most[0]


def test_ten_times_as_long_a_video_takes_hardly_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peak_bytes(300, tmp_path / "warm", monkeypatch)
    short = peak_bytes(600, tmp_path / "short", monkeypatch)
    long = peak_bytes(6000, tmp_path / "long", monkeypatch)
    # Kept in memory, 5400 frames more would take over 5 MB as bare numbers alone.
    assert long - short < 1_000_000
