"""The same numbers from face_recognition used plainly, with nothing of this project in between."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from harness.media.frames import read_frames_at
from harness.model.identity import IdentityPath
from harness.model.protocol import Protocol
from harness.model.score import Comparison
from harness.store.score_files import ScoreStore

if TYPE_CHECKING:
    from tests.scoring.conftest import Bench

pytestmark = pytest.mark.clips

ALLOWED = {IdentityPath.REFERENCE: (1e-6, 1e-6), IdentityPath.FAST: (0.005, 0.05)}
"""Largest errors of the mean of a comparison, and of the distance of one frame."""
GROUP_WOMAN = (495, 285, 660, 460)
"""One face of the sample's group photo: left, top, right, bottom."""


def plain_encodings(video: Path, frames: list[int], folder: Path) -> dict[int, np.ndarray]:
    """Frame to encoding, by way of PNG files, for frames with a face."""
    import face_recognition

    found = {}
    for frame, picture in read_frames_at(video, frames):
        png = folder / f"{video.stem}-{frame}.png"
        Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1])).save(png)
        image = face_recognition.load_image_file(png)
        locations = face_recognition.face_locations(image)
        assert len(locations) <= 1
        if locations:
            (found[frame],) = face_recognition.face_encodings(image, locations)
    return found


@pytest.mark.parametrize("path", list(IdentityPath))
def test_all_four_comparisons_agree_with_face_recognition_used_plainly(
    bench: Bench, sample_dir: Path, path: IdentityPath
) -> None:
    import face_recognition

    mean_off, frame_off = ALLOWED[path]
    bench.protocol = Protocol(frames=5, identity=path)
    total, asked = len(bench.source), bench.protocol.frames
    draw = np.random.default_rng(2020).choice(total, asked, replace=False)
    frames = sorted(int(frame) for frame in draw)
    # The face is hidden in one sampled frame, so that FTA is neither 0 nor 1.
    changed = [cv2.GaussianBlur(f, (0, 0), 4) for f in bench.source]
    changed[frames[2]] = np.zeros_like(changed[0])
    swapped = bench.write(changed, "swapped.mp4")  # type: ignore[arg-type]
    donor = bench.photo(sample_dir / "multi_face.jpg", GROUP_WOMAN)
    score = bench.score("swap", swapped, donor)
    assert score.identity.recogniser == f"face_recognition-1.3.0, {path} path"

    videos = {
        "or": plain_encodings(bench.original_path, frames, bench.home),
        "sw": plain_encodings(swapped, frames, bench.home),
    }
    faces = {}
    for name, ref in (("or", bench.actor_photo), ("sw", donor)):
        image = face_recognition.load_image_file(bench.media.path(ref))
        (faces[name],) = face_recognition.face_encodings(image)
    table = pd.read_parquet(
        ScoreStore(bench.home).frames_path(bench.spec("swap", donor), bench.protocol.name)
    )
    assert table["frame"].tolist() == frames
    for comparison in Comparison:
        video, face = comparison.value.split("_")
        seen = videos[video]
        plain = face_recognition.face_distance(np.stack(list(seen.values())), faces[face])
        stored = table.set_index("frame")[comparison.value]
        assert stored[list(seen)].to_numpy() == pytest.approx(plain, abs=frame_off)
        assert stored.drop(list(seen)).isna().all()
        found = score.identity.comparisons[comparison]
        assert found.mean == pytest.approx(plain.mean(), abs=mean_off)
        assert found.share_at_or_under_threshold == np.mean(plain <= 0.6)
        assert (found.asked, found.used) == (asked, len(seen))
        assert found.fta == pytest.approx(1 - len(seen) / asked)
    assert score.identity.comparisons[Comparison.SWAPPED_ORIGINAL].used == asked - 1


def test_another_persons_clip_is_as_far_as_two_people_are(bench: Bench, sample_dir: Path) -> None:
    from tests.scoring.conftest import first_frames

    height, width = bench.source[0].shape[:2]
    man = [
        cv2.resize(frame, (width, height))
        for frame in first_frames(sample_dir / "single_face.mp4", len(bench.source))
    ]
    oracle = bench.write(man, "oracle.mp4")  # type: ignore[arg-type]
    # The reference of this bench's actor is a photo of a man much like the one of the clip, so the
    # actor is taken to be the woman, by a frame of her own.
    png = bench.home / "woman.png"
    cv2.imwrite(str(png), bench.source[0])
    bench.actor_photo = bench.photo(png)
    score = bench.score("oracle", oracle)
    own = score.identity.comparisons[Comparison.ORIGINAL_ORIGINAL]
    other = score.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    assert own.mean is not None
    assert own.mean < 0.4
    assert other.mean is not None
    assert other.mean > 0.6
    assert other.share_at_or_under_threshold == 0
    assert score.alignment.aligned
    assert score.alignment.lag_frames is None
