"""A photo that cannot be read is named for what it is, with the way to one that can."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from harness.core.errors import UnusableInputError
from harness.datasets.material import faults_of
from harness.datasets.photo_files import read_photo, require_picture
from harness.datasets.reference import from_photo
from harness.model.dataset import Actor, Photo, Sex
from harness.observe import identity
from reports.evidence import read_picture


def _box(brand: bytes, *more: bytes) -> bytes:
    """The first box of an ISO base media file: its size, major brand, version, more brands."""
    content = brand + bytes(4) + b"".join(more)
    return (8 + len(content)).to_bytes(4, "big") + b"ftyp" + content + bytes(64)


def _cut_jpeg() -> bytes:
    return cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes()[:30]


KINDS = [
    (_box(b"heic", b"mif1", b"heic"), "a HEIC picture", "heif-convert face.jpg"),
    (_box(b"mif1", b"mif1", b"heic"), "a HEIC picture", "sips -s format jpeg"),
    (_box(b"mif1", b"mif1", b"avif"), "an AVIF picture", "heif-convert"),
    (_box(b"msf1", b"msf1"), "a HEIF picture", "heif-convert"),
    (_box(b"isom", b"mp41"), "a video", "JPEG or PNG"),
    (b"%PDF-1.7\n", "a PDF document", "JPEG or PNG"),
    (b"\n<!DOCTYPE html><p>404", "a web page", "JPEG or PNG"),
    (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "JPEG or PNG"),
    (b"\0\0\0\x0cJXL \r\n", "a JPEG XL picture", "JPEG or PNG"),
    (_cut_jpeg(), "damaged or cut off", "export it"),
    (b"", "is empty", "Copy it again"),
    (b"no picture", "is not a picture", "JPEG, PNG"),
]


@pytest.mark.parametrize(("content", "cause", "mend"), KINDS, ids=[kind[1] for kind in KINDS])
def test_a_photo_that_cannot_be_read_is_named_for_what_it_is(
    content: bytes, cause: str, mend: str, tmp_path: Path
) -> None:
    path = tmp_path / "face.jpg"
    path.write_bytes(content)
    with pytest.raises(UnusableInputError, match=cause) as refused:
        from_photo(Photo(path=path))
    assert mend in (refused.value.hint or "")


def test_a_photo_that_is_missing_or_a_folder_is_no_other_kind_of_picture(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="does not exist"):
        from_photo(Photo(path=tmp_path / "none.jpg"))
    with pytest.raises(UnusableInputError, match="is no file"):
        from_photo(Photo(path=tmp_path))


def test_a_plan_names_the_kind_before_anything_is_prepared(tmp_path: Path) -> None:
    path = tmp_path / "face.heic"
    path.write_bytes(_box(b"heic", b"mif1", b"heic"))
    actor = Actor(number=1, sex=Sex.MALE, clips=(), photo=Photo(path=path))
    (fault,) = faults_of(actor, lambda path: False)
    assert "a HEIC picture" in fault
    assert "JPEG" in fault


@pytest.mark.parametrize("rest", [b"", bytes(500)], ids=["shorter", "zeros"])
def test_a_jpeg_that_lacks_its_lower_part_is_damaged(tmp_path: Path, rest: bytes) -> None:
    """OpenCV shows grey there; a whole thumbnail within the file makes no difference."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    whole = cv2.imencode(".jpg", noise)[1].tobytes()
    thumbnail = b"\xff\xe1" + (2 + len(whole)).to_bytes(2, "big") + whole
    data = whole[:2] + thumbnail + whole[2:]
    path = tmp_path / "face.jpg"
    path.write_bytes(data[: -len(whole) // 2] + rest)
    with pytest.raises(UnusableInputError, match="damaged or cut off"):
        from_photo(Photo(path=path))
    path.write_bytes(data + b"a trailer")
    with pytest.raises(UnusableInputError, match="No face"):
        from_photo(Photo(path=path))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "photo.jpg")
    with pytest.raises(UnusableInputError, match="is no file"):
        from_photo(Photo(path=tmp_path / "photo.jpg"))


def test_a_picture_of_other_formats_is_named_by_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"P6 2 2 255\n" + bytes(12))
    with pytest.raises(UnusableInputError, match="JPEG, PNG, BMP, TIFF and WebP"):
        from_photo(Photo(path=path))
    path.write_text("#EXTM3U\nother.ts\n")
    with pytest.raises(UnusableInputError):
        from_photo(Photo(path=path))


def test_no_program_is_started_for_a_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = tmp_path / "started"
    ghostscript = tmp_path / "gs"
    ghostscript.write_text(f"#!/bin/sh\necho x > '{started}'\n")
    ghostscript.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    photo = tmp_path / "face.png"
    photo.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    for read in (read_photo, require_picture, identity.read_photo):
        with pytest.raises(UnusableInputError):
            read(photo)
    assert not started.exists()


@pytest.mark.parametrize("read", [read_photo, require_picture])
def test_a_pipe_is_no_photo_and_not_waited_for(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    os.mkfifo(tmp_path / "face.png")
    with pytest.raises(UnusableInputError, match="is no file"):
        read(tmp_path / "face.png")


def test_a_small_file_of_a_huge_picture_is_not_decoded_for_a_page(tmp_path: Path) -> None:
    huge, usual = tmp_path / "huge.png", tmp_path / "usual.png"
    Image.new("1", (8000, 6000)).save(huge)
    Image.new("1", (800, 600)).save(usual)
    assert huge.stat().st_size < 20_000
    assert read_picture(huge) is None
    assert read_picture(usual) is not None
    with pytest.raises(UnusableInputError, match="48,000,000 pixels"):
        require_picture(huge, 1 << 25)
    require_picture(huge)
