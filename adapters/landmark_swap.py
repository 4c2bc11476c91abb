"""The classic face swap by landmarks: no learning, one photo of the donor."""

from __future__ import annotations

from adapters.controls import HOMEPAGE, LICENCE
from harness.model.job import Role
from harness.model.tool import ChildProcess, NamedConfig, SettingSpec, Tool

LANDMARK_SWAP = Tool(
    name="landmark-swap",
    summary="Warps the donor's photo onto the actor's 68 landmarks and clones it in.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("2",),
    needs=(Role.TEST_VIDEO, Role.DONOR_REFERENCE, Role.FACE_LANDMARKER),
    runs_as=ChildProcess(module="containers.embedded.landmark_swap"),
    settings=(
        SettingSpec(
            name="smoothing",
            default=0.5,
            help="How much the landmarks of the frames before weigh; 0 follows each frame alone.",
            minimum=0,
            maximum=0.95,
        ),
        SettingSpec(
            name="blending",
            default="seamless",
            help="Poisson cloning, or mixing over a feathered edge.",
            choices=("seamless", "feather"),
        ),
        SettingSpec(
            name="keep_mouth",
            default=True,
            help="Keep what the actor shows between the lips, so that speech stays visible.",
        ),
    ),
    configs=(
        NamedConfig(name="default"),
        NamedConfig(
            name="weak",
            settings={"blending": "seamless", "smoothing": 0.8},
            help="Steadier, but slower to follow a quick expression.",
        ),
        NamedConfig(
            name="strong",
            settings={"blending": "feather", "keep_mouth": False},
            help="More of the donor: no gradients and no mouth of the actor's.",
        ),
    ),
)
