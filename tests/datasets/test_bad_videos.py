"""Videos and photos that cannot be used: a sentence that names the person and the file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness.core.errors import UnusableInputError
from harness.datasets.prepare import prepare_actor, prepare_donor
from harness.datasets.reference import LONGEST_SIDE_PX, from_photo
from harness.datasets.registry import load_dataset
from harness.media.ffmpeg import run_ffmpeg
from harness.model.dataset import Crop, Donor, Photo, Sex, Split
from harness.store.media import MediaStore

TEST: dict[str, object] = {"path": "good.mp4", "part": "test"}
SMALL = ("-vf", "scale=320:180", "-an", "-frames:v", "8")

pytestmark = pytest.mark.clips


def _cut(source: Path, out: Path, *options: str) -> Path:
    run_ffmpeg(["-y", "-i", str(source), *SMALL, *options, str(out)])
    return out


@pytest.fixture(scope="session")
def whole(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy of what ``folder`` holds before a test spoils some of it."""
    folder = tmp_path_factory.mktemp("whole")
    _cut(sample_dir / "single_face.mp4", folder / "good.mp4")
    _cut(folder / "good.mp4", folder / "bad.mp4")
    _cut(sample_dir / "no_face.mp4", folder / "landscape.mp4")
    _cut(sample_dir / "no_face.mp4", folder / "landscape.png", "-frames:v", "1")
    shutil.copyfile(sample_dir / "single_face.jpg", folder / "face.jpg")
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """``good.mp4``, ``bad.mp4`` and ``face.jpg`` show the person, ``landscape.mp4`` and ``.png``
    nobody.
    """
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return tmp_path


def _manifest(folder: Path, **actor: object) -> str:
    entry = {"number": 3, "sex": "male", "clips": [TEST], **actor}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"actors": [entry]}), encoding="utf-8")
    return str(path)


def _missing(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _truncated(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])


def _text(path: Path) -> None:
    path.write_text("This is a letter.\n" * 50)


def _page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><body>404 Not Found</body></html>")


def _sound(path: Path) -> None:
    run_ffmpeg(["-y", "-f", "lavfi", "-i", "sine=duration=0.2", "-f", "mp4", str(path)])


def _picture(path: Path) -> None:
    path.write_bytes((path.parent / "face.jpg").read_bytes())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_missing, "does not exist"),
        (_folder, "is a folder"),
        (_empty, "is empty"),
        (_truncated, "damaged"),
        (_text, "not a video"),
        (_page, "not a video"),
        (_sound, "holds no picture"),
        (_picture, "a picture, not a video"),
    ],
)
@pytest.mark.parametrize("part", ["training", "test"])
def test_a_clip_that_cannot_be_used_is_named_with_its_actor(
    folder: Path, sample_home: Path, spoil: Callable[[Path], None], says: str, part: str
) -> None:
    bad = folder / "bad.mp4"
    spoil(bad)
    clips = [{"path": "good.mp4", "part": "test" if part == "training" else "training"}]
    clips.append({"path": "bad.mp4", "part": part})
    manifest = _manifest(folder, clips=clips, photo="face.jpg")
    with pytest.raises(UnusableInputError, match=says) as caught:
        prepare_actor(load_dataset(manifest, folder), 3, Split.HELD_OUT, MediaStore(sample_home))
    assert caught.value.message.startswith("Actor 3 of 'mine': ")
    assert str(bad) in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("actor", "says"),
    [
        ({}, "training material is missing"),
        ({"photo": "none.jpg"}, "does not exist"),
        ({"photo": "mine.yaml"}, "not a picture"),
        ({"photo": "landscape.png"}, "No face was found"),
        ({"clips": [{"path": "good.mp4"}]}, "no test clip"),
        ({"clips": [{"path": "landscape.mp4"}, TEST]}, "shows no face"),
        ({"clips": [{"path": "good.mp4"}, TEST]}, "held out"),
        ({"clips": [TEST | {"span": {"start_s": 60}}], "photo": "face.jpg"}, "holds nothing"),
    ],
)
def test_a_person_who_cannot_be_prepared_is_named_with_the_reason(
    folder: Path, sample_home: Path, actor: dict[str, object], says: str
) -> None:
    dataset = load_dataset(_manifest(folder, **actor), folder)
    with pytest.raises(UnusableInputError, match=says) as caught:
        prepare_actor(dataset, 3, Split.HELD_OUT, MediaStore(sample_home))
    assert caught.value.message.startswith("Actor 3 of 'mine': ")


