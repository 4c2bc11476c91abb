"""What attackers make of a cohort, as a table."""

from __future__ import annotations

from harness.model.cohort import Attack, CohortScore, Rate, Verification
from harness.results.attacks import standing, verdict
from harness.results.wording import attacker_name, counted
from reports.attack_tables import (
    NO_NULL,
    beyond_study,
    linkability_cell,
    linkability_null_cell,
    p_cell,
)
from reports.site.index_view import estimate_cell
from reports.site.leaderboard import of_rate
from reports.tables import Table, TableCell, number, share, text

COLUMNS = (
    *("Attacker", "Compares by", "Right person (rank 1)", "Same on originals", "Guessing"),
    *("Gain", "Gain by accident", "p", "AUC", "EER", "Linkability", "Linkability by accident"),
    *("No face", "Probes the study lacks"),
)
NOTE = (
    "Right person: share of probes given to the right one of all actors, with its 95 % interval "
    "over actors. Gain: right beyond guessing, of all probes; the worst attacker gains most. Gain "
    "by accident: what it stays under in 95 % of permutations of who is who. p: how probable it is "
    "that the best of all attacks gains as much where nothing is left of the actors; only one "
    "of at most 0.05 works. Linkability: 0 is none, 1 is full; of few actors it is above 0 by "
    "accident, on average as much as the column next to it says, and in 95 % of cases under the "
    "number in brackets. No face: probes that could not be compared, which is not the same as "
    "hidden. Probes the study lacks: faces that its detector (dlib's HOG) does not find and the "
    "tracker or the second detector sees; only attackers use them."
)


def attack_table(cohort: CohortScore) -> Table:
    """One row for each attacker; the strongest is marked."""
    rows = tuple(_row(attack, standing(attack, cohort)) for attack in cohort.attacks)
    floor = (
        f"With so few actors no false match rate under {100 * cohort.fmr_floor:.1f} % can be told."
        if cohort.fmr_floor is not None
        else ""
    )
    return Table(
        title=f"Attackers of {counted(len(cohort.actors), 'actor')} ({cohort.label})",
        columns=COLUMNS,
        rows=rows,
        note=" ".join(part for part in (verdict(cohort), NOTE, floor, *cohort.notes) if part),
    )


def _row(attack: Attack, place: str) -> tuple[TableCell, ...]:
    name = attacker_name(attack.attacker)
    name = f"{name} ({place})" if place else name
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
        number(attack.advantage, why),
        number(attack.null.high if attack.null else None, NO_NULL),
        p_cell(attack, why),
        _auc(found.auc, why),
        share(found.eer, why),
        linkability_cell(found, why),
        linkability_null_cell(attack, why),
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
