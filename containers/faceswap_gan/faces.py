"""Faces for training, and the programs of ours that run Faceswap-GAN's modules.

Standard library only and Python 3.6 syntax.
"""

import json
import os
import shutil
from typing import Dict, List

from containers.common import frames, steps, terminal
from containers.common.bench_driver import InputUnusableError, Job, ToolFailedError
from containers.common.training import ErrorLines
from containers.faceswap_gan import settings

SOURCE = os.environ.get("FACESWAP_GAN", "/opt/faceswap-gan")
PYTHON = os.environ.get("FACESWAP_GAN_PYTHON", "python3")
ERRORS = r"^Error: |Traceback \(most recent call last\)"

ROLES = ("donor_training", "actor_training")
_WHOSE = {"donor_training": "the donor's video", "actor_training": "the actor's training video"}


def environment(job: Job) -> Dict[str, str]:
    """Environment of every program; without a GPU TensorFlow must not see one."""
    found = {"TF_CPP_MIN_LOG_LEVEL": "1", "MPLBACKEND": "Agg"}
    if not job.gpu:
        found["CUDA_VISIBLE_DEVICES"] = ""
    return found


def command(job: Job, program: str, *words: str) -> terminal.Command:
    """One of our programs, started in ``/state``."""
    line = [PYTHON, "-m", "containers.faceswap_gan." + program, SOURCE, *words]
    return terminal.Command(line, job.state, environment(job))


def run(job: Job, program: str, words: List[str], what: str) -> None:
    """Run a program to its end; raises ToolFailedError when it failed."""
    errors = ErrorLines(ERRORS)
    ended = terminal.run(command(job, program, *words), on_line=errors.read)
    errors.check(what)
    if ended.code != 0:
        raise ToolFailedError("%s failed with exit code %d: %s" % (what, ended.code, errors.last))


def read_counts(path: str, what: str) -> Dict[str, int]:
    """Counts of a program; raises ToolFailedError when it left none."""
    try:
        with open(path, encoding="utf-8") as stream:
            counts = json.load(stream)
    except (OSError, ValueError) as error:
        raise ToolFailedError("%s did not end as it should: %s." % (what, error)) from error
    return {name: int(count) for name, count in counts.items()}


def folder(role: str) -> str:
    """The name in ``/state`` of a video's faces: ``rgb`` and ``binary_mask``."""
    return "faces_" + role


def key_of(job: Job, role: str) -> str:
    """Hash of what a video's faces were made from."""
    every = settings.whole(job, "train_interval", 1, 10000)
    return steps.key_of({"video": job.input(role)}, every=every, one_face=job.flag("one_face"))


def extract(job: Job, role: str) -> Dict[str, int]:
    """Faces of one video, in ``/state``: frames looked at, with a face, with several; faces."""
    every = settings.whole(job, "train_interval", 1, 10000)
    which = "one" if job.flag("one_face") else "main"

    def work(target: str) -> Dict[str, int]:
        pictures = target + ".frames"
        shutil.rmtree(pictures, ignore_errors=True)
        what = "Extraction from %s" % role
        try:
            names = frames.extract(job.input(role), pictures, every)
            run(job, "extract_gan", [pictures, target, which], what)
        finally:
            shutil.rmtree(pictures, ignore_errors=True)
        counts = read_counts(os.path.join(target, "counts.json"), what)
        if counts["frames"] != len(names):
            raise ToolFailedError(
                "%s looked at %d of %d frames." % (what, counts["frames"], len(names))
            )
        return dict(counts, faces=_faces(target, what))

    return steps.once(job.state, folder(role), key_of(job, role), work)


def _faces(target: str, what: str) -> int:
    """Number of faces there are; each must have its eye mask, by the same name."""
    faces, masks = (frames.pictures(os.path.join(target, name)) for name in ("rgb", "binary_mask"))
    if faces != masks:
        raise ToolFailedError(
            "%s left %d faces and %d eye masks, which must be the same."
            % (what, len(faces), len(masks))
        )
    return len(faces)


def need_faces(counts: Dict[str, int], role: str, batch: int) -> None:
    """Raise InputUnusableError when a training video showed too few faces for one batch.

    Upstream's loader gives whole batches only, and would wait for ever for the first.
    """
    if counts["faces"] == 0:
        raise InputUnusableError(
            "No face was found in %s (%d frames looked at), so there is nothing to train on."
            % (_WHOSE[role], counts["frames"])
        )
    if counts["faces"] < batch:
        raise InputUnusableError(
            "Faceswap-GAN needs %d faces for a batch, but %s has %d (in %d frames looked at): look "
            "at more frames with a smaller train_interval, or lower batch_size."
            % (batch, _WHOSE[role], counts["faces"], counts["frames"])
        )
