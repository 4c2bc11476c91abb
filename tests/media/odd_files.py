"""Videos as cameras and editors leave them, made by FFmpeg out of other videos."""

from __future__ import annotations

from pathlib import Path

from harness.media.ffmpeg import run_ffmpeg
from harness.media.streams import Hdr

PATTERN = "testsrc2=size=64x48:rate=25:duration=0.4"
WHITE_NITS = 203


def pattern(path: Path, *options: str, source: str = PATTERN) -> Path:
    """A synthetic SDR video."""
    run_ffmpeg(["-y", "-f", "lavfi", "-i", source, *options, str(path)])
    return path


def in_hdr(source: Path, path: Path, hdr: Hdr, *, pixels: str = "yuv420p10le") -> Path:
    """The same pictures as an HDR camera shows them: after ITU-R BT.2408, SDR's white at
    203 cd/m2."""
    light = "zscale=min=gbr:tin=bt709:pin=bt709:rin=full:m=gbr:p=bt709:t=linear:agamma=false"
    graded = f"zscale=p=bt2020:t={hdr}:m=2020_ncl:r=limited:npl={WHITE_NITS}:agamma=false"
    chain = f"format=gbrp,{light}:npl={WHITE_NITS},format=gbrpf32le,{graded},format={pixels}"
    codec = ["-c:v", "libx264", "-crf", "4", "-an"]
    if pixels == "yuv420p10le":
        codec = ["-c:v", "libx265", "-x265-params", "log-level=error:crf=4", "-an"]
    run_ffmpeg(["-y", "-i", str(source), "-vf", chain, *codec, str(path)])
    return path


def interlaced(path: Path, codec: str = "libx264") -> Path:
    """Each frame holds two moments in alternate lines."""
    flags = ["-vf", "tinterlace=interleave_top", "-flags", "+ilme+ildct", "-c:v", codec]
    return pattern(path, *flags)


def anamorphic(path: Path) -> Path:
    """Pixels that are wider than high, as on a DVD."""
    return pattern(path, "-vf", "setsar=16/11")


def of_streams(path: Path, *sources: Path, marked: int | None = None) -> Path:
    """One file of several videos; ``marked``, from 0, is marked as default, else all or none."""
    words: list[str] = []
    for source in sources:
        words += ["-i", str(source)]
    for number in range(len(sources)):
        words += ["-map", f"{number}:v"]
        flag = "default" if number == marked else "0"
        words += [f"-disposition:v:{number}", flag]
    run_ffmpeg(["-y", *words, "-c", "copy", "-default_mode", "passthrough", str(path)])
    return path


def with_cover(video: Path, path: Path) -> Path:
    """The video with a cover picture, as music and lecture files have it."""
    cover = path.with_name("cover.jpg")
    pattern(cover, "-frames:v", "1", source="color=c=red:size=320x240")
    files = ["-i", str(video), "-attach", str(cover), "-metadata:s:t", "mimetype=image/jpeg"]
    if path.suffix == ".mp4":
        files = ["-i", str(cover), "-i", str(video), "-map", "0", "-map", "1"]
        files += ["-disposition:v:0", "attached_pic"]
    run_ffmpeg(["-y", *files, "-c", "copy", str(path)])
    return path