def test_a_donor_who_cannot_be_prepared_is_named(folder: Path, sample_home: Path) -> None:
    donor = Donor(name="Zoë", sex=Sex.FEMALE, photo=Photo(path=folder / "landscape.png"))
    with pytest.raises(UnusableInputError, match="Donor Zoë: No face was found"):
        prepare_donor(donor, MediaStore(sample_home))


def test_a_crop_outside_its_photo_is_refused(folder: Path) -> None:
    crop = Crop(x=500, y=0, width=500, height=100)
    with pytest.raises(UnusableInputError, match="reaches outside its 572 x 562 pixels"):
        from_photo(Photo(path=folder / "face.jpg", crop=crop))


def test_a_large_photo_is_shrunk_and_turned_as_its_camera_says(folder: Path) -> None:
    from PIL import Image

    with Image.open(folder / "face.jpg") as image:
        lying = image.resize((1900, 1900)).transpose(Image.Transpose.ROTATE_90)
        exif = image.getexif()
    exif[0x0112] = 6
    lying.crop((0, 0, 1900, 1800)).save(folder / "camera.jpg", exif=exif)
    chosen = from_photo(Photo(path=folder / "camera.jpg"))
    assert chosen.picture.shape[:2] == (LONGEST_SIDE_PX, round(LONGEST_SIDE_PX * 18 / 19))
    assert "shrunk to" in chosen.note


def test_a_photo_of_several_people_says_which_one_counts(sample_dir: Path) -> None:
    chosen = from_photo(Photo(path=sample_dir / "multi_face.jpg"))
    assert "faces the largest counts" in chosen.note


def bench(*args: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli.main", *args]
    env = {**os.environ, "BENCH_HOME": str(home)}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=env, check=False
    )


def test_the_command_ends_with_the_sentence_and_leaves_no_cell(
    folder: Path, sample_home: Path
) -> None:
    _truncated(folder / "good.mp4")
    manifest = _manifest(folder, photo="face.jpg")
    done = bench("run", "--tool", "noop", "--dataset", manifest, home=sample_home)
    assert done.returncode == 2, done.stderr
    assert "Actor 3 of 'mine': " in done.stderr
    assert "good.mp4" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((sample_home / "cells").glob("*"))


def test_ravdess_half_copied_is_told_by_verify_and_refused_by_run(
    folder: Path, sample_home: Path
) -> None:
    actor = folder / "a copy" / "Actor_03"
    actor.mkdir(parents=True)
    names = [
        f"02-01-0{emotion}-01-0{statement}-02-03" for emotion in (3, 4) for statement in (1, 2)
    ]
    for number, name in enumerate(names):
        title = ["-metadata", f"title={number}"]
        _cut(folder / "good.mp4", actor / f"{name}.mp4", *title)
    _truncated(actor / f"{names[0]}.mp4")
    _empty(actor / f"{names[1]}.mp4")

    told = bench("data", "verify", str(actor.parent), "--json", home=sample_home)
    assert told.returncode == 1, told.stderr
    (report,) = json.loads(told.stdout)["actors"]
    assert [Path(path).stem for path in report["unreadable"]] == names[:2]
    assert len(report["missing"]) == 100

    refused = bench("run", "--tool", "noop", "--dataset", str(actor.parent), home=sample_home)
    assert refused.returncode == 2
    assert f"{names[1]}.mp4" in refused.stderr
    assert "is empty" in refused.stderr
    assert "100 of 104 clips are missing" in refused.stderr
    assert "Traceback" not in refused.stderr
