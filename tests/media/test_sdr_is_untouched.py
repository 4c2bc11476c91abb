"""Prepared SDR material has the bytes that it had before HDR was tone-mapped: cells are named by
them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.hashing import file_sha256
from harness.media.ffmpeg import ffmpeg_path, ffmpeg_version
from harness.media.join import join_clips
from harness.model.dataset import Clip, Span
from tests.media.odd_files import pattern

FFMPEG = "n9.0.2-17-g2a571b6068-20260930"
"""FFmpeg with which the hashes were recorded; another FFmpeg makes other bytes."""

BEFORE = {
    "copied": "d92b37a7fc630fa28411b0b52e7948380ab83bb4b85d94670bd324c51f9c2c5a",
    "encoded": "8d6ce2c42f03114db26c275b7a866fed86c14f22338c26e995f4dbad134bf887",
    "cut": "8a1a8b4601a4f8275323d4af3d0285950cfefd70a928e290184b56970110a07e",
    "anamorphic": "276381c75dbd53dc6d896fe004dfc86c94dccd8b88f81510900e473fc7ba86dc",
}

COLOURS = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")


def made(path: Path, source: str, *options: str) -> Path:
    same = ["-c:v", "libx264", "-fflags", "+bitexact", "-x264-params", "threads=1"]
    return pattern(path, *same, *options, source=source)


@pytest.fixture
def clips(tmp_path: Path) -> dict[str, list[Clip]]:
    plain = ("-pix_fmt", "yuv420p")
    one = made(tmp_path / "a.mp4", "testsrc2=size=64x48:rate=25:duration=0.4", *plain)
    two = made(tmp_path / "b.mp4", "testsrc=size=64x48:rate=25:duration=0.4", *plain)
    ten_bits = made(
        tmp_path / "c.mp4",
        "testsrc=size=97x65:rate=30:duration=0.4",
        *("-pix_fmt", "yuv444p10le", *COLOURS),
    )
    wide = made(
        tmp_path / "d.mp4", "testsrc2=size=64x48:rate=25:duration=0.4", "-vf", "setsar=16/11"
    )
    late = Span(start_s=0.1)
    return {
        "copied": [Clip(path=one), Clip(path=two)],
        "encoded": [Clip(path=ten_bits), Clip(path=one)],
        "cut": [Clip(path=two, span=late)],
        "anamorphic": [Clip(path=wide), Clip(path=one, span=late)],
    }


@pytest.mark.parametrize("how", BEFORE)
def test_sdr_clips_are_joined_into_the_bytes_of_before(
    clips: dict[str, list[Clip]], tmp_path: Path, how: str
) -> None:
    if ffmpeg_version(ffmpeg_path()) != FFMPEG:
        pytest.skip(f"the hashes were recorded with FFmpeg {FFMPEG}")
    join_clips(clips[how], tmp_path / "out.mp4")
    assert file_sha256(tmp_path / "out.mp4") == BEFORE[how]
