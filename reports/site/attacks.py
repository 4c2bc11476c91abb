"""What attackers make of a cohort, as a table."""

from __future__ import annotations

from harness.model.cohort import Attack, CohortScore, Rate, Verification
from reports.attack_tables import beyond_study
from reports.site.index_view import estimate_cell
from reports.site.leaderboard import of_rate
from reports.tables import Table, TableCell, number, share, text

COLUMNS = (
    *("Attacker", "Compares by", "Right person (rank 1)", "Same on originals", "Guessing"),
    *("Gain", "AUC", "EER", "Linkability", "No face", "Probes the study lacks"),
)
NOTE = (
    "Right person: share of probes given to the right one of all actors, with its 95 % interval "
    "over actors. Gain: that share, corrected for guessing; the worst attacker gains most. "
    "Linkability: 0 is none, 1 is full. No face: probes that could not be compared, which is not "
    "the same as hidden. Probes the study lacks: faces that its detector (dlib's HOG) does not "
    "find and the tracker or the second detector sees; only attackers use them."
)


def attack_table(cohort: CohortScore) -> Table:
    """One row for each attacker; the worst is marked."""
    rows = tuple(
        _row(attack, worst=place == cohort.worst) for place, attack in enumerate(cohort.attacks)
    )
    floor = (
        f"With so few actors no false match rate under {100 * cohort.fmr_floor:.1f} % can be told."
        if cohort.fmr_floor is not None
        else ""
    )
    return Table(
        title=f"Attackers of {len(cohort.actors)} actors ({cohort.label})",
        columns=COLUMNS,
        rows=rows,
        note=" ".join([NOTE, floor, *cohort.notes]).strip(),
    )


def _row(attack: Attack, *, worst: bool) -> tuple[TableCell, ...]:
    name = f"{attack.attacker.value} (worst)" if worst else attack.attacker.value
    head = (text(name), text(attack.source))
    found, control = attack.swapped, attack.control
    why = attack.reason or "it could not be computed"
    if found is None:
        rest = (number(None, why) for _ in COLUMNS[4:])
        return (*head, number(None, why), _rank_1(control, why), *rest)
    return (
        *head,
        _rank_1(found, why),
        _rank_1(control, why),
        share(found.chance, why),
        number(found.rank_1_corrected, why),
        _auc(found.auc, why),
        share(found.eer, why),
        number(found.linkability, why),
        share(found.fta),
        beyond_study(found, why),
    )


def _rank_1(found: Verification | None, why: str) -> TableCell:
    if found is None:
        return number(None, why)
    return _rated(found.rank_1, why, percent=True)


def _auc(rate: Rate, why: str) -> TableCell:
    return _rated(rate, why, percent=False)


def _rated(rate: Rate, why: str, *, percent: bool) -> TableCell:
    estimate = of_rate(rate)
    if not estimate.reason:
        estimate = estimate.model_copy(update={"reason": why})
    return estimate_cell(estimate, share=percent)
