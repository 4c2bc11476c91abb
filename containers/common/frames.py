"""Videos into pictures and back, through FFmpeg; frames a tool dropped are put back.

Standard library only and Python 3.6 syntax: copied into old images. Needs ``ffmpeg`` on the path
(or named by ``BENCH_FFMPEG``), of any version from 3.4 on.
"""

import os
import re
import shutil
import subprocess
from collections import Counter
from fractions import Fraction
from functools import lru_cache
from typing import List, NamedTuple, Sequence

from containers.common.bench_driver import InputUnusableError, Progress, ToolFailedError

_SCALER = ("-sws_flags", "bicubic+accurate_rnd+full_chroma_int+bitexact")
_DAMAGE = re.compile(r"partial file|Invalid data found|moov atom not found|Packet corrupt", re.I)
_RATES = tuple(Fraction(n) for n in (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 100, 120))
_NAME = "%06d"


class Video(NamedTuple):
    """Contents of a video; ``rate`` is frames per second as a fraction in text, ``30000/1001``."""

    frames: int
    width: int
    height: int
    rate: str


def probe(path: str) -> Video:
    """Decode every frame of the first picture stream and describe it, rotation applied.

    Raises InputUnusableError for what cannot be read, is cut short or damaged.
    """
    words = ["-i", path, "-map", "0:v:0", *_every_frame(True), "-f", "framecrc", "-"]
    done = _ffmpeg(words)
    damage = _DAMAGE.search(done.stderr)
    if done.returncode or damage:
        reason = damage.group(0) if damage else _last(done.stderr)
        raise InputUnusableError("The video %s cannot be read: %s." % (path, reason))
    size = re.search(r"#dimensions 0: (\d+)x(\d+)", done.stdout)
    tick = re.search(r"#tb 0: (\d+)/(\d+)", done.stdout)
    rows = [line.split(",") for line in done.stdout.splitlines() if line[:1] not in ("", "#")]
    if size is None or tick is None or not rows:
        raise InputUnusableError("The video %s has no frame that can be decoded." % path)
    rate = _rate([int(row[2]) for row in rows], Fraction(int(tick.group(1)), int(tick.group(2))))
    text = "%d/%d" % (rate.numerator, rate.denominator)
    return Video(len(rows), int(size.group(1)), int(size.group(2)), text)


def extract(path: str, folder: str, every: int = 1, kind: str = "png") -> List[str]:
    """Write every ``every``-th frame, from the first on, into ``folder``; the names in order.

    Names count from ``000001`` on and end in ``kind`` (``png``, or ``jpg`` of the best quality).
    Raises InputUnusableError.
    """
    os.makedirs(folder, exist_ok=True)
    words = ["-i", path, "-map", "0:v:0"]
    if every > 1:
        words += ["-vf", "select=not(mod(n\\,%d))" % every]
    words += [*_every_frame(False), *_SCALER]
    words += ["-pix_fmt", "rgb24"] if kind == "png" else ["-q:v", "1", "-qmin", "1"]
    done = _ffmpeg([*words, "-y", _numbered(folder, "." + kind)])
    names = pictures(folder)
    if done.returncode or not names:
        raise InputUnusableError("No frames came out of %s: %s." % (path, _last(done.stderr)))
    return names


def pictures(folder: str) -> List[str]:
    """The names of the PNG and JPEG files in a folder, in order; none when there is no folder."""
    if not os.path.isdir(folder):
        return []
    return sorted(one for one in os.listdir(folder) if one.lower().endswith((".png", ".jpg")))


def put_back(originals: str, done: str) -> int:
    """Copy into ``done`` the frames of ``originals`` that it lacks (by name); how many those were.

    An empty file counts as lacking.
    """
    missing = 0
    for name in pictures(originals):
        target = os.path.join(done, name)
        if not os.path.isfile(target) or os.path.getsize(target) == 0:
            shutil.copyfile(os.path.join(originals, name), target + ".partial")
            os.replace(target + ".partial", target)
            missing += 1
    return missing


