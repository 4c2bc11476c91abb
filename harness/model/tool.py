"""What an adapter says about its tool: a pure description, no I/O."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.model.base import Frozen
from harness.model.job import Role, Setting, Step


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
    """Where a config departs from the study it follows."""

    claim: str
    upstream: str
    applied: str
    reason: str


class NamedConfig(Frozen):
    """Settings under a name (``default``, ``thesis``, ``smoke``, ...)."""

    name: str
    settings: dict[str, Setting] = Field(default_factory=dict)
    help: str = ""
    deviations: tuple[Deviation, ...] = ()


class ChildProcess(Frozen):
    """The tool runs as ``python -m module`` on this machine."""

    kind: Literal["process"] = "process"
    module: str


class Container(Frozen):
    """The tool runs in a container image built from ``containers/<folder>``."""

    kind: Literal["container"] = "container"
    folder: str


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
    control: bool = False
    expected: str | None = None
    """For a control: the right score, in words."""

    @property
    def uses_donor(self) -> bool:
        return Role.DONOR_REFERENCE in self.needs or Role.DONOR_TRAINING in self.needs
