"""The first page: the answers, the chart, the leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.results.headline import RULE
from harness.results.wording import number_words, share_words
from reports.aggregate import DASH, attribute_sources, some_actors
from reports.cautions import cautions
from reports.site.actor_view import actor_groups
from reports.site.answers import answers
from reports.site.chart import chart
from reports.site.leaderboard import Estimate, Row
from reports.site.model import Site
from reports.site.paths import tool_page
from reports.tables import Table, TableCell, text
from reports.verdict import Judged

COLUMNS = (
    *("Tool", "Version", "Config", "Rank", "Found by worst attacker", "Same on originals"),
    *("SW-OR distance", "Recognised frames", "Not detected", "Mean PCC", "Rank by PCC"),
    *("Actors", "Cells scored"),
)
ATTACK_COLUMNS = (4, 5)
VERSION_COLUMN, CONFIG_COLUMN = 1, 2
NOTE = (
    "In brackets: 95 % intervals over actors. “22 of 24”: a mean over so many of the actors. "
    "Rank: 1 plus the tools that hide significantly better, so tools that cannot be told apart "
    "share it; below the ranked tools stand those that are not ranked, then those whose face is "
    "gone. Nothing is ranked by distance. SW-OR distance: from the swapped face to the person's "
    "own, over cells in which a face is detected. Recognised frames: share of all sampled frames "
    "at or under the threshold. Not detected: share of cells whose face the recogniser hardly "
    "finds any more, which is not the same as hidden. Mean PCC: correlation of action units with "
    "the original; more keeps more expression."
)
ATTACK_NOTE = (
    "Found by worst attacker: share of all swapped frames (or stretches of movement) that the best "
    "of four attackers gives to the right person among all actors; less hides better, and guessing "
    "finds one in as many as there are actors. Tools are ranked by this share beyond chance."
)
NO_ATTACK = (
    "No attack on just these cells is stored, or none was possible; `bench score` computes them."
)


def index_view(site: Site, rows: Sequence[Row], judged: Judged) -> dict[str, Any]:
    """What the template shows."""
    data = site.report
    sources = attribute_sources(data)
    tools = [row for row in rows if not row.control]
    controls = [row for row in rows if row.control]
    refused = [cell for cell in data.cells if site.facts_of(cell).refused]
    return {
        "answers": answers(data, rows, judged),
        "not_ranked": judged.left_out,
        "ranking_note": RULE,
        "cautions": cautions(data),
        "chart": chart(data, sources[0] if sources else None),
        "tools_table": leaderboard_table("Leaderboard: tools, versions and configs", tools),
        "controls_table": leaderboard_table("Controls: their right result is known", controls, ""),
        "choices": _choices(tools),
        "refused": refused,
        "tool_links": _tool_links(site, rows),
        "actor_links": [
            (f"Actor {cells[0].spec.actor.number}", cells[0].spec.dataset, page)
            for page, cells in actor_groups(data).items()
        ],
        "datasets": sorted({cell.spec.dataset for cell in data.cells}),
        "scored": sum(cell.score is not None for cell in data.cells),
        "source": sources[0] if sources else "",
    }


def leaderboard_table(title: str, rows: Sequence[Row], note: str = NOTE) -> Table:
    """Rows with links to their tools; a missing number says why."""
    table = Table(title=title, columns=COLUMNS, rows=tuple(_row(row) for row in rows), note=note)
    if any(row.worst_attack for row in rows):
        return table.model_copy(update={"note": f"{note} {ATTACK_NOTE}".strip()})
    kept = [place for place in range(len(COLUMNS)) if place not in ATTACK_COLUMNS]
    shown = {
        "columns": tuple(COLUMNS[place] for place in kept),
        "rows": tuple(tuple(row[place] for place in kept) for row in table.rows),
    }
    return table.model_copy(update=shown)


def _attack_cells(row: Row) -> tuple[TableCell, TableCell]:
    attack = row.worst_attack
    if attack is None:
        none = TableCell(text=DASH, reason=NO_ATTACK, look="muted")
        return none, none
    found = estimate_cell(attack.identified, share=True)
    by = f"{found.text} {attack.by}{_some(attack.identified.n, row.actors)}"
    if attack.within_null:
        by += ", within its null"
    return (
        found.model_copy(update={"text": by}),
        estimate_cell(attack.original, of=row.actors, share=True),
    )


def _row(row: Row) -> tuple[TableCell, ...]:
    return (
        text(row.name).model_copy(update={"href": tool_page(row.tool)}),
        text(row.version),
        text(row.config),
        _rank_cell(row.rank, row.rank_reason),
        *_attack_cells(row),
        estimate_cell(row.distance, of=row.actors),
        estimate_cell(row.recognised, of=row.actors, share=True),
        estimate_cell(row.lost, of=row.actors, share=True),
        estimate_cell(row.pcc, of=row.actors),
        _rank_cell(row.keeps_rank, row.keeps_reason),
        text(row.actors, "number", float(row.actors)),
        text(f"{row.scored} of {row.cells}", "number", row.scored / row.cells),
    )


def _rank_cell(rank: int | None, reason: str) -> TableCell:
    if rank is None:
        return TableCell(text=DASH, reason=reason, look="muted")
    return text(rank, "number", float(rank))


def estimate_cell(estimate: Estimate, *, of: int | None = None, share: bool = False) -> TableCell:
    """``0.742 [0.701, 0.783]``, with ``5 of 7`` where some of the ``of`` are missing; shares
    in per cent; a dash with the reason for a missing one."""
    if estimate.value is None:
        return TableCell(text=DASH, reason=estimate.reason, look="muted")
    shown = share_words(estimate) if share else number_words(estimate)
    shown += "" if of is None else _some(estimate.n, of)
    return TableCell(text=shown, sort=estimate.value, look="number")


def _choices(rows: Sequence[Row]) -> list[tuple[str, int, list[str]]]:
    """(what, column, values) to choose rows by, where there is a choice."""
    found = [
        ("Version", VERSION_COLUMN, sorted({row.version for row in rows})),
        ("Config", CONFIG_COLUMN, sorted({row.config for row in rows})),
    ]
    return [choice for choice in found if len(choice[2]) > 1]


def _tool_links(site: Site, rows: Sequence[Row]) -> list[tuple[str, str, bool, str]]:
    """(tool, page, whether it is a control, summary), each tool once."""
    found: dict[str, tuple[str, str, bool, str]] = {}
    for row in rows:
        info = site.report.tools.get(row.tool)
        summary = info.summary if info else ""
        found[row.tool] = (row.tool, tool_page(row.tool), row.control, summary)
    return list(found.values())


def _some(n: int, of: int) -> str:
    """As ``some_actors``; the table has many columns, and its note says the rest."""
    return some_actors(n, of).removesuffix(" actors")
