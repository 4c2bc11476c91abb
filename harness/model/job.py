"""The driver contract: one process, one step, one JSON file in, files out."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.core.base import Frozen

CONTRACT_VERSION = 1
REPORT_NAME = "step.json"
SWAPPED_NAME = "swapped.mp4"
OBSERVATION_NAME = "observation.csv"
PREVIEWS_NAME = "previews"
"""Everything that a driver may leave in ``out``."""

Setting = bool | int | float | str
Count = Annotated[int, Field(ge=0, le=(1 << 31) - 1)]
"""A driver's count of something; more than a column of a query holds is none."""


class Step(StrEnum):
    EXTRACT = "extract"
    TRAIN = "train"
    CONVERT = "convert"
    OBSERVE = "observe"
    """Measure one video; for observers such as OpenFace, which are no face-swap tools."""


class ExitCode(IntEnum):
    """Meanings of a driver's exit codes; anything else is a crash."""

    DONE = 0
    BAD_JOB = 64
    INPUT_UNUSABLE = 65
    TOOL_FAILED = 70
    TRANSIENT = 75


class Role(StrEnum):
    """The inputs a driver may be given. A path is present only when the cell has it."""

    TEST_VIDEO = "test_video"
    """The video to be de-identified."""
    ACTOR_TRAINING = "actor_training"
    ACTOR_REFERENCE = "actor_reference"
    DONOR_TRAINING = "donor_training"
    DONOR_REFERENCE = "donor_reference"
    DONOR_TEST = "donor_test"
    """A clip of the donor that is neither trained on nor looked at for the reference."""
    GALLERY = "gallery"
    """A folder with one reference face for each actor of the dataset, and ``gallery.json``."""
    FACE_LANDMARKER = "face_landmarker"
    """MediaPipe's face_landmarker.task model, for embedded tools."""
    VIDEO = "video"
    """The video that an observer measures."""


class Limits(Frozen):
    """Limits of a step. None means no limit of that kind."""

    wall_s: float = Field(default=3600.0, gt=0, allow_inf_nan=False)
    memory_bytes: int | None = Field(default=None, ge=1)
    output_bytes: int | None = Field(default=None, ge=1)
    log_bytes: int = Field(default=16 << 20, ge=1)
    iterations: int | None = Field(default=None, ge=1)


class Job(Frozen):
    """``/job/job.json``. ``inputs`` maps a Role to a read-only path."""

    contract_version: int = CONTRACT_VERSION
    step: Step
    tool: str
    version: str
    image_digest: str | None = None
    """Digest of the image that runs, when it is a container."""
    inputs: dict[Role, str]
    state: str
    out: str
    settings: dict[str, Setting]
    limits: Limits
    gpu: bool = False
    """True when the tool can use a GPU; a container gets one only where there is one."""
    seed: int = 0


class StepReport(Frozen):
    """``/out/step.json``: what a step did, in the driver's own count."""

    step: Step
    frames: Count | None = None
    frames_without_face: Count | None = None
    frames_with_several_faces: Count | None = None
    faces_found: dict[str, Count] = {}
    iterations: Count | None = None
    upstream_revision: str | None = None
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _within_the_frames(self) -> Self:
        for name in ("frames_without_face", "frames_with_several_faces"):
            part = getattr(self, name)
            if self.frames is not None and part is not None and part > self.frames:
                raise ValueError(f"{name} is {part:,}, and there are {self.frames:,} frames")
        return self


class Event(Frozen):
    """One ``@bench`` line. ``kind`` is ``progress``, ``loss`` or ``note``."""

    kind: str
    done: float | None = None
    total: float | None = None
    unit: str | None = None
    text: str | None = None
    values: dict[str, float] = {}
