"""Atomic writes and the media store."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.core.errors import StoreError
from harness.core.hashing import file_sha256
from harness.core.paths import bench_home
from harness.model.dataset import GalleryFace, MediaRef, Sex
from harness.store.atomic import write_bytes, write_json
from harness.store.media import MediaStore


def test_a_refused_write_keeps_the_old_file_and_leaves_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        write_bytes(path, b"new")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"a": float("nan")})


def test_media_are_moved_under_their_content_hash(tmp_path: Path) -> None:
    store = MediaStore(tmp_path / "home")
    refs = []
    for name in ("a", "b"):
        file = tmp_path / name
        file.write_bytes(b"same")
        refs.append(store.add(file, ".png", None))
        assert not file.exists()
    assert refs[0] == refs[1]
    assert file_sha256(store.path(refs[0])) == refs[0].sha256


def test_a_lost_file_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    ref = MediaRef(sha256="0" * 64, suffix=".mp4")
    with pytest.raises(StoreError, match="Run the cell again"):
        MediaStore(tmp_path).path(ref)


def test_a_gallery_is_a_folder_that_names_its_faces_and_is_mended(tmp_path: Path) -> None:
    store = MediaStore(tmp_path / "home")
    faces = []
    for number in (3, 12):
        file = tmp_path / "face"
        file.write_bytes(b"face %d" % number)
        ref = store.add(file, ".png", None)
        faces.append(GalleryFace(number=number, sex=Sex.MALE, reference=ref))
    folder = store.gallery(faces)
    people = json.loads((folder / "gallery.json").read_text())
    assert [(one["number"], one["sex"], one["file"]) for one in people] == [
        (3, "male", "actor03.png"),
        (12, "male", "actor12.png"),
    ]
    assert (folder / "actor12.png").read_bytes() == b"face 12"
    (folder / "actor12.png").unlink()
    assert store.gallery(faces) == folder
    assert file_sha256(folder / "actor12.png") == people[1]["sha256"]
    assert store.gallery(faces[:1]) != folder
    assert list((store.folder / "tmp").iterdir()) == []


def test_the_home_is_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "x"))
    assert bench_home() == tmp_path / "x"
