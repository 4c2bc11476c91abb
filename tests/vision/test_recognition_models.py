"""face_recognition comes with the models that are used; the others come when they are asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.vision.recognition import frontal_detector

pytestmark = pytest.mark.clips

PROGRAM = """
import sys

import dlib

loaded, real = [], dlib.shape_predictor


def load(path):
    loaded.append("68" if "68" in path else "5")
    return real(path)


dlib.shape_predictor, unpack = load, dlib.get_frontal_face_detector
from harness.vision.recognition import frontal_detector, load_face_recognition

ours = load_face_recognition()
assert (dlib.shape_predictor, dlib.get_frontal_face_detector) == (load, unpack)
assert ours.api.face_detector is frontal_detector()
picture = ours.load_image_file(sys.argv[1])
(embedding,) = ours.face_encodings(picture)
print(*loaded)
(points,) = ours.face_landmarks(picture)
print(*loaded, sum(map(len, points.values())))
print(*embedding)
"""


def test_the_large_landmark_model_is_loaded_by_its_first_use_and_embeddings_are_the_package_s(
    sample_dir: Path,
) -> None:
    import face_recognition

    photo = str(sample_dir / "single_face.jpg")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, photo], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    before, after, embedding = done.stdout.splitlines()
    assert (before, after) == ("5", "5 68 72")
    (plain,) = face_recognition.face_encodings(face_recognition.load_image_file(photo))
    assert [float(number) for number in embedding.split()] == plain.tolist()


def test_the_unpacked_detector_is_kept_for_other_processes_and_finds_the_same(
    sample_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dlib
    import numpy as np
    from PIL import Image

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    picture = np.asarray(Image.open(sample_dir / "multi_face.jpg").convert("RGB"))

    def found() -> list[tuple[str, float]]:
        # As a new process would.
        boxes, scores, _ = frontal_detector.__wrapped__().run(picture, 1, 0.0)
        return [(str(box), score) for box, score in zip(boxes, scores, strict=True)]

    boxes, scores, _ = dlib.get_frontal_face_detector().run(picture, 1, 0.0)
    plain = [(str(box), score) for box, score in zip(boxes, scores, strict=True)]
    assert len(plain) > 1
    assert found() == plain
    (kept,) = (tmp_path / "deid-bench").iterdir()
    with monkeypatch.context() as patch:
        patch.delattr(dlib, "get_frontal_face_detector")
        assert found() == plain
    kept.write_bytes(kept.read_bytes()[:1000])
    assert found() == plain
    with monkeypatch.context() as patch:
        patch.delattr(dlib, "get_frontal_face_detector")
        assert found() == plain, "a broken file was not replaced"


def test_without_a_cache_the_detector_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert frontal_detector.__wrapped__().num_detectors
