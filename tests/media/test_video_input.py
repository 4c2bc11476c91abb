"""FFmpeg opens one file of a known format, whatever its name and content ask for."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import UnusableInputError
from harness.media.ffmpeg import run_ffmpeg
from harness.media.frames import read_frames
from harness.media.join import join_clips
from harness.media.probe import probe
from harness.model.dataset import Clip, Part


def _clip(path: Path, *options: str) -> Path:
    source = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=25"]
    run_ffmpeg([*source, "-frames:v", "5", *options, f"file:{path}"])
    return path


def _playlist(path: Path) -> None:
    _clip(path.with_name("part.ts"))
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\npart.ts\n#EXT-X-ENDLIST\n")


def _concat(path: Path) -> None:
    _clip(path.with_name("part.mp4"))
    path.write_text("ffconcat version 1.0\nfile part.mp4\n")


def _dash(path: Path) -> None:
    _clip(path.with_name("part.mp4"))
    path.write_text(
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4">'
        '<Representation id="1" bandwidth="1"><BaseURL>part.mp4</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>"
    )


def _session(path: Path) -> None:
    path.write_text(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n"
    )


@pytest.mark.parametrize("make", [_playlist, _concat, _dash, _session])
@pytest.mark.parametrize("name", ["list.m3u8", "swapped.mp4", "list.mpd", "x.sdp"])
def test_a_text_that_names_other_videos_is_no_video(
    tmp_path: Path, make: Callable[[Path], None], name: str
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(UnusableInputError):
        probe(path)
    with pytest.raises(UnusableInputError):
        list(read_frames(path))


def test_the_refusal_says_what_is_read_and_how_to_convert(tmp_path: Path) -> None:
    _playlist(tmp_path / "list.m3u8")
    with pytest.raises(UnusableInputError) as error:
        probe(tmp_path / "list.m3u8")
    assert "list.m3u8 is not of a format that is read here" in error.value.message
    assert "libx264" in (error.value.hint or "")


def test_numbered_pictures_are_no_video(tmp_path: Path) -> None:
    _clip(tmp_path / "%03d.png")
    (tmp_path / "%03d.png").symlink_to("001.png")
    with pytest.raises(UnusableInputError):
        probe(tmp_path / "%03d.png")


@pytest.mark.parametrize(
    "name",
    ["-y.mp4", "concat:a|b.mp4", "http:x.mp4", "a%03d.mp4", "a\nb'\".mp4", "pipe:0", "é?#&.mp4"],
)
def test_any_name_is_the_name_of_a_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _clip(tmp_path / "plain.mp4").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert probe(Path(name)).frames == 5
    assert len(list(read_frames(Path(name)))) == 5


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "clip.mp4")
    with pytest.raises(UnusableInputError, match="is no file"):
        probe(tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "prores"),
        ("a.mkv", "ffv1"),
        ("a.webm", "libvpx-vp9"),
        ("a.avi", "mjpeg"),
        ("a.mpg", "mpeg2video"),
        ("a.ts", "libx265"),
        ("a.wmv", "wmv2"),
        ("a.flv", "flv"),
        ("a.ogv", "libtheora"),
        ("a.gif", "gif"),
    ],
)
def test_formats_that_people_have_are_read(tmp_path: Path, name: str, codec: str) -> None:
    assert probe(_clip(tmp_path / name, "-c:v", codec)).frames == 5


ROOT = Path(__file__).parents[2]
OPENING = re.compile(r"VideoCapture|VideoReader|\"-i\"|Image\.open\(|load_image_file|imread\(")
SAFE = {
    "harness/media/ffmpeg.py": 2,  # video_input itself, and the words of an error
    "harness/media/frames.py": 1,  # a pipe of our own raw frames
    "harness/media/join.py": 1,  # a listing of our own files
    "harness/tools/conformance/output.py": 1,  # a test pattern
    "harness/datasets/photo_files.py": 1,  # with a list of formats
    "harness/observe/identity.py": 1,  # with the same list
    # Pictures that bench prepared, or that the same process wrote.
    "containers/embedded/oracle.py": 1,
    "containers/embedded/landmark_swap.py": 1,
    "containers/embedded/k_same_faces.py": 1,
    "benchmarks/performance/material.py": 1,
}


def test_nothing_opens_a_video_or_a_picture_by_another_way() -> None:
    """Drivers in images aside: they have prepared files alone, no network, and nothing to reach."""
    folders = [ROOT / name for name in ("harness", "reports", "benchmarks", "containers/embedded")]
    found = {
        path.relative_to(ROOT).as_posix(): len(OPENING.findall(path.read_text(encoding="utf-8")))
        for folder in folders
        for path in folder.rglob("*.py")
    }
    assert {path: count for path, count in found.items() if count} == SAFE


def test_a_listing_that_bench_writes_leads_to_no_playlist(tmp_path: Path) -> None:
    good, evil = _clip(tmp_path / "good.mp4"), tmp_path / "evil.mp4"
    _concat(evil)
    with pytest.raises(UnusableInputError):
        join_clips([Clip(path=path, part=Part.TEST) for path in (good, evil)], tmp_path / "o.mp4")
