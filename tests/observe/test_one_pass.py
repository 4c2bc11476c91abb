"""One pass over a video feeds two observers, and gives what each would have measured alone."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.media import frames as media_frames
from harness.media.frames import VideoWriter, read_frames
from harness.media.probe import probe
from harness.observe.attributes import observe_attributes
from harness.observe.thumbnails import observe_thumbnails
from harness.observe.video import observe_video
from harness.vision.colour import bgr_to_rgb

pytestmark = pytest.mark.clips


@pytest.fixture
def video(tmp_path: Path, sample_dir: Path) -> Path:
    path = tmp_path / "short.mp4"
    with VideoWriter(path, 640, 360, "24/1") as writer:
        for frame in islice(read_frames(sample_dir / "WolfgangLanger_Pexels.mp4"), 8):
            writer.write(frame)
    return path


@pytest.fixture(autouse=True)
def landmarker(face_landmarker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_FACE_LANDMARKER", str(face_landmarker))


def test_one_pass_measures_what_two_do_and_decodes_once(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[Path] = []

    def counting(path: Path) -> object:
        decoded.append(path)
        return read_frames(path)

    monkeypatch.setattr(media_frames, "read_frames", counting)
    together = observe_video(video, "a", tmp_path / "together", probe(video))
    assert decoded == [video]
    again = observe_video(video, "a", tmp_path / "together", probe(video))
    assert decoded == [video]
    apart = tmp_path / "apart"
    pd.testing.assert_frame_equal(together.expressions, observe_attributes(video, "a", apart))
    assert np.array_equal(together.pictures, observe_thumbnails(video, "a", apart))
    pd.testing.assert_frame_equal(together.expressions, again.expressions)
    assert np.array_equal(together.pictures, again.pictures)


def test_colours_turn_as_a_reversed_slice_turns_them() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (33, 21, 3)).astype(np.uint8)
    turned = bgr_to_rgb(picture)
    assert np.array_equal(turned, picture[:, :, ::-1])
    assert turned.flags["C_CONTIGUOUS"]
