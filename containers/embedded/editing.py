"""The loop that the embedded drivers share: read, change each frame, write, count."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from containers.common import bench_driver
from containers.common.bench_driver import Job
from containers.embedded.faces import Face, FaceFinder, Frame, MainFace
from harness.core.errors import UnusableInputError
from harness.media.frames import FAITHFUL, Encoding, VideoWriter, read_frames
from harness.media.probe import probe
from harness.model.video import VideoInfo

EditFace = Callable[[Frame, Face], Frame]
EditFrame = Callable[[Frame], Frame]


def start(run: Callable[[Job], None]) -> None:
    """Run a driver and end the process with the contract's exit code."""
    sys.exit(bench_driver.main(run, unusable=(UnusableInputError,)))


def swapped_path(job: Job) -> Path:
    """Path of the changed video."""
    return Path(job.out) / "swapped.mp4"


def test_video(job: Job) -> tuple[Path, VideoInfo]:
    """The video to change and what is known of it; raises the errors of the contract."""
    path = Path(job.input("test_video"))
    return path, probe(path)


def writer(job: Job, info: VideoInfo, encoding: Encoding = FAITHFUL) -> VideoWriter:
    """A writer for a video of the same size and rate as ``info``."""
    return VideoWriter(swapped_path(job), info.width, info.height, info.fps, encoding)


def edit_frames(job: Job, edit: EditFrame, encoding: Encoding = FAITHFUL) -> None:
    """Change every frame, whatever it shows, and write ``step.json``."""
    path, info = test_video(job)
    progress = bench_driver.Progress(info.frames, "frames")
    done = 0
    with writer(job, info, encoding) as video:
        for frame in read_frames(path, info):
            video.write(edit(frame))
            done += 1
            progress.update(done)
    bench_driver.write_step(job, frames=done)


def edit_main_face(job: Job, edit: EditFace, notes: Callable[[], tuple[str, ...]] = tuple) -> None:
    """Change the main face in every frame that has one; the others keep their pixels.

    Frames without a face and with several are counted in ``step.json``. ``notes`` is asked at the
    end for what the reader should know.
    """
    path, info = test_video(job)
    progress = bench_driver.Progress(info.frames, "frames")
    done = without = several = 0
    main = MainFace()
    with (
        FaceFinder(job.input("face_landmarker"), float(Fraction(info.fps))) as finder,
        writer(job, info) as video,
    ):
        for frame in read_frames(path, info):
            faces = finder.find(frame)
            face = main.pick(faces)
            video.write(frame if face is None else edit(frame, face))
            done += 1
            without += face is None
            several += len(faces) > 1
            progress.update(done)
    bench_driver.write_step(
        job,
        frames=done,
        frames_without_face=without,
        frames_with_several_faces=several,
        faces_found={"test_video": done - without},
        notes=list(notes()),
    )
