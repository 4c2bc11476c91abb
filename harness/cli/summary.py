"""One row per cell for the terminal and for scripts."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.cell import CellSpec
from harness.model.score import CellScore, Comparison
from harness.runner import CellOutcome
from harness.scoring.queue import ScoreOutcome

Row = dict[str, object]


def cell_rows(
    specs: Sequence[CellSpec], outcomes: Sequence[CellOutcome], scores: Sequence[ScoreOutcome]
) -> list[Row]:
    """Cells in the order of ``specs``; a failed one keeps its row, with its status and reason."""
    by_id = {outcome.cell_id: outcome for outcome in outcomes}
    scored = {outcome.cell_id: outcome for outcome in scores}
    rows: list[Row] = []
    for spec in specs:
        outcome = by_id.get(spec.id)
        result = scored.get(spec.id)
        reason = (
            outcome.attempt.reason if outcome and outcome.attempt and not outcome.result else ""
        )
        rows.append(
            {
                "cell": spec.slug,
                "id": spec.id,
                "status": outcome.status.value if outcome else "planned",
                "reason": reason or (result.reason if result else ""),
                **score_fields(result.score if result else None),
            }
        )
    return rows


def score_fields(score: CellScore | None) -> Row:
    """The three figures of a cell: mean SW-OR distance, FTA, mean PCC."""
    if score is None:
        return {"sw_or_mean": None, "fta": None, "mean_pcc": None}
    swapped = score.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    attributes = score.attributes[0] if score.attributes else None
    return {
        "sw_or_mean": swapped.mean,
        "fta": swapped.fta,
        "mean_pcc": attributes.mean_pcc if attributes else None,
    }
