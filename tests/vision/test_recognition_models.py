"""face_recognition comes with the models that are used; the others come when they are asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
