"""Drives DeepFaceLab 2 (SAEHD): the donor's face (src) onto the actor's video (dst).

Standard library only and Python 3.6 syntax. README.md says what of upstream this relies on.
"""

import os
import shutil
import sys
from typing import Dict, List

from containers.common import bench_driver, budget, frames, gpu, steps, swapping
from containers.common.bench_driver import Job, emit
from containers.common.swapping import (
    Swapped,
    extracted,
    note_put_back,
    refuse_lost,
    report_extraction,
    revision,
)
from containers.deepfacelab import faces, model, questions, settings


def plans(job: Job) -> Dict[str, faces.Extraction]:
    """Plans of taking faces from each video: every frame of the test, an interval for training."""
    every = settings.whole(job, "train_interval", 1, 10000)
    clean = job.choice("clean", settings.CLEANING)
    keep = settings.whole(job, "keep_faces", 16, 100000)
    # Frames with two faces can only be recognised, and thrown away, when both are looked for.
    several = 2 if clean == "oneface" else 1
    found = {
        role: faces.Extraction(role, every, several, clean, keep)
        for role in ("donor_training", "actor_training")
    }
    found["test_video"] = faces.Extraction("test_video", 1, 2, "none", 0)
    return found


def training_key(job: Job) -> str:
    """Hash of what a model was trained from: faces and every setting of the training."""
    asked = plans(job)
    parts = [faces.key_of(job, asked[role]) for role in ("donor_training", "actor_training")]
    return steps.key_of({}, faces=parts, settings=list(settings.training(job)), seed=job.seed)


def extract(job: Job) -> None:
    asked = plans(job)
    # A wrong setting is reported before hours are spent.
    settings.pictures(job)
    settings.training(job)
    settings.saving(job)
    budget.limits(job)
    _merging(job)
    counts = {role: faces.extract(job, plan) for role, plan in asked.items()}
    faces.need_faces(counts["donor_training"], "the donor's video")
    faces.need_faces(counts["actor_training"], "the actor's training video")
    report_extraction(job, counts, "{role}: {faces} faces from {frames} frames.")


def train(job: Job) -> None:
    asked = plans(job)
    for role in ("donor_training", "actor_training"):
        extracted(job, role, faces.folder(role), faces.key_of(job, asked[role]))
    done = model.train(job, training_key(job))
    bench_driver.write_step(job, iterations=done, upstream_revision=revision())


def convert(job: Job) -> None:
    plan = plans(job)["test_video"]
    counts = extracted(job, "test_video", faces.folder("test_video"), faces.key_of(job, plan))

    def swap(work: str) -> Swapped:
        notes = _merge(job, work)
        merged = os.path.join(work, "merged")
        return Swapped(merged, counts["with_face"], counts["with_several"], notes)

    swapping.convert(job, swap)


def _merge(job: Job, work: str) -> List[str]:
    """Leave one merged picture for each frame in ``work/merged``; notes for the report."""
    originals, merged = os.path.join(work, "frames"), os.path.join(work, "merged")
    frames.extract(job.input("test_video"), originals)
    aligned = _main_faces(job, os.path.join(work, "aligned"))
    os.makedirs(merged)
    if aligned:
        words = ["merge", "--input-dir", originals, "--output-dir", merged]
        words += ["--output-mask-dir", os.path.join(work, "masks")]
        words += ["--aligned-dir", os.path.join(work, "aligned")]
        words += ["--model-dir", model.folder(job), "--model", model.CLASS]
        words += ["--force-model-name", questions.MODEL_NAME]
        faces.run(job, words, questions.merging(_merging(job), job.gpu), "Merging")
    lost = [name for name in aligned if not os.path.isfile(os.path.join(merged, name + ".png"))]
    refuse_lost(lost, "merged")
    return note_put_back(frames.put_back(originals, merged))


def _main_faces(job: Job, target: str) -> List[str]:
    """The largest face of each frame, copied to ``target``; the names of those frames."""
    os.makedirs(target)
    source = os.path.join(job.state, faces.folder("test_video"))
    found = faces.faces_by_frame(source)
    for names in found.values():
        shutil.copyfile(os.path.join(source, names[0]), os.path.join(target, names[0]))
    return sorted(found)


def _merging(job: Job) -> questions.Merging:
    return questions.Merging(
        mode=job.choice("merge_mode", settings.MERGE_MODES),
        mask_mode=job.choice("mask_mode", settings.MASK_MODES),
        erode=settings.whole(job, "erode_mask", -400, 400),
        blur=settings.whole(job, "blur_mask", 0, 400),
        face_scale=settings.whole(job, "output_face_scale", -50, 50),
        color_transfer=job.choice("merge_color_transfer", settings.MERGE_COLOURS),
        workers=max(1, min(8, os.cpu_count() or 1)),
    )


def run(job: Job) -> None:
    """Do the step that the job asks for."""
    settings.refuse_absent(job)
    emit("note", text="DeepFaceLab %s, %s." % (revision(), "GPU" if job.gpu else "CPU only"))
    gpu.require(job, "DeepFaceLab", faces.PYTHON, "tensorflow")
    {"extract": extract, "train": train, "convert": convert}[job.step](job)


if __name__ == "__main__":
    sys.exit(bench_driver.main(run, steps=("extract", "train", "convert")))
