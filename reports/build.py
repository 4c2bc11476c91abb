"""Builds one self-contained page from a ReportData. No network, no store: data in, one file out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.model.dataset import Split
from harness.results.headline import RULE
from harness.scoring.detected import NOT_DETECTED_LOSS
from reports.aggregate import (
    actor_ranges,
    attribute_sources,
    attributes,
    cells_of,
    frozen_note,
    is_control,
    variants,
)
from reports.attackers import attackers_view
from reports.behaviour import behaviour_view
from reports.boxes import KEY, box_figure, summary_boxes, undetected_sentences
from reports.cautions import cautions
from reports.controls import control_checks
from reports.headline import headline
from reports.leaks import leaks_view
from reports.model import ReportCell, ReportData
from reports.paired import paired_table
from reports.plot import threshold_of
from reports.provenance import (
    host_lines,
    provenance_table,
    reference_rows,
    tool_cards,
    tool_licences,
)
from reports.quality import quality_table
from reports.readings import readings_table, swapped_readings
from reports.recognisers import recognisers_table
from reports.render import whole_page, write_page
from reports.scatter import scatter_figure
from reports.study import study_view
from reports.tables import actor_tables, failure_table, overview_table
from reports.units import METRICS, coverage_table, undrawn, unit_figure, unit_table
from reports.verdict import judge

__all__ = ["build_report", "headline", "page"]


def build_report(data: ReportData, out: Path) -> Path:
    """Writes the report to ``out``, as ``write_page`` does."""
    return write_page(page(data), out)


def page(data: ReportData) -> str:
    """The whole report as text."""
    return whole_page("report.html.j2", view(data), ("plotly", "page"))


def view(data: ReportData) -> dict[str, Any]:
    """What the template shows, in its words."""
    sources = attribute_sources(data)
    source = sources[0] if sources else None
    names = variants(data)
    judged = judge(data)
    actors = sorted({c.spec.actor.number for c in data.cells})
    return {
        "data": data,
        "headline": judged.cards,
        "not_ranked": judged.left_out,
        "ranking_note": RULE,
        "cautions": cautions(data),
        "scored": sum(cell.score is not None for cell in data.cells),
        "total": len(data.cells),
        "actors": actors,
        "actor_words": actor_ranges(actors),
        "datasets": sorted({c.spec.dataset for c in data.cells}),
        "thesis_split": any(c.spec.split is Split.THESIS for c in data.cells),
        "variants": [(n, is_control(data, n), cells_of(data, n)) for n in names],
        "cards": tool_cards(data),
        "licences": tool_licences(data),
        "readings": swapped_readings(data),
        "readings_table": readings_table(data),
        "recognisers": recognisers_table(data),
        "overview": overview_table(data, source),
        "scatter": scatter_figure(data, source),
        "attackers": attackers_view(data),
        "attacks": bool(data.cohorts),
        "leaks": leaks_view(data),
        "behaviour": behaviour_view(data, source),
        "quality": quality_table(data),
        "paired": paired_table(data, source, judged.verdict),
        "box_summary": summary_boxes(data),
        "boxes": [f for i, name in enumerate(names) if (f := box_figure(data, name, i))],
        "box_key": KEY,
        "undetected": undetected_sentences(data),
        "actor_tables": actor_tables(data),
        "units": [_source_view(data, source, k) for k, source in enumerate(sources)],
        "trained": (trained := _trained(data)),
        "study": (study := study_view(data)),
        "left_out": _without(data.deviations, "deviations")
        + _without(trained, "training")
        + _without(study, "study"),
        "checks": control_checks(data),
        "failures": failure_table(data),
        "references": reference_rows(data),
        "provenance": provenance_table(data),
        "hosts": host_lines(data),
        "threshold": threshold_of(data),
        "not_detected_loss": NOT_DETECTED_LOSS,
        "frozen_note": frozen_note(data),
        "identity": next((c.score.identity for c in data.cells if c.score), None),
    }


def _trained(data: ReportData) -> list[tuple[str, list[ReportCell]]]:
    """The columns with training previews, and their cells that have some."""
    named = [(n, [c for c in cells_of(data, n) if c.previews]) for n in variants(data)]
    return [(name, cells) for name, cells in named if cells]


def _without(content: object, section: str) -> tuple[str, ...]:
    return () if content else (section,)


def _source_view(data: ReportData, source: str, k: int) -> dict[str, Any]:
    """One action-unit source: everything of it stays together, apart from other sources."""
    names = variants(data)
    drawn = [unit_figure(data, name, source, 1000 * k + i) for i, name in enumerate(names)]
    return {
        "source": source,
        "scale": _scale(data, source),
        "tables": [unit_table(data, source, metric) for metric in METRICS],
        "coverage": coverage_table(data, source),
        "figures": [figure for figure in drawn if figure],
        "undrawn": undrawn(data, source),
    }


def _scale(data: ReportData, source: str) -> str:
    found = (attributes(cell, source) for cell in data.cells)
    return next((scores.scale for scores in found if scores), "not stated")