def assemble(folder: str, names: Sequence[str], like: Video, target: str) -> None:
    """Encode pictures, in the order of ``names``, as a video with the count, size and rate of
    ``like``; the file appears whole.

    H.264 at CRF 14 in yuv420p (yuv444p when a side is odd), no audio; the same input gives the same
    bytes. Raises ToolFailedError when pictures are missing, or the result is not as ``like`` is.
    """
    if len(names) != like.frames:
        raise ToolFailedError(
            "There are %d swapped frames, but the video has %d." % (len(names), like.frames)
        )
    partial = target + ".partial.mp4"
    odd = like.width % 2 or like.height % 2
    # As the embedded tools encode (harness.media.frames.FAITHFUL).
    codec = ["-c:v", "libx264", "-preset", "superfast", "-crf", "14"]
    codec += ["-x264-params", "threads=4:lookahead-threads=1"]
    codec += ["-pix_fmt", "yuv444p" if odd else "yuv420p"]
    exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"]
    with _in_order(folder, names) as pattern:
        words = ["-framerate", like.rate, "-i", pattern, "-an", *codec, *_SCALER, *exact]
        done = _ffmpeg([*words, "-y", "-f", "mp4", partial])
    if done.returncode:
        raise ToolFailedError("FFmpeg could not encode the result: %s." % _last(done.stderr))
    made = probe(partial)
    if made != like:
        os.unlink(partial)
        raise ToolFailedError("The swapped video is %s, but must be %s." % (made, like))
    Progress(like.frames, "frames").update(like.frames)
    os.replace(partial, target)


def to_jpeg(picture: str, target: str) -> bool:
    """Convert a picture; false when it cannot be read. The file appears whole."""
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    partial = target + ".partial.jpg"
    done = _ffmpeg(["-i", picture, "-frames:v", "1", "-q:v", "3", "-y", partial])
    if done.returncode or not os.path.isfile(partial):
        return False
    os.replace(partial, target)
    return True


def _numbered(folder: str, ending: str) -> str:
    """FFmpeg's pattern for numbered pictures; a percent sign of the folder's own is no pattern."""
    return os.path.join(folder.replace("%", "%%"), _NAME + ending)


class _in_order:  # noqa: N801 - used as a function
    """A pattern for FFmpeg whose numbers run without gaps, made of links; gone afterwards."""

    def __init__(self, folder: str, names: Sequence[str]) -> None:
        self._folder, self._names = folder, names
        self._links = folder.rstrip("/") + ".ordered"

    def __enter__(self) -> str:
        shutil.rmtree(self._links, ignore_errors=True)
        os.makedirs(self._links)
        ending = os.path.splitext(self._names[0])[1]
        for number, name in enumerate(self._names, 1):
            link = os.path.join(self._links, _NAME % number + ending)
            os.symlink(os.path.abspath(os.path.join(self._folder, name)), link)
        return _numbered(self._links, ending)

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self._links, ignore_errors=True)


class _Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def _program() -> str:
    return os.environ.get("BENCH_FFMPEG") or "ffmpeg"


def _ffmpeg(words: Sequence[str]) -> _Done:
    command = [_program(), "-hide_banner", "-nostdin", "-nostats", *words]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise ToolFailedError("FFmpeg cannot be started: %s." % error) from error
    try:
        out, err = process.communicate()
    finally:
        if process.poll() is None:
            process.kill()
    text = out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
    return _Done(process.returncode, text[0], text[1])


def _every_frame(demuxer_clock: bool) -> List[str]:
    """The options that neither drop nor repeat frames, in the words of this FFmpeg's version."""
    old = _major_version(_program()) < 6
    words = ["-vsync", "0"] if old else ["-fps_mode", "passthrough"]
    if demuxer_clock:
        words += ["-enc_time_base", "-1" if old else "demux"]
    return words


@lru_cache(maxsize=None)
def _major_version(program: str) -> float:
    """Infinite for a build that has no number."""
    found = re.match(r"ffmpeg version n?(\d+)\.", _ffmpeg(["-version"]).stdout)
    return float("inf") if found is None else int(found.group(1))


def _rate(ticks: Sequence[int], tick_s: Fraction) -> Fraction:
    """Frames per second from presentation times; a variable rate is named by its commonest step."""
    steps = [after - before for before, after in zip(ticks, ticks[1:])]
    if not steps or ticks[-1] <= ticks[0]:
        return Fraction(25)
    common = Counter(steps).most_common(1)[0][0]
    if any(abs(step - common) > 1 for step in steps):
        return _snap(1 / (common * tick_s))
    mean = Fraction(ticks[-1] - ticks[0], len(steps))
    return 1 / (mean * tick_s) if len(set(steps)) == 1 else _snap(1 / (mean * tick_s))


def _snap(rate: Fraction) -> Fraction:
    """The standard rate within 0.05 % of ``rate``, else ``rate`` to a thousandth."""
    candidates = [*_RATES, *(one * 1000 / 1001 for one in _RATES)]
    nearest = min(candidates, key=lambda one: abs(one - rate))
    if abs(nearest - rate) <= rate / 2000:
        return nearest
    return Fraction(round(rate * 1000), 1000)


def _last(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "FFmpeg gave no reason"
