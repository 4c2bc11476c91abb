"""The one way to call FFmpeg."""

from __future__ import annotations

import functools
import itertools
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness.core.errors import BenchError, StoreError, UnfitMachineError, UnusableInputError

_CONTAINERS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf,nut,ivf,yuv4mpegpipe,h264,hevc,m4v,vc1,"
    "obu,dv,rm,gif,apng,mjpeg,jpeg_pipe,png_pipe,bmp_pipe,tiff_pipe,webp_pipe,webp_anim,gif_pipe"
)
"""Files of pictures that hold what they show. Playlists, scripts and numbered pictures, which name
other files, are none of them."""
_CODECS = (
    "h264,hevc,av1,libdav1d,libaom-av1,vp8,vp9,libvpx,libvpx-vp9,vvc,mpeg1video,mpeg2video,mpeg4,"
    "msmpeg4v1,msmpeg4v2,msmpeg4,wmv1,wmv2,wmv3,vc1,h261,h263,h263i,flv,theora,mjpeg,dvvideo,prores,"
    "dnxhd,cfhd,ffv1,huffyuv,ffvhuff,utvideo,magicyuv,rawvideo,v210,r210,qtrle,cinepak,svq1,svq3,"
    "rv10,rv20,rv30,rv40,png,apng,bmp,tiff,gif,webp,jpeg2000,jpegls,hap,vp6,vp6f,vp7,snow,dirac,"
    "aac,mp3float,mp3,mp2float,mp2,ac3,eac3,opus,libopus,vorbis,flac,alac,wmav1,wmav2,wmapro,dca,"
    "truehd,amrnb,amrwb,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_u8,pcm_s8,"
    "pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd,adpcm_ima_wav,adpcm_ms,adpcm_ima_qt,cook,sipr"
)
_KEPT_LINES = 6
_REFUSED = re.compile("(?:Format|Protocol|Codec) .*not on whitelist")
_NO_ROOM = re.compile("No space left on device|Disk quota exceeded|Read-only file system")


def video_input(path: Path | str) -> list[str]:
    """FFmpeg's words for opening one file of pictures: by its path as it is spelled, whatever it
    looks like, in a known format that names no other file and no address.
    """
    known = ["-protocol_whitelist", "file", "-format_whitelist", _CONTAINERS]
    return [*known, "-codec_whitelist", _CODECS, "-i", f"file:{path}"]


class Output(NamedTuple):
    """Output of a finished FFmpeg."""

    stdout: bytes
    stderr: str


def ffmpeg_path() -> Path:
    """FFmpeg's program: ``$BENCH_FFMPEG``, else the one that imageio-ffmpeg brings.

    Raises UnfitMachineError when there is none.
    """
    named = os.environ.get("BENCH_FFMPEG")
    if named:
        if Path(named).is_file():
            return Path(named)
        raise UnfitMachineError(
            f"BENCH_FFMPEG names {named}, which is not a file.",
            hint="Correct the variable, or unset it to use the FFmpeg that was installed.",
        )
    import imageio_ffmpeg

    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise UnfitMachineError(
            "No FFmpeg program was found: the imageio-ffmpeg package has none for this system.",
            hint="Install FFmpeg and set BENCH_FFMPEG to its path.",
        ) from error


@functools.cache
def ffmpeg_version(program: Path) -> str:
    """The first line's version word of ``ffmpeg -version``, for the hash of prepared media."""
    result = subprocess.run([str(program), "-version"], capture_output=True, check=False)
    found = re.match(rb"ffmpeg version (\S+)", result.stdout)
    return found.group(1).decode(errors="replace") if found else "unknown"


def ffmpeg_output(args: Sequence[str], *, timeout_s: float = 600) -> Output:
    """Run FFmpeg with ``args`` and return what it wrote; it never reads the terminal.

    Raises UnusableInputError with FFmpeg's last lines when it fails or takes longer than
    ``timeout_s``, StoreError when the disk refuses, UnfitMachineError when there is no FFmpeg.
    """
    command = [str(ffmpeg_path()), "-hide_banner", "-nostdin", "-nostats", *args]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnusableInputError(
            f"FFmpeg did not finish within {timeout_s:g} s on {_input_of(args)}.",
            hint="Try the file in a player; a very long video must be cut first.",
        ) from error
    stderr = done.stderr.decode(errors="replace")
    if done.returncode:
        raise failed(_input_of(args), stderr)
    return Output(done.stdout, stderr)


def run_ffmpeg(args: Sequence[str], *, timeout_s: float = 600) -> str:
    """Run FFmpeg with ``args`` and return its stderr; raises as ``ffmpeg_output`` does."""
    return ffmpeg_output(args, timeout_s=timeout_s).stderr


def failed(what: str, stderr: str) -> BenchError:
    """The error for an FFmpeg that gave up on ``what``, with its last lines.

    A StoreError when it could not write, else an UnusableInputError.
    """
    if refused := _NO_ROOM.search(stderr):
        return StoreError(
            f"FFmpeg could not write what it made of {what}: {refused.group(0)}.",
            hint="Free some space, or set BENCH_HOME to another folder.",
        )
    if _REFUSED.search(stderr):
        return UnusableInputError(
            f"{what} is not of a format that is read here, or names other files as playlists do. "
            "Read are MP4, MOV, MKV, WebM, AVI, MPEG, WMV, FLV, OGG, MXF and their usual codecs.",
            hint="Export the video as MP4 with H.264 (`ffmpeg -i FILE -c:v libx264 -crf 14 "
            "NEW.mp4`), and name the new file.",
        )
    lines = [line.strip() for line in stderr.splitlines() if line.strip()][-_KEPT_LINES:]
    said = "\n  ".join(lines) or "(nothing)"
    return UnusableInputError(
        f"FFmpeg could not process {what}; the file is probably damaged or not a video. "
        f"It said:\n  {said}\n",
        hint="Try the file in a player, and fetch or export it again.",
    )


def _input_of(args: Sequence[str]) -> str:
    for flag, value in itertools.pairwise(args):
        if flag == "-i":
            return value.removeprefix("file:")
    return "its input"
