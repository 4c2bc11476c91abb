"""Everything a site shows, as frozen models: its files are a pure function of a Site."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from harness.core.base import Frozen
from harness.model.cohort import CohortScore
from reports.model import ReportCell, ReportData
from reports.plot import Figure
from reports.tables import Table


class Faces(StrEnum):
    """What a site shows of people."""

    NONE = "none"
    """No pixel of anybody: no frame, no reference face, no preview of a training."""
    PIXELATED = "pixelated"
    """Frames and reference faces in which no face is found any more."""
    FULL = "full"


class Picture(Frozen):
    """A JPEG file of the site."""

    path: str
    """Relative to the site's root."""
    data: bytes


class FramePair(Frozen):
    """One frame of a cell, before and after."""

    kind: str
    """``worst``, ``median``, ``best``, or ``sample`` where no swapped frame has a face."""
    frame: int
    distance_l2: float | None
    time_s: float | None
    original: Picture
    swapped: Picture


class Gallery(Frozen):
    """The pictures of one cell."""

    pairs: tuple[FramePair, ...] = ()
    note: str = ""
    """Why pictures are missing, when they are, as a sentence."""
    previews: tuple[tuple[int, Picture], ...] = ()
    """(iteration, picture) of a training."""


class CellFacts(Frozen):
    """What the store holds of a cell beside its score."""

    ended_at: str = ""
    """When its last attempt ended (ISO 8601); empty when there was none."""
    swapped_sha256: str = ""
    swapped_bytes: int = 0
    refused: str = ""
    """Why its result is not used, as a sentence; empty when it is, or when there is none."""


class Column(Frozen):
    """One column of the raw data."""

    name: str
    kind: str
    """DuckDB's type."""
    help: str


class RawTable(Frozen):
    """A documented view of the store, with the rows of the chosen cells only."""

    name: str
    help: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]


class Site(Frozen):
    """A selection of cells under one protocol, ready to be published."""

    report: ReportData
    """Without pictures: those of a site are in ``galleries`` and ``references``."""
    faces: Faces = Faces.NONE
    verified: bool = True
    """Whether the hash of every video was compared with the published one."""
    facts: Mapping[str, CellFacts] = {}
    """By cell id."""
    galleries: Mapping[str, Gallery] = {}
    """By cell id."""
    references: Mapping[str, Picture] = {}
    """Reference faces by the sha256 of the stored file."""
    raw: tuple[RawTable, ...] = ()
    cohorts: tuple[CohortScore, ...] = ()
    """What attackers make of the actors of each version and config, where that was computed."""

    def facts_of(self, cell: ReportCell) -> CellFacts:
        """The facts of a cell; blank ones when nothing is known."""
        return self.facts.get(cell.spec.id, CellFacts())

    def gallery_of(self, cell: ReportCell) -> Gallery:
        """The pictures of a cell; none when there are none."""
        return self.galleries.get(cell.spec.id, Gallery())

    def refused(self) -> dict[str, str]:
        """Cells whose result is not used, by name, and why."""
        known = {cell.spec.slug: self.facts_of(cell).refused for cell in self.report.cells}
        return {slug: reason for slug, reason in known.items() if reason}


class Entry(Frozen):
    """One entry of the feed. Its id follows from ``content`` alone, so that publishing the same
    again is no news.
    """

    title: str
    summary: str
    href: str
    """Relative to the site's root."""
    updated_at: str
    """When its numbers were measured (ISO 8601), never when it was published."""
    content: str
    """What makes it this entry and no other: hashes, versions."""


class ExtraPage(Frozen):
    """A page that something else makes of the same data: a comparison, a history.

    ``blocks`` are shown one below the other: a sentence, a table, or a figure.
    """

    path: str
    """Relative to the site's root: ``compare/faceswap-1-faceswap-3.html``."""
    section: str
    """The heading under which the index lists it: ``Comparisons``."""
    title: str
    lead: str
    """What it says, in a sentence or two."""
    blocks: tuple[str | Table | Figure, ...] = ()
    entries: tuple[Entry, ...] = ()
    """What the feed says of it."""
