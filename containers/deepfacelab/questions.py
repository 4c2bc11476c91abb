"""DeepFaceLab's questions and our answers, by the question's text.

Both wordings are here where upstream changed one: 2020 asks for one flip and for the eyes'
priority, 2021 to 2023 for two flips and for eyes and mouth. A question of one generation that the
other lacks is never asked there. README.md names the files the texts were read in.

Standard library only and Python 3.6 syntax.
"""

from typing import List, NamedTuple

from containers.common.terminal import Answer, listed
from containers.deepfacelab.settings import MERGE_COLOURS, Training

MODEL_NAME = "bench"


class Merging(NamedTuple):
    """Answers to the merger's questions; names as in the adapter."""

    mode: str
    mask_mode: str
    erode: int
    blur: int
    face_scale: int
    color_transfer: str
    workers: int


def yes_no(value: bool) -> str:
    return "y" if value else "n"


def devices(gpu: bool) -> List[Answer]:
    """Answers for model and device; in a container there is one GPU, number 0."""
    return [
        Answer(r"Which GPU index(es)? to choose\?", "0" if gpu else "CPU"),
        # The list above the prompt has one entry, for the state holds one model.
        Answer(r"Choose one of saved models", "0"),
        Answer(r"Enter a name of a new model", MODEL_NAME),
    ]


def training(asked: Training, iterations: int, gpu: bool) -> List[Answer]:
    """Answers for ``train``; ``iterations`` 0 is no target."""
    return [
        *devices(gpu),
        Answer(r"Autobackup every N hour", "0"),
        # Its pictures come every few iterations, as large as the preview window; the driver
        # takes its own at intervals.
        Answer(r"Write preview history", "n"),
        Answer(r"[Cc]hoose (new )?image for (the )?preview history", "n"),
        Answer(r"Target iteration", str(iterations)),
        Answer(r"Flip SRC faces randomly", yes_no(asked.flip_src)),
        Answer(r"Flip DST faces randomly", yes_no(asked.flip_dst)),
        Answer(r"Flip faces randomly", yes_no(asked.flip_src)),
        Answer(r"Batch_size", str(asked.batch_size)),
        Answer(r"\] Resolution", str(asked.resolution)),
        Answer(r"\] Face type", asked.face_type),
        Answer(r"Learn mask", "y"),
        Answer(r"AE architecture", asked.archi),
        Answer(r"\] AutoEncoder dimensions", str(asked.ae_dims)),
        Answer(r"\] Encoder dimensions", str(asked.e_dims)),
        Answer(r"\] Decoder dimensions", str(asked.d_dims)),
        Answer(r"\] Decoder mask dimensions", str(asked.d_mask_dims)),
        Answer(r"Masked training", yes_no(asked.masked_training)),
        Answer(r"Eyes (and mouth )?priority", yes_no(asked.eyes_mouth_priority)),
        Answer(r"Uniform yaw distribution", yes_no(asked.uniform_yaw)),
        Answer(r"Blur out mask", yes_no(asked.blur_out_mask)),
        Answer(r"Place models and optimizer on GPU", yes_no(asked.models_on_gpu)),
        Answer(r"Use AdaBelief optimizer", yes_no(asked.adabelief)),
        Answer(r"Use learning rate dropout", asked.lr_dropout),
        Answer(r"Enable random warp of samples", yes_no(asked.random_warp)),
        Answer(r"Random hue/saturation/light intensity", "%g" % asked.random_hsv),
        Answer(r"GAN power", "%g" % asked.gan_power),
        Answer(r"GAN patch size", str(asked.resolution // 8)),
        Answer(r"GAN dimensions", "16"),
        Answer(r"'True face' power", "%g" % asked.true_face_power),
        Answer(r"Face style power", "%g" % asked.face_style_power),
        Answer(r"Background style power", "%g" % asked.background_style_power),
        Answer(r"Color transfer for src faceset", asked.color_transfer),
        Answer(r"Enable gradient clipping", yes_no(asked.clip_gradients)),
        Answer(r"Enable pretraining mode", "n"),
    ]


def merging(asked: Merging, gpu: bool) -> List[Answer]:
    """Answers for ``merge``. Modes are asked by number, under a list of their names."""
    return [
        *devices(gpu),
        Answer(r"Use interactive merger\?", "n"),
        Answer(r"Use saved session\?", "n"),
        Answer(r"Choose mode:", listed(asked.mode)),
        Answer(r"Masked hist match\?", "y"),
        Answer(r"Hist match threshold", "238"),
        Answer(r"Choose mask mode:", listed(asked.mask_mode)),
        Answer(r"Choose erode mask modifier", str(asked.erode)),
        Answer(r"Choose blur mask modifier", str(asked.blur)),
        Answer(r"Choose motion blur power", "0"),
        Answer(r"Choose output face scale modifier", str(asked.face_scale)),
        # The list of this question lacks "none", and upstream repeats it for ever: Enter is none.
        Answer(r"Color transfer to predicted face", _or_enter(asked.color_transfer)),
        Answer(r"Choose sharpen mode:", listed("None")),
        Answer(r"Choose super resolution power", "0"),
        Answer(r"Choose image degrade by denoise power", "0"),
        Answer(r"Choose image degrade by bicubic rescale power", "0"),
        Answer(r"Degrade color power of final image", "0"),
        Answer(r"Number of workers\?", str(asked.workers)),
    ]


def _or_enter(colours: str) -> str:
    return colours if colours in MERGE_COLOURS[1:] else ""


def sorting(keep: int) -> List[Answer]:
    """Answers for ``sort``."""
    return [Answer(r"Target number of faces\?", str(keep))]
