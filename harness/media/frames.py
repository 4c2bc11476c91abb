"""Frames in and out of videos, one at a time, through FFmpeg pipes."""

from __future__ import annotations

import fcntl
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import BenchError, StoreError
from harness.media.ffmpeg import failed, ffmpeg_path, video_input
from harness.media.probe import frame_size
from harness.media.streams import picture_stream
from harness.media.tone_mapping import sdr_planes
from harness.model.video import VideoInfo
from harness.store.atomic import publish_file

Frame = NDArray[np.uint8]

BITEXACT = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1")
"""Options without which FFmpeg writes its version and the date into files."""

_PIPE_BYTES = 1 << 20
"""The most that Linux by default lets anybody ask for."""

_SCALER = ("-sws_flags", "bicubic+accurate_rnd+full_chroma_int+bitexact")


def read_frames(path: Path, info: VideoInfo | None = None) -> Iterator[Frame]:
    """Every coded frame of the picture stream, once, in order of presentation.

    ``info`` is what ``probe`` says of the file, where that is known: it saves a first look.

    Frames are BGR, (height, width, 3), uint8, rotation applied, HDR tone-mapped, writable, and
    streamed: one is in memory at a time. Raises UnusableInputError for a file that is missing or
    cannot be decoded, and as ``picture_stream``.
    """
    import cv2

    picture = picture_stream(path)
    width, height = (info.width, info.height) if info else frame_size(path)
    # Planes and not pixels: the same bytes (a test compares them), and FFmpeg makes them with
    # vector instructions, in less than half the time.
    raw = ["-c:v", "rawvideo", "-pix_fmt", "gbrp", *_SCALER, "-f", "rawvideo", "pipe:1"]
    command = [str(ffmpeg_path()), "-hide_banner", "-nostdin", "-v", "error"]
    command += video_input(path)
    command += ["-map", f"0:{picture.number}", "-fps_mode", "passthrough"]
    command += [*(["-vf", sdr_planes(picture)] if picture.hdr else []), *raw]
    planes = np.empty((3, height, width), np.uint8)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            bufsize=0,
        )
        stream = process.stdout
        assert stream is not None
        _widen(stream)
        try:
            while (got := _fill(planes, stream)) == planes.nbytes:
                green, blue, red = planes
                yield np.asarray(cv2.merge([blue, green, red]), np.uint8)
            if process.wait() or got:
                raise failed(str(path), _tail(log))
        finally:
            process.kill()
            process.wait()
            stream.close()


def _widen(pipe: IO[bytes]) -> None:
    """Have a frame handed over in a few pieces; a system that refuses does it in many."""
    if size := getattr(fcntl, "F_SETPIPE_SZ", None):
        with suppress(OSError):
            fcntl.fcntl(pipe.fileno(), size, _PIPE_BYTES)


def _fill(planes: NDArray[np.uint8], stream: IO[bytes]) -> int:
    """Read a frame; returns how many bytes there were, fewer at the end."""
    view, got = planes.data.cast("B"), 0
    while got < len(view):
        read: int | None = stream.readinto(view[got:])  # type: ignore[attr-defined]
        if not read:
            break
        got += read
    return got


def read_frames_at(path: Path, indices: Collection[int]) -> Iterator[tuple[int, Frame]]:
    """The frames of ``path`` whose index (from 0) is in ``indices``, ascending, each once.

    An index past the end is not yielded; the caller counts. Raises as ``read_frames`` does.
    """
    wanted = set(indices)
    if not wanted:
        return
    last = max(wanted)
    for index, frame in enumerate(read_frames(path)):
        if index in wanted:
            yield index, frame
        if index == last:
            return


class Encoding(NamedTuple):
    """Settings for x264: its constant rate factor, 0 (lossless) to 51, and its preset."""

    crf: int
    preset: str = "medium"

    def options(self, pixel_format: str = "yuv420p") -> list[str]:
        """FFmpeg's words. x264's output depends on its thread count, so that is fixed: the same
        input gives the same bytes.
        """
        asked = ["-preset", self.preset, "-crf", str(self.crf)]
        asked += ["-x264-params", "threads=4:lookahead-threads=1"]
        return ["-c:v", "libx264", *asked, "-pix_fmt", pixel_format]


FAITHFUL = Encoding(14, "superfast")
"""For videos that are measured: as close to the pictures as CRF 16 of the preset ``medium`` and in
half of its time, for more than twice the bytes (``benchmarks.performance.encode``)."""


class VideoWriter:
    """Writes BGR frames as H.264 in MP4, constant rate, no audio.

    Pixels are yuv420p, or yuv444p when a side is odd. ``fps`` is a fraction in text
    (``30000/1001``). The file appears at ``path`` whole when the block ends without an error,
    and not at all otherwise.
    """

    def __init__(
        self, path: Path, width: int, height: int, fps: str, encoding: Encoding = FAITHFUL
    ) -> None:
        self.frames = 0
        self._path = path
        self._shape = (height, width, 3)
        self._encoding = encoding
        self._fps = fps
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._part = path.with_name(f".{path.name}.part")

    def __enter__(self) -> Self:
        height, width, _ = self._shape
        odd = width % 2 or height % 2
        source = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}"]
        source += ["-r", self._fps, "-i", "pipe:0"]
        pixels = "yuv444p" if odd else "yuv420p"
        codec = ["-an", *self._encoding.options(pixels), *_SCALER]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        command = [str(ffmpeg_path()), "-hide_banner", "-v", "error", "-y", *source, *codec]
        command += [*BITEXACT, "-f", "mp4", str(self._part)]
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )
        return self

    def write(self, frame: Frame) -> None:
        """Append a frame; raises ValueError for another shape or type than the video's."""
        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(f"a frame is {self._shape} uint8, not {frame.shape} {frame.dtype}")
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(frame).data)
        except BrokenPipeError as error:
            raise self._refused() from error
        self.frames += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._log is not None
        try:
            if kind is not None:
                self._process.kill()
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                self._process.kill()
            code = self._process.wait()
            if kind is None:
                if code:
                    raise self._refused()
                publish_file(self._part, self._path)
        finally:
            self._log.close()
            self._part.unlink(missing_ok=True)

    def _refused(self) -> BenchError:
        assert self._log is not None
        return StoreError(
            f"FFmpeg could not write {self._path}: {_tail(self._log).strip() or 'no reason given'}",
            hint="Check the free space and the rights of the folder.",
        )


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read()[-4000:].decode(errors="replace")
