"""Frames are, byte for byte, what FFmpeg gives as BGR with the documented options."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from harness.media.ffmpeg import ffmpeg_path
from harness.media.frames import read_frames

OPTIONS = ["-sws_flags", "bicubic+accurate_rnd+full_chroma_int+bitexact", "-pix_fmt", "bgr24"]

CODINGS = [
    ("yuv420p", "libx264", "320x180", "mp4"),
    ("yuv444p", "libx264", "161x91", "mp4"),
    ("yuv422p10le", "libx264", "160x90", "mp4"),
    ("gray", "libx264", "160x90", "mp4"),
    ("yuvj420p", "mjpeg", "160x90", "avi"),
    ("rgb24", "png", "160x90", "mov"),
]


def ffmpeg(*arguments: str) -> bytes:
    command = [str(ffmpeg_path()), "-v", "error", "-nostdin", "-y", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.mark.parametrize(
    ("pixels", "codec", "size", "suffix"), CODINGS, ids=[f"{c[1]}-{c[0]}" for c in CODINGS]
)
def test_every_pixel_format_comes_out_as_ffmpeg_converts_it(
    tmp_path: Path, pixels: str, codec: str, size: str, suffix: str
) -> None:
    video = tmp_path / f"clip.{suffix}"
    noise = f"testsrc2=s={size}:r=10:d=0.5,noise=alls=40:allf=t"
    strict = ["-strict", "unofficial"]
    ffmpeg("-f", "lavfi", "-i", noise, "-pix_fmt", pixels, "-c:v", codec, *strict, str(video))
    plain = ffmpeg("-i", str(video), "-fps_mode", "passthrough", *OPTIONS, "-f", "rawvideo", "-")
    frames = list(read_frames(video))
    assert len(frames) == 5
    assert frames[0].flags["C_CONTIGUOUS"]
    assert frames[0].flags["WRITEABLE"]
    assert np.concatenate([frame.ravel() for frame in frames]).tobytes() == plain
    # Each is its own: one that is kept is not changed by those that follow.
    assert not np.array_equal(frames[0], frames[-1])
