"""Shows the video's own frames late, the last ones first: who is shown stays, when does not."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

from containers.common import bench_driver
from containers.common.bench_driver import Job
from containers.embedded.editing import start, test_video, writer
from containers.embedded.faces import Frame
from harness.media.frames import read_frames
from harness.model.video import VideoInfo


def turned(path: Path, info: VideoInfo, late: int) -> Iterator[Frame]:
    """All frames of the video, the last ``late`` of them first."""
    yield from islice(read_frames(path, info), info.frames - late, None)
    yield from islice(read_frames(path, info), info.frames - late)


def run(job: Job) -> None:
    """Setting ``shift_s``: how late, in seconds; longer than the video goes round again."""
    shift_s = job.number("shift_s", 0, 3600)
    path, info = test_video(job)
    late = round(shift_s * Fraction(info.fps)) % info.frames
    progress = bench_driver.Progress(info.frames, "frames")
    done = 0
    with writer(job, info) as video:
        for frame in turned(path, info, late):
            video.write(frame)
            done += 1
            progress.update(done)
    bench_driver.write_step(job, frames=done, notes=[f"Late by {late} frames."])


if __name__ == "__main__":
    start(run)
