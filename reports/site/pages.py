"""Renders the pages of a site: what every page has, and which view fills which template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.model.dataset import Split
from harness.scoring.detected import NOT_DETECTED_LOSS
from reports.aggregate import frozen_note
from reports.model import ReportCell
from reports.plot import threshold_of
from reports.render import environment
from reports.site import paths
from reports.site.actor_view import actor_groups, actor_view
from reports.site.cell_view import cell_view
from reports.site.index_view import index_view
from reports.site.leaderboard import Row
from reports.site.model import ExtraPage, Faces, Site
from reports.site.tool_view import tool_view
from reports.tables import Table
from reports.verdict import Judged

POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src {images}; "
    "base-uri 'none'; form-action 'none'"
)
"""Nothing is loaded from elsewhere. Plotly sets styles of its own; without faces no picture can be
loaded at all."""
FACES_WORDS = {
    Faces.NONE: "No frame and no face of anybody is on these pages.",
    Faces.PIXELATED: "Faces are pixelated on these pages.",
    Faces.FULL: "Shows real people. Use it only with their consent and within the licences of the "
    "videos.",
}


@dataclass(frozen=True)
class Ranked:
    """The verdict on a site's tools, and its lines in order."""

    judged: Judged
    rows: tuple[Row, ...]


class Pages:
    """All pages of one site."""

    def __init__(
        self, site: Site, ranked: Ranked, how_to_cite: str, extra: Sequence[ExtraPage]
    ) -> None:
        self._site, self._ranked, self._cite, self._extra = site, ranked, how_to_cite, extra
        self._environment = environment()
        images = "'self' data:" if site.faces is not Faces.NONE else "data:"
        data = site.report
        self._common: dict[str, Any] = {
            "csp": POLICY.format(images=images),
            "site": site,
            "data": data,
            "paths": paths,
            "extra": extra,
            "faces_words": FACES_WORDS[site.faces],
            "thesis_split": any(c.spec.split is Split.THESIS for c in data.cells),
            "threshold": threshold_of(data),
        }

    def files(self) -> Iterator[tuple[str, bytes]]:
        """(path, content) of every page."""
        site, data = self._site, self._site.report
        shown = {"extra_sections": self._sections(), "how_to_cite": self._cite}
        rows = self._ranked.rows
        index = index_view(site, rows, self._ranked.judged)
        yield self._page(paths.INDEX, "index.j2", data.title, index | shown)
        tools: dict[str, list[ReportCell]] = {}
        for cell in data.cells:
            tools.setdefault(cell.spec.tool, []).append(cell)
        for tool, cells in tools.items():
            page = paths.tool_page(tool)
            yield self._page(page, "tool.j2", tool, tool_view(site, cells, page, rows))
        for page, cells in actor_groups(data).items():
            spec = cells[0].spec
            title = f"Actor {spec.actor.number}, {spec.dataset}"
            yield self._page(page, "actor.j2", title, actor_view(site, cells, page))
        for cell in data.cells:
            page = paths.cell_page(cell.spec.slug)
            title = f"{cell.variant}, actor {cell.spec.actor.number}"
            yield self._page(page, "cell.j2", title, cell_view(site, cell, page))
        yield self._page(paths.DATA, "data.j2", "The data", {"how_to_cite": self._cite})
        yield self._page(paths.METHODS, "methods_page.j2", "Methods and limits", self._methods())
        for one in self._extra:
            blocks = [(self._kind(block), block) for block in one.blocks]
            plots = any(kind == "figure" for kind, _ in blocks)
            told = {"lead": one.lead, "blocks": blocks, "plots": plots}
            yield self._page(one.path, "extra.j2", one.title, told)

    def _page(
        self, page: str, template: str, title: str, shown: dict[str, Any]
    ) -> tuple[str, bytes]:
        to = partial(paths.relative, page=page)
        whole = {"plots": False} | self._common | {"page": page, "title": title, "to": to} | shown
        text = self._environment.get_template(f"site/{template}").render(whole)
        return page, text.encode()

    def _methods(self) -> dict[str, Any]:
        data = self._site.report
        return {
            "identity": next((c.score.identity for c in data.cells if c.score), None),
            "not_detected_loss": NOT_DETECTED_LOSS,
            "frozen_note": frozen_note(data),
            "attacks": bool(self._site.cohorts),
        }

    def _sections(self) -> dict[str, list[ExtraPage]]:
        """Extra pages by the heading they stand under, in their order."""
        found: dict[str, list[ExtraPage]] = {}
        for one in self._extra:
            found.setdefault(one.section, []).append(one)
        return found

    @staticmethod
    def _kind(block: object) -> str:
        if isinstance(block, str):
            return "words"
        return "table" if isinstance(block, Table) else "figure"
