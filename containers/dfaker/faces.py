"""Faces out of videos with DFaker's own aligner: dlib's HOG, then FAN.

Standard library only and Python 3.6 syntax.
"""

import json
import math
import os
import shutil
from typing import Any, Dict, List

from containers.common import frames, steps, terminal
from containers.common.bench_driver import InputUnusableError, Job, ToolFailedError
from containers.common.training import ErrorLines

SOURCE = os.environ.get("DFAKER", "/opt/dfaker")
PYTHON = os.environ.get("DFAKER_PYTHON", "python3")
ERRORS = r"^Error: |Traceback \(most recent call last\)"
ALIGNMENTS = "alignments.json"
CROPS = "aligned"
BATCH = 32
"""train.py draws so many different faces for a batch, and waits for ever when there are fewer."""

Alignment = List[Any]
"""Frame name, crop name, six numbers of an affine transform, 136 of the landmarks."""


def run(job: Job, module: str, words: List[str], cwd: str, what: str) -> None:
    """Run one of the launchers to its end; raises ToolFailedError when it failed."""
    command = [PYTHON, "-m", "containers.dfaker." + module, SOURCE, *words]
    errors = ErrorLines(ERRORS)
    ended = terminal.run(terminal.Command(command, cwd, environment(job)), on_line=errors.read)
    errors.check(what)
    if ended.code != 0:
        raise ToolFailedError("%s failed with exit code %d: %s" % (what, ended.code, errors.last))


def environment(job: Job) -> Dict[str, str]:
    """Environment of every script; without a GPU TensorFlow must not see one."""
    found = {"TF_CPP_MIN_LOG_LEVEL": "1", "MPLBACKEND": "Agg"}
    if not job.gpu:
        found["CUDA_VISIBLE_DEVICES"] = ""
    return found


def folder(role: str) -> str:
    """The name in ``/state`` of a video's faces: ``alignments.json`` and the crops it names."""
    return "faces_" + role


def key_of(job: Job, role: str, every: int) -> str:
    """Hash of what a video's faces were made from."""
    one_face = job.flag("one_face") if role != "test_video" else False
    return steps.key_of({"video": job.input(role)}, every=every, one_face=one_face)


def extract(job: Job, role: str, every: int) -> Dict[str, int]:
    """Faces of one video, in ``/state``; how many frames, faces, frames with one and several.

    Done once for the same video and settings. For training the script can leave out frames with
    several faces; in the test video the largest is kept.
    """

    def work(target: str) -> Dict[str, int]:
        pictures = target + ".frames"
        shutil.rmtree(pictures, ignore_errors=True)
        try:
            names = frames.extract(job.input(role), pictures, every, "png")
            _align(job, role, pictures)
            found = read(pictures)
            for name in frames.pictures(os.path.join(pictures, CROPS)):
                shutil.move(os.path.join(pictures, CROPS, name), os.path.join(target, name))
        finally:
            shutil.rmtree(pictures, ignore_errors=True)
        with_face = {one[0] for one in found}
        several = len(with_face) - sum(1 for one in with_face if _times(found, one) == 1)
        if role == "test_video":
            found = largest(found)
        write(target, found)
        counts = {"frames": len(names), "faces": len(found)}
        counts.update(with_face=len(with_face), with_several=several)
        return counts

    return steps.once(job.state, folder(role), key_of(job, role, every), work)


def need_faces(counts: Dict[str, int], whose: str) -> None:
    """Raise InputUnusableError when a training video showed too few faces for one batch."""
    if counts["faces"] < BATCH:
        raise InputUnusableError(
            "DFaker needs %d faces for a batch, but %s has %d (in %d frames looked at). A smaller "
            "train_interval looks at more frames."
            % (BATCH, whose, counts["faces"], counts["frames"])
        )


def largest(found: List[Alignment]) -> List[Alignment]:
    """The largest face of each frame: the one whose picture is shrunk most for its crop."""
    best: Dict[str, Alignment] = {}
    for one in found:
        if one[0] not in best or _scale(one) < _scale(best[one[0]]):
            best[one[0]] = one
    return [best[name] for name in sorted(best)]


def read(place: str) -> List[Alignment]:
    """The alignments in a folder; raises ToolFailedError when they do not fit the crops."""
    path = os.path.join(place, ALIGNMENTS)
    try:
        with open(path, encoding="utf-8") as stream:
            found: List[Alignment] = json.load(stream)
    except (OSError, ValueError) as error:
        raise ToolFailedError("DFaker left no alignments: %s." % error) from error
    if any(len(one) != 4 or len(one[2]) != 6 for one in found):
        raise ToolFailedError("DFaker's alignments in %s are of another form." % path)
    return found


def write(place: str, found: List[Alignment]) -> None:
    """Write alignments, crops named without a folder, as train.py takes them."""
    with open(os.path.join(place, ALIGNMENTS), "w", encoding="utf-8") as stream:
        json.dump([[one[0], os.path.basename(one[1]), one[2], one[3]] for one in found], stream)


def _align(job: Job, role: str, pictures: str) -> None:
    words = ["gpu" if job.gpu else "cpu", pictures, CROPS, ALIGNMENTS, "--file-type", "png"]
    several = role == "test_video" or not job.flag("one_face")
    words.append("--all-faces" if several else "--one-face")
    run(job, "align_launcher", words, pictures, "Alignment of %s" % role)
    made, told = len(frames.pictures(os.path.join(pictures, CROPS))), len(read(pictures))
    if made != told:
        raise ToolFailedError("DFaker wrote %d faces but lists %d." % (made, told))


def _times(found: List[Alignment], name: str) -> int:
    return sum(1 for one in found if one[0] == name)


def _scale(one: Alignment) -> float:
    return math.hypot(float(one[2][0]), float(one[2][1]))
