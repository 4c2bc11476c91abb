"""Several clips into one video, without loss where that is possible."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from harness.core.errors import UnusableInputError
from harness.media.ffmpeg import run_ffmpeg
from harness.media.frames import BITEXACT, FAITHFUL
from harness.media.probe import frame_checksums, is_rotated, probe
from harness.model.dataset import Clip, Span
from harness.model.video import VideoInfo


class _Target(NamedTuple):
    width: int
    height: int
    fps: str


def join_clips(clips: Sequence[Clip], out: Path) -> VideoInfo:
    """Join the clips in order into the MP4 ``out``: H.264, yuv420p, constant rate, no sound.

    Clips that already agree in codec, size, rate and pixel format are joined without encoding, and
    the decoded frames are compared with the clips'. Otherwise all are encoded (x264, CRF 16) at the
    first clip's rate and size, smaller and larger pictures fitted with black borders; an odd side
    loses one row or column, since yuv420p needs even ones. The same clips give the same bytes.

    Raises UnusableInputError for a clip that cannot be decoded or a span outside its clip.
    """
    if not clips:
        raise ValueError("no clips to join")
    infos = [probe(clip.path) for clip in clips]
    for clip, info in zip(clips, infos, strict=True):
        _check_span(clip, info)
    if _can_copy(clips, infos):
        _concat([clip.path for clip in clips], out)
        if _is_lossless(clips, out):
            return probe(out)
    target = _target(infos[0])
    parts = []
    for number, (clip, info) in enumerate(zip(clips, infos, strict=True)):
        part = out.with_name(f"{out.stem}-part{number:04d}.mp4")
        _encode(clip, info, target, part)
        parts.append(part)
    _concat(parts, out)
    for part in parts:
        part.unlink()
    return probe(out)


def _check_span(clip: Clip, info: VideoInfo) -> None:
    span = clip.span or Span()
    end_s = info.duration_s if span.end_s is None else span.end_s
    if not 0 <= span.start_s < min(end_s, info.duration_s):
        raise UnusableInputError(
            f"The span {span.start_s:g} to {end_s:g} s of {clip.path} holds nothing: the clip "
            f"lasts {info.duration_s:.2f} s.",
            hint="Correct the span in the dataset's manifest.",
        )


def _can_copy(clips: Sequence[Clip], infos: Sequence[VideoInfo]) -> bool:
    first = infos[0]
    wanted = ("h264", "yuv420p", first.width, first.height, first.fps, False)
    return (
        all(clip.span is None for clip in clips)
        and all(
            (i.codec, i.pixel_format, i.width, i.height, i.fps, i.variable_rate) == wanted
            for i in infos
        )
        and not any(is_rotated(clip.path) for clip in clips)
    )


def _is_lossless(clips: Sequence[Clip], out: Path) -> bool:
    # Files of different encoders can agree in all we compare and still not decode after a copy,
    # because an MP4 keeps the first one's decoder parameters only.
    try:
        joined = frame_checksums(out)
        info = probe(out)
    except UnusableInputError:
        return False
    return not info.variable_rate and joined == [
        checksum for clip in clips for checksum in frame_checksums(clip.path)
    ]


def _target(info: VideoInfo) -> _Target:
    return _Target(info.width - info.width % 2, info.height - info.height % 2, info.fps)


def _encode(clip: Clip, info: VideoInfo, target: _Target, out: Path) -> None:
    span = clip.span or Span()
    trim = f"trim=start={span.start_s:.6f}"
    if span.end_s is not None:
        trim += f":end={span.end_s:.6f}"
    width, height, fps = target
    fits = (info.width // 2 * 2, info.height // 2 * 2) == (width, height)
    size = (
        f"crop={width}:{height}:0:0:exact=1"
        if fits
        else f"scale={width}:{height}:force_original_aspect_ratio=decrease:flags=bicubic+bitexact"
        f",pad={width}:{height}:(ow-iw)/2:(oh-ih)/2"
    )
    # A picture whose sides differ from the frame must be cut before chroma is halved.
    chain = f"{trim},setpts=PTS-STARTPTS,fps={fps},format=yuv444p,{size},setsar=1"
    codec = [*FAITHFUL.options(), "-video_track_timescale", str(_timescale(fps))]
    source = ["-i", str(clip.path), "-map", "0:v:0", "-an", "-sn", "-dn", "-vf", chain]
    run_ffmpeg(["-y", *source, *codec, *BITEXACT, "-f", "mp4", str(out)], timeout_s=3600)


def _timescale(fps: str) -> int:
    """Clock ticks per second in which one frame is a whole number of ticks."""
    numerator = Fraction(fps).numerator
    return numerator if numerator >= 10_000 else numerator * 512


def _concat(files: Sequence[Path], out: Path) -> None:
    copy = ["-map", "0:v:0", "-an", "-c", "copy", *BITEXACT, "-movflags", "+faststart"]
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        # FFmpeg's listing cannot spell every name (a line break, for one), so links stand in.
        folder = Path(scratch)
        names = [f"{number:05d}" for number in range(len(files))]
        for name, file in zip(names, files, strict=True):
            (folder / name).symlink_to(file.resolve())
        listing = folder / "listing.txt"
        listing.write_text("".join(f"file {name}\n" for name in names), encoding="utf-8")
        source = ["-f", "concat", "-safe", "0", "-i", str(listing)]
        run_ffmpeg(["-y", *source, *copy, "-f", "mp4", str(out)], timeout_s=3600)
