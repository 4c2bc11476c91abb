"""Encodes the video again: what compression alone costs.

It takes the same way through decoded frames as the other embedded tools, so that their loss can be
distinguished from the codec's.
"""

from __future__ import annotations

from containers.common.bench_driver import Job
from containers.embedded.editing import edit_frames, start
from harness.media.frames import Encoding


def run(job: Job) -> None:
    """Setting ``crf``: x264's constant rate factor, 0 (lossless) to 51 (worst)."""
    edit_frames(job, lambda frame: frame, Encoding(int(job.number("crf", 0, 51))))


if __name__ == "__main__":
    start(run)
