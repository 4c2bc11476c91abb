"""Parts of descriptions that several adapters say in the same words."""

from __future__ import annotations

from harness.model.cell import Status
from harness.model.job import Limits, Role, Step
from harness.model.tool import KnownFailure, NamedConfig, SettingSpec

TRAINED_STEPS = (Step.EXTRACT, Step.TRAIN, Step.CONVERT)
TRAINED_NEEDS = (Role.TEST_VIDEO, Role.ACTOR_TRAINING, Role.DONOR_TRAINING)


def number(
    name: str, default: float, minimum: float, maximum: float, help: str, unit: str | None = None
) -> SettingSpec:
    """A numeric setting within inclusive bounds; whole when the default is."""
    return SettingSpec(
        name=name, default=default, minimum=minimum, maximum=maximum, help=help, unit=unit
    )


def choice(name: str, choices: str, help: str) -> SettingSpec:
    """One of some words, of which the first is the default."""
    words = tuple(choices.split())
    return SettingSpec(name=name, default=words[0], choices=words, help=help)


def flag(name: str, default: bool, help: str) -> SettingSpec:
    """Yes or no."""
    return SettingSpec(name=name, default=default, help=help)


ITERATIONS = number("iterations", 100000, 0, 100000000, "Stop at so many; 0 is no limit.")
HOURS = number("hours", 0.0, 0, 1000, "Stop after so many hours of training; 0 is no limit.", "h")
DEFAULT = NamedConfig(
    name="default",
    help="The default of every setting.",
    # The default hour for a step would end a training long before its iterations do.
    limits=Limits(wall_s=86400.0),
)
TRAIN_INTERVAL = number("train_interval", 12, 1, 10000, "Training looks at every n-th frame.")

OUT_OF_GPU_MEMORY = KnownFailure(
    pattern=r"OOM when allocating tensor|ResourceExhaustedError|failed to allocate .* from device",
    status=Status.OOM,
    reason="The GPU's memory was not enough: lower the batch size or the model's size, or free the "
    "card of other programs.",
    example="Error: OOM when allocating tensor with shape[3,3,512,2048] and type float",
    source="TensorFlow 1; iperov/DeepFaceLab issues 494 and 906",
)
DIVERGED = KnownFailure(
    pattern=r"The training diverged",
    status=Status.TOOL_ERROR,
    reason="A loss became NaN, from where no training comes back; try other settings.",
    example="The training diverged: at iteration 412 the loss 'src' is no number any more.",
    source="containers/common/training.py",
)
NO_DISPLAY = KnownFailure(
    pattern=r"cannot connect to X server|could not connect to display|cannot open display",
    status=Status.TOOL_ERROR,
    reason="The tool wanted a window: this revision is not the one that its driver keeps from it.",
    example="qt.qpa.xcb: could not connect to display",
    source="iperov/DeepFaceLab issues 212 and 5552",
)
NO_GPU = KnownFailure(
    pattern=r"no CUDA-capable device|CUDA driver version is insufficient|found no GPU and would",
    status=Status.TOOL_ERROR,
    reason="The tool found no GPU it can use: `bench doctor` says what this machine has, and "
    "`bench images build --base` offers a base for older cards.",
    example="failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected",
    source="TensorFlow 1; shaoanlu/faceswap-GAN issue 17",
)
UNKNOWN_QUESTION = KnownFailure(
    pattern=r"The tool asks what this driver has no answer for",
    status=Status.TOOL_ERROR,
    reason="The tool's version asks something new; build the image from the recorded commit.",
    example="The tool asks what this driver has no answer for: [1] Number of moons :",
    source="containers/common/terminal.py",
)
