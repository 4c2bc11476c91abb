"""Options of Faceswap's argument parsers, as data, and parsers made of them.

Read in deepfakes/faceswap: for v1.0.0 lib/cli/args.py@1fceec1d and tools/sort/cli.py@0176ffc0;
for v3.0.0 lib/cli/args.py, args_train.py, args_extract_convert.py@0a07139b and
tools/sort/cli.py@696692dc. Options that upstream hides or calls deprecated are left out, so that
no command relies on them.

One entry per option: its flags; what follows (``""`` nothing, ``text``, ``int``, ``float``,
``texts`` one or more, a tuple one of these, ``texts of`` and a tuple); a ``!`` at the end is
required.
"""

from __future__ import annotations

import argparse
from typing import Any

Options = dict[str, Any]

DETECTORS = ("cv2-dnn", "mtcnn", "s3fd")
ALIGNERS = ("cv2-dnn", "fan")
NETWORK_MASKS = ("unet-dfl", "vgg-clear", "vgg-obstructed")
MASKS = ("none", "components", "extended", *NETWORK_MASKS, "predicted")
NORMALIZATIONS = ("none", "clahe", "hist", "mean")
COLOURS = (
    "avg-color",
    "color-transfer",
    "manual-balance",
    "match-hist",
    "seamless-clone",
    "none",
)
TRAINERS = (
    "dfaker",
    "dfl-h128",
    "dfl-sae",
    "dlight",
    "iae",
    "lightweight",
    "original",
    "realface",
    "unbalanced",
    "villain",
)
LEVELS = ("INFO", "VERBOSE", "DEBUG", "TRACE")
SORTING_V1 = (
    *("blur", "blur-fft", "distance", "face", "face-cnn", "face-cnn-dissim", "face-yaw", "hist"),
    *("hist-dissim", "color-gray", "color-luma", "color-green", "color-orange", "size"),
    "black-pixels",
)
SORTING_V3 = (
    *("none", "blur", "blur-fft", "distance", "face", "face-cnn", "face-cnn-dissim", "yaw"),
    *("pitch", "roll", "hist", "hist-dissim", "color-black", "color-gray", "color-luma"),
    *("color-green", "color-orange", "size"),
)

_GLOBAL_V1: Options = {"-C --configfile": "text", "-L --loglevel": LEVELS, "-LF --logfile": "text"}
_GLOBAL_V3: Options = {"-C --configfile": "text", "-L --loglevel": LEVELS, "-F --logfile": "text"}
_PEOPLE: Options = {"-n --nfilter": "texts", "-f --filter": "texts", "-l --ref_threshold": "float"}

V1: dict[str, Options] = {
    "extract": {
        **_GLOBAL_V1,
        **_PEOPLE,
        "-i --input-dir !": "text",
        "-o --output-dir !": "text",
        "-al --alignments": "text",
        "-D --detector": DETECTORS,
        "-A --aligner": ALIGNERS,
        "-M --masker": ("texts of", NETWORK_MASKS),
        "-nm --normalization": NORMALIZATIONS,
        "-r --rotate-images": "text",
        "-min --min-size": "int",
        "-een --extract-every-n": "int",
        "-sz --size": "int",
        "-si --save-interval": "int",
        "-dl --debug-landmarks": "",
        "-sp --singleprocess": "",
        "-s --skip-existing": "",
        "-sf --skip-existing-faces": "",
    },
    "convert": {
        **_GLOBAL_V1,
        **_PEOPLE,
        "-i --input-dir !": "text",
        "-o --output-dir !": "text",
        "-al --alignments": "text",
        "-ref --reference-video": "text",
        "-m --model-dir !": "text",
        "-c --color-adjustment": COLOURS,
        "-M --mask-type": MASKS,
        "-sc --scaling": ("none", "sharpen"),
        "-w --writer": ("ffmpeg", "gif", "opencv", "pillow"),
        "-osc --output-scale": "int",
        "-fr --frame-ranges": "texts",
        "-a --input-aligned-dir": "text",
        "-j --jobs": "int",
        "-g --gpus": "int",
        "-t --trainer": TRAINERS,
        "-ag --allow-growth": "",
        "-otf --on-the-fly": "",
        "-k --keep-unchanged": "",
        "-s --swap-model": "",
        "-sp --singleprocess": "",
    },
    "train": {
        **_GLOBAL_V1,
        "-A --input-A !": "text",
        "-ala --alignments-A": "text",
        "-B --input-B !": "text",
        "-alb --alignments-B": "text",
        "-m --model-dir !": "text",
        "-t --trainer": TRAINERS,
        "-bs --batch-size": "int",
        "-it --iterations": "int",
        "-g --gpus": "int",
        "-msg --memory-saving-gradients": "",
        "-o --optimizer-savings": "",
        "-pp --ping-pong": "",
        "-s --save-interval": "int",
        "-ss --snapshot-interval": "int",
        "-tia --timelapse-input-A": "text",
        "-tib --timelapse-input-B": "text",
        "-to --timelapse-output": "text",
        "-ps --preview-scale": "int",
        "-p --preview": "",
        "-w --write-image": "",
        "-ag --allow-growth": "",
        "-nl --no-logs": "",
        "-wl --warp-to-landmarks": "",
        "-nf --no-flip": "",
        "-nac --no-augment-color": "",
    },
    "sort": {
        **_GLOBAL_V1,
        "-i --input !": "text",
        "-o --output": "text",
        "-s --sort-by": SORTING_V1,
        "-k --keep": "",
        "-t --ref_threshold": "float",
        "-fp --final-process": ("folders", "rename"),
        "-g --group-by": ("blur", "blur-fft", "face-cnn", "face-yaw", "hist", "black-pixels"),
        "-b --bins": "int",
        "-l --log-changes": "",
        "-lf --log-file": "text",
    },
}

