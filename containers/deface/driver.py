"""Drives deface 1.5.0: every face in every frame is blurred, covered or left, as the settings say.

The loop over the frames is deface's own ``video_detect``. It is given a detector that counts, since
deface reports nothing, and an encoder of our own: deface's would round the frame rate, pad the
size to multiples of 16, and compress by other rules than the other tools of this benchmark.
Nothing in deface is random, so the seed has no effect.
"""

import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from containers.common import bench_driver

MODES = ("blur", "solid", "mosaic", "none")
UPSTREAM_FILE = "/opt/bench/upstream.json"
STANDARD_RATES = (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 100, 120)


class Video(NamedTuple):
    """Contents of a file, rotation applied."""

    frames: int
    width: int
    height: int
    rate: Fraction
    """Frames per second."""
    steady: bool
    """The first frame is at 0 and the others follow in equal steps, to a tick of the clock."""


class CountingDetector:
    """deface's detector, with a count of what it found in each frame and progress events."""

    def __init__(self, detect: Any, total: int) -> None:
        self._detect = detect
        self._progress = bench_driver.Progress(total, "frames")
        self.frames = 0
        self.without_face = 0
        self.several_faces = 0

    def __call__(self, frame: Any, threshold: float) -> Tuple[Any, Any]:
        boxes, landmarks = self._detect(frame, threshold=threshold)
        self.frames += 1
        self.without_face += len(boxes) == 0
        self.several_faces += len(boxes) > 1
        self._progress.update(self.frames)
        return boxes, landmarks


def ffmpeg(arguments: List[str]) -> Tuple[int, str, str]:
    """Run the FFmpeg that came with deface; its exit code, stdout and stderr."""
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-nostats"]
    process = subprocess.Popen(
        command + arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True
    )
    out, errors = process.communicate()
    return process.returncode, out, errors


