"""Several clips into one video, without loss where that is possible."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from harness.core.errors import UnusableInputError
from harness.media.ffmpeg import run_ffmpeg, video_input
from harness.media.frames import BITEXACT, FAITHFUL
from harness.media.probe import frame_checksums, probe
from harness.media.streams import PictureStream, picture_stream
from harness.media.tone_mapping import sdr_video
from harness.model.dataset import Clip, Span
from harness.model.video import VideoInfo


class _Source(NamedTuple):
    """A clip, with what its file holds."""

    clip: Clip
    picture: PictureStream
    info: VideoInfo


class _Target(NamedTuple):
    width: int
    height: int
    fps: str
    bt709: bool
    """All pictures in the colours that HDR is brought to; else each as its clip has it.

    Also where some clips have full range and others limited: FFmpeg's H.264 decoder keeps the range
    that a file begins with.
    """


def join_clips(clips: Sequence[Clip], out: Path) -> VideoInfo:
    """Join the clips in order into the MP4 ``out``: H.264, yuv420p, constant rate, no sound.

    Clips that already agree in codec, size, rate and pixel format are joined without encoding, and
    the decoded frames are compared with the clips'. Otherwise all are encoded (x264, CRF 16) at the
    first clip's rate and size, smaller and larger pictures fitted with black borders; an odd side
    loses one row or column, since yuv420p needs even ones. HDR clips are tone-mapped, and clips of
    full and limited range brought to limited. The same clips give the same bytes.

    Raises UnusableInputError for a clip that cannot be decoded or a span outside its clip,
    UnfitMachineError when FFmpeg cannot tone-map.
    """
    if not clips:
        raise ValueError("no clips to join")
    sources = [
        _Source(clip, picture_stream(clip.path, clip.stream), probe(clip.path, clip.stream))
        for clip in clips
    ]
    for source in sources:
        _check_span(source.clip, source.info)
    if _can_copy(sources):
        _concat([clip.path for clip in clips], out)
        if _is_lossless(clips, out):
            return probe(out)
    target = _target(sources)
    parts = []
    for number, source in enumerate(sources):
        part = out.with_name(f"{out.stem}-part{number:04d}.mp4")
        _encode(source, target, part)
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


def _can_copy(sources: Sequence[_Source]) -> bool:
    first = sources[0].info
    wanted = ("h264", "yuv420p", first.width, first.height, first.fps, False)
    return all(
        clip.span is None
        and picture.leads
        and picture.hdr is None
        and not picture.turned
        and (i.codec, i.pixel_format, i.width, i.height, i.fps, i.variable_rate) == wanted
        for clip, picture, i in sources
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
        checksum for clip in clips for checksum in frame_checksums(clip.path, clip.stream)
    ]


def _target(sources: Sequence[_Source]) -> _Target:
    info = sources[0].info
    hdr = any(source.picture.hdr is not None for source in sources)
    mixed = len({source.picture.full_range for source in sources}) > 1
    return _Target(
        info.width - info.width % 2, info.height - info.height % 2, info.fps, hdr or mixed
    )


def _encode(source: _Source, target: _Target, out: Path) -> None:
    clip, picture, info = source
    span = clip.span or Span()
    trim = f"trim=start={span.start_s:.6f}"
    if span.end_s is not None:
        trim += f":end={span.end_s:.6f}"
    width, height, fps, bt709 = target
    fits = (info.width // 2 * 2, info.height // 2 * 2) == (width, height)
    size = (
        f"crop={width}:{height}:0:0:exact=1"
        if fits
        else f"scale={width}:{height}:force_original_aspect_ratio=decrease:flags=bicubic+bitexact"
        f",pad={width}:{height}:(ow-iw)/2:(oh-ih)/2"
    )
    # A picture whose sides differ from the frame must be cut before chroma is halved.
    pixels = sdr_video(picture) if bt709 else "format=yuv444p"
    chain = f"{trim},setpts=PTS-STARTPTS,fps={fps},{pixels},{size},setsar=1"
    codec = [*FAITHFUL.options(), "-video_track_timescale", str(_timescale(fps))]
    pictures = [*video_input(clip.path), "-map", f"0:{picture.number}", "-an", "-sn", "-dn"]
    run_ffmpeg(
        ["-y", *pictures, "-vf", chain, *codec, *BITEXACT, "-f", "mp4", str(out)], timeout_s=3600
    )


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
        source = ["-protocol_whitelist", "file", "-f", "concat", "-safe", "0", "-i", str(listing)]
        run_ffmpeg(["-y", *source, *copy, "-f", "mp4", str(out)], timeout_s=3600)
