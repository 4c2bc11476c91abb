"""Drives deface 1.5.0: every face in every frame is blurred, covered or left, as the settings say.

The loop over the frames is deface's own ``video_detect``. It is given a detector that counts, since
deface reports nothing, and an encoder without loss at the frames' own size, since its own would
round the rate, pad the size to multiples of 16 and compress by other rules than the other tools.
The final video is encoded from that as all tools of this benchmark encode. Nothing in deface is
random, so the seed has no effect.
"""

import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

if TYPE_CHECKING:
    from containers.common import bench_driver
else:
    import bench_driver

MODES = ("blur", "solid", "mosaic", "none")
UPSTREAM_FILE = "/opt/bench/upstream.json"
STANDARD_RATES = (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 100, 120)


class Video(NamedTuple):
    """What a file really holds; rotation applied, ``rate`` in frames per second."""

    frames: int
    width: int
    height: int
    rate: Fraction


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
    rate = frame_rate(times, Fraction(int(tick.group(1)), int(tick.group(2))))
    return Video(len(rows), int(size.group(1)), int(size.group(2)), rate)


def frame_rate(times: List[int], tick_s: Fraction) -> Fraction:
    """Frames per second from presentation times in ticks of ``tick_s`` seconds.

    Steps that differ come from a coarse clock; the mean is then taken for the standard rate that
    lies within 0.05 %, if there is one.
    """
    steps = [after - before for before, after in zip(times, times[1:])]
    if not steps or times[-1] <= times[0]:
        return Fraction(25)
    rate = 1 / (Fraction(times[-1] - times[0], len(steps)) * tick_s)
    if len(set(steps)) == 1:
        return rate
    known = [Fraction(one) for one in STANDARD_RATES]
    known += [one * 1000 / 1001 for one in known]
    nearest = min(known, key=lambda one: abs(one - rate))
    return nearest if abs(nearest - rate) <= rate / 2000 else rate.limit_denominator(1001)


def detection_size(video: Video, width: int) -> Optional[Tuple[int, int]]:
    """The size at which faces are looked for; None is the frame's own."""
    if width == 0 or width >= video.width:
        return None
    return width, max(1, round(video.height * width / video.width))


def pixels(video: Video) -> str:
    """4:2:0 needs even sides."""
    return "yuv444p" if video.width % 2 or video.height % 2 else "yuv420p"


def change(job: bench_driver.Job, source: str, target: str, video: Video) -> CountingDetector:
    """Let deface write ``target``, without loss; returns what its detector counted."""
    from deface.centerface import CenterFace
    from deface.deface import video_detect

    detector = CountingDetector(
        CenterFace(
            in_shape=detection_size(video, int(job.number("detection_width", 0, 4096))),
            backend="onnxrt",
            override_execution_provider="CPUExecutionProvider",
        ),
        video.frames,
    )
    video_detect(
        ipath=source,
        opath=target,
        centerface=detector,
        threshold=job.number("threshold", 0.01, 0.99),
        enable_preview=False,
        cam=False,
        nested=False,
        replacewith=job.choice("replacewith", MODES),
        mask_scale=job.number("mask_scale", 0.5, 3),
        ellipse=not job.flag("boxes"),
        draw_scores=False,
        ffmpeg_config=lossless(video),
        mosaicsize=int(job.number("mosaic_size", 2, 500)),
    )
    return detector


def lossless(video: Video) -> Dict[str, Any]:
    """The encoder's options, as ``deface --ffmpeg-config`` takes them."""
    return {
        "codec": "libx264",
        "quality": None,
        "pixelformat": pixels(video),
        "macro_block_size": 1,
        "output_params": ["-qp", "0", "-preset", "ultrafast"],
    }


def encode(source: str, target: str, video: Video) -> None:
    """Encode with the exact rate; raises ToolFailedError with FFmpeg's last line."""
    quality = ["-preset", "medium", "-crf", "16", "-x264-params", "threads=4:lookahead-threads=1"]
    options = ["-map", "0:v:0", "-an", "-c:v", "libx264", *quality]
    options += ["-pix_fmt", pixels(video), "-map_metadata", "-1"]
    options += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-f", "mp4"]
    code, _, errors = ffmpeg(
        ["-v", "error", "-y", "-r", str(video.rate), "-i", source, *options, target]
    )
    if code:
        last = (errors.strip().splitlines() or ["no reason given"])[-1]
        raise bench_driver.ToolFailedError("FFmpeg could not encode the result: %s" % last)


def revision() -> Optional[str]:
    """What the image was built from, for the report."""
    try:
        with open(UPSTREAM_FILE, encoding="utf-8") as stream:
            return str(json.load(stream)["revision"])
    except (OSError, ValueError, KeyError):
        return None


def run(job: bench_driver.Job) -> None:
    """Settings: replacewith, threshold, mask_scale, boxes, mosaic_size, detection_width."""
    source = job.input("test_video")
    video = probe(source)
    if video is None:
        raise bench_driver.InputUnusableError("The test video cannot be decoded: %s." % source)
    middle = os.path.join(job.out, ".partial-deface.mp4")
    partial = os.path.join(job.out, ".partial-swapped.mp4")
    try:
        counted = change(job, source, middle, video)
        if not os.path.isfile(middle) or os.path.getsize(middle) == 0:
            # deface prints that it skips a file which it cannot open, and goes on.
            raise bench_driver.ToolFailedError("deface wrote no video; its log says why.")
        encode(middle, partial, video)
        written = probe(partial)
        if written is None or written[:3] != video[:3]:
            raise bench_driver.ToolFailedError(
                "deface's video (%s) does not match the test video (%s)." % (written, video)
            )
        os.rename(partial, os.path.join(job.out, "swapped.mp4"))
    finally:
        for path in (middle, partial):
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


if __name__ == "__main__":
    sys.exit(bench_driver.main(run))
