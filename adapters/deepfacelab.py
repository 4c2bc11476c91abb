"""DeepFaceLab 2: the SAEHD model of the archived upstream."""

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
from harness.model.job import Step
from harness.model.tool import Container, LogPattern, SettingSpec, Tool

_EXTRACTION = (
    TRAIN_INTERVAL,
    number("image_size", 512, 256, 2048, "Side of an extracted face.", "pixels"),
    number("jpeg_quality", 95, 1, 100, "JPEG quality of extracted faces."),
    choice(
        "clean",
        "none oneface final-by-blur final-by-size",
        "What the sorter throws away: frames with two faces, or all but the best `keep_faces`.",
    ),
    number("keep_faces", 2000, 16, 100000, "How many faces the `final` sortings keep."),
)
_MODEL = (
    number("resolution", 128, 64, 640, "Side of the model's picture; a multiple of 16.", "pixels"),
    choice("face_type", "f h mf wf head", "How much of the head: half to whole head."),
    SettingSpec(name="archi", default="liae-ud", help="df or liae, with -u, -d, -t, -c."),
    number("ae_dims", 256, 32, 1024, "Size of the latent vector."),
    number("e_dims", 64, 16, 256, "Encoder's channels; even."),
    number("d_dims", 64, 16, 256, "Decoder's channels; even."),
    number("d_mask_dims", 22, 16, 256, "Mask decoder's channels; even."),
    flag("masked_training", True, "Train within the face's mask (wf and head only)."),
    flag("models_on_gpu", True, "Weights and optimizer in GPU memory; else in RAM, slower."),
)
_TRAINING = (
    ITERATIONS,
    HOURS,
    number("batch_size", 8, 1, 512, "Faces per iteration and side."),
    flag("adabelief", True, "AdaBelief in the place of RMSprop."),
    choice("lr_dropout", "n y cpu", "Learning rate dropout, late in a training."),
    flag("eyes_mouth_priority", False, "Weigh eyes and mouth more."),
    flag("uniform_yaw", False, "Show side views as often as front views."),
    flag("blur_out_mask", False, "Blur the training faces outside of their mask."),
    flag("random_warp", True, "Warp the training faces."),
    number("random_hsv", 0.0, 0, 0.3, "Random hue, saturation and light of the donor's faces."),
    flag("flip_src", False, "Mirror the donor's faces at random."),
    flag("flip_dst", True, "Mirror the actor's faces at random."),
    number("gan_power", 0.0, 0, 5, "Adversarial loss."),
    number("true_face_power", 0.0, 0, 1, "Discriminate towards the donor; df only."),
    number("face_style_power", 0.0, 0, 100, "Style loss within the mask."),
    number("background_style_power", 0.0, 0, 100, "Style loss outside of the mask."),
    choice("color_transfer", "none rct lct mkl idt sot", "Recolour the donor's faces."),
    flag("clip_gradients", False, "Clip gradients: less collapse, slower."),
    number("save_minutes", 15, 1, 240, "Time between saves: what a kill can lose.", "min"),
    number("preview_minutes", 30, 0, 1440, "Time between kept previews; 0 keeps none.", "min"),
)
_MASKS = "learned-prd*learned-dst learned-prd+learned-dst learned-prd learned-dst dst"
_MERGING = (
    choice(
        "merge_mode",
        "overlay original hist-match seamless seamless-hist-match",
        "How the face is put in.",
    ),
    choice("mask_mode", _MASKS, "Which mask cuts it out."),
    number("erode_mask", 0, -400, 400, "Shrinks the mask; negative grows it."),
    number("blur_mask", 0, 0, 400, "Softens the mask's edge."),
    number("output_face_scale", 0, -50, 50, "Grows or shrinks the face.", "%"),
    choice(
        "merge_color_transfer",
        "rct none lct mkl mkl-m idt idt-m sot-m mix-m",
        "Colours of the swapped face.",
    ),
)
_LOSSES = r"\[(?:\d+ms|[\d.]+s)\]\[(?P<loss_src>[\d.]+)\]\[(?P<loss_dst>[\d.]+)\]"
_BAR = r"\|\s*(?P<done>\d+)/(?P<total>\d+) \["

DEEPFACELAB = Tool(
    name="deepfacelab",
    summary="Trains a SAEHD autoencoder on both faces and merges the donor's into the video.",
    homepage="https://github.com/iperov/DeepFaceLab",
    licence="GPL-3.0",
    versions=("2.0",),
    steps=TRAINED_STEPS,
    needs=TRAINED_NEEDS,
    runs_as=Container(
        recipe="containers.deepfacelab", gpu="optional", gpu_memory_bytes=6 << 30, shm_bytes=8 << 30
    ),
    settings=(*_EXTRACTION, *_MODEL, *_TRAINING, *_MERGING),
    configs=(DEFAULT,),
    progress=(
        LogPattern(
            step=Step.EXTRACT,
            pattern=r"^Extracting faces.*" + _BAR,
            unit="frames",
            example="Extracting faces:  21%|##1       | 23/110 [00:05<00:19,  4.51it/s]",
        ),
        LogPattern(
            step=Step.TRAIN,
            pattern=r"\[#(?P<done>\d+)\]" + _LOSSES,
            unit="iterations",
            example="[14:03:22][#000123][0456ms][3.0012][2.7410]",
        ),
        LogPattern(
            step=Step.CONVERT,
            pattern=r"^Merging.*" + _BAR,
            unit="frames",
            example="Merging:  30%|###       | 30/100 [00:10<00:23,  2.95it/s]",
        ),
    ),
    failures=(OUT_OF_GPU_MEMORY, DIVERGED, NO_GPU, NO_DISPLAY, UNKNOWN_QUESTION),
)
