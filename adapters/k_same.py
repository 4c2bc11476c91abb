"""The k-Same family of the thesis (2.2): a face that k people of a closed set share."""

from __future__ import annotations

from adapters.controls import HOMEPAGE, LICENCE
from harness.model.job import Role
from harness.model.tool import ChildProcess, NamedConfig, SettingSpec, Tool

_NEEDS = (Role.TEST_VIDEO, Role.ACTOR_REFERENCE, Role.GALLERY, Role.FACE_LANDMARKER)

_K = SettingSpec(
    name="k",
    default=2,
    help="How many people share a face at least; a naive recogniser is right for one of them.",
    minimum=2,
    maximum=1000,
    unit="people",
)
_BLENDING = SettingSpec(
    name="blending",
    default="seamless",
    help="Poisson cloning, or mixing over a feathered edge.",
    choices=("seamless", "feather"),
)
_SURROUNDINGS = SettingSpec(
    name="surroundings",
    default="keep",
    help="Remove them, and the mean face is shown alone: nothing else of the actor is left.",
    choices=("keep", "remove"),
)
_CONFIGS = (
    NamedConfig(name="default"),
    NamedConfig(name="strong", settings={"k": 5}, help="Five people share a face."),
    NamedConfig(
        name="alone",
        settings={"surroundings": "remove"},
        help="The mean face alone, for which the bound of 1/k is exact.",
    ),
)

K_SAME = Tool(
    name="k-same",
    summary="The mean face, pixel by pixel, of the k people of the dataset who look most alike.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("2",),
    needs=_NEEDS,
    runs_as=ChildProcess(module="containers.embedded.k_same"),
    settings=(_K, _BLENDING, _SURROUNDINGS),
    configs=_CONFIGS,
    gallery_at_least="k",
)

K_SAME_SELECT = K_SAME.model_copy(
    update={
        "name": "k-same-select",
        "summary": "As k-same, among people of the same sex or with the same expression.",
        "runs_as": ChildProcess(module="containers.embedded.k_same_select"),
        "settings": (
            _K,
            SettingSpec(
                name="select",
                default="sex",
                help="What the k people have in common; classes of fewer than k are put together.",
                choices=("sex", "expression"),
            ),
            _BLENDING,
            _SURROUNDINGS,
        ),
    }
)

K_SAME_M = K_SAME.model_copy(
    update={
        "name": "k-same-m",
        "summary": "As k-same, with shape and texture averaged apart: nothing shows double.",
        "runs_as": ChildProcess(module="containers.embedded.k_same_m"),
        "settings": (
            _K,
            SettingSpec(
                name="select",
                default="none",
                help="What the k people have in common; classes of fewer than k are put together.",
                choices=("none", "sex", "expression"),
            ),
            _BLENDING,
            _SURROUNDINGS,
        ),
    }
)
