"""DeepFaceLab's settings as the driver takes them: what is checked, and what upstream has not.

Standard library only and Python 3.6 syntax.
"""

from typing import Dict, NamedTuple, Tuple, Union

from containers.common.bench_driver import BadJobError, Job

FACE_TYPES = {
    # What the model's question takes -> what `extract --face-type` takes for its faces.
    "h": "half_face",
    "mf": "full_face",
    "f": "full_face",
    "wf": "whole_face",
    "head": "head",
}
ARCHITECTURES = ("df", "liae")
ARCHITECTURE_OPTIONS = "udtc"
LR_DROPOUT = ("n", "y", "cpu")
TRAINING_COLOURS = ("none", "rct", "lct", "mkl", "idt", "sot")
CLEANING = ("none", "oneface", "final-by-blur", "final-by-size")
MERGE_MODES = ("original", "overlay", "hist-match", "seamless", "seamless-hist-match")
MASK_MODES = (
    "dst",
    "learned-prd",
    "learned-dst",
    "learned-prd*learned-dst",
    "learned-prd+learned-dst",
)
MERGE_COLOURS = ("none", "rct", "lct", "mkl", "mkl-m", "idt", "idt-m", "sot-m", "mix-m")

ABSENT = {
    "coverage": "DeepFaceLab has no coverage; face_type says how much of the head is swapped.",
    "masker": "DeepFaceLab has no maskers before training; mask_mode chooses the mask at the end.",
    "aligner": "DeepFaceLab has one aligner, FAN, and no choice.",
    "optimizer": "SAEHD trains with RMSprop, or AdaBelief by 'adabelief'; Adam is not there.",
    "learning_rate": "SAEHD's learning rate is 5e-5 in the code, and no option.",
    "ca_weights": "DeepFaceLab 2 initialises convolutions one way, and asks no question about it.",
}


class Training(NamedTuple):
    """Answers to the training's questions."""

    resolution: int
    face_type: str
    archi: str
    ae_dims: int
    e_dims: int
    d_dims: int
    d_mask_dims: int
    batch_size: int
    masked_training: bool
    eyes_mouth_priority: bool
    uniform_yaw: bool
    blur_out_mask: bool
    models_on_gpu: bool
    adabelief: bool
    lr_dropout: str
    random_warp: bool
    random_hsv: float
    flip_src: bool
    flip_dst: bool
    gan_power: float
    true_face_power: float
    face_style_power: float
    background_style_power: float
    color_transfer: str
    clip_gradients: bool


def refuse_absent(job: Job) -> None:
    """Raise BadJobError for a setting of another tool, with what DeepFaceLab has in its place."""
    for name, sentence in ABSENT.items():
        if name in job.settings:
            raise BadJobError("There is no setting '%s': %s" % (name, sentence))


def whole(job: Job, name: str, minimum: int, maximum: int) -> int:
    """A whole-numbered setting; raises BadJobError."""
    value = job.number(name, minimum, maximum)
    if value != int(value):
        raise BadJobError("The setting '%s' must be a whole number, not %s." % (name, value))
    return int(value)


def pictures(job: Job) -> Tuple[int, int]:
    """Side and JPEG quality of an extracted face; raises BadJobError."""
    return whole(job, "image_size", 256, 2048), whole(job, "jpeg_quality", 1, 100)


def saving(job: Job) -> Tuple[int, int]:
    """Seconds between saves, and between previews (0 is none); raises BadJobError."""
    save_s = int(job.number("save_minutes", 1, 240) * 60)
    return save_s, int(job.number("preview_minutes", 0, 1440) * 60)


def training(job: Job) -> Training:
    """The training's settings, checked as upstream would bend them; raises BadJobError.

    Upstream clips a number out of bounds and goes on; here it is refused, so that a model is what
    its settings say.
    """
    archi = _architecture(job)
    step = 32 if "d" in archi.partition("-")[2] else 16
    resolution = whole(job, "resolution", 64, 640)
    if resolution % step:
        raise BadJobError(
            "The resolution %d must be a multiple of %d with the architecture %s; DeepFaceLab "
            "would take %d." % (resolution, step, archi, resolution // step * step)
        )
    values: Dict[str, Union[str, int, float, bool]] = {
        "archi": archi,
        "resolution": resolution,
        "face_type": job.choice("face_type", tuple(FACE_TYPES)),
        "lr_dropout": job.choice("lr_dropout", LR_DROPOUT),
        "color_transfer": job.choice("color_transfer", TRAINING_COLOURS),
        "batch_size": whole(job, "batch_size", 1, 512),
        "ae_dims": whole(job, "ae_dims", 32, 1024),
        "random_hsv": job.number("random_hsv", 0, 0.3),
        "gan_power": job.number("gan_power", 0, 5),
        "true_face_power": job.number("true_face_power", 0, 1),
        "face_style_power": job.number("face_style_power", 0, 100),
        "background_style_power": job.number("background_style_power", 0, 100),
    }
    for name in ("e_dims", "d_dims", "d_mask_dims"):
        values[name] = _even(job, name)
    for name in Training._fields:
        if name not in values:
            values[name] = job.flag(name)
    if values["true_face_power"] and not archi.startswith("df"):
        raise BadJobError("'true_face_power' works with the df architectures only, not %s." % archi)
    return Training(**values)  # type: ignore[arg-type]


def _even(job: Job, name: str) -> int:
    value = whole(job, name, 16, 256)
    if value % 2:
        raise BadJobError("The setting '%s' must be even; DeepFaceLab would add 1." % name)
    return value


def _architecture(job: Job) -> str:
    """``df`` or ``liae``, with options after a dash; upstream asks again for anything else."""
    text = job.settings.get("archi")
    kind, dash, options = text.partition("-") if isinstance(text, str) else ("", "", "")
    strange = set(options) - set(ARCHITECTURE_OPTIONS)
    if kind not in ARCHITECTURES or strange or (dash and not options):
        raise BadJobError(
            "The setting 'archi' is %r, but must be df or liae, with options of -u, -d, -t, -c "
            "after it (liae-ud)." % (text,)
        )
    return str(text)
