"""Faceswap's settings as the driver takes them: what is checked, and what each version has not.

Standard library only and Python 3.6 syntax.
"""

from typing import Any, Dict, List, NamedTuple, Tuple

from containers.common.bench_driver import BadJobError, Job

V1, V3 = "v1.0.0", "v3.0.0"

DETECTORS = ("s3fd", "mtcnn", "cv2-dnn")
ALIGNERS = ("fan", "cv2-dnn")
NORMALIZATIONS = ("none", "clahe", "hist", "mean")
DRAWN_MASKS = ("extended", "components", "none")
"""Drawn from the landmarks, so they cost nothing; the others are networks, asked for with -M."""
NETWORK_MASKS = ("vgg-clear", "vgg-obstructed", "unet-dfl")
MASKS = DRAWN_MASKS + NETWORK_MASKS
CLEANING = ("none", "oneface", "sharpest")
TRAINERS = (
    "original",
    "dfaker",
    "dfl-h128",
    "dfl-sae",
    "dlight",
    "iae",
    "lightweight",
    "realface",
    "unbalanced",
    "villain",
    "phaze-a",
)
LOSSES = (
    "default",
    "mae",
    "mse",
    "logcosh",
    "smooth_loss",
    "l_inf_norm",
    "ssim",
    "gmsd",
    "pixel_gradient_diff",
)
COLOURS = (
    "avg-color",
    "color-transfer",
    "manual-balance",
    "match-hist",
    "seamless-clone",
    "none",
)

FEWEST_FACES = {V1: 1, V3: 25}
"""Least number of faces a training asks for on either side, besides a whole batch."""

_LOW_MEMORY = ("original", "villain", "dfl-h128", "unbalanced")
_INPUT_SIZES = {"dfl-sae": (64, 256, 16), "unbalanced": (64, 512, 64)}

ABSENT = {
    "resolution": "Each trainer of Faceswap has its own size (villain: 128 pixels in and out); "
    "'input_size' changes it for dfl-sae and unbalanced.",
    "regularization_rate": "Faceswap has no regularisation rate (the lambda of the thesis).",
    "skip_connections": "No trainer of Faceswap joins encoder and decoder by skip connections.",
    "latent_dim": "Only dfl-sae lets its latent vector be chosen, by 'autoencoder_dims'.",
    "ping_pong": "Ping-pong training prints one side's loss at a time, which this driver does not "
    "follow; it is gone since 2.0.",
}

_ONLY_V3 = {
    "re_feed": (0, "Faceswap v1.0.0 cannot feed a face to its aligner several times."),
    "adam_beta_1": (0.0, "Faceswap v1.0.0 has Adam's first decay rate fixed at 0.5."),
    "mixed_precision": (False, "Faceswap v1.0.0 has no mixed precision."),
    "face_scale": (0.0, "Faceswap v1.0.0 cannot scale the swapped face."),
}
_ONLY_V1 = {
    "memory_saving_gradients": (False, "Memory saving gradients were removed in Faceswap 2.0."),
    "optimizer_savings": (False, "Optimizer savings were removed in Faceswap 2.0."),
}


class Extraction(NamedTuple):
    """Settings of the search for faces, in every video alike."""

    detector: str
    aligner: str
    normalization: str
    rotate: int
    """Degrees per turn when no face is found; 0 does not turn."""
    min_size: int
    face_size: int
    re_feed: int
    masks: Tuple[str, ...]
    """Masks by networks, of which one is used in training or conversion."""


class Training(NamedTuple):
    """Settings of a training."""

    trainer: str
    batch_size: int
    mask: str
    coverage: float
    """Percent; 0 leaves it to the version."""
    learning_rate: float
    adam_beta_1: float
    """0 leaves it to the version."""
    loss: str
    penalized_mask_loss: bool
    learn_mask: bool
    conv_aware_init: bool
    icnr_init: bool
    reflect_padding: bool
    lowmem: bool
    input_size: int
    """0 leaves it to the trainer."""
    architecture: str
    autoencoder_dims: int
    memory_saving_gradients: bool
    optimizer_savings: bool
    mixed_precision: bool
    warp_to_landmarks: bool
    flip: bool
    augment_color: bool
    save_interval: int
    previews: bool


class Conversion(NamedTuple):
    """Settings of putting the swapped face in."""

    color: str
    mask: str
    face_scale: float
    jobs: int


def check_version(job: Job) -> None:
    """Raise BadJobError for another version, a setting that Faceswap lacks, or one the asked
    version lacks."""
    if job.version not in (V1, V3):
        raise BadJobError("This driver drives Faceswap %s and %s, not %s." % (V1, V3, job.version))
    for name, sentence in ABSENT.items():
        if name in job.settings:
            raise BadJobError("There is no setting '%s': %s" % (name, sentence))
    lacking: Dict[str, Tuple[Any, str]] = _ONLY_V3 if job.version == V1 else _ONLY_V1
    for name, (unused, sentence) in lacking.items():
        if job.settings.get(name, unused) != unused:
            raise BadJobError(
                "The setting '%s' cannot be %r: %s" % (name, job.settings[name], sentence)
            )


