"""A tool's page: its versions, configs and settings, its actors, and how its distances spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.core.base import Frozen
from harness.model.cohort import CohortScore
from reports.aggregate import attribute_sources, cells_of, is_control, variants
from reports.behaviour import behaviour_view
from reports.boxes import box_figure, undetected_sentences
from reports.model import ReportCell, ReportData
from reports.plot import Figure
from reports.quality import quality_table
from reports.recognisers import recognisers_table
from reports.site.attacks import attack_table
from reports.site.index_view import leaderboard_table
from reports.site.leaderboard import Row, cohorts_of
from reports.site.model import Site
from reports.site.paths import cell_page, relative
from reports.tables import Table, actor_table
from reports.units import METRICS, coverage_table, unit_figure, unit_table


class Variant(Frozen):
    """One version and config of the tool."""

    name: str
    facts: tuple[tuple[str, str], ...]
    """Name and value of what it is and of its settings."""
    actors: Table
    attacks: tuple[Table, ...]
    """One for each cohort."""
    boxes: Figure | None


def tool_view(
    site: Site, cells: Sequence[ReportCell], page: str, rows: Sequence[Row]
) -> dict[str, Any]:
    """The template's data for one tool's cells; ``rows`` are the whole site's, so that a rank is
    the same on every page."""
    tool = cells[0].spec.tool
    data = site.report.model_copy(update={"cells": tuple(cells)})
    names = variants(data)
    found = [_variant(data, name, i, page, site.cohorts) for i, name in enumerate(names)]
    sources = attribute_sources(data)
    own = [row for row in rows if row.name in names]
    table = leaderboard_table("Versions and configs", own)
    places = [names.index(row.name) + 1 for row in own]
    return {
        "info": data.tools.get(tool),
        "control": is_control(data, names[0]),
        "short": with_links(table, [f"#version-{place}" for place in places]),
        "variants": found,
        "undetected": undetected_sentences(data),
        "units": [_units(data, source, k) for k, source in enumerate(sources)],
        "behaviour": behaviour_view(data, sources[0] if sources else None),
        "quality": quality_table(data),
        "recognisers": recognisers_table(data),
        "deviations": [d for d in data.deviations if d.tool == tool],
        "plots": True,
    }


def with_links(table: Table, targets: Sequence[str]) -> Table:
    """The table with its first column leading to ``targets``, one for each row."""
    rows = (
        (row[0].model_copy(update={"href": target}), *row[1:])
        for row, target in zip(table.rows, targets, strict=True)
    )
    return table.model_copy(update={"rows": tuple(rows)})


def _variant(
    data: ReportData, name: str, i: int, page: str, cohorts: Sequence[CohortScore]
) -> Variant:
    cells = cells_of(data, name)
    links = [relative(cell_page(cell.spec.slug), page) for cell in cells]
    return Variant(
        name=name,
        facts=variant_facts(cells[0]),
        actors=with_links(actor_table(data, name), links),
        attacks=tuple(attack_table(one) for one in cohorts_of(cells, cohorts)),
        boxes=box_figure(data, name, i),
    )


def variant_facts(cell: ReportCell) -> tuple[tuple[str, str], ...]:
    """Version, image, config and every setting."""
    spec = cell.spec
    image = [("Image", spec.image_digest)] if spec.image_digest else []
    settings = [(name, str(value)) for name, value in sorted(spec.settings.items())]
    return ("Version", spec.version), *image, ("Config", spec.config), *settings


def _units(data: ReportData, source: str, k: int) -> dict[str, Any]:
    figures = [
        unit_figure(data, name, source, 1000 * k + i) for i, name in enumerate(variants(data))
    ]
    return {
        "source": source,
        "tables": [unit_table(data, source, metric) for metric in METRICS],
        "coverage": coverage_table(data, source),
        "figures": [figure for figure in figures if figure],
    }
