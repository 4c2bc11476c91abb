"""Verdicts on the attacks on a cohort, in sentences that report, site and terminal share."""

from __future__ import annotations

from harness.model.cohort import ALPHA, Attack, CohortScore
from harness.model.estimates import Null
from harness.results.wording import fmt

WORST = "worst"


def source_of(attack: Attack, cohort: CohortScore) -> str:
    """Recogniser that the attack compares by; empty for the study's, which the first attack has."""
    return "" if attack.source == cohort.attacks[0].source else attack.source


def standing(attack: Attack, cohort: CohortScore) -> str:
    """``worst`` for the strongest attack where it works, else ``strongest`` and why it is not
    called that; empty for any other attack."""
    if cohort.worst_attack is not attack:
        return ""
    if attack.works:
        return WORST
    if attack.best_null is None:
        return "strongest, untested"
    few = attack.best_null.smallest_p > ALPHA
    return f"strongest, {'too few actors to judge' if few else 'within its null'}"


def verdict(cohort: CohortScore) -> str:
    """Verdict on the worst attack, with the null it rests on; empty where none could be made."""
    attack = cohort.worst_attack
    if attack is None or attack.advantage is None:
        return ""
    null = cohort.worst_null
    if null is None:
        return (
            "No attack is shown to work: it has no null, as no two actors can change places (or "
            "the score is of an earlier version)."
        )
    if null.smallest_p > ALPHA:
        return (
            "With these actors no attack can be shown to work: there are so few ways to permute "
            f"who is who that p is never under {null.smallest_p:.2g} "
            f"({fmt(attack.advantage, 2)} beyond chance; p = {null.p:.2g})."
        )
    computed = sum(each.advantage is not None for each in cohort.attacks)
    best = "The attack" if computed == 1 else f"The best of {computed} attacks"
    if attack.works:
        return f"{best} works ({_beside(attack, null)})."
    return f"{best} is within its null, so none is shown to work ({_beside(attack, null)})."


def _beside(attack: Attack, null: Null) -> str:
    return (
        f"{fmt(attack.advantage, 2)} beyond chance; with permuted names {fmt(null.mean, 2)} on "
        f"average, {fmt(null.high, 2)} in one case of 20; p = {null.p:.2g}"
    )
