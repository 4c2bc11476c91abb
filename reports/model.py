"""Everything a report shows, as frozen models: a page is a pure function of a ReportData."""

from __future__ import annotations

from harness.core.base import Frozen
from harness.core.host import Host
from harness.model.cell import CellSpec, Status
from harness.model.cohort import CohortScore
from harness.model.dataset import Source
from harness.model.job import StepReport
from harness.model.score import CellScore
from harness.model.tool import Deviation

NOT_RUN = "not_run"
NOT_SCORED = "not_scored"
UNUSABLE = "unusable"


class ToolInfo(Frozen):
    """What a report says of a tool."""

    name: str
    summary: str = ""
    homepage: str = ""
    licence: str = ""
    control: bool = False
    expected: str | None = None


class AttemptNote(Frozen):
    """One attempt, in short."""

    number: int
    status: Status
    reason: str
    started_at: str
    wall_s: float
    peak_memory_bytes: int
    gpu: str | None = None
    host: Host


class EvidencePair(Frozen):
    """One frame, original and swapped, as data URIs (JPEG)."""

    kind: str
    """``worst``, ``median``, ``best``, or ``sample`` where no swapped frame has a face."""
    frame: int
    distance_l2: float | None
    """SW-OR; None for a ``sample``."""
    time_s: float | None = None
    """Since the start of the video; None when its frame rate is not known."""
    original: str
    swapped: str


class TrainingPicture(Frozen):
    """What a swap looked like at one iteration of its training, as a data URI (JPEG)."""

    iteration: int
    picture: str


class ConfigDeviations(Frozen):
    """Where a config that was used departs from the study it follows."""

    tool: str
    config: str
    help: str = ""
    deviations: tuple[Deviation, ...]


class ReportCell(Frozen):
    """One cell: what was asked, what became of it, and what it scored."""

    spec: CellSpec
    variant: str
    """The name of the column a cell belongs to: the tool, and what tells it from its namesakes."""
    status: str
    """A Status, ``not_run``, ``not_scored``, or ``unusable``: asked for and not prepared, so that
    its spec names no video and no face, and is in no store."""
    reason: str
    """Why there is no score; empty when there is one."""
    attempts: tuple[AttemptNote, ...] = ()
    steps: tuple[StepReport, ...] = ()
    score: CellScore | None = None
    evidence: tuple[EvidencePair, ...] = ()
    evidence_note: str = ""
    """Why frames are missing, when they are."""
    previews: tuple[TrainingPicture, ...] = ()
    """A few of those that its training left, in order."""
    previews_kept: int = 0
    """How many the store has."""


class ReportData(Frozen):
    """A selection of cells under one protocol, ready to be shown."""

    title: str
    protocol: str
    generated_at: str
    bench_version: str
    cells: tuple[ReportCell, ...]
    tools: dict[str, ToolInfo] = {}
    faces: dict[str, str] = {}
    """Reference faces as data URIs, by the sha256 of the PNG."""
    sources: tuple[Source, ...] = ()
    deviations: tuple[ConfigDeviations, ...] = ()
    """Of the configs in use, where their adapters are installed."""
    image_note: str = ""
    """How evidence frames were scaled and compressed."""
    cohorts: tuple[CohortScore, ...] = ()
    """What attackers make of these cells; only those that were computed for just them."""
    earlier: tuple[str, ...] = ()
    """Sentences: how many cells of an earlier manifest, image or suite are left out, or shown."""
    material: tuple[str, ...] = ()
    """Remarks on the people's clips: HDR, interlaced, missing."""
    beside: tuple[ReportCell, ...] = ()
    """Cells of other suites that the comparison with the study needs; shown nowhere else."""
