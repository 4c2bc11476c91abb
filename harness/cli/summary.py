"""One row per cell for the terminal and for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.output import print_wrapped, say
from harness.execution.outcomes import CohortOutcome, StudyOutcome
from harness.model.cohort import Attack, CohortScore, Verification
from harness.model.score import CellScore, Comparison
from harness.results.attacks import source_of, verdict
from harness.results.wording import DASH, attacker_name

if TYPE_CHECKING:
    from harness.model.cell import CellSpec
    from harness.model.suite import UnpreparedCell
    from harness.results.headline import Card

Row = dict[str, object]


def cell_rows(study: StudyOutcome) -> list[Row]:
    """One row per cell. A failed one keeps its row, with its status and reason, and so does one
    whose people could not be prepared (``unusable``), which has no id.
    """
    by_id = {outcome.cell_id: outcome for outcome in study.cells}
    scored = {outcome.cell_id: outcome for outcome in study.scores}
    rows: list[Row] = []
    for spec in study.resolved.specs:
        outcome = by_id.get(spec.id)
        result = scored.get(spec.id)
        reason = (
            outcome.attempt.reason if outcome and outcome.attempt and not outcome.result else ""
        )
        rows.append(
            {
                "cell": spec.slug,
                "id": spec.id,
                "split": spec.split.value,
                "status": outcome.status.value if outcome else "planned",
                "reason": reason or (result.reason if result else ""),
                **score_fields(result.score if result else None),
            }
        )
    rows += [
        {
            "cell": skipped.label,
            "id": None,
            "split": None,
            "status": "unusable",
            "reason": skipped.reason,
            **score_fields(None),
        }
        for skipped in study.resolved.skipped
    ]
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


def score_parts(score: CellScore | None) -> Row:
    """For scripts: each action unit of the first source, and the whole of ``utility`` and
    ``quality``.
    """
    if score is None:
        return {"units": [], "utility": None, "quality": None}
    units = score.attributes[0].units if score.attributes else ()
    return {
        "units": [unit.model_dump(mode="json") for unit in units],
        "utility": score.utility.model_dump(mode="json") if score.utility else None,
        "quality": score.quality.model_dump(mode="json") if score.quality else None,
    }


def cohort_fields(outcome: CohortOutcome) -> Row:
    """For scripts: the whole score of a cohort, or why it has none."""
    score = outcome.score.model_dump(mode="json") if outcome.score else None
    return {"label": outcome.label, "score": score, "reason": outcome.reason}


def cohort_line(outcome: CohortOutcome) -> str:
    """The strongest attack on a cohort and whether it works, or why there is none."""
    score = outcome.score
    if score is None:
        return f"{outcome.label}: {outcome.reason}"
    count = len(score.actors)
    head = f"{score.label}, {count} actor{'s' * (count > 1)}"
    worst = score.worst_attack
    if worst is None or worst.swapped is None:
        return f"{head}: nobody could be identified. {_why_nobody(score)}".rstrip()
    source = source_of(worst, score)
    name = attacker_name(worst.attacker, source)
    called = "worst attacker" if worst.works else "strongest attacker"
    return f"{head}: {called} {name}, {_identified(worst, worst.swapped)}. {verdict(score)}"


def _why_nobody(score: CohortScore) -> str:
    return next((attack.reason for attack in score.attacks if attack.reason), "")


def _identified(attack: Attack, swapped: Verification) -> str:
    """``rank-1 62 % of the probes that could be compared (chance 25 %, original 100 %)``."""
    parts = [f"chance {_percent(swapped.chance)}"]
    if attack.control is not None:
        parts.append(f"original {_percent(attack.control.rank_1.rate)}")
    of = "" if swapped.probes == swapped.asked else " of the probes that could be compared"
    return f"rank-1 {_percent(swapped.rank_1.rate)}{of} ({', '.join(parts)})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def print_headline(
    cards: Sequence[Card], left_out: Sequence[str], warnings: Sequence[str] = ()
) -> None:
    """The verdict as the report's cards give it, and why tools are not ranked; before that, why it
    cannot be trusted."""
    for warning in warnings:
        say()
        print_wrapped(warning, indent="  ", after="    ")
    for card in cards:
        say()
        print_wrapped(card.label, indent="  ")
        print_wrapped(
            card.who if card.value == DASH else f"{card.who}: {card.value}", indent="    "
        )
        print_wrapped(card.detail, indent="    ")
        if card.sure:
            print_wrapped(card.sure, indent="    ")
    if left_out:
        say()
        print_wrapped("Not ranked among these", indent="  ")
    for sentence in left_out:
        print_wrapped(sentence, indent="    ", after="      ")


def print_verdict(
    home: Path,
    specs: Sequence[CellSpec],
    protocol: str,
    unprepared: Sequence[UnpreparedCell] = (),
) -> None:
    """Print which of these cells' tools hides best and which keeps most; nothing without two tools
    to compare."""
    from harness.execution.cohorts import load_cohorts
    from reports.collect import collect_numbers
    from reports.verdict import judge

    judged = judge(
        collect_numbers(home, specs, protocol, sources=(), unprepared=unprepared),
        load_cohorts(home, specs, protocol),
    )
    if sum(not one.control for one in judged.contenders) > 1:
        print_headline(judged.cards, judged.left_out, judged.warnings)
