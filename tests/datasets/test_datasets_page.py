"""docs/datasets.md: its examples are read and run as they stand, and it leaves out no field."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from harness.datasets import manifest as manifests
from harness.datasets.registry import load_dataset
from harness.media.ffmpeg import run_ffmpeg
from harness.model.dataset import Actor, Crop, Donor, Part, Source, Span, Split

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"

STANDS_FOR = {
    "clips/tom-neutral.mp4": "single_face.mp4",
    "clips/tom-party.mov": "face_noface.mov",
    "clips/ana.mp4": "WolfgangLanger_Pexels.mp4",
    "clips/joe.mp4": "single_face.mp4",
    "photos/tom.jpg": "single_face.jpg",
    "photos/group.jpg": "multi_face.jpg",
}
"""The example's files, and the sample's that take their places."""


def example(name: str) -> str:
    found = re.search(
        rf"<!-- example: {re.escape(name)} -->\n```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.S
    )
    assert found is not None
    return found.group(1)


@pytest.fixture
def study(sample_dir: Path, tmp_path: Path) -> Path:
    for name, real in STANDS_FOR.items():
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(sample_dir / real, target)
    # Of the one who is run, half of the frames around the face, to be quick.
    ana = "clips/ana.mp4"
    less = ["-vf", "crop=320:320:260:20,fps=12", "-an", "-t", "15", "-preset", "ultrafast"]
    run_ffmpeg(["-y", "-i", str(sample_dir / STANDS_FOR[ana]), *less, str(tmp_path / ana)])
    path = tmp_path / "study.yaml"
    path.write_text(example("study.yaml"), encoding="utf-8")
    return path


def test_the_example_says_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(example("study.yaml"), encoding="utf-8")
    dataset = load_dataset(str(tmp_path / "study.yaml"), tmp_path)
    tom, ana = dataset.actors
    assert (dataset.name, tom.number, ana.number) == ("kitchen", 7, 8)
    assert [clip.part for clip in tom.clips] == [Part.TRAINING, Part.TEST, Part.THESIS_ONLY]
    assert tom.photo is not None
    assert [donor.name for donor in dataset.donors] == ["Mia", "Joe"]
    people: list[Actor | Donor] = [*dataset.actors, *dataset.donors]
    paths = {clip.path for person in people for clip in person.clips}
    photos = {person.photo.path for person in people if person.photo}
    assert {str(path.relative_to(tmp_path)) for path in paths | photos} == set(STANDS_FOR)


@pytest.mark.clips
@pytest.mark.timeout(240)
def test_the_example_runs(study: Path, sample_home: Path) -> None:
    command = ["run", "--tool", "noop,landmark-swap", "--actor", "8", "--frames", "4"]
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli.main", *command],
        capture_output=True,
        text=True,
        timeout=220,
        env={
            **os.environ,
            "BENCH_HOME": str(sample_home),
            "BENCH_DATASET": str(study),
        },
        check=False,
    )
    assert done.returncode == 0, done.stderr
    cells = [path.name for path in (sample_home / "cells").iterdir() if path.is_dir()]
    assert sorted(name.split("-")[0] for name in cells) == ["landmark", "noop"]
    assert any("Mia" in name for name in cells)


def test_donors_beside_ravdess_are_its_donors(tmp_path: Path) -> None:
    (tmp_path / "02-01-01-01-01-01-07.mp4").write_bytes(b"x")
    (tmp_path / "donors.yaml").write_text(example("donors.yaml"), encoding="utf-8")
    giorgio, giulia = load_dataset(str(tmp_path), tmp_path).donors
    assert [clip.path for clip in giorgio.clips] == [tmp_path / "giorgio.mp4"]
    assert giulia.photo is not None


def test_every_field_and_value_is_in_the_examples() -> None:
    text = example("study.yaml")
    models: list[type[BaseModel]] = [Source, Span, Crop]
    for value in vars(manifests).values():
        is_model = isinstance(value, type) and issubclass(value, BaseModel)
        if is_model and value.__module__ == manifests.__name__:
            models.append(value)
    assert len(models) > 7
    for model in models:
        for field in model.model_fields:
            assert re.search(rf"\b{field}:", text), f"{model.__name__}.{field}"
    page = PAGE.read_text("utf-8")
    for word in [*Part, *Split]:
        assert f"`{word}`" in page