def whole(job: Job, name: str, minimum: int, maximum: int) -> int:
    """A whole-numbered setting; raises BadJobError."""
    value = job.number(name, minimum, maximum)
    if value != int(value):
        raise BadJobError("The setting '%s' must be a whole number, not %s." % (name, value))
    return int(value)


def extraction(job: Job) -> Extraction:
    """Settings of the search for faces; raises BadJobError."""
    asked = (job.choice("masker", MASKS), _conversion_mask(job))
    first, last = (128, 512) if job.version == V1 else (256, 1024)
    face_size = whole(job, "face_size", first, last)
    if face_size % 64:
        raise BadJobError(
            "The setting 'face_size' is %d, but must be a multiple of 64." % face_size
        )
    return Extraction(
        detector=job.choice("detector", DETECTORS),
        aligner=job.choice("aligner", ALIGNERS),
        normalization=job.choice("normalization", NORMALIZATIONS),
        rotate=whole(job, "rotate", 0, 180),
        min_size=whole(job, "min_size", 0, 1080),
        face_size=face_size,
        re_feed=whole(job, "re_feed", 0, 10),
        masks=tuple(sorted({one for one in asked if one in NETWORK_MASKS})),
    )


def training(job: Job) -> Training:
    """Settings of the training; raises BadJobError.

    Upstream takes a value out of bounds with a warning, or a crash after minutes; here it is
    refused at once.
    """
    trainer = job.choice("trainer", TRAINERS)
    if trainer == "phaze-a" and job.version == V1:
        raise BadJobError("Faceswap v1.0.0 has no trainer phaze-a.")
    mask = job.choice("masker", MASKS)
    coverage = job.number("coverage", 0, 100)
    if 0 < coverage < 62.5:
        raise BadJobError("The setting 'coverage' is %s, but must be 0, or 62.5 to 100." % coverage)
    values: Dict[str, Any] = {
        "trainer": trainer,
        "batch_size": whole(job, "batch_size", 2 if job.version == V1 else 1, 256),
        "mask": mask,
        "coverage": coverage,
        "learning_rate": job.number("learning_rate", 1e-6, 1e-4),
        "adam_beta_1": job.number("adam_beta_1", 0, 1),
        "loss": job.choice("loss_function", LOSSES),
        "input_size": _input_size(job, trainer),
        "architecture": job.choice("sae_architecture", ("df", "liae")),
        "autoencoder_dims": whole(job, "autoencoder_dims", 0, 1024),
        "save_interval": whole(job, "save_interval", 10, 1000),
        "previews": whole(job, "preview_interval", 0, 1000000) > 0,
    }
    for name in Training._fields:
        if name not in values:
            values[name] = job.flag(name)
    found = Training(**values)
    _refuse_contradictions(found)
    return found


def conversion(job: Job, cores: int) -> Conversion:
    """Settings of putting the swapped face in; raises BadJobError."""
    return Conversion(
        color=job.choice("color", COLOURS),
        mask=_conversion_mask(job),
        face_scale=job.number("face_scale", -10, 10),
        jobs=max(1, min(8, cores)),
    )


def _conversion_mask(job: Job) -> str:
    return job.choice("convert_mask", (*MASKS, "predicted"))


def _input_size(job: Job, trainer: str) -> int:
    size = whole(job, "input_size", 0, 512)
    if size == 0:
        return 0
    if trainer not in _INPUT_SIZES:
        raise BadJobError(
            "The trainer %s has one size of its own: 'input_size' must be 0. It can be chosen for "
            "%s." % (trainer, " and ".join(sorted(_INPUT_SIZES)))
        )
    first, last, step = _INPUT_SIZES[trainer]
    if not first <= size <= last or size % step:
        raise BadJobError(
            "The setting 'input_size' is %d, but the trainer %s takes %d to %d in steps of %d."
            % (size, trainer, first, last, step)
        )
    return size


def _refuse_contradictions(asked: Training) -> None:
    found: List[str] = []
    if asked.lowmem and asked.trainer not in _LOW_MEMORY:
        found.append("'lowmem' is there for %s only" % ", ".join(_LOW_MEMORY))
    if asked.mask == "none" and (asked.penalized_mask_loss or asked.learn_mask):
        found.append("'penalized_mask_loss' and 'learn_mask' need a masker other than none")
    if asked.autoencoder_dims and asked.trainer != "dfl-sae":
        found.append("'autoencoder_dims' is there for dfl-sae only")
    if found:
        raise BadJobError("%s (trainer %s)." % ("; ".join(found).capitalize(), asked.trainer))


def need_learned_mask(job: Job) -> None:
    """Raise BadJobError when the conversion wants a mask that the training does not learn."""
    if _conversion_mask(job) == "predicted" and not job.flag("learn_mask"):
        raise BadJobError("'convert_mask' can be predicted only when 'learn_mask' is true.")
