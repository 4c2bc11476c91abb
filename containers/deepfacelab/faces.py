"""Faces out of videos with DeepFaceLab's own extractor and sorter.

Standard library only and Python 3.6 syntax.
"""

import os
import re
import shutil
from typing import Callable, Dict, List, NamedTuple, Sequence

from containers.common import frames, gpu, steps, terminal
from containers.common.bench_driver import InputUnusableError, Job, ToolFailedError
from containers.common.training import ErrorLines
from containers.deepfacelab import questions, settings

TOOL = os.environ.get("DEEPFACELAB", "/opt/deepfacelab")
PYTHON = os.environ.get("DEEPFACELAB_PYTHON", "python3")
ERRORS = r"^Error: |Traceback \(most recent call last\)|^\S*Error while (sub)?process"

# For extraction and training: merging says so of its helpers, wherever its network is.
ON_CPU = re.compile(r"Silent start: choosed device CPU|Using device: CPU|Running on CPU")

_FACE = re.compile(r"(.+)_(\d+)\.jpg$")


class Extraction(NamedTuple):
    """Settings of taking faces from one video."""

    role: str
    every: int
    faces_per_frame: int
    """Most faces that upstream looks for in a frame; 0 is no limit."""
    clean: str
    keep: int


def command(words: Sequence[str]) -> terminal.Command:
    """A command line of DeepFaceLab's ``main.py``."""
    environment = {"QT_QPA_PLATFORM": "offscreen", "MPLBACKEND": "Agg"}
    return terminal.Command([PYTHON, "main.py", *words], cwd=TOOL, env=environment)


def need_gpu(job: Job, line: str) -> None:
    """Raise ToolFailedError when a line says that it goes on without the GPU asked for."""
    if job.gpu and ON_CPU.search(line):
        raise ToolFailedError(gpu.NONE.format(tool="DeepFaceLab"))


def run(
    job: Job,
    words: Sequence[str],
    answers: List[terminal.Answer],
    what: str,
    also: Callable[[str], object] = lambda line: None,
) -> List[str]:
    """Run a command that ends by itself; its last lines. ``also`` sees every line.

    Raises ToolFailedError when it printed an error, whatever its exit code: upstream catches its
    exceptions, prints them and ends with 0. Any other code is an error too.
    """
    if not job.gpu:
        words = [*words, "--cpu-only"]
    errors = ErrorLines(ERRORS, also)
    manner = terminal.Manner(terminal=True, answers=answers)
    ended = terminal.run(command(words), manner, errors.read)
    errors.check(what)
    if ended.code != 0:
        raise ToolFailedError("%s failed with exit code %d." % (what, ended.code))
    return ended.tail


def folder(role: str) -> str:
    """The name in ``/state`` of a video's faces."""
    return "faces_" + role


def extract(job: Job, plan: Extraction) -> Dict[str, int]:
    """Faces of one video, in ``/state``: how many frames, faces, frames with a face and several.

    Done once for the same video and settings.
    """
    key = _key(job, plan)

    def work(target: str) -> Dict[str, int]:
        pictures = target + ".frames"
        shutil.rmtree(pictures, ignore_errors=True)
        try:
            names = frames.extract(job.input(plan.role), pictures, plan.every, "png")
            _run_extractor(job, plan, pictures, target)
        finally:
            shutil.rmtree(pictures, ignore_errors=True)
        found = faces_by_frame(target)
        counts = {"frames": len(names), "with_face": len(found)}
        counts["with_several"] = sum(1 for one in found.values() if len(one) > 1)
        _clean(job, plan, target)
        counts["faces"] = len(frames.pictures(target))
        return counts

    return steps.once(job.state, folder(plan.role), key, work)


def key_of(job: Job, plan: Extraction) -> str:
    """Hash of what the faces of a video were made from."""
    return _key(job, plan)


def need_faces(counts: Dict[str, int], whose: str) -> None:
    """Raise InputUnusableError when a training video showed no face."""
    if counts["faces"] == 0:
        raise InputUnusableError(
            "No face was found in %s (%d frames looked at), so there is nothing to train on."
            % (whose, counts["frames"])
        )


def faces_by_frame(target: str) -> Dict[str, List[str]]:
    """The face files of each frame, by the frame's name without ending, the largest first.

    Upstream names them FRAME_0.jpg, FRAME_1.jpg, in the order of its detector, largest first.
    """
    found: Dict[str, List[str]] = {}
    for name in frames.pictures(target):
        match = _FACE.match(name)
        if match is not None:
            found.setdefault(match.group(1), []).append(name)
    return found


def _key(job: Job, plan: Extraction) -> str:
    files = {"video": job.input(plan.role)}
    asked = {name: job.settings.get(name) for name in ("face_type", "image_size", "jpeg_quality")}
    return steps.key_of(files, plan=list(plan), version=job.version, gpu=job.gpu, **asked)


def _run_extractor(job: Job, plan: Extraction, pictures: str, target: str) -> None:
    """With every flag given upstream asks nothing, as long as ``target`` is empty."""
    kind = settings.FACE_TYPES[job.choice("face_type", tuple(settings.FACE_TYPES))]
    words = ["extract", "--input-dir", pictures, "--output-dir", target, "--detector", "s3fd"]
    words += ["--face-type", kind, "--max-faces-from-image", str(plan.faces_per_frame)]
    side, quality = settings.pictures(job)
    words += ["--image-size", str(side), "--jpeg-quality", str(quality)]
    words += ["--no-output-debug"]
    if job.gpu:
        words += ["--force-gpu-idxs", "0"]
    answers, what = questions.devices(job.gpu), "Extraction from %s" % plan.role
    tail = run(job, words, answers, what, lambda line: need_gpu(job, line))
    said = [line for line in tail if line.startswith("Faces detected:")]
    made = len(frames.pictures(target))
    if not said or int(said[-1].split(":")[1]) != made:
        raise ToolFailedError(
            "Extraction from %s did not end as it should: it said '%s', and left %d faces."
            % (plan.role, said[-1] if said else "nothing", made)
        )


def _clean(job: Job, plan: Extraction, target: str) -> None:
    """Let upstream's sorter move faces to its trash, which is thrown away."""
    if plan.clean == "none" or not frames.pictures(target):
        return
    words = ["sort", "--input-dir", target, "--by", plan.clean]
    errors = ErrorLines(ERRORS)
    manner = terminal.Manner(terminal=True, answers=questions.sorting(plan.keep))
    ended = terminal.run(command(words), manner, errors.read)
    errors.check("Sorting")
    shutil.rmtree(os.path.splitext(target)[0] + "_trash", ignore_errors=True)
    if ended.code != 0 or not frames.pictures(target):
        raise ToolFailedError("Sorting by %s left no face, or failed." % plan.clean)
