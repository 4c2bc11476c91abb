"""Faceswap-GAN v2.2, by its modules and not by its notebooks."""

from __future__ import annotations

from adapters.parts import (
    DEFAULT,
    DIVERGED,
    HOURS,
    NO_DISPLAY,
    NO_GPU,
    OUT_OF_GPU_MEMORY,
    TRAIN_INTERVAL,
    TRAINED_NEEDS,
    TRAINED_STEPS,
    choice,
    flag,
    number,
)
from harness.model.cell import Status
from harness.model.job import Step
from harness.model.tool import Container, KnownFailure, LogPattern, SettingSpec, Tool

_EXTRACTION = (
    TRAIN_INTERVAL,
    flag("one_face", True, "Train on frames with exactly one face; else on the main face."),
)
_MODEL = (
    SettingSpec(
        name="resolution",
        default=64,
        choices=(64, 128, 256),
        help="Side of the model's picture.",
        unit="pixels",
    ),
    choice("capacity", "standard lite", "lite has fewer channels; above 64 pixels, latent 2048."),
    flag("self_attention", True, "Self-attention blocks."),
    choice("norm", "instancenorm batchnorm layernorm groupnorm none", "Normalisation."),
)
_TRAINING = (
    number("iterations", 40000, 0, 100000000, "Stop at so many; 0 is no limit."),
    HOURS,
    number("planned_iterations", 0, 0, 100000000, "What the loss schedule divides; 0: iterations."),
    number("batch_size", 8, 2, 256, "Faces per iteration and side; even."),
    flag("eye_masks", True, "Weigh the eyes by `w_eyes`, by masks around MTCNN's eye points."),
    flag("motion_blur", True, "Blur some training faces; upstream advises it for faces of videos."),
    number("color_match", 0.5, 0, 1, "How often a training face gets another face's colours."),
    choice("gan_training", "mixup_LSGAN relativistic_avg_LSGAN", "The adversarial loss."),
    flag("cyclic_loss", False, "Cycle consistency; weight 10 in upstream's code."),
    flag("pl_before_activation", False, "Perceptual loss on layers before their activation."),
    number("w_d", 0.1, 0, 1000, "Weight of the adversarial loss."),
    number("w_recon", 1.0, 0, 1000, "Weight of the reconstruction loss."),
    number("w_edge", 0.1, 0, 1000, "Weight of the edge loss."),
    number("w_eyes", 30.0, 0, 1000, "Weight of both within the eye masks."),
    SettingSpec(
        name="w_pl",
        default="0.01 0.1 0.3 0.1",
        help="Weights of the perceptual loss at 7, 28, 55 and 112 pixels.",
    ),
    number("save_every", 300, 1, 100000, "Iterations between saves: what a kill can lose."),
    number("preview_every", 3000, 0, 100000000, "Iterations between previews; 0 keeps none."),
)
_CONVERSION = (
    choice("color_correction", "hist_match adain adain_xyz none", "Colours of the swapped face."),
    number("roi_coverage", 0.9, 0.51, 0.99, "How much of the face's box is swapped; 0.85 to 0.95."),
    number("detection_threshold", 0.7, 0, 1, "MTCNN's; lower it when faces are missed."),
    number("min_face_area", 1225, 1, 100000000, "Smaller faces are left.", "pixels²"),
    flag("auto_downscaling", False, "Detect in a smaller picture: faster, less memory."),
    flag("smooth_box", True, "Smooth the face's box over frames."),
    flag("kalman_filter", True, "Smooth it by a Kalman filter; else by a moving average."),
    number("kalman_noise", 0.003, 1e-6, 10, "Higher follows faster, and jitters more."),
    number("box_average", 0.65, 0, 1, "Weight of the last box in the moving average."),
    number("enhance", 0.0, 0, 10, "Contrast within the mask."),
)

FACESWAP_GAN = Tool(
    name="faceswap-gan",
    summary="Trains an autoencoder with adversarial and perceptual losses and swaps the face.",
    homepage="https://github.com/shaoanlu/faceswap-GAN",
    licence="none in the repository; VGGFace weights for research",
    versions=("2.2",),
    steps=TRAINED_STEPS,
    needs=TRAINED_NEEDS,
    runs_as=Container(
        recipe="containers.faceswap_gan",
        gpu="optional",
        gpu_memory_bytes=6 << 30,
        shm_bytes=2 << 30,
    ),
    settings=(*_EXTRACTION, *_MODEL, *_TRAINING, *_CONVERSION),
    configs=(DEFAULT,),
    progress=(
        LogPattern(
            step=Step.TRAIN,
            pattern=r"\[iter (?P<done>\d+)\] Loss_DA: (?P<loss_da>[\d.]+) Loss_DB: "
            r"(?P<loss_db>[\d.]+) Loss_GA: (?P<loss_ga>[\d.]+) Loss_GB: (?P<loss_gb>[\d.]+) time: ",
            unit="iterations",
            example="[iter 300] Loss_DA: 0.411209 Loss_DB: 0.397512 Loss_GA: 1.912034 "
            "Loss_GB: 1.870911 time: 141.280341",
        ),
    ),
    failures=(
        KnownFailure(
            pattern=r"Faceswap-GAN needs \d+ faces for a batch",
            status=Status.TOOL_ERROR,
            reason="Too few faces to train on; look at more frames with a smaller train_interval, "
            "or lower batch_size.",
            example="Faceswap-GAN needs 8 faces for a batch, but the donor's video has 4 (in 9 "
            "frames looked at)",
            source="shaoanlu/faceswap-GAN data_loader/data_loader.py@2af4e899: drop_remainder",
        ),
        OUT_OF_GPU_MEMORY,
        DIVERGED,
        NO_GPU,
        NO_DISPLAY,
    ),
)
