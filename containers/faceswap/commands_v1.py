"""The command lines and ini files of Faceswap v1.0.0: settings in, words out.

Flags: deepfakes/faceswap lib/cli/args.py@1fceec1d. Ini sections: plugins/train/_config.py of the
same time. Standard library only and Python 3.6 syntax.
"""

from typing import Dict, List

from containers.faceswap.settings import Conversion, Extraction, Training

TERMINAL = True
"""lib/keypress.py reads the terminal's modes without asking whether there is one."""
PREVIEW = "training_preview.jpg"
FRAMEWORK = "tensorflow"

Ini = Dict[str, Dict[str, str]]


def extract(asked: Extraction, frames: str, faces: str, alignments: str) -> List[str]:
    """Faces of the pictures in ``frames``."""
    words = ["extract", "-i", frames, "-o", faces, "-al", alignments]
    words += ["-D", asked.detector, "-A", asked.aligner, "-nm", asked.normalization]
    words += ["-sz", str(asked.face_size), "-min", str(asked.min_size)]
    if asked.rotate:
        words += ["-r", str(asked.rotate)]
    if asked.masks:
        words += ["-M", *asked.masks]
    return words


def sort(faces: str, target: str) -> List[str]:
    """Copies of the faces in ``target``, named in the order of their sharpness."""
    return ["sort", "-i", faces, "-o", target, "-s", "blur", "-fp", "rename", "-k"]


def train(
    asked: Training, actor: str, donor: str, model: str, iterations: int, gpu: bool
) -> List[str]:
    """A session of ``iterations`` iterations; A is the actor, B the donor."""
    words = ["train", "-A", actor, "-ala", actor + "/alignments.fsa"]
    words += ["-B", donor, "-alb", donor + "/alignments.fsa", "-m", model, "-t", asked.trainer]
    words += ["-bs", str(asked.batch_size), "-it", str(iterations)]
    words += ["-s", str(asked.save_interval), "-ss", "0", "-nl"]
    flags = {
        "-msg": asked.memory_saving_gradients,
        "-o": asked.optimizer_savings,
        "-wl": asked.warp_to_landmarks,
        "-nf": not asked.flip,
        "-nac": not asked.augment_color,
        "-w": asked.previews,
        "-ag": gpu,
    }
    return words + [flag for flag, wanted in flags.items() if wanted]


def convert(
    asked: Conversion, frames: str, target: str, alignments: str, model: str, faces: str
) -> List[str]:
    """One picture in ``target`` for each in ``frames``; ``faces`` (or nothing) chooses faces."""
    words = ["convert", "-i", frames, "-o", target, "-al", alignments, "-m", model]
    words += ["-c", asked.color, "-M", asked.mask, "-w", "opencv", "-j", str(asked.jobs)]
    return words + (["-a", faces] if faces else [])


def train_ini(asked: Training) -> Ini:
    """Values of ``config/train.ini`` that are not left to upstream."""
    shared = {
        "mask_type": asked.mask,
        "learning_rate": "%g" % asked.learning_rate,
        "penalized_mask_loss": str(asked.penalized_mask_loss),
        "learn_mask": str(asked.learn_mask),
        "conv_aware_init": str(asked.conv_aware_init),
        "icnr_init": str(asked.icnr_init),
        "reflect_padding": str(asked.reflect_padding),
    }
    if asked.coverage:
        shared["coverage"] = "%g" % asked.coverage
    if asked.loss != "default":
        shared["loss_function"] = asked.loss
    return dict({"global": shared}, **trainer_ini(asked))


def trainer_ini(asked: Training) -> Ini:
    """The trainer's own section; it is the same in both versions."""
    own = {}
    if asked.lowmem:
        own["lowmem"] = "True"
    if asked.input_size:
        own["input_size"] = str(asked.input_size)
    if asked.trainer == "dfl-sae":
        own["architecture"] = asked.architecture
        own["autoencoder_dims"] = str(asked.autoencoder_dims)
    return {"model." + asked.trainer.replace("-", "_"): own} if own else {}


def environment(gpu: bool) -> Dict[str, str]:
    """Variables for every command."""
    return {"CUDA_VISIBLE_DEVICES": "-1"} if not gpu else {}
