"""k-Same-Select: the mean face of k people of the same sex, or with the same expression."""

from __future__ import annotations

from containers.common.bench_driver import Job
from containers.embedded.editing import start
from containers.embedded.k_same import PIXELS, SELECTIONS, replace_faces


def run(job: Job) -> None:
    """Settings: ``k``, ``select``, ``blending``, ``surroundings``."""
    replace_faces(job, PIXELS, SELECTIONS[1:])


if __name__ == "__main__":
    start(run)
