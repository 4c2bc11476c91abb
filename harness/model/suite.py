"""A suite names cells and how to score them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from harness.core.base import Frozen
from harness.core.hashing import content_hash
from harness.model.dataset import Sex, Split
from harness.model.identity import IdentityPath
from harness.model.job import Limits, Setting

MOST_NAME_CHARS = 100
"""Of the name of a suite, a dataset or a donor: it is shown in tables and is in names of files."""


class DonorRule(StrEnum):
    """Donors that are chosen for each actor, not named."""

    SAME_SEX = "same-sex"
    """The dataset's first of the actor's sex."""
    OTHER_SEX = "other-sex"
    BOTH_SEXES = "both-sexes"
    """The first of each sex."""
    ALL = "all"
    NEXT_ACTOR = "next-actor"
    """The actor who comes next in the dataset stands in, where donors have no videos."""


class ToolEntry(Frozen):
    tool: str
    version: str | None = None
    """None means the adapter's newest."""
    config: str = "default"
    set: dict[str, Setting] = Field(default_factory=dict)


class SuiteProtocol(Frozen):
    frames: int = Field(default=1000, ge=2)
    seed: int = 2020
    identity: IdentityPath = IdentityPath.FAST
    recognisers: tuple[str, ...] = ()
    """Other recognisers that measure every video too: names, or paths of ONNX files."""
    observers: tuple[str, ...] = ()
    """Programs of their own that measure every video too, such as ``openface``."""


class Repeat(Frozen):
    """Cells that are run several times, with one seed after the other, to know how much a result
    moves from run to run."""

    times: int = Field(ge=2, le=100)
    actors: str = "all"
    """The reference cells: those of these of the suite's actors."""


class Suite(Frozen):
    """A YAML file under ``benchmarks/suites/`` or anywhere else."""

    name: str = Field(min_length=1, max_length=MOST_NAME_CHARS)
    summary: str = ""
    dataset: str = "sample"
    split: Split = Split.HELD_OUT
    tools: tuple[ToolEntry, ...]
    actors: str = "all"
    """``all`` or numbers and ranges: ``1-4,7``."""
    donors: str = "same-sex"
    """A rule of ``DonorRule``, or names, comma-separated."""
    donors_of_each_sex: int = Field(default=1, ge=1)
    """Number of different ones there must be: with one of each sex, donor and sex are one
    variable."""
    seed: int = 0
    repeat: Repeat | None = None
    limits: Limits | None = None
    """Limits of a step; None leaves them to each config."""
    protocol: SuiteProtocol = SuiteProtocol()
    also: tuple[str, ...] = ()
    """Suites whose finished cells its report is to be compared with, too."""


class PlannedCell(Frozen):
    """A cell before its actor and donor are prepared."""

    tool: str
    version: str
    config: str
    settings: dict[str, Setting]
    limits: Limits = Limits()
    actor: int
    donor: str | None
    seed: int = 0

    @property
    def name(self) -> str:
        """``blur-1-default-actor03-anna``, for people."""
        parts = [self.tool, self.version, self.config, f"actor{self.actor:02d}", self.donor]
        return "-".join(part for part in parts if part)


class UnpreparedCell(Frozen):
    """A cell that was asked for and has no spec, since nothing is prepared of its people."""

    dataset: str
    split: Split
    cell: PlannedCell
    sex: Sex
    donor_sex: Sex | None = None
    reason: str
    """The reason why they cannot be prepared, as sentences."""

    @property
    def sentence(self) -> str:
        """The reason, as it stands alongside those of failed cells."""
        return f"Could not be prepared: {self.reason}"

    @property
    def key(self) -> str:
        """64 hex digits: the same whatever the reason is."""
        return unprepared_key(self.dataset, self.split, self.cell)


def unprepared_key(dataset: str, split: Split, cell: PlannedCell) -> str:
    """The key of a cell's record, where it cannot be prepared."""
    return content_hash([dataset, split.value, cell.model_dump(mode="json")])
