"""Faces out of videos with Faceswap's own extractor and sorter.

Standard library only and Python 3.6 syntax.
"""

import hashlib
import os
import re
import shutil
from typing import Dict, List, NamedTuple

from containers.common import frames, steps
from containers.common.bench_driver import InputUnusableError, Job, ToolFailedError
from containers.faceswap import app, settings

ALIGNMENTS = "alignments.fsa"

_FACE = re.compile(r"(.+)_(\d+)\.png$")
_SAID = re.compile(r"Faces detected:\s+(\d+)")


class Plan(NamedTuple):
    """Plan of what is taken from one video."""

    role: str
    every: int
    clean: str
    keep: int


def plans(job: Job) -> Dict[str, Plan]:
    """Every frame of the test video, an interval for training; raises BadJobError."""
    every = settings.whole(job, "train_interval", 1, 10000)
    clean = job.choice("clean", settings.CLEANING)
    keep = settings.whole(job, "keep_faces", 16, 100000)
    found = {role: Plan(role, every, clean, keep) for role in ("actor_training", "donor_training")}
    found["test_video"] = Plan("test_video", 1, "none", keep)
    return found


def folder(role: str) -> str:
    """The name in ``/state`` of a video's faces and their alignments."""
    return "faces_" + role


def key_of(job: Job, plan: Plan) -> str:
    """Hash of what the faces of a video are made from."""
    files = {"video": job.input(plan.role)}
    asked = list(settings.extraction(job))
    return steps.key_of(files, plan=list(plan), asked=asked, version=job.version, gpu=job.gpu)


def extract(job: Job, plan: Plan) -> Dict[str, int]:
    """Faces of one video, in ``/state``: how many frames, faces, frames with a face and several.

    Frames are taken by FFmpeg, the same for every tool: upstream's own interval starts elsewhere,
    and its video reader may count other frames. Done once for the same video and settings.
    """

    def work(target: str) -> Dict[str, int]:
        pictures = target + ".frames"
        shutil.rmtree(pictures, ignore_errors=True)
        try:
            names = frames.extract(job.input(plan.role), pictures, plan.every, "png")
            with app.opened(job) as opened:
                _run_extractor(job, opened, plan, pictures, target)
                found = by_frame(target)
                _clean(job, opened, plan, target)
        finally:
            shutil.rmtree(pictures, ignore_errors=True)
        counts = {"frames": len(names), "with_face": len(found)}
        counts["with_several"] = sum(1 for one in found.values() if len(one) > 1)
        counts["faces"] = len(frames.pictures(target))
        return counts

    return steps.once(job.state, folder(plan.role), key_of(job, plan), work)


def by_frame(target: str) -> Dict[str, List[str]]:
    """The face files of each frame, by the frame's name without ending, in upstream's order.

    Upstream names them FRAME_0.png, FRAME_1.png, as its detector lists them.
    """
    found: Dict[str, List[str]] = {}
    for name in frames.pictures(target):
        match = _FACE.match(name)
        if match is not None:
            found.setdefault(match.group(1), []).append(name)
    return found


def need_faces(job: Job, counts: Dict[str, int], whose: str) -> None:
    """Raise InputUnusableError when there are too few faces to train on."""
    needed = max(settings.FEWEST_FACES[job.version], settings.training(job).batch_size)
    if counts["faces"] == 0:
        raise InputUnusableError(
            "No face was found in %s (%d frames looked at), so there is nothing to train on."
            % (whose, counts["frames"])
        )
    if counts["faces"] < needed:
        raise InputUnusableError(
            "Only %d faces came out of %s (%d frames looked at), but Faceswap %s wants %d: lower "
            "'train_interval' or 'batch_size'."
            % (counts["faces"], whose, counts["frames"], job.version, needed)
        )


def _run_extractor(job: Job, opened: app.App, plan: Plan, pictures: str, target: str) -> None:
    alignments = os.path.join(target, ALIGNMENTS)
    asked = settings.extraction(job)
    words = app.commands(job).extract(asked, pictures, target, alignments)
    tail = opened.run(words, "Extraction from %s" % plan.role)
    said = [match.group(1) for match in map(_SAID.search, tail) if match is not None]
    made = len(frames.pictures(target))
    if not said or int(said[-1]) != made or (made and not os.path.isfile(alignments)):
        raise ToolFailedError(
            "Extraction from %s did not end as it should: it spoke of %s faces, and left %d and %s."
            % (
                plan.role,
                said[-1] if said else "no",
                made,
                "alignments" if os.path.isfile(alignments) else "no alignments",
            )
        )


def _clean(job: Job, opened: app.App, plan: Plan, target: str) -> None:
    """Throw away faces that are better not trained on."""
    if plan.clean == "oneface":
        for names in by_frame(target).values():
            if len(names) > 1:
                _remove(target, names)
    elif plan.clean == "sharpest" and len(frames.pictures(target)) > plan.keep:
        _remove(target, _by_sharpness(job, opened, target)[plan.keep :])


def _by_sharpness(job: Job, opened: app.App, target: str) -> List[str]:
    """The names of the faces, the sharpest first, as upstream's sorter has it."""
    ranked = target + ".sorted"
    shutil.rmtree(ranked, ignore_errors=True)
    os.makedirs(ranked)
    try:
        opened.run(app.commands(job).sort(target, ranked), "Sorting faces")
        return _as_ranked(target, ranked)
    finally:
        shutil.rmtree(ranked, ignore_errors=True)


def _as_ranked(target: str, ranked: str) -> List[str]:
    """The names of the faces in the order of their copies, which are recognised by their content.

    Upstream's copies are called by their rank; the face's own name is lost in some versions.
    """
    names: Dict[str, List[str]] = {}
    for name in frames.pictures(target):
        names.setdefault(_digest(os.path.join(target, name)), []).append(name)
    found = []
    for copy in frames.pictures(ranked):
        same = names.get(_digest(os.path.join(ranked, copy)))
        if not same:
            raise ToolFailedError("Sorting changed a face, or made one up: %s." % copy)
        found.append(same.pop(0))
    if any(names.values()):
        raise ToolFailedError("Sorting lost %d faces." % sum(map(len, names.values())))
    return found


def _digest(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def _remove(target: str, names: List[str]) -> None:
    for name in names:
        os.unlink(os.path.join(target, name))
