"""The naive methods of the thesis (2.1): they hide a face without putting another in its place."""

from __future__ import annotations

from adapters.controls import HOMEPAGE, LICENCE
from harness.model.job import Role
from harness.model.tool import ChildProcess, NamedConfig, SettingSpec, Tool

_NEEDS = (Role.TEST_VIDEO, Role.FACE_LANDMARKER)

_COVERAGE = SettingSpec(
    name="coverage",
    default=1.15,
    help="Size of the ellipse relative to the face's outline; 1 fits it.",
    minimum=0.5,
    maximum=3,
    unit="ratio",
)

BLUR = Tool(
    name="blur",
    summary="Gaussian blur of the main face within an ellipse.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("2",),
    needs=_NEEDS,
    runs_as=ChildProcess(module="containers.embedded.blur"),
    settings=(
        SettingSpec(
            name="strength",
            default=0.12,
            help="The Gaussian's sigma relative to the face's width; more hides more.",
            minimum=0.005,
            maximum=1,
            unit="sigma / face width",
        ),
        _COVERAGE,
    ),
    configs=(
        NamedConfig(name="default"),
        NamedConfig(name="weak", settings={"strength": 0.04}, help="Features stay visible."),
        NamedConfig(name="strong", settings={"strength": 0.3}, help="Hardly more than a colour."),
    ),
)

PIXELATE = Tool(
    name="pixelate",
    summary="Mosaic of the main face within an ellipse.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("2",),
    needs=_NEEDS,
    runs_as=ChildProcess(module="containers.embedded.pixelate"),
    settings=(
        SettingSpec(
            name="strength",
            default=10.0,
            help="Squares across the face; fewer hides more.",
            minimum=1,
            maximum=200,
            unit="squares / face width",
        ),
        _COVERAGE,
    ),
    configs=(
        NamedConfig(name="default"),
        NamedConfig(name="weak", settings={"strength": 20.0}, help="Features stay visible."),
        NamedConfig(name="strong", settings={"strength": 5.0}, help="Hardly more than a colour."),
    ),
)

MASK = Tool(
    name="mask",
    summary="Covers the main face with the colour of its skin.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("2",),
    needs=_NEEDS,
    runs_as=ChildProcess(module="containers.embedded.mask"),
    settings=(
        SettingSpec(
            name="strength",
            default=0.05,
            help="How far the mask is grown beyond the landmarks' hull; negative shrinks it.",
            minimum=-0.5,
            maximum=1,
            unit="share of the hull's size",
        ),
    ),
    configs=(
        NamedConfig(name="default"),
        NamedConfig(name="weak", settings={"strength": -0.25}, help="The outline stays visible."),
        NamedConfig(name="strong", settings={"strength": 0.25}, help="Covers ears and hair too."),
    ),
)
