"""Measures the action units of one whole video with OpenFace's FeatureExtraction.

It is judged by its table and never by its exit code: that is 0 when the video could not be opened,
too. Standard library only and Python 3.6 syntax. README.md says what of upstream this relies on.
"""

import json
import os
import shutil
import signal
import sys
from typing import Any, List, Optional

from containers.common import bench_driver, frames, terminal
from containers.common.bench_driver import (
    InputUnusableError,
    Job,
    Progress,
    ToolFailedError,
    TransientError,
)
from containers.openface import table

PROGRAM = os.environ.get("OPENFACE", "/opt/openface/bin/FeatureExtraction")
UPSTREAM_FILE = os.environ.get("BENCH_UPSTREAM", "/opt/bench/upstream.json")
NAME = "observation.csv"

NO_MODELS = "Could not load the landmark detector"
CANNOT_OPEN = "Failed to open the video file"
CALIBRATES = "Postprocessing the Action Unit predictions"


class Watch:
    """Reads the log, and counts the rows of the table as it grows."""

    def __init__(self, path: str, total: int) -> None:
        self._path, self._progress = path, Progress(total, "frames")
        self._total, self._read, self._rows = total, 0, 0
        self.no_models = self.cannot_open = self.calibrates = False
        self.last = "nothing"

    def line(self, line: str) -> None:
        """Take a line of the log."""
        self.no_models = self.no_models or NO_MODELS in line
        self.cannot_open = self.cannot_open or CANNOT_OPEN in line
        self.calibrates = self.calibrates or CALIBRATES in line
        self.last = line.strip() or self.last

    def count(self) -> bool:
        """Report how many rows there are; never a reason to stop.

        The table is written again at the end, when the units are calibrated.
        """
        if not self.calibrates and os.path.exists(self._path):
            with open(self._path, "rb") as stream:
                stream.seek(self._read)
                new = stream.read()
            self._read += len(new)
            self._rows += new.count(b"\n")
            self._progress.update(min(max(0, self._rows - 1), self._total - 1))
        return False


def observe(job: Job) -> None:
    path = job.input("video")
    video = frames.probe(path)
    work = os.path.join(job.state, "observe")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    try:
        watch = Watch(os.path.join(work, NAME), video.frames)
        ended = _run(path, work, watch)
        found = _judge(ended, watch, work, video.frames)
        Progress(video.frames, "frames").update(video.frames)
        target = os.path.join(job.out, NAME)
        shutil.copyfile(os.path.join(work, NAME), target + ".partial")
        os.replace(target + ".partial", target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    bench_driver.write_step(
        job,
        frames=video.frames,
        frames_without_face=video.frames - found.with_face,
        faces_found={"video": found.with_face},
        upstream_revision=revision(),
        notes=_notes(watch, found, video.frames),
    )


def _run(path: str, work: str, watch: Watch) -> terminal.Ended:
    words = [PROGRAM, "-f", path, "-out_dir", work, "-of", NAME, "-aus"]
    command = terminal.Command(words, work, {"OMP_NUM_THREADS": str(os.cpu_count() or 1)})
    return terminal.run(command, on_line=watch.line, stop_due=watch.count)


def _judge(ended: terminal.Ended, watch: Watch, work: str, wanted: int) -> table.Table:
    """Contents of the table, when it is a whole one; raises a DriverError for what went wrong."""
    path = os.path.join(work, NAME)
    crash = _crash(ended.code)
    if crash:
        raise ToolFailedError(crash)
    if watch.no_models:
        raise ToolFailedError(
            "OpenFace could not load the landmark detector: its models are not in the image, or "
            "cannot be read by this user. Build the image again."
        )
    if watch.cannot_open:
        raise InputUnusableError("OpenFace cannot open the video, though FFmpeg decodes it.")
    if not os.path.exists(path):
        raise ToolFailedError(
            "OpenFace ended with exit code %d and left no table. Its last words: %s"
            % (ended.code, watch.last)
        )
    found = table.read(path)
    if found.last > wanted or found.last <= wanted // 2:
        raise ToolFailedError(
            "OpenFace's table has rows for %d of the video's %d frames, the last one for frame %d."
            % (found.rows, wanted, found.last)
        )
    if ended.code != 0:
        raise ToolFailedError("OpenFace ended with exit code %d: %s" % (ended.code, watch.last))
    return found


def _crash(code: int) -> Optional[str]:
    """A sentence for an end by a signal: minus its number, or 128 more when a shell was between."""
    number = -code if code < 0 else code - 128
    if number == signal.SIGILL:
        return (
            "OpenFace crashed with an illegal instruction (core dumped): it was compiled for "
            "another processor. Build the image on this machine."
        )
    if number == signal.SIGKILL:
        raise TransientError("OpenFace was killed from outside, probably for lack of memory.")
    if number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE):
        name = signal.Signals(number).name
        return "OpenFace crashed (%s, core dumped) before its table was whole." % name
    return None


def _notes(watch: Watch, found: table.Table, count: int) -> List[str]:
    notes = []
    if found.rows < count:
        notes.append(
            "OpenFace wrote no row for %d of the video's %d frames; they count as frames without "
            "a face." % (count - found.rows, count)
        )
    if not watch.calibrates:
        notes.append("OpenFace did not say that it calibrated the units to the person.")
    if count < 100:
        notes.append(
            "The video has %d frames; OpenFace calibrates the units to the person over all of "
            "them, and 100 or more are advisable." % count
        )
    return notes


def revision() -> Any:
    """The upstream commit in this image, or None where nobody wrote it down."""
    try:
        with open(UPSTREAM_FILE, encoding="utf-8") as stream:
            return json.load(stream).get("revision")
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    sys.exit(bench_driver.main(observe, steps=("observe",)))
