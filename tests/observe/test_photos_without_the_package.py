"""Photos are measured by dlib alone, with the numbers of the face_recognition package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.media.frames import read_frames_at
from harness.observe.identity import embed_photo, find_faces, locate_faces, read_photo
from harness.vision.boxes import box_of, main_face
from harness.vision.colour import bgr_to_rgb

pytestmark = pytest.mark.clips

WITHOUT = """
import sys

sys.modules["face_recognition"] = None
from pathlib import Path
from harness.datasets.reference import count_faces
from harness.observe.identity import embed_photo, read_photo

photo = Path(sys.argv[1])
print(count_faces(read_photo(photo)[:, :, ::-1]), len(embed_photo(photo)))
from harness.core.errors import UnfitMachineError
from harness.observe.identity import find_faces

try:
    find_faces(read_photo(photo))
except UnfitMachineError as error:
    print(error.hint)
"""

RUN = """
import sys

sys.modules["face_recognition"] = None
from harness.cli.main import main

main()
"""


@pytest.mark.parametrize("name", ["single_face.jpg", "multi_face.jpg"])
def test_a_photo_has_the_faces_and_the_embedding_of_the_package_bit_for_bit(
    sample_dir: Path, name: str
) -> None:
    faces, embeddings = find_faces(read_photo(sample_dir / name))
    assert locate_faces(read_photo(sample_dir / name)) == faces
    main = main_face([box_of(face) for face in faces], None)
    embedding = embed_photo(sample_dir / name)
    assert main is not None
    assert embedding is not None
    assert np.array_equal(embedding, embeddings[main])
    assert embedding.dtype == embeddings[main].dtype


def test_faces_in_frames_cut_at_the_edge_are_those_of_the_package(sample_dir: Path) -> None:
    counted = 0
    for _, frame in read_frames_at(sample_dir / "single_face.mp4", range(0, 60, 12)):
        for picture in (bgr_to_rgb(frame), bgr_to_rgb(frame[80:, 150:])):
            faces, _ = find_faces(picture)
            assert locate_faces(picture) == faces
            counted += len(faces)
    assert counted > 3


def test_photos_need_no_package_and_the_reference_path_names_the_command_that_brings_it(
    sample_dir: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT, str(sample_dir / "single_face.jpg")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    measured, hint = done.stdout.splitlines()
    assert measured == "1 128"
    assert "pip install --no-deps face-recognition==1.3.0" in hint


def test_a_run_by_the_reference_path_stops_before_anything_is_prepared_without_its_package(
    sample_home: Path,
) -> None:
    command = ("run", "--tool", "noop", "--actor", "3", "--identity", "reference")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "pip install --no-deps face-recognition==1.3.0" in done.stderr
    assert not (sample_home / "cells").exists()
    assert "preparing" not in done.stderr
