"""An actor's page: the same person under every tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.aggregate import attribute_sources, attributes, is_control
from reports.model import UNUSABLE, ReportCell, ReportData
from reports.site.model import Site
from reports.site.paths import actor_page, cell_page, relative
from reports.tables import (
    CELL_COLUMNS,
    CELL_NOTE,
    Table,
    TableCell,
    actor_row,
    number,
    text,
)


def actor_groups(data: ReportData) -> dict[str, list[ReportCell]]:
    """The cells of each actor by the actor's page, by dataset and number."""
    order = sorted(data.cells, key=lambda c: (c.spec.dataset, c.spec.actor.number))
    found: dict[str, list[ReportCell]] = {}
    for cell in order:
        found.setdefault(actor_page(cell.spec), []).append(cell)
    return found


def actor_view(site: Site, cells: Sequence[ReportCell], page: str) -> dict[str, Any]:
    """What the template shows of one actor's cells."""
    data = site.report
    prepared = [cell.spec.actor for cell in cells if cell.status != UNUSABLE]
    actors = {actor.reference.sha256: actor for actor in prepared}
    return {
        "actor": cells[0].spec.actor,
        "references": [(actor, site.references.get(sha)) for sha, actor in actors.items()],
        "every": _table(data, sorted(cells, key=lambda c: is_control(data, c.variant)), page),
    }


def _table(data: ReportData, cells: Sequence[ReportCell], page: str) -> Table:
    sources = attribute_sources(data)
    return Table(
        title="Every tool on this person",
        columns=("Tool", *CELL_COLUMNS[1:], "Mean PCC"),
        rows=tuple(_row(data, cell, sources[0] if sources else None, page) for cell in cells),
        note=f"{CELL_NOTE} Mean PCC: correlation of action units{_named(sources)}.",
    )


def _row(
    data: ReportData, cell: ReportCell, source: str | None, page: str
) -> tuple[TableCell, ...]:
    name = f"{cell.variant} (control)" if is_control(data, cell.variant) else cell.variant
    found = attributes(cell, source) if source else None
    reason = cell.reason or "no action unit could be measured"
    return (
        text(name).model_copy(update={"href": relative(cell_page(cell.spec.slug), page)}),
        *actor_row(cell)[1:],
        number(found.mean_pcc if found else None, reason),
    )


def _named(sources: Sequence[str]) -> str:
    return f" ({sources[0]})" if sources else ""
