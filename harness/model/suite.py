"""A suite names cells and how to score them."""

from __future__ import annotations

from pydantic import Field

from harness.model.base import Frozen
from harness.model.dataset import Split
from harness.model.job import Limits, Setting


class ToolEntry(Frozen):
    tool: str
    version: str | None = None
    """None means the adapter's newest."""
    config: str = "default"
    set: dict[str, Setting] = Field(default_factory=dict)


class SuiteProtocol(Frozen):
    frames: int = Field(default=1000, ge=2)
    seed: int = 2020
    observers: tuple[str, ...] = ()
    """Programs of their own that measure every video too, such as ``openface``."""


class Suite(Frozen):
    """A YAML file under ``benchmarks/suites/`` or anywhere else."""

    name: str
    summary: str = ""
    dataset: str = "sample"
    split: Split = Split.HELD_OUT
    tools: tuple[ToolEntry, ...]
    actors: str = "all"
    """``all`` or numbers and ranges: ``1-4,7``."""
    donors: str = "same-sex"
    """``same-sex``, ``other-sex``, ``all`` or names, comma-separated."""
    seed: int = 0
    limits: Limits | None = None
    """What a step may use; None leaves it to each config."""
    protocol: SuiteProtocol = SuiteProtocol()


class PlannedCell(Frozen):
    """A cell before its actor and donor are prepared."""

    tool: str
    version: str
    config: str
    settings: dict[str, Setting]
    limits: Limits = Limits()
    actor: int
    donor: str | None
