"""deface: a maintained anonymiser; it needs no GPU, and so proves the container path."""

from __future__ import annotations

from harness.model.tool import Container, NamedConfig, SettingSpec, Tool

DEFACE = Tool(
    name="deface",
    summary="Finds every face with CenterFace and blurs, covers or pixelates it.",
    homepage="https://github.com/ORB-HD/deface",
    licence="MIT",
    versions=("1.5.0",),
    runs_as=Container(recipe="containers.deface"),
    settings=(
        SettingSpec(
            name="replacewith",
            default="blur",
            help="What a face becomes; `none` only detects, and leaves the pixels.",
            choices=("blur", "solid", "mosaic", "none"),
        ),
        SettingSpec(
            name="threshold",
            default=0.2,
            help="Detections below this score are ignored; lower finds more, also what is no face.",
            minimum=0.01,
            maximum=0.99,
            unit="score",
        ),
        SettingSpec(
            name="mask_scale",
            default=1.3,
            help="The mask reaches this, less 1, times the box's size beyond each of its sides.",
            minimum=0.5,
            maximum=3,
            unit="ratio",
        ),
        SettingSpec(
            name="boxes",
            default=False,
            help="Blur rectangles, not ellipses; `solid` and `mosaic` are always rectangles.",
        ),
        SettingSpec(
            name="mosaic_size",
            default=20,
            help="Side of the squares of `mosaic`.",
            minimum=2,
            maximum=500,
            unit="pixels",
        ),
        SettingSpec(
            name="detection_width",
            default=0,
            help="Frames are shrunk to this width to look for faces: faster, misses small ones. "
            "0 looks at full size.",
            minimum=0,
            maximum=4096,
            unit="pixels",
        ),
    ),
    configs=(
        NamedConfig(name="default", help="Upstream's own defaults."),
        NamedConfig(
            name="strong",
            settings={"replacewith": "solid", "threshold": 0.1, "mask_scale": 1.6},
            help="Black rectangles well beyond the face; doubtful detections count.",
        ),
        NamedConfig(name="boxes", settings={"boxes": True}, help="Blurred rectangles."),
    ),
)
