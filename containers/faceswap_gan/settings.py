"""Faceswap-GAN's settings as the driver takes them: what is checked, and what upstream has not.

Standard library only and Python 3.6 syntax.
"""

from typing import Any, Dict, List, Tuple

from containers.common import budget
from containers.common.bench_driver import BadJobError, Job

RESOLUTIONS = (64, 128, 256)
NORMS = ("instancenorm", "batchnorm", "layernorm", "groupnorm", "none")
CAPACITIES = ("standard", "lite")
GAN_TRAININGS = ("mixup_LSGAN", "relativistic_avg_LSGAN")
COLOURS = ("hist_match", "adain", "adain_xyz", "none")

ABSENT = {
    "learning_rate": "Faceswap-GAN's learning rates are 2e-4 (discriminators) and 1e-4 "
    "(generators) in its code, lowered by the loss schedule.",
    "optimizer": "Faceswap-GAN trains with Adam (beta1 0.5), and has no choice.",
    "latent_dim": "Faceswap-GAN's latent vector has 1024 numbers; with the capacity 'lite' and a "
    "resolution above 64 it has 2048. Neither is an option of its own.",
    "masker": "Faceswap-GAN learns an alpha mask in the training, and has no masker to choose.",
    "detector": "Faceswap-GAN detects with MTCNN, and has no choice.",
    "aligner": "Faceswap-GAN aligns by MTCNN's five points, and has no choice.",
    "coverage": "Faceswap-GAN trains on whole crops; roi_coverage says how much of one is put in.",
    "clean": "Faceswap-GAN sorts no faces; one_face leaves out frames with several.",
    "sort": "Faceswap-GAN sorts no faces; one_face leaves out frames with several.",
    "memory_saving_gradients": "Faceswap-GAN has none; a smaller batch, or the capacity 'lite', "
    "takes less memory.",
}


def refuse_absent(job: Job) -> None:
    """Raise BadJobError for a setting of another tool, with what Faceswap-GAN has in its place."""
    for name, sentence in ABSENT.items():
        if name in job.settings:
            raise BadJobError("There is no setting '%s': %s" % (name, sentence))


def whole(job: Job, name: str, minimum: int, maximum: int) -> int:
    """A whole-numbered setting; raises BadJobError."""
    value = job.number(name, minimum, maximum)
    if value != int(value):
        raise BadJobError("The setting '%s' must be a whole number, not %s." % (name, value))
    return int(value)


def architecture(job: Job) -> Dict[str, Any]:
    """The keywords of upstream's ``FaceswapGANModel``; raises BadJobError."""
    side = whole(job, "resolution", 64, 256)
    if side not in RESOLUTIONS:
        raise BadJobError("The resolution is %d, but must be 64, 128 or 256." % side)
    return {
        "IMAGE_SHAPE": [side, side, 3],
        "use_self_attn": job.flag("self_attention"),
        "norm": job.choice("norm", NORMS),
        "model_capacity": job.choice("capacity", CAPACITIES),
    }


def batch_size(job: Job) -> int:
    """Faces per iteration and side; upstream asks for an even number. Raises BadJobError."""
    size = whole(job, "batch_size", 2, 256)
    if size % 2:
        raise BadJobError("The batch size is %d, but must be even: upstream asserts it." % size)
    return size


def planned(job: Job) -> int:
    """The iterations that the loss schedule is divided by; raises BadJobError without any."""
    iterations, _ = budget.limits(job)
    total = whole(job, "planned_iterations", 0, 100000000) or iterations
    if not total:
        raise BadJobError(
            "Faceswap-GAN's loss schedule is divided by the planned iterations, and hours alone do "
            "not say how many there will be: set 'iterations' or 'planned_iterations' too."
        )
    return total


def saving(job: Job) -> Tuple[int, int]:
    """Iterations between saves, and between previews (0 is none); raises BadJobError."""
    every = whole(job, "save_every", 1, 100000)
    return every, whole(job, "preview_every", 0, 100000000)


def training(job: Job) -> Dict[str, Any]:
    """All that a model depends on; JSON. Raises BadJobError."""
    return {
        "architecture": architecture(job),
        "batch_size": batch_size(job),
        "planned": planned(job),
        "gan": job.choice("gan_training", GAN_TRAININGS),
        "before_activation": job.flag("pl_before_activation"),
        "cyclic": job.flag("cyclic_loss"),
        "weights": {
            "w_D": job.number("w_d", 0, 1000),
            "w_recon": job.number("w_recon", 0, 1000),
            "w_edge": job.number("w_edge", 0, 1000),
            "w_eyes": job.number("w_eyes", 0, 1000),
            "w_pl": _four(job, "w_pl"),
        },
        "augmentation": {
            "prob_random_color_match": job.number("color_match", 0, 1),
            "use_da_motion_blur": job.flag("motion_blur"),
            "use_bm_eyes": job.flag("eye_masks"),
        },
        "seed": job.seed,
    }


def conversion(job: Job) -> Dict[str, Any]:
    """The options of upstream's ``VideoConverter.convert``; raises BadJobError."""
    return {
        "use_smoothed_bbox": job.flag("smooth_box"),
        "use_kalman_filter": job.flag("kalman_filter"),
        "kf_noise_coef": job.number("kalman_noise", 1e-6, 10),
        "bbox_moving_avg_coef": job.number("box_average", 0, 1),
        "use_auto_downscaling": job.flag("auto_downscaling"),
        "min_face_area": whole(job, "min_face_area", 1, 100000000),
        "use_color_correction": job.choice("color_correction", COLOURS),
        "detec_threshold": job.number("detection_threshold", 0, 1),
        "roi_coverage": job.number("roi_coverage", 0.01, 0.99),
        "enhance": job.number("enhance", 0, 10),
        # The result alone, and the actor (A) is the one who is changed.
        "output_type": 1,
        "direction": "AtoB",
        "IMAGE_SHAPE": architecture(job)["IMAGE_SHAPE"],
    }


def _four(job: Job, name: str) -> List[float]:
    """Four numbers in one text; raises BadJobError."""
    text = job.settings.get(name)
    try:
        numbers = [float(word) for word in str(text).split()]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or min(numbers) < 0:
        raise BadJobError(
            "The setting '%s' is %r, but must be four numbers, such as '0.01 0.1 0.3 0.1'."
            % (name, text)
        )
    return numbers
