"""A home with one short real original, and swapped videos made from its frames."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.core.hashing import file_sha256
from harness.execution.score_cells import scorable_cell, score_cell
from harness.media.frames import FAITHFUL, Encoding, VideoWriter, read_frames
from harness.media.probe import probe
from harness.model.cell import Artifact, CellSpec, Result
from harness.model.dataset import MediaRef, PreparedActor, PreparedDonor, Sex, Split
from harness.model.protocol import Protocol
from harness.model.score import CellScore
from harness.model.video import VideoRef
from harness.store.cells import CellStore
from harness.store.media import MediaStore
from harness.store.observations import ObservationStore

FRAMES = 30
Frame = NDArray[np.uint8]
Frames = list[Frame]


class Bench:
    """One actor whose test video is ``source``, and cells whose result is any video."""

    def __init__(
        self, home: Path, source: Frames, photo: Path, patch: pytest.MonkeyPatch, encoded: Path
    ) -> None:
        self.home, self.patch, self.encoded = home, patch, encoded
        self.media = MediaStore(home)
        self.protocol = Protocol(frames=5)
        self.source = source
        self.original = self.store(source, "original.mp4")
        self.original_path = self.media.path(self.original)
        self.video = self.media.video(self.original)
        self.observations = ObservationStore(home)
        self.actor_photo = self.photo(photo)

    def write(
        self,
        frames: Frames,
        name: str,
        fps: str = "24/1",
        encoding: Encoding = FAITHFUL,
    ) -> Path:
        # The same frames are encoded once, for all tests.
        how = f"{fps.replace('/', '-')}-{encoding.crf}-{encoding.preset}"
        encoded = self.encoded / f"{_hash(frames)}-{how}.mp4"
        if not encoded.exists():
            height, width = frames[0].shape[:2]
            made = encoded.with_name(f"{os.getpid()}-{encoded.name}")
            with VideoWriter(made, width, height, fps, encoding) as video:
                for frame in frames:
                    video.write(frame)
            made.rename(encoded)
        return Path(shutil.copyfile(encoded, self.home / name))

    def store(self, frames: Frames, name: str) -> MediaRef:
        path = self.write(frames, name)
        return self.media.add(path, ".mp4", probe(path))

    def as_video(self, path: Path) -> VideoRef:
        """A file by its content."""
        return VideoRef(path, file_sha256(path))

    def photo(self, path: Path, box: tuple[int, int, int, int] | None = None) -> MediaRef:
        """A picture, or the part of it in ``box`` (left, top, right, bottom), as a reference."""
        from PIL import Image

        png = self.home / "photo.png"
        with Image.open(path) as image:
            (image.crop(box) if box else image).convert("RGB").save(png, compress_level=1)
        return self.media.add(png, ".png", None)

    def spec(self, tool: str, donor: MediaRef | None = None) -> CellSpec:
        return CellSpec(
            tool=tool,
            version="1",
            config="default",
            settings={},
            dataset="sample",
            split=Split.HELD_OUT,
            actor=PreparedActor(
                number=1,
                sex=Sex.MALE,
                split=Split.HELD_OUT,
                training=None,
                test=self.original,
                reference=self.actor_photo,
                reference_note="a photo",
            ),
            donor=PreparedDonor(
                name="d", sex=Sex.MALE, training=None, reference=donor, reference_note=""
            )
            if donor
            else None,
        )

    def score(self, tool: str, swapped: Path, donor: MediaRef | None = None) -> CellScore:
        spec = self.spec(tool, donor)
        artifact = Artifact(
            path="swapped.mp4", sha256=file_sha256(swapped), size_bytes=swapped.stat().st_size
        )
        result = Result(cell_id=spec.id, attempt="1", swapped=artifact, steps=())
        self.patch.setattr(CellStore, "result", lambda *_: result)
        self.patch.setattr(CellStore, "swapped_path", lambda *_: swapped)
        return score_cell(scorable_cell(spec, self.home, self.protocol), self.home)


def _hash(frames: Frames) -> str:
    digest = hashlib.blake2b(repr(frames[0].shape).encode())
    for frame in frames:
        digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()


def first_frames(clip: Path, count: int) -> Frames:
    """The first frames of a clip, BGR."""
    return list(islice(read_frames(clip), count))


@pytest.fixture(scope="session")
def encoded(shared: Path) -> Path:
    """Videos by their frames and how they were encoded."""
    (shared / "encoded").mkdir(exist_ok=True)
    return shared / "encoded"


@pytest.fixture
def make_bench(
    tmp_path: Path,
    sample_dir: Path,
    sample_cache: Path,
    shared_observations: Path,
    face_landmarker: Path,
    encoded: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Callable[[Frames], Bench]:
    """A bench whose original shows the given frames; it shares models and, unless the test has the
    mark ``own_observations``, what was observed.
    """
    monkeypatch.setenv("BENCH_FACE_LANDMARKER", str(face_landmarker))
    (tmp_path / "models").symlink_to(sample_cache / "models")
    if request.node.get_closest_marker("own_observations") is None:
        (tmp_path / "observations").symlink_to(shared_observations)
    photo = sample_dir / "single_face.jpg"
    return lambda frames: Bench(tmp_path, frames, photo, monkeypatch, encoded)


@pytest.fixture
def bench(make_bench: Callable[[Frames], Bench], sample_dir: Path) -> Bench:
    """A bench with the first 30 frames of the woman's clip."""
    return make_bench(first_frames(sample_dir / "WolfgangLanger_Pexels.mp4", FRAMES))
