"""The command lines and ini files of Faceswap v3.0.0: settings in, words out.

Flags: deepfakes/faceswap lib/cli/args.py, args_extract_convert.py, args_train.py@0a07139b. Ini
sections: plugins/train/train_config.py@6b7ea057. The flags of several letters that upstream still
takes are deprecated there, and not used. Standard library only and Python 3.6 syntax.
"""

from typing import Dict, List

from containers.faceswap.commands_v1 import Ini, trainer_ini
from containers.faceswap.settings import Conversion, Extraction, Training

TERMINAL = False
"""Without a terminal lib/keypress.py leaves the keyboard alone."""
PREVIEW = "training_preview.png"
FRAMEWORK = "torch"


def extract(asked: Extraction, frames: str, faces: str, alignments: str) -> List[str]:
    """Faces of the pictures in ``frames``."""
    words = ["extract", "-i", frames, "-o", faces, "-p", alignments]
    words += ["-D", asked.detector, "-A", asked.aligner, "-O", asked.normalization]
    words += ["-z", str(asked.face_size), "-m", str(asked.min_size), "-R", str(asked.re_feed)]
    if asked.rotate:
        words += ["-r", str(asked.rotate)]
    if asked.masks:
        words += ["-M", *asked.masks]
    return words


def sort(faces: str, target: str) -> List[str]:
    """Copies of the faces in ``target``, named in the order of their sharpness."""
    return ["sort", "-i", faces, "-o", target, "-s", "blur", "-g", "none", "-k"]


def train(
    asked: Training, actor: str, donor: str, model: str, iterations: int, gpu: bool
) -> List[str]:
    """A session of ``iterations`` iterations; A is the actor, B the donor.

    Never ``-n``: without its TensorBoard log, saving ends in an AssertionError
    (plugins/train/training.py@b87377d2).
    """
    words = ["train", "-A", actor, "-B", donor, "-m", model, "-t", asked.trainer]
    words += ["-b", str(asked.batch_size), "-i", str(iterations)]
    words += ["-s", str(asked.save_interval), "-I", "0"]
    flags = {
        "-M": asked.warp_to_landmarks,
        "-P": not asked.flip,
        "-c": not asked.augment_color,
        "-w": asked.previews,
    }
    return words + [flag for flag, wanted in flags.items() if wanted]


def convert(
    asked: Conversion, frames: str, target: str, alignments: str, model: str, faces: str
) -> List[str]:
    """One picture in ``target`` for each in ``frames``; ``faces`` (or nothing) chooses faces."""
    words = ["convert", "-i", frames, "-o", target, "-p", alignments, "-m", model]
    words += ["-c", asked.color, "-M", asked.mask, "-w", "opencv", "-j", str(asked.jobs)]
    if asked.face_scale:
        # Joined: a negative number of its own would be taken for a flag.
        words += ["-S%g" % asked.face_scale]
    return words + (["-a", faces] if faces else [])


def train_ini(asked: Training) -> Ini:
    """Values of ``config/train.ini`` that are not left to upstream."""
    shared = {
        "conv_aware_init": str(asked.conv_aware_init),
        "icnr_init": str(asked.icnr_init),
        "reflect_padding": str(asked.reflect_padding),
        "mixed_precision": str(asked.mixed_precision),
        "nan_protection": "True",
    }
    if asked.coverage:
        shared["coverage"] = "%g" % asked.coverage
    loss = {
        "mask_type": asked.mask,
        "penalized_mask_loss": str(asked.penalized_mask_loss),
        "learn_mask": str(asked.learn_mask),
    }
    if asked.loss != "default":
        loss["loss_function"] = asked.loss
    # Saved always: a training that is killed goes on with the optimizer it had.
    optimizer = {"learning_rate": "%g" % asked.learning_rate, "save_optimizer": "always"}
    if asked.adam_beta_1:
        optimizer["ada_beta_1"] = "%g" % asked.adam_beta_1
    found = {"global": shared, "global.loss": loss, "global.optimizer": optimizer}
    return dict(found, **trainer_ini(asked))


def environment(gpu: bool) -> Dict[str, str]:
    """Variables for every command."""
    found = {"KERAS_BACKEND": "torch"}
    if not gpu:
        found.update({"KERAS_TORCH_DEVICE": "CPU", "CUDA_VISIBLE_DEVICES": ""})
    return found
