"""Probes what a video really holds, by decoding it."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from harness.core.errors import UnusableInputError
from harness.core.hashing import file_state
from harness.media.ffmpeg import Output, ffmpeg_output, video_input
from harness.media.streams import PictureStream, picture_stream
from harness.model.video import VideoInfo

_AUDIO = re.compile(r"Stream #0:\d+.*?: Audio: ")
_PICTURE = re.compile(r"^Input #0, (?:image2|\w+_pipe)[, ]", re.M)
"""FFmpeg's names for the formats of single pictures, whatever the file is called."""
_DAMAGE = re.compile(r"partial file|Invalid data found|moov atom not found|Packet corrupt", re.I)
_LEAST_STEP_S = Fraction(1, 500)
"""Shorter steps come from muxers that squeeze in frames of the same time, and name no rate."""
_STANDARD_RATES = tuple(Fraction(n) for n in (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 100, 120))


class _Timing(NamedTuple):
    fps: Fraction
    variable: bool
    duration_s: float


def probe(path: Path, stream: int | None = None) -> VideoInfo:
    """Decode a picture stream of ``path``, as ``picture_stream`` chooses it, and describe it,
    rotation applied.

    Every coded frame is counted. Raises UnusableInputError when the file is missing, empty, cut
    short, damaged or not a video, and as ``picture_stream``.
    """
    picture = picture_stream(path, stream)
    raw = ffmpeg_output(_count_args(path, picture))
    output = Output(raw.stdout, _said(path, raw.stderr))
    if _PICTURE.search(output.stderr):
        raise UnusableInputError(
            f"{path} is a picture, not a video.", hint="Name a video; photos go under `photo:`."
        )
    if damage := _DAMAGE.search(output.stderr):
        raise UnusableInputError(
            f"The video {path} is cut short or damaged (FFmpeg said: {damage.group(0)}).",
            hint="Fetch or export it again.",
        )
    return _describe(path, picture, output)


def frame_checksums(path: Path, stream: int | None = None) -> list[bytes]:
    """A checksum (FFmpeg's CRC of the decoded picture) for each frame, in order."""
    table = ffmpeg_output(_count_args(path, picture_stream(path, stream))).stdout
    return [row[5].strip() for row in _rows(table)]


def frame_size(path: Path, stream: int | None = None) -> tuple[int, int]:
    """Width and height in pixels, rotation applied, from the first frame alone.

    Raises UnusableInputError as ``probe`` does, for what the first frame can show.
    """
    return _frame_size(path, picture_stream(path, stream), *file_state(path))


@lru_cache(maxsize=1024)
def _frame_size(path: Path, picture: PictureStream, *_state: int) -> tuple[int, int]:
    """Looked at once for each state of a file."""
    first = [*_count_args(path, picture)[:-3], "-frames:v", "1", *_SINK]
    return _size(path, ffmpeg_output(first).stdout)


_SINK = ["-f", "framecrc", "-"]


def _count_args(path: Path, picture: PictureStream) -> list[str]:
    passthrough = ["-fps_mode", "passthrough", "-enc_time_base", "demux"]
    return [*video_input(path), "-map", f"0:{picture.number}", *passthrough, *_SINK]


def _said(path: Path, stderr: str) -> str:
    """FFmpeg's own words: without the file's name and tags (indented), which may say anything."""
    lines = stderr.replace(str(path), "").splitlines()
    return "\n".join(line for line in lines if not line.startswith("    "))


def _describe(path: Path, picture: PictureStream, output: Output) -> VideoInfo:
    width, height = _size(path, output.stdout)
    ticks = _timestamps(output.stdout)
    timing = _timing(ticks, _tick_s(output.stdout))
    return VideoInfo(
        frames=len(ticks),
        width=width,
        height=height,
        fps=f"{timing.fps.numerator}/{timing.fps.denominator}",
        duration_s=round(timing.duration_s, 6),
        codec=picture.codec,
        pixel_format=picture.pixel_format,
        has_audio=_AUDIO.search(output.stderr) is not None,
        variable_rate=timing.variable,
    )


def _size(path: Path, table: bytes) -> tuple[int, int]:
    match = re.search(rb"#dimensions 0: (\d+)x(\d+)", table)
    if match is None or not _rows(table):
        raise UnusableInputError(
            f"No frame of {path} could be decoded; it is probably cut short or not a video.",
            hint="Try it in a player, and fetch or export it again.",
        )
    return int(match.group(1)), int(match.group(2))


def _tick_s(table: bytes) -> Fraction:
    match = re.search(rb"#tb 0: (\d+)/(\d+)", table)
    return Fraction(int(match.group(1)), int(match.group(2))) if match else Fraction(1, 25)


def _timestamps(table: bytes) -> list[int]:
    return [int(row[2]) for row in _rows(table)]


def _rows(table: bytes) -> list[list[bytes]]:
    return [line.split(b",") for line in table.splitlines() if line and not line.startswith(b"#")]


def _timing(ticks: list[int], tick_s: Fraction) -> _Timing:
    """Rate and regularity from presentation times.

    A rate is constant when every step is within one tick of the commonest: containers with
    coarse clocks (1 ms) alternate between 33 and 34. A variable rate is named by its commonest
    step.
    """
    gaps = [after - before for before, after in itertools.pairwise(ticks)]
    steps = [s for s in gaps if s * tick_s >= _LEAST_STEP_S] or [s for s in gaps if s > 0]
    if not steps or ticks[-1] <= ticks[0]:
        return _Timing(Fraction(25), False, len(ticks) / 25)
    common, _ = Counter(steps).most_common(1)[0]
    variable = len(steps) < len(gaps) or any(abs(step - common) > 1 for step in steps)
    if variable:
        last_s = (ticks[-1] - ticks[0] + common) * tick_s
        return _Timing(_snap(1 / (common * tick_s)), True, float(last_s))
    mean = Fraction(ticks[-1] - ticks[0], len(steps))
    exact = len(set(steps)) == 1
    fps = 1 / (mean * tick_s) if exact else _snap(1 / (mean * tick_s))
    return _Timing(fps, False, float(len(ticks) / fps))


def _snap(fps: Fraction) -> Fraction:
    """The standard rate within 0.05 % of ``fps``, else ``fps`` to a thousandth."""
    ntsc = [rate * 1000 / 1001 for rate in _STANDARD_RATES]
    nearest = min([*_STANDARD_RATES, *ntsc], key=lambda rate: abs(rate - fps))
    if abs(nearest - fps) <= fps / 2000:
        return nearest
    return Fraction(round(fps * 1000), 1000)
