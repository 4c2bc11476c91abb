"""Units of work as plain data: what is to be done, and never by which thread, process or machine.

A request is frozen, versioned and picklable, and refers to files by content or by their paths in
the material and the store: so it can be kept, or sent to any process that sees both at the same
place. What only the performer can know (the store, what runs tools, whom to report to) is its
``WorkContext``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.core.errors import UnfitMachineError
from harness.core.hashing import content_hash
from harness.core.paths import models_dir
from harness.model.cell import CellSpec
from harness.model.dataset import Dataset, MediaRef, Split
from harness.model.job import CONTRACT_VERSION, Limits, Role, Setting
from harness.model.measurement import MeasurementRequest
from harness.model.protocol import Protocol
from harness.model.score import CellScore
from harness.model.tool import Tool
from harness.model.video import VideoRef
from harness.tools.runtime.base import Runtime


class Request(Frozen):
    """One unit of work. A kind whose fields change their meaning gets another ``version``."""

    watches_tool: ClassVar[bool] = False
    """A tool's own process does the work, and whoever performs the request only watches it."""

    version: int = 1
    needs: tuple[str, ...] = ()
    """Products of other requests that must be in the store first, by their hashes."""

    @classmethod
    def known_version(cls) -> int:
        """The version that this release makes and performs."""
        return int(cls.model_fields["version"].default)


class PrepareActor(Request):
    """An actor's clips become a training video, a test video and a reference face."""

    dataset: Dataset
    number: int
    split: Split


class PrepareDonor(Request):
    """A donor gets the same as an actor: a donor of the dataset, or an actor who stands in."""

    dataset: Dataset
    name: str


class TrainModel(Request):
    """One model that several cells share, stored by what it was trained from."""

    watches_tool: ClassVar[bool] = True

    tool: Tool
    tool_version: str
    image_digest: str | None = None
    settings: dict[str, Setting]
    inputs: dict[Role, MediaRef]
    limits: Limits = Limits()
    seed: int = 0

    @property
    def product(self) -> str:
        """The model's name, 64 hex digits: the hash of everything that can change the model, and of
        nothing else, as a cell's id is.
        """
        trained_from = self.model_dump(
            mode="json", include={"tool_version", "image_digest", "settings", "limits", "seed"}
        )
        return content_hash(
            {
                **trained_from,
                "schema_version": SCHEMA_VERSION,
                "contract_version": CONTRACT_VERSION,
                "tool": self.tool.name,
                "inputs": {role.value: media.sha256 for role, media in self.inputs.items()},
                "needs": sorted(self.needs),
            }
        )


def product_folder(home: Path, product: str) -> Path:
    """The folder of a product; it is there once the product is whole."""
    return models_dir(home) / product


class RunCell(Request):
    """A cell's steps, unless it has a result already.

    ``wait``: a cell that another process runs is waited for, not handed back as busy. ``known`` is
    the number of the last attempt that was there when the command began: a newer one that failed is
    another process's try of just now, and is taken over.
    """

    watches_tool: ClassVar[bool] = True

    spec: CellSpec
    tool: Tool
    wait: bool = False
    known: int | None = None


class MeasureVideo(Request):
    """Measurements that scores need of one video."""

    measurement: MeasurementRequest


class OutsideObserver(Frozen):
    """An observer that is a program of its own, and the image it runs from."""

    tool: Tool
    image_digest: str | None = None


class ObserveVideo(Request):
    """An outside observer's measurement of one video."""

    watches_tool: ClassVar[bool] = True

    measurement: MeasurementRequest
    observer: OutsideObserver


@dataclass(frozen=True)
class ScorableCell:
    """A finished cell with what its score depends on: found once, then handed on."""

    spec: CellSpec
    protocol: Protocol
    original: VideoRef
    swapped: VideoRef
    versions: Mapping[str, str]
    """The inputs of the score that are known before anything is measured: hashes of files,
    versions of observers, the recognisers that are asked for."""


class ScoreCell(Request):
    """A finished cell's score, from what was measured of its videos."""

    cell: ScorableCell


class AttackCohort(Request):
    """The attacks on cells that differ in actor and donor only; ``key`` names their score."""

    specs: tuple[CellSpec, ...]
    scores: tuple[CellScore, ...]
    key: str
    protocol: Protocol


Listen = Callable[..., None]
"""Gets what a performer reports as it goes, in any thread: an ``Event`` of a tool that it watches,
else what is being measured, the units done and the units in all."""


def ignore(*_: object) -> None:
    """A listener for work that nobody follows."""


@dataclass(frozen=True)
class WorkContext:
    """Facts about the place where requests are performed; none of them changes a result.

    ``runtimes`` maps a tool's kind (``process``, ``container``) to what runs it. An attempt at a
    cell that ends as ``infra_error`` is repeated ``infra_retries`` times, after ``backoff_s``,
    twice that... ``stop`` ends long work; it is then stored as cancelled.
    """

    home: Path
    runtimes: Mapping[str, Runtime] = field(default_factory=dict)
    infra_retries: int = 2
    backoff_s: float = 1.0
    stop: threading.Event = field(default_factory=threading.Event)
    listen: Listen = ignore

    def select_runtime(self, tool: Tool) -> Runtime:
        """The runtime of ``tool``; raises UnfitMachineError when nothing here can run it."""
        kind = tool.runs_as.kind
        if kind not in self.runtimes:
            raise UnfitMachineError(
                f"{tool.name} runs as a {kind}, which this machine is not set up for.",
                hint="See `bench doctor`.",
            )
        return self.runtimes[kind]

    def device(self, tool: Tool) -> str | None:
        """The device that ``tool`` needs for itself here, such as a GPU; None when several may run
        at once.
        """
        runtime = self.runtimes.get(tool.runs_as.kind)
        return runtime.device(tool) if runtime else None
