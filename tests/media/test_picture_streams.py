"""The stream that is read of a file, and what its header says of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import UnusableInputError
from harness.media.ffmpeg import run_ffmpeg
from harness.media.frames import read_frames
from harness.media.probe import frame_size, probe
from harness.media.streams import Hdr, picture_stream, picture_streams
from tests.media.odd_files import anamorphic, in_hdr, interlaced, of_streams, pattern, with_cover

SMALL = "testsrc2=size=64x48:rate=25:duration=0.4"
LARGE = "testsrc=size=128x96:rate=25:duration=0.4"


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.ts", "mpeg2video"), ("a.mov", "prores_ks")]
)
def test_interlaced_video_is_known(tmp_path: Path, name: str, codec: str) -> None:
    path = interlaced(tmp_path / name, codec)
    assert picture_stream(path).interlaced
    assert probe(path).frames > 0
    assert not picture_stream(pattern(tmp_path / "plain.mp4")).interlaced


def test_pixels_that_are_not_square_are_known(tmp_path: Path) -> None:
    assert picture_stream(anamorphic(tmp_path / "a.mp4")).aspect == Fraction(16, 11)
    assert picture_stream(pattern(tmp_path / "b.mp4")).aspect == 1


@pytest.mark.parametrize("hdr", Hdr)
@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv420p"])
def test_hdr_is_known_at_ten_bits_and_at_eight(tmp_path: Path, hdr: Hdr, pixels: str) -> None:
    path = in_hdr(pattern(tmp_path / "a.mp4"), tmp_path / "b.mp4", hdr, pixels=pixels)
    picture = picture_stream(path)
    assert (picture.hdr, picture.primaries, picture.matrix) == (hdr, "bt2020", "bt2020nc")
    assert picture.pixel_format == pixels
    assert picture_stream(tmp_path / "a.mp4").hdr is None


def test_a_tag_or_a_name_that_looks_like_a_stream_is_none(tmp_path: Path) -> None:
    line = "  Stream #0:5: Video: hevc, yuv420p(tv, bt2020nc/bt2020/smpte2084), 9x9"
    name = line.replace("/", "-")
    path = pattern(tmp_path / f"a\n{name}.mkv", "-metadata", f"comment=x\n{line}")
    (only,) = picture_streams(path)
    assert (only.size, only.hdr) == ("64x48", None)


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_a_cover_is_no_video(tmp_path: Path, ending: str) -> None:
    path = with_cover(pattern(tmp_path / "a.mp4"), tmp_path / f"b.{ending}")
    assert len(picture_streams(path)) == 1
    assert (probe(path).frames, probe(path).width) == (10, 64)
    assert next(iter(read_frames(path))).shape == (48, 64, 3)


def test_sound_with_a_cover_is_no_video(tmp_path: Path) -> None:
    sound = pattern(tmp_path / "a.m4a", source="sine=duration=0.2")
    cover = pattern(tmp_path / "c.jpg", "-frames:v", "1", source="color=c=red:size=32x32")
    path = tmp_path / "b.m4a"
    files = ["-i", str(sound), "-i", str(cover), "-map", "0", "-map", "1", "-c", "copy"]
    run_ffmpeg([*files, "-disposition:v:0", "attached_pic", str(path)])
    with pytest.raises(UnusableInputError, match="holds no picture"):
        probe(path)


@pytest.mark.parametrize("marked", [None, 1])
def test_the_largest_stream_is_read_though_it_is_the_second(
    tmp_path: Path, marked: int | None
) -> None:
    small = pattern(tmp_path / "s.mp4", source=SMALL)
    large = pattern(tmp_path / "l.mp4", source=LARGE)
    path = of_streams(tmp_path / "two.mkv", small, large, marked=marked)
    assert (probe(path).width, frame_size(path)) == (128, (128, 96))
    assert np.array_equal(next(iter(read_frames(path))), next(iter(read_frames(large))))


def test_of_equal_streams_the_one_marked_as_default_is_read(tmp_path: Path) -> None:
    one = pattern(tmp_path / "1.mp4", source=SMALL)
    other = pattern(tmp_path / "2.mp4", source="testsrc=size=64x48:rate=25:duration=0.4")
    path = of_streams(tmp_path / "two.mkv", one, other, marked=1)
    assert np.array_equal(next(iter(read_frames(path))), next(iter(read_frames(other))))


@pytest.mark.parametrize(("second", "marked"), [(SMALL, None), (LARGE, 0)])
def test_a_file_that_does_not_say_which_stream_is_meant_is_asked_about(
    tmp_path: Path, second: str, marked: int | None
) -> None:
    one = pattern(tmp_path / "1.mp4", source=SMALL)
    other = pattern(tmp_path / "2.mp4", source=second)
    path = of_streams(tmp_path / "two.mkv", one, other, marked=marked)
    for look in (probe, frame_size, lambda path: next(iter(read_frames(path)))):
        with pytest.raises(UnusableInputError, match=r"2 picture streams.*1: h264 64x48.*stream: "):
            look(path)
    assert probe(path, 2).width == frame_size(path, 2)[0]
    with pytest.raises(UnusableInputError, match="no picture stream 3"):
        probe(path, 3)