def probe(path: str) -> Optional[Video]:
    """Count and measure the frames by decoding them; None when there is none."""
    sink = ["-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "framecrc", "-"]
    code, table, _ = ffmpeg(["-i", path, "-map", "0:v:0", *sink])
    size = re.search(r"#dimensions 0: (\d+)x(\d+)", table)
    tick = re.search(r"#tb 0: (\d+)/(\d+)", table)
    rows = [line.split(",") for line in table.splitlines() if line and not line.startswith("#")]
    if code or size is None or tick is None or not rows:
        return None
    times = [int(row[2]) for row in rows]
    rate, steady = timing(times, Fraction(int(tick.group(1)), int(tick.group(2))))
    return Video(len(rows), int(size.group(1)), int(size.group(2)), rate, steady)


def timing(times: List[int], tick_s: Fraction) -> Tuple[Fraction, bool]:
    """Frames per second from presentation times in ticks of ``tick_s`` seconds, and ``steady``.

    The commonest step names a rate that varies. A coarse clock makes equal steps differ by one
    tick: then it is the standard rate within 0.05 % of the mean, if there is one.
    """
    steps = [after - before for before, after in zip(times, times[1:])]
    if not steps or times[-1] <= times[0]:
        return Fraction(25), times[0] == 0
    common = max(set(steps), key=steps.count)
    if any(abs(step - common) > 1 for step in steps):
        return standard_rate(1 / (common * tick_s)), False
    rate = 1 / (Fraction(times[-1] - times[0], len(steps)) * tick_s)
    exact = len(set(steps)) == 1
    return (rate if exact else standard_rate(rate)), times[0] == 0


def standard_rate(rate: Fraction) -> Fraction:
    """The standard rate within 0.05 % of ``rate``, else ``rate`` to a thousandth."""
    known = [Fraction(one) for one in STANDARD_RATES]
    known += [one * 1000 / 1001 for one in known]
    nearest = min(known, key=lambda one: abs(one - rate))
    return nearest if abs(nearest - rate) <= rate / 2000 else Fraction(round(rate * 1000), 1000)


def detection_size(video: Video, width: int) -> Optional[Tuple[int, int]]:
    """The size at which faces are looked for; None is the frame's own."""
    if width == 0 or width >= video.width:
        return None
    return width, max(1, round(video.height * width / video.width))


def pixels(video: Video) -> str:
    """4:2:0 needs even sides."""
    return "yuv444p" if video.width % 2 or video.height % 2 else "yuv420p"


def encoding(video: Video) -> Dict[str, Any]:
    """Encoding for deface: what its ``--ffmpeg-config`` takes.

    Frame N is shown at N / rate exactly; quality and the bytes' independence of the machine are as
    for the tools that this project implements itself.
    """
    times = "settb=%d/%d,setpts=N" % (video.rate.denominator, video.rate.numerator)
    options = ["-vf", times, "-r", str(video.rate), "-preset", "superfast", "-crf", "14"]
    options += ["-x264-params", "threads=4:lookahead-threads=1", "-map_metadata", "-1"]
    options += ["-fflags", "+bitexact", "-flags:v", "+bitexact"]
    return {
        "codec": "libx264",
        "quality": None,
        "pixelformat": pixels(video),
        "macro_block_size": 1,
        "output_params": options,
    }


def steadied(source: str, target: str, video: Video) -> str:
    """A video that deface reads without doubling or dropping frames: ``source``, or a copy.

    The copy is without loss, in constant steps. Raises ToolFailedError with FFmpeg's last line.
    """
    if video.steady:
        return source
    lossless = ["-an", "-c:v", "libx264", "-qp", "0", "-preset", "ultrafast"]
    lossless += ["-pix_fmt", pixels(video), "-f", "mp4", target]
    retimed = ["-v", "error", "-y", "-r", str(video.rate), "-i", source, "-map", "0:v:0"]
    code, _, errors = ffmpeg(retimed + lossless)
    if code:
        last = (errors.strip().splitlines() or ["no reason given"])[-1]
        raise bench_driver.ToolFailedError("FFmpeg could not prepare the test video: %s" % last)
    return target


def change(source: str, target: str, video: Video, settings: Dict[str, Any]) -> CountingDetector:
    """Let deface write ``target``; returns its detector, which has counted."""
    from deface.centerface import CenterFace
    from deface.deface import video_detect

    given = dict(settings)
    size = detection_size(video, given.pop("detection_width"))
    detect = CenterFace(
        in_shape=size,
        backend="onnxrt",
        override_execution_provider="CPUExecutionProvider",
    )
    detector = CountingDetector(detect, video.frames)
    video_detect(
        ipath=source,
        opath=target,
        centerface=detector,
        enable_preview=False,
        cam=False,
        nested=False,
        draw_scores=False,
        ffmpeg_config=encoding(video),
        **given,
    )
    return detector


def read_settings(job: bench_driver.Job) -> Dict[str, Any]:
    """The job's settings under the names of deface's code; raises BadJobError."""
    return {
        "replacewith": job.choice("replacewith", MODES),
        "threshold": job.number("threshold", 0.01, 0.99),
        "mask_scale": job.number("mask_scale", 0.5, 3),
        "ellipse": not job.flag("boxes"),
        "mosaicsize": int(job.number("mosaic_size", 2, 500)),
        "detection_width": int(job.number("detection_width", 0, 4096)),
    }


def revision() -> Optional[str]:
    """Revision that the image was built from, for the report."""
    try:
        with open(UPSTREAM_FILE, encoding="utf-8") as stream:
            return str(json.load(stream)["revision"])
    except (OSError, ValueError, KeyError):
        return None


def run(job: bench_driver.Job) -> None:
    """Change the test video, or end with an error of the contract."""
    settings = read_settings(job)
    source = job.input("test_video")
    video = probe(source)
    if video is None:
        raise bench_driver.InputUnusableError("The test video cannot be decoded: %s." % source)
    steady = os.path.join(job.out, ".partial-steady.mp4")
    partial = os.path.join(job.out, ".partial-swapped.mp4")
    try:
        counted = change(steadied(source, steady, video), partial, video, settings)
        require_same(partial, video)
        os.rename(partial, os.path.join(job.out, "swapped.mp4"))
    finally:
        for path in (steady, partial):
            if os.path.exists(path):
                os.unlink(path)
    bench_driver.write_step(
        job,
        frames=counted.frames,
        frames_without_face=counted.without_face,
        frames_with_several_faces=counted.several_faces,
        faces_found={"test_video": counted.frames - counted.without_face},
        upstream_revision=revision(),
        notes=["deface changes every face it finds, not the main one alone."],
    )


def require_same(path: str, video: Video) -> None:
    """Raise ToolFailedError unless ``path`` has the test video's frames, size and rate."""
    if not os.path.isfile(path) or os.path.getsize(path) == 0:
        # deface prints that it skips a file which it cannot open, and ends well.
        raise bench_driver.ToolFailedError("deface wrote no video; its log says why.")
    written = probe(path)
    if written is None or written[:4] != video[:4]:
        raise bench_driver.ToolFailedError(
            "deface wrote %s, but the test video is %s." % (describe(written), describe(video))
        )


def describe(video: Optional[Video]) -> str:
    if video is None:
        return "a video that cannot be decoded"
    return "%d frames of %dx%d at %s per second" % video[:4]


if __name__ == "__main__":
    sys.exit(bench_driver.main(run))
