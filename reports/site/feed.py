"""An Atom feed (RFC 4287) of what was measured. Ids follow from the content, so a reader who
subscribes is told of new numbers once, however often the same site is published.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from harness.core.hashing import content_hash
from reports.aggregate import cells_of, fmt, percent, some_actors
from reports.model import ReportCell
from reports.site.leaderboard import Attacked, Estimate, Row
from reports.site.model import Entry, Site
from reports.site.paths import FEED, INDEX, tool_page

MOST_ENTRIES = 100
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:deid-bench:results")
BEFORE_EVERYTHING = "1970-01-01T00:00:00Z"
"""The time of an entry that nothing was measured for yet."""


def entries(site: Site, rows: Sequence[Row], content: str) -> list[Entry]:
    """The publication (``content`` is the hash of all its numbers), then one for each tool."""
    data = site.report
    measured = [cell for cell in data.cells if cell.score]
    whole = Entry(
        title=f"{data.title}: {len(measured)} of {len(data.cells)} cells scored",
        summary=f"Protocol {data.protocol}; {len(rows)} tools, versions and configs, controls "
        "included.",
        href=INDEX,
        updated_at=_latest(site, measured),
        content=f"publication {content}",
    )
    return [whole, *(entry for row in rows if (entry := _entry(site, row)))]


def _attacked(attack: Attacked) -> str:
    share = f"{percent(attack.identified.value)} by {attack.by}"
    if attack.within_null:
        return f"the strongest attacker identifies {share}, no more than permuted names give"
    return f"the worst attacker identifies {share}"


def _entry(site: Site, row: Row) -> Entry | None:
    cells = [cell for cell in cells_of(site.report, row.name) if cell.score]
    if not cells:
        return None
    inputs = {cell.spec.id: cell.score.inputs for cell in cells if cell.score}
    attack = row.worst_attack
    numbers = [
        *([_attacked(attack)] if attack else []),
        f"SW-OR distance {_said(row.distance)}{some_actors(row.distance.n, row.actors)}",
        f"recognised in {percent(row.recognised.value)} of sampled frames",
        f"mean PCC {_said(row.pcc)}",
        f"{row.scored} of {row.cells} cells scored, face detected in {row.detected}",
    ]
    return Entry(
        title=f"{row.name}: {row.scored} cells scored",
        summary="; ".join(numbers) + ".",
        href=tool_page(row.tool),
        updated_at=_latest(site, cells),
        content=f"results {site.report.protocol} {content_hash(inputs)}",
    )


def _latest(site: Site, cells: Sequence[ReportCell]) -> str:
    return max((site.facts_of(cell).ended_at for cell in cells), default="") or BEFORE_EVERYTHING


def _said(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return fmt(estimate.value)
    return f"{fmt(estimate.value)} (95 % interval {fmt(estimate.low)} to {fmt(estimate.high)})"


def feed(site: Site, listed: Sequence[Entry]) -> bytes:
    """The feed as a file; newest first. Links are relative to it."""
    data = site.report
    newest = sorted(listed, key=lambda e: (e.updated_at, e.content), reverse=True)[:MOST_ENTRIES]
    datasets = sorted({cell.spec.dataset for cell in data.cells})
    own = f"feed {data.title} {data.protocol} {' '.join(datasets)}"
    updated = newest[0].updated_at if newest else BEFORE_EVERYTHING
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{entry_id(own)}</id>",
        f"<title>{_text(data.title)}</title>",
        f"<updated>{escape(updated)}</updated>",
        "<author><name>deid-bench</name></author>",
        f'<link rel="self" href={quoteattr(FEED)} type="application/atom+xml"/>',
        f'<link rel="alternate" href={quoteattr(INDEX)} type="text/html"/>',
        *(line for entry in newest for line in _lines(entry)),
        "</feed>",
    ]
    return ("\n".join(lines) + "\n").encode()


def entry_id(content: str) -> str:
    """``urn:uuid:...``, the same for the same content (RFC 4122, version 5)."""
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, content)}"


def _lines(entry: Entry) -> list[str]:
    return [
        "<entry>",
        f"<id>{entry_id(entry.content)}</id>",
        f"<title>{_text(entry.title)}</title>",
        f"<updated>{escape(entry.updated_at)}</updated>",
        f'<link rel="alternate" href={quoteattr(entry.href)} type="text/html"/>',
        f"<summary>{_text(entry.summary)}</summary>",
        "</entry>",
    ]


def _text(text: str) -> str:
    """Escaped, without the control characters that XML has no spelling for."""
    return escape("".join(c if c >= " " or c in "\t\n" else " " for c in text))