V3: dict[str, Options] = {
    "extract": {
        **_GLOBAL_V3,
        **_PEOPLE,
        "-i --input-dir !": "text",
        "-o --output-dir !": "text",
        "-p --alignments": "text",
        "-b --batch-mode": "",
        "-D --detector": (*DETECTORS, "external"),
        "-A --aligner": (*ALIGNERS, "external"),
        "-M --masker": ("texts of", (*NETWORK_MASKS, "bisenet-fp", "custom")),
        "-O --normalization": NORMALIZATIONS,
        "-R --re-feed": "int",
        "-a --re-align": "",
        "-r --rotate-images": "text",
        "-I --identity": "",
        "-m --min-size": "int",
        "-z --size": "int",
        "-N --extract-every-n": "int",
        "-v --save-interval": "int",
        "-B --debug-landmarks": "",
        "-P --singleprocess": "",
        "-s --skip-existing": "",
        "-e --skip-existing-faces": "",
        "-K --skip-saving-faces": "",
    },
    "convert": {
        **_GLOBAL_V3,
        **_PEOPLE,
        "-i --input-dir !": "text",
        "-o --output-dir !": "text",
        "-p --alignments": "text",
        "-r --reference-video": "text",
        "-m --model-dir !": "text",
        "-c --color-adjustment": COLOURS,
        "-M --mask-type": (
            *MASKS,
            "bisenet-fp_face",
            "bisenet-fp_head",
            "custom_face",
            "custom_head",
        ),
        "-w --writer": ("ffmpeg", "gif", "opencv", "patch", "pillow"),
        "-O --output-scale": "int",
        "-R --frame-ranges": "texts",
        "-S --face-scale": "float",
        "-a --input-aligned-dir": "text",
        "-j --jobs": "int",
        "-T --on-the-fly": "",
        "-k --keep-unchanged": "",
        "-s --swap-model": "",
        "-P --singleprocess": "",
    },
    "train": {
        **_GLOBAL_V3,
        "-A --input-A !": "text",
        "-B --input-B !": "text",
        "-m --model-dir !": "text",
        "-l --load-weights": "text",
        "-t --trainer": (*TRAINERS, "phaze-a"),
        "-u --summary": "",
        "-f --freeze-weights": "",
        "-b --batch-size": "int",
        "-i --iterations": "int",
        "-a --warmup": "int",
        "-n --no-logs": "",
        "-r --use-lr-finder": "",
        "-s --save-interval": "int",
        "-I --snapshot-interval": "int",
        "-x --timelapse-input-A": "text",
        "-y --timelapse-input-B": "text",
        "-z --timelapse-output": "text",
        "-p --preview": "",
        "-w --write-image": "",
        "-M --warp-to-landmarks": "",
        "-P --no-flip": "",
        "-c --no-augment-color": "",
        "-W --no-warp": "",
    },
    "sort": {
        **_GLOBAL_V3,
        "-i --input !": "text",
        "-o --output": "text",
        "-B --batch-mode": "",
        "-s --sort-by": SORTING_V3,
        "-g --group-by": SORTING_V3,
        "-k --keep": "",
        "-t --threshold": "float",
        "-b --bins": "int",
        "-l --log-changes": "",
        "-f --log-file": "text",
    },
}

VERSIONS = {"v1.0.0": V1, "v3.0.0": V3}


def _kind(what: Any) -> dict[str, Any]:
    if what == "":
        return {"action": "store_true"}
    if isinstance(what, tuple):
        if what[0] == "texts of":
            return {"nargs": "+", "choices": what[1]}
        return {"choices": what}
    known: dict[str, dict[str, Any]] = {
        "text": {},
        "texts": {"nargs": "+"},
        "int": {"type": int},
        "float": {"type": float},
    }
    return known[what]


def parser(version: str) -> argparse.ArgumentParser:
    """A parser that takes what the version takes; like upstream's, it ends with 2 otherwise.

    Values are under the names of the long flags, ``verb`` is the command.
    """
    made = argparse.ArgumentParser()
    verbs = made.add_subparsers(dest="verb", required=True)
    for verb, options in VERSIONS[version].items():
        # Upstream does not forbid abbreviations; a command that needs them is a mistake here.
        one = verbs.add_parser(verb, allow_abbrev=False)
        for text, what in options.items():
            flags = text.removesuffix(" !").split()
            one.add_argument(*flags, required=text.endswith("!"), **_kind(what))
    return made
