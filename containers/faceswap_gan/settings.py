"""Faceswap-GAN's settings as the driver takes them: what is checked, and what upstream has not.

Standard library only and Python 3.6 syntax.
"""

import math
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


LARGEST_FACE = 2160
"""Side in pixels up to which crops are checked."""


def crop_is_whole(height: int, width: int, coverage: float) -> bool:
    """True when upstream has something to swap in a face's box, and shows what it swapped.

    ``face_transformer`` cuts a margin off the box, and a margin off what is left to blend it in.
    Either margin may come out as nothing, or as all there is: then it fails, or returns the face as
    it was without a word.
    """
    for side in (height, width):
        for _ in range(2):
            margin = int(side * (1 - coverage))
            side -= 2 * margin
            if margin < 1 or side < 1:
                return False
    return True


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
        "roi_coverage": _coverage(job),
        "enhance": job.number("enhance", 0, 10),
        # The result alone, and the actor (A) is the one who is changed.
        "output_type": 1,
        "direction": "AtoB",
        "IMAGE_SHAPE": architecture(job)["IMAGE_SHAPE"],
    }


def _coverage(job: Job) -> float:
    """Share of a face's box that is swapped; raises BadJobError when that is nothing for a size.

    Asked for before the training: upstream's conversion would fail after it.
    """
    asked = job.number("roi_coverage", 0.51, 0.99)
    smallest = int(math.sqrt(whole(job, "min_face_area", 1, 100000000)))

    def fits(coverage: float) -> bool:
        sides = range(smallest, max(smallest, LARGEST_FACE) + 1)
        return all(crop_is_whole(side, side, coverage) for side in sides)

    if fits(asked):
        return asked
    good = [percent / 100 for percent in range(1, 100) if fits(percent / 100)]
    may = "%.2f to %.2f work" % (good[0], good[-1]) if good else "no value works"
    raise BadJobError(
        "With the roi_coverage %g Faceswap-GAN's conversion would have nothing to swap in some "
        "faces from %d pixels on, which min_face_area allows; %s there. (Upstream advises 0.85 to "
        "0.95.)" % (asked, smallest, may)
    )


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
