"""People of a dataset, the clips that show them, and which of these may be trained on."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field

from harness.core.base import Frozen
from harness.model.video import VideoInfo


class Sex(StrEnum):
    MALE = "male"
    FEMALE = "female"


class Split(StrEnum):
    """Division of an actor's clips."""

    HELD_OUT = "held-out"
    """Test takes are never in the training video (the default)."""
    THESIS = "thesis"
    """Trains on every take, the test takes too, as the 2020 thesis did."""


class Part(StrEnum):
    """Use of a clip."""

    TRAINING = "training"
    """Trained on, whatever the split."""
    TEST = "test"
    """Shown in the test video; trained on in the thesis split only."""
    THESIS_ONLY = "thesis-only"
    """Never shown, and trained on in the thesis split only: it is too near to a test clip."""


class Span(Frozen):
    """A stretch of a clip, in seconds from its start; ``end_s`` None means to the end."""

    start_s: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    end_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class Clip(Frozen):
    """One video file (or a stretch of it) that shows one actor."""

    path: Path
    expression: str | None = None
    part: Part = Part.TRAINING
    span: Span | None = None
    stream: int | None = Field(default=None, ge=1)
    """Picture stream to use, from 1, of a file that has several; None to choose by the file."""


class Crop(Frozen):
    """A rectangle in pixels; ``x`` and ``y`` are its left top corner."""

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class Photo(Frozen):
    path: Path
    crop: Crop | None = None


class Source(Frozen):
    """Origin of material, and its licence."""

    name: str
    url: str
    licence: str
    note: str = ""


class Actor(Frozen):
    """A person whose identity is to be hidden."""

    number: int
    sex: Sex
    clips: tuple[Clip, ...]
    photo: Photo | None = None
    """The reference face, when the user names one; else the best training frame is chosen."""
    source: Source | None = None
    remark: str = ""
    """Remark to show before the actor is used: that clips are missing, for one."""


class Donor(Frozen):
    """A person whose face is put on. A donor has clips, a photo, or both."""

    name: str
    sex: Sex
    clips: tuple[Clip, ...] = ()
    photo: Photo | None = None
    source: Source | None = None


class Dataset(Frozen):
    """A named set of actors and donors; paths are absolute."""

    name: str
    actors: tuple[Actor, ...]
    donors: tuple[Donor, ...] = ()
    sources: tuple[Source, ...] = ()
    path: Path | None = None
    """The manifest, or the folder that was named; None for a dataset that has its own place."""
    more: str = ""
    """Way to get actors that it can have and has not, as a sentence."""


class MediaRef(Frozen):
    """A file in the store's ``media/``, named by its content."""

    sha256: str
    suffix: str
    """``.mp4`` or ``.png``."""
    info: VideoInfo | None = None
    """Known for videos."""


class PreparedActor(Frozen):
    """Parts of its actor that a cell needs: everything by content hash."""

    number: int
    sex: Sex
    split: Split
    training: MediaRef | None
    """All training clips in one video; None when the dataset has no training material."""
    test: MediaRef
    reference: MediaRef
    """The reference face, a PNG; never from the test video."""
    reference_note: str
    """Note on how the reference was chosen, for the report."""


class GalleryFace(Frozen):
    """One person of a gallery, by the reference face that stands for them."""

    number: int
    sex: Sex
    reference: MediaRef


class PreparedDonor(Frozen):
    name: str
    sex: Sex
    training: MediaRef | None
    test: MediaRef | None = None
    """The clips marked as test, when there are any: an actor's who stands in for a donor."""
    reference: MediaRef
    reference_note: str
