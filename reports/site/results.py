"""``results.json``: the aggregate numbers of a site for machines, with a JSON schema beside it."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ConfigDict, Field

from harness.core.base import Frozen
from harness.core.hashing import content_hash
from harness.model.dataset import Source
from harness.model.job import Setting
from harness.model.score import Comparison
from reports.aggregate import (
    attribute_sources,
    attributes,
    cells_of,
    detection,
    distances,
    finite,
    leak,
)
from reports.model import ReportCell
from reports.plot import threshold_of
from reports.site.leaderboard import Row
from reports.site.model import Site
from reports.site.paths import SCHEMA, cell_page

RESULTS_VERSION = 2
"""Raised when a field changes its meaning or goes away."""


class ToolResult(Row):
    """A line of the leaderboard, with what it was made with."""

    settings: dict[str, Setting]
    image_digests: tuple[str, ...]
    """Of the container images that ran; empty for tools without one."""
    licence: str


class CellResult(Frozen):
    """One cell: what was asked, what became of it, and its main numbers."""

    id: str
    cell: str
    page: str
    """Relative to this file."""
    name: str
    """The line of the leaderboard that it belongs to."""
    tool: str
    version: str
    config: str
    dataset: str
    split: str
    actor: int
    donor: str | None
    seed: int
    status: str
    reason: str
    """Why there is no score; empty when there is one."""
    detection: str
    distance_l2: dict[str, float | None]
    """Mean distance of each comparison, by its name in the store (``sw_or``)."""
    recognised_share: float | None
    """Of all sampled frames."""
    mean_pcc: float | None
    swapped_sha256: str


class Results(Frozen):
    """The whole file. Intervals are at 95 %; the actor is the unit of every mean."""

    model_config = ConfigDict(**Frozen.model_config | {"populate_by_name": True})

    schema_file: str = Field(default=SCHEMA, alias="$schema")
    results_version: int = RESULTS_VERSION
    title: str
    how_to_cite: str
    content_sha256: str
    """Of the tools and cells below: the same numbers have the same hash, whenever published."""
    generated_at: str
    bench_version: str
    protocol: str
    recogniser: str
    threshold_l2: float
    attribute_source: str
    """Estimator of the action units behind the mean PCC; empty when there is none."""
    datasets: tuple[str, ...]
    sources: tuple[Source, ...]
    hashes_checked: bool
    tools: tuple[ToolResult, ...]
    cells: tuple[CellResult, ...]


def results(site: Site, rows: list[Row]) -> Results:
    """The site's numbers."""
    data = site.report
    sources = attribute_sources(data)
    tools = tuple(_tool(site, row) for row in rows)
    cells = tuple(_cell(site, cell, sources[0] if sources else None) for cell in data.cells)
    content = [[one.model_dump(mode="json") for one in group] for group in (tools, cells)]
    digest = content_hash(content)
    identity = next((cell.score.identity for cell in data.cells if cell.score), None)
    datasets = tuple(sorted({cell.spec.dataset for cell in data.cells}))
    return Results(
        title=data.title,
        how_to_cite=(
            f"{data.title}: {', '.join(datasets)}, protocol {data.protocol}. "
            f"deid-bench {data.bench_version}. Results {digest[:12]}."
        ),
        content_sha256=digest,
        generated_at=data.generated_at,
        bench_version=data.bench_version,
        protocol=data.protocol,
        recogniser=identity.recogniser if identity else "",
        threshold_l2=threshold_of(data),
        attribute_source=sources[0] if sources else "",
        datasets=datasets,
        sources=data.sources,
        hashes_checked=site.verified,
        tools=tools,
        cells=cells,
    )


def results_file(found: Results) -> bytes:
    """As indented JSON."""
    plain = found.model_dump(mode="json", by_alias=True)
    return (json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def schema_file() -> bytes:
    """The JSON schema that every ``results.json`` fits."""
    schema: dict[str, Any] = Results.model_json_schema(by_alias=True, mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()


def _tool(site: Site, row: Row) -> ToolResult:
    cells = cells_of(site.report, row.name)
    info = site.report.tools.get(row.tool)
    return ToolResult(
        **dict(row),
        settings=cells[0].spec.settings,
        image_digests=tuple(sorted({c.spec.image_digest for c in cells if c.spec.image_digest})),
        licence=info.licence if info else "",
    )


def _cell(site: Site, cell: ReportCell, source: str | None) -> CellResult:
    spec = cell.spec
    leaked = leak(cell)
    found = attributes(cell, source) if source else None
    means = {c: distances(cell, c) for c in Comparison}
    return CellResult(
        id=spec.id,
        cell=spec.slug,
        page=cell_page(spec.slug),
        name=cell.variant,
        tool=spec.tool,
        version=spec.version,
        config=spec.config,
        dataset=spec.dataset,
        split=spec.split.value,
        actor=spec.actor.number,
        donor=spec.donor.name if spec.donor else None,
        seed=spec.seed,
        status=cell.status,
        reason=cell.reason,
        detection=detection(cell).value,
        distance_l2={c.value: finite(d.mean) if d else None for c, d in means.items()},
        recognised_share=finite(leaked.of_all) if leaked else None,
        mean_pcc=finite(found.mean_pcc) if found else None,
        swapped_sha256=site.facts_of(cell).swapped_sha256,
    )
