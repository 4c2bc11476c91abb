"""Faceswap: its last version on TensorFlow 1, and today's on PyTorch."""

from __future__ import annotations

from adapters.parts import (
    DEFAULT,
    DIVERGED,
    HOURS,
    ITERATIONS,
    NO_DISPLAY,
    NO_GPU,
    OUT_OF_GPU_MEMORY,
    TRAIN_INTERVAL,
    TRAINED_NEEDS,
    TRAINED_STEPS,
    UNKNOWN_QUESTION,
    choice,
    flag,
    number,
)
from harness.model.cell import Status
from harness.model.job import Step
from harness.model.tool import Container, KnownFailure, LogPattern, Tool

_MASKS = "extended components none vgg-clear vgg-obstructed unet-dfl"
_LOSSES = "mae mse logcosh smooth_loss l_inf_norm ssim gmsd pixel_gradient_diff"

_EXTRACTION = (
    TRAIN_INTERVAL,
    choice("detector", "s3fd mtcnn cv2-dnn", "What finds faces."),
    choice("aligner", "fan cv2-dnn", "What finds their landmarks."),
    choice("normalization", "none clahe hist mean", "Evens out the light for the aligner."),
    number("rotate", 0, 0, 180, "Turn frames without a face by so much and look again.", "degrees"),
    number("re_feed", 0, 0, 10, "Align again from shifted boxes so often; v3.0.0."),
    number("min_size", 0, 0, 1080, "Ignore smaller faces (the box's diagonal).", "pixels"),
    number("face_size", 512, 128, 1024, "Side of an extracted face; v1.0.0 to 512.", "pixels"),
    choice("masker", _MASKS, "What of a face is trained on."),
    choice("clean", "none oneface sharpest", "Drop frames with several faces, or blurred faces."),
    number("keep_faces", 2000, 16, 100000, "How many faces `clean: sharpest` keeps."),
)
_TRAINING = (
    ITERATIONS,
    HOURS,
    choice(
        "trainer",
        "original dfaker dfl-h128 dfl-sae dlight iae lightweight realface unbalanced villain "
        "phaze-a",
        "The model; phaze-a is v3.0.0's.",
    ),
    number("batch_size", 16, 1, 256, "Faces per iteration and side; v1.0.0 from 2."),
    number("coverage", 0.0, 0, 100, "How much of a face is trained on; 0 is upstream's own.", "%"),
    number("learning_rate", 5e-5, 1e-6, 1e-4, "Of Adam."),
    number("adam_beta_1", 0.0, 0, 1, "Adam's first decay rate; 0 is upstream's own; v3.0.0."),
    choice("loss_function", f"default {_LOSSES}", "`default` is upstream's own."),
    flag("penalized_mask_loss", True, "Count errors within the mask only."),
    flag("learn_mask", False, "Learn the mask as well."),
    flag("conv_aware_init", False, "Convolution-aware initialisation."),
    flag("icnr_init", False, "ICNR initialisation against checkerboards."),
    flag("reflect_padding", False, "Pad by reflection, not by zeros."),
    flag("lowmem", False, "The smaller variant of original, dfl-h128, unbalanced and villain."),
    number("input_size", 0, 0, 512, "For dfl-sae and unbalanced; 0 is upstream's own.", "pixels"),
    choice("sae_architecture", "df liae", "Of dfl-sae."),
    number("autoencoder_dims", 0, 0, 1024, "Latent vector of dfl-sae; 0 is upstream's own."),
    flag("memory_saving_gradients", False, "Less GPU memory, slower; v1.0.0."),
    flag("optimizer_savings", False, "The optimizer in RAM, slower; v1.0.0."),
    flag("mixed_precision", False, "16-bit numbers where they do; v3.0.0."),
    flag("warp_to_landmarks", False, "Warp faces towards the other side's, as dfaker does."),
    flag("flip", True, "Mirror faces at random."),
    flag("augment_color", True, "Change colours at random."),
    number("save_interval", 250, 10, 1000, "Iterations between saves."),
    number("preview_interval", 1000, 0, 1000000, "Iterations between kept previews; 0 keeps none."),
)
_CONVERSION = (
    choice(
        "color",
        "avg-color color-transfer manual-balance match-hist seamless-clone none",
        "Colours of the swapped face.",
    ),
    choice("convert_mask", f"{_MASKS} predicted", "What cuts the swapped face out."),
    number("face_scale", 0.0, -10, 10, "Grows or shrinks the face; v3.0.0.", "%"),
)
_BAR = r"\|\s*(?P<done>\d+)/(?P<total>\d+) \["

NO_TERMINAL = KnownFailure(
    pattern=r"termios\.error|Inappropriate ioctl for device",
    status=Status.TOOL_ERROR,
    reason="Faceswap v1 wanted a terminal and had none: rebuild its image, since its driver "
    "gives it one.",
    example="termios.error: (25, 'Inappropriate ioctl for device')",
    source="deepfakes/faceswap issues 780 and 1033",
)
GPU_MEMORY = KnownFailure(
    pattern=r"You do not have enough GPU memory available",
    status=Status.OOM,
    reason=OUT_OF_GPU_MEMORY.reason,
    example="ERROR    You do not have enough GPU memory available to train the selected model",
    source="deepfakes/faceswap plugins/train/trainer/_base.py, plugins/train/training.py@b87377d2",
)
CRASHED = KnownFailure(
    pattern=r"An unexpected crash has occurred",
    status=Status.TOOL_ERROR,
    reason="Faceswap crashed; the lines above its crash report in the log say of what.",
    example="CRITICAL An unexpected crash has occurred. Crash report written to '/x/crash.log'.",
    source="deepfakes/faceswap lib/cli/launcher.py@1fceec1d",
)

FACESWAP = Tool(
    name="faceswap",
    summary="Trains one of many autoencoders on both faces and puts the donor's into the video.",
    homepage="https://github.com/deepfakes/faceswap",
    licence="GPL-3.0",
    versions=("v1.0.0", "v3.0.0"),
    steps=TRAINED_STEPS,
    needs=TRAINED_NEEDS,
    runs_as=Container(
        recipe="containers.faceswap", gpu="optional", gpu_memory_bytes=6 << 30, shm_bytes=8 << 30
    ),
    settings=(*_EXTRACTION, *_TRAINING, *_CONVERSION),
    configs=(DEFAULT,),
    progress=(
        LogPattern(
            step=Step.EXTRACT,
            pattern=r"^Running pass \d+ of \d+: .*" + _BAR,
            unit="frames",
            example="Running pass 1 of 2: Detect:  21%|##1       | 23/110 [00:05<00:19,  4.51it/s]",
        ),
        LogPattern(
            step=Step.TRAIN,
            pattern=r"\[#(?P<done>\d+)\] Loss A: (?P<loss_a>\d+\.\d{1,5}), "
            r"Loss B: (?P<loss_b>\d+\.\d{1,5})",
            unit="iterations",
            example="[14:03:22] [#00123] Loss A: 0.04571, Loss B: 0.05210",
        ),
        LogPattern(
            step=Step.CONVERT,
            pattern=r"^Converting: .*" + _BAR,
            unit="frames",
            example="Converting:  30%|###       | 30/100 [00:10<00:23,  2.95it/s]",
        ),
    ),
    failures=(
        GPU_MEMORY,
        OUT_OF_GPU_MEMORY,
        NO_TERMINAL,
        DIVERGED,
        NO_GPU,
        NO_DISPLAY,
        UNKNOWN_QUESTION,
        CRASHED,
    ),
)
