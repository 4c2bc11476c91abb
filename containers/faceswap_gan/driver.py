"""Drives Faceswap-GAN v2.2: the donor's face (B) onto the actor's video (A).

Standard library only and Python 3.6 syntax. README.md says what of upstream this relies on.
"""

import os
import sys
from typing import Any, Dict, List

from containers.common import bench_driver, frames, gpu, steps, swapping
from containers.common.bench_driver import (
    Job,
    ToolFailedError,
    emit,
    write_json,
)
from containers.common.swapping import Swapped, extracted, report_extraction, revision
from containers.faceswap_gan import faces, model, settings


def training_key(job: Job) -> str:
    """Hash of what a model was trained from: faces and every setting of the training."""
    parts = [faces.key_of(job, role) for role in faces.ROLES]
    return steps.key_of({}, faces=parts, training=settings.training(job))


def extract(job: Job) -> None:
    # A wrong setting is reported before hours are spent.
    settings.training(job)
    settings.saving(job)
    settings.conversion(job)
    counts = {role: faces.extract(job, role) for role in faces.ROLES}
    for role in faces.ROLES:
        faces.need_faces(counts[role], role, settings.batch_size(job))
    note = "{role}: {faces} faces from {frames} frames, {with_several} with several."
    report_extraction(job, counts, note)


def train(job: Job) -> None:
    for role in faces.ROLES:
        extracted(job, role, faces.folder(role), faces.key_of(job, role))
    done = model.train(job, training_key(job))
    notes = []
    if done.phase < done.phases:
        notes.append(
            "The loss schedule was planned for %d iterations; the training ended in its phase %d "
            "of %d." % (settings.planned(job), done.phase, done.phases)
        )
    bench_driver.write_step(
        job, iterations=done.iterations, upstream_revision=revision(), notes=notes
    )


def convert(job: Job) -> None:
    options = settings.conversion(job)

    def swap(work: str) -> Swapped:
        counts = _convert(job, options, work)
        pictures = os.path.join(work, "swapped")
        notes = _conversion_notes(counts)
        return Swapped(pictures, counts["with_face"], counts["with_several"], notes)

    swapping.convert(job, swap)


def _convert(job: Job, options: Dict[str, Any], work: str) -> Dict[str, int]:
    """Leave one swapped picture for each frame in ``work/swapped``; what was counted."""
    originals, swapped = os.path.join(work, "frames"), os.path.join(work, "swapped")
    names = frames.extract(job.input("test_video"), originals)
    os.makedirs(swapped)
    order = os.path.join(work, "order.json")
    asked = {
        "model": model.save(job).folder,
        "architecture": settings.architecture(job),
        "options": options,
    }
    write_json(order, asked)
    faces.run(job, "convert_gan", [originals, swapped, order], "Conversion")
    counts = faces.read_counts(swapped + ".counts.json", "Conversion")
    lost = sorted(set(names) - set(frames.pictures(swapped)))
    if lost or counts["frames"] != len(names):
        raise ToolFailedError(
            "Conversion left %d of %d frames; the first missing is %s."
            % (len(names) - len(lost), len(names), lost[0] if lost else "none")
        )
    return counts


def _conversion_notes(counts: Dict[str, int]) -> List[str]:
    notes = []
    if counts["with_several"]:
        several = counts["with_several"]
        notes.append("Of several faces in %d frames the main one was swapped." % several)
    if counts["unswapped"]:
        notes.append(
            "In %d of %d frames with a face it could not be swapped; they show the actor."
            % (counts["unswapped"], counts["with_face"])
        )
    return notes


def run(job: Job) -> None:
    """Do the step that the job asks for."""
    settings.refuse_absent(job)
    emit("note", text="Faceswap-GAN %s, %s." % (revision(), "GPU" if job.gpu else "CPU only"))
    gpu.require(job, "Faceswap-GAN", faces.PYTHON, "tensorflow")
    {"extract": extract, "train": train, "convert": convert}[job.step](job)


if __name__ == "__main__":
    sys.exit(bench_driver.main(run, steps=("extract", "train", "convert")))
