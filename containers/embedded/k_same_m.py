"""k-Same-M: as k-Same, with shape and texture averaged apart, so that nothing shows double."""

from __future__ import annotations

from containers.common.bench_driver import Job
from containers.embedded.editing import start
from containers.embedded.k_same import SELECTIONS, Method, replace_faces
from containers.embedded.k_same_faces import average_shape_and_texture, model_distances

MODEL = Method(model_distances, average_shape_and_texture)


def run(job: Job) -> None:
    """Settings: ``k``, ``select``, ``blending``, ``surroundings``."""
    replace_faces(job, MODEL, SELECTIONS)


if __name__ == "__main__":
    start(run)
