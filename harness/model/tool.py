"""An adapter's statement about its tool: a pure description, no I/O."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from harness.core.base import Frozen
from harness.model.cell import Status
from harness.model.job import Limits, Role, Setting, Step


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return text


Regex = Annotated[str, AfterValidator(_regex)]


class SettingSpec(Frozen):
    """One setting of a tool: its default, its bounds, and what it does."""

    name: str
    default: Setting
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Setting, ...] | None = None
    unit: str | None = None


class Deviation(Frozen):
    """A departure of a config from the study it follows."""

    claim: str
    upstream: str
    applied: str
    reason: str


class NamedConfig(Frozen):
    """Settings under a name (``default``, ``thesis``, ``smoke``, ...)."""

    name: str
    settings: dict[str, Setting] = Field(default_factory=dict)
    help: str = ""
    versions: tuple[str, ...] = ()
    """The versions it fits; empty means all."""
    limits: Limits | None = None
    """Limits that its steps need, when those are more than the default."""
    deviations: tuple[Deviation, ...] = ()


class ChildProcess(Frozen):
    """The tool runs as ``python -m module`` on this machine."""

    kind: Literal["process"] = "process"
    module: str


class Container(Frozen):
    """The tool runs in a container whose image is built from the recipe in a package's folder."""

    kind: Literal["container"] = "container"
    recipe: str
    """The importable folder with Dockerfile, driver.py and versions.yaml: ``containers.deface``."""
    gpu: Literal["none", "optional", "required"] = "none"
    gpu_memory_bytes: int | None = None
    """Least memory for training, so that a small card is refused before hours are spent."""
    terminal: bool = False
    """The tool insists on a terminal: its container gets a pseudo-terminal."""
    network_steps: tuple[Step, ...] = ()
    """Steps that may use the network; recorded with every attempt. Empty for a sound recipe."""
    shm_bytes: int = 1 << 30
    scratch: tuple[str, ...] = ()
    """Folders of the image that the tool writes to, besides /tmp: kept in memory, then lost."""


class LogPattern(Frozen):
    """A line of a tool's own log that says how far it is.

    Groups by name: ``done``, ``total``, and ``loss_NAME`` for each loss; all numbers.
    """

    step: Step
    pattern: Regex
    unit: str
    example: str
    """A line as the tool writes it; the conformance suite matches it."""


class KnownFailure(Frozen):
    """A text in a tool's log that says why it failed, whatever its exit code."""

    pattern: Regex
    status: Status
    reason: str
    """A sentence for the user, with what to do next."""
    example: str
    source: str = ""
    """Origin of the text: a file, an issue, a run."""


class Tool(Frozen):
    """An adapter. ``control`` tools have a result that is known in advance."""

    name: str
    summary: str
    homepage: str
    licence: str
    versions: tuple[str, ...]
    """Newest last; the last is the default."""
    steps: tuple[Step, ...] = (Step.CONVERT,)
    needs: tuple[Role, ...] = (Role.TEST_VIDEO,)
    runs_as: ChildProcess | Container = Field(discriminator="kind")
    settings: tuple[SettingSpec, ...] = ()
    configs: tuple[NamedConfig, ...] = (NamedConfig(name="default"),)
    gallery_at_least: str | None = None
    """The setting that says how many people the gallery must hold, for a tool that needs one."""
    progress: tuple[LogPattern, ...] = ()
    failures: tuple[KnownFailure, ...] = ()
    """The first that matches the end of the log explains a step that failed."""
    control: bool = False
    expected: str | None = None
    """For a control: the right score, in words."""

    @property
    def uses_donor(self) -> bool:
        return not {Role.DONOR_REFERENCE, Role.DONOR_TRAINING, Role.DONOR_TEST}.isdisjoint(
            self.needs
        )


class ObserverTool(Tool):
    """A program that measures videos (its one step is ``observe``), found under the entry point
    group ``bench.observers``.
    """

    reader: str = Field(exclude=True)
    """The reader of the file that it leaves, importable: ``package.module:OBJECT``, an
    ``OutputReader`` of harness/observe/readers. No business of a script that lists tools.
    """
