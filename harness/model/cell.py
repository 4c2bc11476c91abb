"""The unit of work and what became of it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.core.hashing import content_hash
from harness.core.host import Host
from harness.model.dataset import GalleryFace, PreparedActor, PreparedDonor, Split
from harness.model.job import CONTRACT_VERSION, Limits, Setting, StepReport


class CellSpec(Frozen):
    """Inputs that can change a cell's result, and nothing else: their hash is the cell's id.

    Media are named by content, so a changed dataset is another cell; the host, the parallelism
    and the order of work are not part of it.
    """

    schema_version: int = SCHEMA_VERSION
    contract_version: int = CONTRACT_VERSION
    tool: str
    version: str
    image_digest: str | None = None
    config: str
    settings: dict[str, Setting]
    dataset: str
    split: Split
    actor: PreparedActor
    donor: PreparedDonor | None = None
    gallery: tuple[GalleryFace, ...] = ()
    """For a tool that needs it: the dataset's actors, by number. Not spelled out when empty."""
    seed: int = 0
    limits: Limits = Limits()

    @model_serializer(mode="wrap")
    def _spell(self, spell: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = spell(self)
        if not self.gallery:
            # Cells without a gallery keep the ids they had before there was such a field.
            del fields["gallery"]
        return fields

    @property
    def id(self) -> str:
        """64 hex digits."""
        return content_hash(self.model_dump(mode="json"))

    @property
    def slug(self) -> str:
        """A name for people: ``blur-1-default-actor03-1a2b3c4d5e6f``.

        The split is in it unless it is the default one.
        """
        donor = f"-{self.donor.name}" if self.donor else ""
        split = f"-{self.split}-split" if self.split is not Split.HELD_OUT else ""
        who = f"actor{self.actor.number:02d}{donor}{split}"
        text = f"{self.tool}-{self.version}-{self.config}-{who}"
        return f"{re.sub('[^A-Za-z0-9.]+', '-', text)[:80]}-{self.id[:12]}"


class Status(StrEnum):
    OK = "ok"
    TOOL_ERROR = "tool_error"
    TIMEOUT = "timeout"
    OOM = "oom"
    BAD_OUTPUT = "bad_output"
    INFRA_ERROR = "infra_error"
    CANCELLED = "cancelled"


class Resources(Frozen):
    """Resources that an attempt used."""

    wall_s: float
    cpu_s: float
    peak_memory_bytes: int
    gpu: str | None = None
    """The UUID of the GPU it was given."""


class Artifact(Frozen):
    """A file of a cell, relative to the cell's folder."""

    path: str
    sha256: str
    size_bytes: int


class Attempt(Frozen):
    """One try at a cell, stored whatever came of it."""

    schema_version: int = SCHEMA_VERSION
    cell_id: str
    number: int
    uuid: str
    started_at: str
    ended_at: str
    status: Status
    reason: str
    """A sentence; for ``ok``, ``done``."""
    exit_code: int | None
    log_tail: tuple[str, ...]
    resources: Resources
    host: Host
    steps: tuple[StepReport, ...] = ()
    environment: tuple[str, ...] = ()
    """Names (not values) of the caller's environment variables that a child process got."""
    deleted: tuple[str, ...] = ()
    """``step/name`` of what the tool left besides the contract's files; a few, then a count."""
    artifacts: tuple[Artifact, ...] = ()
    """Of a successful one: its video, then the previews. ``result.json`` says the same."""


class Result(Frozen):
    """``result.json``: published once, by atomic rename, only for a successful attempt."""

    schema_version: int = SCHEMA_VERSION
    cell_id: str
    attempt: str
    """Folder name below ``attempts/``."""
    swapped: Artifact
    steps: tuple[StepReport, ...]
    previews: tuple[Artifact, ...] = ()
    """Pictures of the swap during training, by iteration; the file's name is its number."""
