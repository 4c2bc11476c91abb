"""Controls: pseudo-tools whose right score is known in advance."""

from __future__ import annotations

from harness.model.job import Role
from harness.model.tool import ChildProcess, NamedConfig, SettingSpec, Tool

HOMEPAGE = "containers/embedded"
LICENCE = "Apache-2.0"

NOOP = Tool(
    name="noop",
    summary="Leaves the video as it is, byte for byte.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("1",),
    runs_as=ChildProcess(module="containers.embedded.noop"),
    control=True,
    expected=("All distances equal those of the original; every action unit has PCC 1 and RMSE 0."),
)

REENCODE = Tool(
    name="reencode",
    summary="Encodes the video again with x264 and changes nothing else.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("1",),
    runs_as=ChildProcess(module="containers.embedded.reencode"),
    settings=(
        SettingSpec(
            name="crf",
            default=28,
            help="x264's constant rate factor: 0 is lossless, 51 the worst picture.",
            minimum=0,
            maximum=51,
        ),
    ),
    configs=(
        NamedConfig(name="default"),
        NamedConfig(name="weak", settings={"crf": 18}, help="Hardly visible compression."),
        NamedConfig(name="strong", settings={"crf": 40}, help="Plainly visible compression."),
    ),
    control=True,
    expected="Distances close to those of the original, nothing hidden; PCC a little below 1.",
)

BLACKBOX = Tool(
    name="blackbox",
    summary="Paints every face black, with a generous margin and over gaps in detection.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("2",),
    needs=(Role.TEST_VIDEO, Role.FACE_LANDMARKER),
    runs_as=ChildProcess(module="containers.embedded.blackbox"),
    settings=(
        SettingSpec(
            name="margin",
            default=0.25,
            help="How far the box reaches beyond the face on each side.",
            minimum=0,
            maximum=2,
            unit="share of the face's size",
        ),
        SettingSpec(
            name="hold_s",
            default=2.0,
            help="How long the last and next box cover a gap in which no face was found.",
            minimum=0,
            maximum=60,
            unit="s",
        ),
    ),
    control=True,
    expected="Failure to acquire near 1: no face is detected, which is not the same as hidden.",
)

ORACLE = Tool(
    name="oracle",
    summary="Shows another person's untouched clip in the video's place.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("2",),
    needs=(Role.TEST_VIDEO, Role.DONOR_TEST),
    runs_as=ChildProcess(module="containers.embedded.oracle"),
    control=True,
    expected=(
        "The distance between two people, above the threshold; expressions unrelated, PCC near 0."
    ),
)

TIME_SHIFT = Tool(
    name="time-shift",
    summary="Shows the video's own frames late, the last ones first.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("2",),
    runs_as=ChildProcess(module="containers.embedded.time_shift"),
    settings=(
        SettingSpec(
            name="shift_s",
            default=0.4,
            help="How late; longer than the video goes round again.",
            minimum=0,
            maximum=3600,
            unit="s",
        ),
    ),
    control=True,
    expected=(
        "Distances as the original's. A shift of up to 50 frames is named, and no action unit "
        "compared; after a longer one, PCC near 0."
    ),
)

FLICKER = Tool(
    name="flicker",
    summary="Makes the main face lighter and darker in turn, frame by frame.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("2",),
    needs=(Role.TEST_VIDEO, Role.FACE_LANDMARKER),
    runs_as=ChildProcess(module="containers.embedded.flicker"),
    settings=(
        SettingSpec(
            name="strength",
            default=8.0,
            help="How much lighter and darker.",
            minimum=0,
            maximum=128,
            unit="grey levels of 255",
        ),
    ),
    configs=(
        NamedConfig(name="default"),
        NamedConfig(name="weak", settings={"strength": 2.0}, help="Hardly visible."),
        NamedConfig(name="strong", settings={"strength": 24.0}, help="Plainly visible."),
    ),
    control=True,
    expected="Distances and action units close to the original's; flicker far above it.",
)

LEAK = Tool(
    name="leak",
    summary="Paints every face black but in a few frames, which show it.",
    homepage=HOMEPAGE,
    licence=LICENCE,
    versions=("2",),
    needs=(Role.TEST_VIDEO, Role.FACE_LANDMARKER),
    runs_as=ChildProcess(module="containers.embedded.leak"),
    settings=(
        SettingSpec(
            name="at_s",
            default=0.1,
            help="When the first frame that shows the face is shown.",
            minimum=0,
            maximum=3600,
            unit="s",
        ),
        SettingSpec(
            name="frames",
            default=1,
            help="How many frames, one after the other, show the face.",
            minimum=1,
            maximum=10000,
            unit="frames",
        ),
    ),
    control=True,
    expected="No face but in the leaked frames; the leak profile names exactly these.",
)
