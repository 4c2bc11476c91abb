"""Puts another person's untouched clip in the video's place.

Whatever is measured then is measured between two people, with nothing a tool could have spoilt.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from containers.common import bench_driver
from containers.common.bench_driver import InputUnusableError, Job
from containers.embedded.editing import start, test_video, writer
from containers.embedded.faces import Frame
from harness.media.frames import read_frames
from harness.media.probe import probe


def fit(frame: Frame, width: int, height: int) -> Frame:
    """The frame cut at its centre to the wanted proportions, then scaled to the wanted size."""
    import cv2

    high, wide = frame.shape[:2]
    keep_wide = max(1, min(wide, round(high * width / height)))
    keep_high = max(1, min(high, round(wide * height / width)))
    left, top = (wide - keep_wide) // 2, (high - keep_high) // 2
    cut = frame[top : top + keep_high, left : left + keep_wide]
    shrinks = keep_wide > width
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(cut, (width, height), interpolation=way).astype(frame.dtype)


def back_and_forth(index: int, count: int) -> int:
    """The frame shown at ``index`` when ``count`` frames run forwards, backwards, forwards, ..."""
    if count == 1:
        return 0
    place = index % (2 * count - 2)
    return place if place < count else 2 * count - 2 - place


def shown(path: Path, wanted: list[int], scratch: Path) -> Iterator[Frame]:
    """The frames at ``wanted``, which first ascends and may then run back and forth.

    Frames of the first run are kept in ``scratch`` for the later ones, when there are any: a video
    cannot be read backwards, and need not fit into memory.
    """
    import cv2

    turn = next((i for i in range(1, len(wanted)) if wanted[i] < wanted[i - 1]), len(wanted))
    later = set(wanted[turn:])
    place = 0
    for index, frame in enumerate(read_frames(path)):
        if index in later:
            cv2.imwrite(str(scratch / f"{index}.png"), frame, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        while place < turn and wanted[place] == index:
            yield frame
            place += 1
        if place == turn:
            break
    for index in wanted[turn:]:
        kept = cv2.imread(str(scratch / f"{index}.png"))
        if kept is None:
            raise InputUnusableError(f"Frame {index} of the donor's video could not be kept.")
        yield kept.astype("uint8")


def run(job: Job) -> None:
    """Show the donor's training video at the target's size, length and rate."""
    _, info = test_video(job)
    donor = Path(job.input("donor_test"))
    donor_info = probe(donor)
    pace = Fraction(donor_info.fps) / Fraction(info.fps)
    wanted = [back_and_forth(int(i * pace), donor_info.frames) for i in range(info.frames)]
    progress = bench_driver.Progress(info.frames, "frames")
    done = 0
    with (
        tempfile.TemporaryDirectory(dir=job.state) as scratch,
        writer(job, info) as video,
    ):
        for frame in shown(donor, wanted, Path(scratch)):
            video.write(fit(frame, info.width, info.height))
            done += 1
            progress.update(done)
    notes = [f"Shows {len(set(wanted))} of the {donor_info.frames} frames of the donor's clip."]
    bench_driver.write_step(job, frames=done, notes=notes)


if __name__ == "__main__":
    start(run)
