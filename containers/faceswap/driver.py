"""Drives Faceswap, two versions of it: the donor's face (B) onto the actor's video (A).

Standard library only and Python 3.6 syntax. README.md says what of upstream this relies on.
"""

import os
import re
import shutil
import sys
from typing import Any, Dict, List

from containers.common import bench_driver, budget, frames, gpu, steps, swapping
from containers.common.bench_driver import BadJobError, Job, ToolFailedError, emit
from containers.common.swapping import (
    Swapped,
    extracted,
    note_put_back,
    refuse_lost,
    report_extraction,
    revision,
)
from containers.faceswap import app, faces, model, settings

_LEFT_OUT = re.compile(r"Faces filtered out:\s+(\d+)")


def training_key(job: Job) -> str:
    """Hash of what a model is trained from: faces and every setting of the training.

    How often it is saved and shown changes nothing.
    """
    asked = faces.plans(job)
    parts = [faces.key_of(job, asked[role]) for role in ("actor_training", "donor_training")]
    training = settings.training(job)._replace(save_interval=0, previews=False)
    return steps.key_of({}, faces=parts, settings=list(training), seed=job.seed)


def extract(job: Job) -> None:
    asked = faces.plans(job)
    # A wrong setting is reported before hours are spent.
    settings.extraction(job)
    settings.training(job)
    settings.conversion(job, 1)
    settings.need_learned_mask(job)
    budget.limits(job)
    counts = {role: faces.extract(job, plan) for role, plan in asked.items()}
    faces.need_faces(job, counts["actor_training"], "the actor's training video")
    faces.need_faces(job, counts["donor_training"], "the donor's video")
    report_extraction(job, counts, "{role}: {faces} faces from {frames} frames.")


def train(job: Job) -> None:
    for role in ("actor_training", "donor_training"):
        _need_extraction(job, role)
    done = model.train(job, training_key(job))
    notes = ["Faceswap has no seed: two trainings of the same cell differ."]
    bench_driver.write_step(job, iterations=done, upstream_revision=revision(), notes=notes)


def convert(job: Job) -> None:
    counts = _need_extraction(job, "test_video")
    if not os.path.isdir(model.folder(job)):
        raise BadJobError("There is no model; the step train comes first.")

    def swap(work: str) -> Swapped:
        notes = _convert(job, work)
        done = os.path.join(work, "converted")
        return Swapped(done, counts["with_face"], counts["with_several"], notes)

    swapping.convert(job, swap)


def _convert(job: Job, work: str) -> List[str]:
    """Leave one picture for each frame in ``work/converted``; notes for the report."""
    originals, done = os.path.join(work, "frames"), os.path.join(work, "converted")
    frames.extract(job.input("test_video"), originals)
    os.makedirs(done)
    source = os.path.join(job.state, faces.folder("test_video"))
    found = faces.by_frame(source)
    if found:
        asked = settings.conversion(job, os.cpu_count() or 1)
        chosen = _main_faces(source, found, os.path.join(work, "faces"))
        alignments = os.path.join(source, faces.ALIGNMENTS)
        with app.opened(job) as opened:
            opened.configure("convert", {"writer.opencv": {"format": "png"}})
            opened.configure("train", app.commands(job).train_ini(settings.training(job)))
            words = app.commands(job).convert(
                asked, originals, done, alignments, model.folder(job), chosen
            )
            _need_choice(opened.run(words, "Conversion"), found, chosen)
    lost = sorted(name for name in found if not _written(os.path.join(done, name + ".png")))
    refuse_lost(lost, "converted")
    return note_put_back(frames.put_back(originals, done))


def _need_choice(log: List[str], found: Dict[str, List[str]], chosen: str) -> None:
    """Raise ToolFailedError when upstream did not leave out the faces that it should.

    It goes on with all faces when it recognises none of those it was given.
    """
    unwanted = sum(len(names) - 1 for names in found.values())
    said = [match.group(1) for match in map(_LEFT_OUT.search, log) if match is not None]
    if chosen and said[-1:] != [str(unwanted)]:
        raise ToolFailedError(
            "Conversion had to leave out %d faces alongside the main one, but said: %s."
            % (unwanted, "it left out " + said[-1] if said else "nothing of it")
        )


def _written(path: str) -> bool:
    return os.path.isfile(path) and os.path.getsize(path) > 0


def _main_faces(source: str, found: Dict[str, List[str]], target: str) -> str:
    """A folder with the first face of each frame, or nothing when no frame has several.

    Upstream converts all faces of a frame, unless it is given those that it may.
    """
    if all(len(names) == 1 for names in found.values()):
        return ""
    os.makedirs(target)
    for names in found.values():
        shutil.copyfile(os.path.join(source, names[0]), os.path.join(target, names[0]))
    return target


def _need_extraction(job: Job, role: str) -> Dict[str, Any]:
    """Counts of the extraction; raises BadJobError when it was not done with these settings."""
    return extracted(job, role, faces.folder(role), faces.key_of(job, faces.plans(job)[role]))


def run(job: Job) -> None:
    """Do the step that the job asks for."""
    settings.check_version(job)
    how = "GPU" if job.gpu else "CPU only"
    emit("note", text="Faceswap %s (%s), %s." % (job.version, revision(), how))
    gpu.require(job, "Faceswap", app.PYTHON, str(app.commands(job).FRAMEWORK))
    {"extract": extract, "train": train, "convert": convert}[job.step](job)


if __name__ == "__main__":
    sys.exit(bench_driver.main(run, steps=("extract", "train", "convert")))
