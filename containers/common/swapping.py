"""Common parts of every face-swap tool's steps: what they need, and what they leave.

Standard library only and Python 3.6 syntax: copied into old images.
"""

import json
import os
import shutil
from typing import Any, Callable, Collection, Dict, List, Mapping, NamedTuple, Optional

from containers.common import bench_driver, frames, steps
from containers.common.bench_driver import BadJobError, Job, ToolFailedError

UPSTREAM_FILE = os.environ.get("BENCH_UPSTREAM", "/opt/bench/upstream.json")


class Swapped(NamedTuple):
    """Result of a conversion of the test video."""

    pictures: str
    """The folder with one picture for each frame, in the order of their names."""
    with_face: int
    with_several: int
    notes: List[str]


def revision() -> Optional[str]:
    """The upstream commit in this image, or None where nobody wrote it down."""
    try:
        with open(UPSTREAM_FILE, encoding="utf-8") as stream:
            found = json.load(stream).get("revision")
    except (OSError, ValueError, AttributeError):
        return None
    return None if found is None else str(found)


def report_extraction(job: Job, counts: Mapping[str, Mapping[str, int]], note: str) -> None:
    """Write what was extracted: for each video ``with_face`` and what ``note`` speaks of.

    ``note`` is a sentence for each video, in the names of its counts and ``role``.
    """
    bench_driver.write_step(
        job,
        faces_found={role: one["with_face"] for role, one in counts.items()},
        upstream_revision=revision(),
        notes=[note.format(role=role, **one) for role, one in sorted(counts.items())],
    )


def extracted(job: Job, role: str, folder: str, key: str) -> Dict[str, Any]:
    """Counts of the extraction of a video.

    Raises BadJobError when it was not done, or with other settings.
    """
    counts = steps.finished(job.state, folder, key)
    if counts is None:
        raise BadJobError("There are no faces of '%s'; the step extract comes first." % role)
    return counts


def convert(job: Job, swap: Callable[[str], Swapped]) -> None:
    """Leave the swapped video of what ``swap`` makes in the work folder that it is given.

    The folder does not exist yet, and is removed afterwards.
    """
    video = frames.probe(job.input("test_video"))
    work = os.path.join(job.state, "convert")
    shutil.rmtree(work, ignore_errors=True)
    try:
        done = swap(work)
        target = os.path.join(job.out, "swapped.mp4")
        frames.assemble(done.pictures, frames.pictures(done.pictures), video, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    bench_driver.write_step(
        job,
        frames=video.frames,
        frames_without_face=video.frames - done.with_face,
        frames_with_several_faces=done.with_several,
        faces_found={"test_video": done.with_face},
        upstream_revision=revision(),
        notes=done.notes,
    )


def refuse_lost(lost: Collection[str], done: str) -> None:
    """Raise ToolFailedError for frames with a face that were not ``done`` (``merged``)."""
    if lost:
        raise ToolFailedError(
            "%d frames with a face were not %s, the first is %s: they would show the actor."
            % (len(lost), done, min(lost))
        )


def note_put_back(count: int) -> List[str]:
    """A note of the frames that a tool left out."""
    return ["Frames without a face, put back as they were: %d." % count] if count else []
