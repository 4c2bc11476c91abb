"""A site's files from its content, and its folder from its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.core.base import Frozen
from reports.render import plotly_js, template_text
from reports.site.feed import entries, feed
from reports.site.folder import check_target, replace_folder
from reports.site.leaderboard import leaderboard
from reports.site.model import ExtraPage, Site
from reports.site.pages import Pages, Ranked
from reports.site.paths import (
    EARLY,
    FEED,
    INDEX,
    PAGE_SCRIPT,
    PLOTLY,
    RESULTS,
    SCHEMA,
    SITE_SCRIPT,
    STYLE,
)
from reports.site.raw import data_files
from reports.site.results import results, results_file, schema_file
from reports.verdict import judge

__all__ = ["Published", "check_target", "publish", "site_files"]

FIRST_VIEW = (INDEX, STYLE, EARLY, PAGE_SCRIPT, SITE_SCRIPT)
"""What a browser loads before the first page is whole."""


class Published(Frozen):
    """What was written where."""

    folder: Path
    pages: int
    files: int
    total_bytes: int
    first_view_bytes: int
    """The index with its style and scripts, uncompressed."""
    by_kind: dict[str, int]
    """Files by their ending."""


def publish(site: Site, target: Path, extra: Sequence[ExtraPage] = ()) -> Published:
    """Make ``target`` hold the site, and nothing of an older one. Raises as ``replace_folder``."""
    sizes = replace_folder(target, site_files(site, extra))
    kinds = Counter(name.rpartition(".")[2] for name in sizes)
    return Published(
        folder=target,
        pages=kinds["html"],
        files=len(sizes),
        total_bytes=sum(sizes.values()),
        first_view_bytes=sum(sizes[name] for name in FIRST_VIEW),
        by_kind=dict(sorted(kinds.items())),
    )


def site_files(site: Site, extra: Sequence[ExtraPage] = ()) -> Iterator[tuple[str, bytes]]:
    """(path, content) of every file; the same site gives the same bytes."""
    judged = judge(site.report, site.cohorts)
    rows = leaderboard(site.report, judged)
    found = results(site, rows)
    yield from Pages(site, Ranked(judged, tuple(rows)), found.how_to_cite, extra).files()
    yield RESULTS, results_file(found)
    yield SCHEMA, schema_file()
    told = [*entries(site, rows, found.content_sha256), *(e for p in extra for e in p.entries)]
    yield FEED, feed(site, told)
    yield from data_files(site.raw).items()
    yield from _pictures(site)
    yield STYLE, (template_text("style.css") + template_text("site/site.css")).encode()
    yield EARLY, template_text("site/early.js").encode()
    yield PAGE_SCRIPT, template_text("page.js").encode()
    yield SITE_SCRIPT, template_text("site/site.js").encode()
    yield PLOTLY, plotly_js().encode()


def _pictures(site: Site) -> Iterator[tuple[str, bytes]]:
    for gallery in site.galleries.values():
        for pair in gallery.pairs:
            yield pair.original.path, pair.original.data
            yield pair.swapped.path, pair.swapped.data
        for _, picture in gallery.previews:
            yield picture.path, picture.data
    for picture in site.references.values():
        yield picture.path, picture.data
