"""Paints every face black but in a few frames, which leak: what a leak profile must find."""

from __future__ import annotations

from fractions import Fraction

from containers.common.bench_driver import InputUnusableError, Job
from containers.embedded.blackbox import paint_black
from containers.embedded.editing import start, test_video

_MARGIN, _HOLD_S = 0.25, 2.0


def leaked(at_s: float, count: int, fps: Fraction, total: int) -> range:
    """The frames left as they are: ``count`` from the one shown at ``at_s``.

    Raises InputUnusableError when the video of ``total`` frames ends before the last of them.
    """
    first = round(at_s * fps)
    if first + count > total:
        raise InputUnusableError(
            f"Frames {first} to {first + count - 1} are to leak, but the video has {total} frames."
        )
    return range(first, first + count)


def run(job: Job) -> None:
    """Settings: ``at_s`` (when the first frame leaks), ``frames`` (how many do)."""
    at_s, count = job.number("at_s", 0, 3600), int(job.number("frames", 1, 10_000))
    _, info = test_video(job)
    spared = leaked(at_s, count, Fraction(info.fps), info.frames)
    note = f"Frames {spared.start} to {spared.stop - 1} leak."
    paint_black(job, _MARGIN, _HOLD_S, spared=spared, notes=(note,))


if __name__ == "__main__":
    start(run)
