"""A video's contents are read once, and again where the note of them was damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import BenchWarning, StoreError
from harness.core.hashing import file_sha256
from harness.media.frames import VideoWriter
from harness.media.probe import probe
from harness.model.video import VideoRef
from harness.observe.video import video_info
from harness.store.observations import ObservationStore


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 64, 48, "25/1") as writer:
        for grey in (10, 80, 150):
            writer.write(np.full((48, 64, 3), grey, np.uint8))
    return path


def test_what_a_video_holds_is_what_probe_says_and_the_video_is_not_decoded_twice(
    video: Path, tmp_path: Path
) -> None:
    expected = probe(video)
    assert video_info(VideoRef(video, file_sha256(video)), ObservationStore(tmp_path)) == expected
    ref = VideoRef(video, file_sha256(video))
    video.unlink()
    assert video_info(ref, ObservationStore(tmp_path)) == expected
    with pytest.raises(StoreError, match="is gone or damaged"):
        video_info(VideoRef(video, "b" * 64), ObservationStore(tmp_path))


def test_a_damaged_note_of_a_video_is_written_anew(video: Path, tmp_path: Path) -> None:
    ref = VideoRef(video, file_sha256(video))
    expected = video_info(ref, ObservationStore(tmp_path))
    (note,) = (tmp_path / "observations" / ref.sha256).glob("video-info@*.json")
    note.write_text('{"frames": ')
    with pytest.warns(BenchWarning, match="is no JSON"):
        assert video_info(ref, ObservationStore(tmp_path)) == expected
    video.unlink()
    assert video_info(ref, ObservationStore(tmp_path)) == expected
