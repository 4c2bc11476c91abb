"""Drives DFaker: the donor's face (B) onto the actor's video (A).

Standard library only and Python 3.6 syntax. README.md says what of upstream this relies on.
"""

import json
import os
import shutil
import sys
from typing import Dict, List

from containers.common import bench_driver, budget, frames, gpu, steps, swapping
from containers.common.bench_driver import BadJobError, Job, emit
from containers.common.swapping import (
    Swapped,
    extracted,
    note_put_back,
    refuse_lost,
    report_extraction,
    revision,
)
from containers.dfaker import faces, model

ABSENT = {
    "model": "dfaker/df has one model; H64, H128 and DF are models of DeepFaceLab 1.",
    "batch_size": "DFaker's batch is 32 in its code, and no option.",
    "learning_rate": "DFaker's learning rate is 5e-5 in its code, and no option.",
    "resolution": "DFaker takes 64 and gives 128 pixels, and has no option for it.",
    "latent_dim": "DFaker's latent vector has 1024 numbers, and no option for it.",
    "detector": "DFaker detects with dlib's HOG, and has no choice.",
    "aligner": "DFaker aligns with FAN, and has no choice.",
    "masker": "DFaker learns its mask in the training, and has no choice.",
    "coverage": "DFaker has no coverage.",
    "sort": "DFaker sorts no faces; one_face leaves out frames with several.",
}


def intervals(job: Job) -> Dict[str, int]:
    """Every n-th frame of each video: all of the test, fewer for training."""
    every = int(job.number("train_interval", 1, 10000))
    return {"donor_training": every, "actor_training": every, "test_video": 1}


def extract(job: Job) -> None:
    # A wrong setting is reported before hours are spent.
    budget.limits(job)
    model.preview_every(job)
    job.flag("seamless_clone")
    counts = {role: faces.extract(job, role, every) for role, every in intervals(job).items()}
    faces.need_faces(counts["donor_training"], "the donor's video")
    faces.need_faces(counts["actor_training"], "the actor's training video")
    report_extraction(job, counts, "{role}: {faces} faces from {frames} frames.")


def train(job: Job) -> None:
    asked = intervals(job)
    parts = [faces.key_of(job, role, asked[role]) for role in ("actor_training", "donor_training")]
    _need_extraction(job, "actor_training", "donor_training")
    done = model.train(job, steps.key_of({}, faces=parts, seed=job.seed))
    bench_driver.write_step(job, iterations=done, upstream_revision=revision())


def convert(job: Job) -> None:
    counts = _need_extraction(job, "test_video")[0]

    def swap(work: str) -> Swapped:
        notes = note_put_back(_merge(job, work))
        merged = os.path.join(work, "merged")
        return Swapped(merged, counts["with_face"], counts["with_several"], notes)

    swapping.convert(job, swap)


def _merge(job: Job, work: str) -> int:
    """Leave one picture for each frame in ``work/merged``; how many were put back."""
    names = frames.extract(job.input("test_video"), work)
    source = os.path.join(job.state, faces.folder("test_video"))
    found = faces.read(source)
    merged = os.path.join(work, "merged")
    os.makedirs(merged)
    if found:
        shutil.copytree(source, os.path.join(work, faces.CROPS))
        listed = [[one[0], os.path.join(faces.CROPS, one[1]), *one[2:]] for one in found]
        with open(os.path.join(work, faces.ALIGNMENTS), "w", encoding="utf-8") as stream:
            json.dump(listed, stream)
        seamless = "True" if job.flag("seamless_clone") else "False"
        words = [work, faces.ALIGNMENTS, "merged", "--seamlessClone", seamless]
        faces.run(job, "merge_launcher", words, model.folder(job), "Merging")
    written = set(frames.pictures(merged))
    lost = [one[0] for one in found if one[0] not in written]
    refuse_lost(lost, "merged")
    for name in names:
        if name not in written:
            shutil.copyfile(os.path.join(work, name), os.path.join(merged, name))
    return len(names) - len(written)


def _need_extraction(job: Job, *roles: str) -> List[Dict[str, int]]:
    """The counts of videos whose faces are there; raises BadJobError."""
    asked = intervals(job)
    return [
        extracted(job, role, faces.folder(role), faces.key_of(job, role, asked[role]))
        for role in roles
    ]


def run(job: Job) -> None:
    """Do the step that the job asks for."""
    for name, sentence in ABSENT.items():
        if name in job.settings:
            raise BadJobError("There is no setting '%s': %s" % (name, sentence))
    emit("note", text="DFaker %s, %s." % (revision(), "GPU" if job.gpu else "CPU only"))
    # Faces are aligned by torch's FAN, and trained and merged by TensorFlow.
    framework = "torch" if job.step == "extract" else "tensorflow"
    gpu.require(job, "DFaker", faces.PYTHON, framework)
    {"extract": extract, "train": train, "convert": convert}[job.step](job)


if __name__ == "__main__":
    sys.exit(bench_driver.main(run, steps=("extract", "train", "convert")))
