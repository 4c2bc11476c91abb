"""Comparison pages of a site: versions of a tool one after the other, and its configs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.hashing import content_hash
from harness.model.compare import CompareResult
from harness.results.compare.reasons import title
from harness.results.compare.run import Request, compare
from harness.results.compare.selector import Variant, variant_of
from harness.results.compare.words import basis, effect, headline, people, remarks
from reports.compare import actor_table, metric_table
from reports.model import ReportCell
from reports.plot import Figure
from reports.site.model import Entry, ExtraPage, Site
from reports.site.paths import plain
from reports.tables import Table

SECTION = "Comparisons"
MOST_PAGES = 60
Pair = tuple[Variant, Variant]


def comparison_pages(home: Path, site: Site) -> list[ExtraPage]:
    """One page for each pair of the site's variants that asks to be compared, on the site's actors,
    as ``bench compare`` does it. Pairs without an actor in common have none.
    """
    data = site.report
    pages = []
    for dataset in sorted({cell.spec.dataset for cell in data.cells}):
        here = [cell for cell in data.cells if cell.spec.dataset == dataset]
        for pair in variant_pairs(here):
            request = _request(home, pair, here, dataset, data.protocol)
            try:
                result = compare(request)
            except UsageError:
                # Nothing in common, or not scored yet: there is nothing to show.
                continue
            told = [c for c in here if variant_of(c.spec) in pair and c.score]
            latest = max((site.facts_of(cell).ended_at for cell in told), default="")
            pages.append(_page(result, request, latest))
            if len(pages) == MOST_PAGES:
                return pages
    return pages


def variant_pairs(cells: Sequence[ReportCell]) -> list[Pair]:
    """(baseline, candidate): neighbouring versions of a tool with the same config and settings'
    names, then its first config against each other one of the same version.
    """
    by_tool: dict[str, dict[Variant, None]] = {}
    for cell in cells:
        if cell.score is not None:
            by_tool.setdefault(cell.spec.tool, {})[variant_of(cell.spec)] = None
    found: list[Pair] = []
    for variants in by_tool.values():
        by_config: dict[str, list[Variant]] = {}
        by_version: dict[str, list[Variant]] = {}
        for one in variants:
            by_config.setdefault(one.config, []).append(one)
            by_version.setdefault(one.version, []).append(one)
        for same in by_config.values():
            ordered = sorted(same, key=lambda v: _version_key(v.version))
            found += [(a, b) for a, b in pairwise(ordered) if a.version != b.version]
        for same in by_version.values():
            found += [(same[0], other) for other in same[1:]]
    return found


def _version_key(version: str) -> list[tuple[int, int, str]]:
    """1.10 comes after 1.9."""
    parts = re.findall(r"\d+|\D+", version)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts]


def _request(
    home: Path, pair: Pair, cells: Sequence[ReportCell], dataset: str, protocol: str
) -> Request:
    settings = sorted({name for one in pair for name, _ in one.settings})
    baseline, candidate = (one.spelled(settings) for one in pair)
    return Request(
        baseline,
        candidate,
        home,
        home,
        actors={cell.spec.actor.number for cell in cells},
        dataset=dataset,
        protocol=protocol,
    )


def _page(result: CompareResult, request: Request, latest: str) -> ExtraPage:
    name = f"{result.candidate.label} against {result.baseline.label}"
    digest = content_hash([request.baseline, request.candidate, request.dataset])[:8]
    said = headline(result).removeprefix(f"{name}: ")
    path = f"compare/{plain(name)}-{digest}.html"
    entry = Entry(
        title=f"{name}: {result.verdict.value}",
        summary=headline(result),
        href=path,
        updated_at=latest,
        content=f"comparison {content_hash(result.model_dump(mode='json'))}",
    )
    return ExtraPage(
        path=path,
        section=SECTION,
        title=name,
        lead=said[:1].upper() + said[1:],
        blocks=_blocks(result),
        entries=(entry,),
    )


def _blocks(result: CompareResult) -> tuple[str | Table | Figure, ...]:
    reasons = []
    for one in result.metrics:
        size = effect(one)
        words = f"{title(one)}: {one.verdict.value}. {one.reason}"
        reasons.append(f"{words} {size}." if size else words)
    tables = [actor_table(one) for one in result.metrics if one.actors]
    return (
        basis(result),
        *people(result),
        metric_table(result),
        *reasons,
        *tables,
        *remarks(result),
    )
