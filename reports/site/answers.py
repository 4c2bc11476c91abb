"""The answers of the first page: the verdict's own, and what they rest on."""

from __future__ import annotations

from collections.abc import Sequence

from harness.results.headline import Card
from harness.results.standing import FEWEST_ACTORS
from harness.results.wording import counted
from reports.controls import control_checks
from reports.model import ReportData
from reports.site.leaderboard import Row
from reports.verdict import Judged


def answers(data: ReportData, rows: Sequence[Row], judged: Judged) -> list[Card]:
    """The three cards of the report, then what they rest on."""
    return [*judged.cards, _basis(data, rows)]


def _basis(data: ReportData, rows: Sequence[Row]) -> Card:
    """Actors, cells, controls."""
    checks = control_checks(data)
    failed = [check for check in checks if check.passed is False]
    passed = sum(check.passed is True for check in checks)
    actors = len({cell.spec.actor.number for cell in data.cells if cell.score})
    cells, scored = len(data.cells), sum(cell.score is not None for cell in data.cells)
    parts = [f"{scored} of {counted(cells, 'cell')} have a score"]
    if failed:
        parts.append(f"{counted(len(failed), 'control check')} failed")
    elif checks:
        open_ones = f", {len(checks) - passed} undecided" if passed < len(checks) else ""
        parts.append(f"{passed} of {counted(len(checks), 'control check')} passed{open_ones}")
    else:
        parts.append("no control checks the measuring")
    sure = (
        "Enough actors for a large difference to show; each interval says how large."
        if actors >= FEWEST_ACTORS
        else f"Fewer than {FEWEST_ACTORS} actors rank no tool."
    )
    return Card(
        label="What does it rest on?",
        value=counted(actors, "actor"),
        who=counted(sum(not row.control for row in rows), "tool and config").replace(
            "tool and configs", "tools and configs"
        ),
        detail=f"{'; '.join(parts)}.",
        sure="A control failed: do not trust the other numbers." if failed else sure,
        clear=False if failed else None,
    )
