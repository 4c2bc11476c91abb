"""Tables of a cohort's attacks: rates, thresholds, and actors behind one donor."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.cohort import ALPHA, Attack, Attacker, CohortScore, Verification
from harness.results.attacks import WORST, standing
from reports.aggregate import DASH, percent
from reports.cohorts import NOT_SCORED, attack_name, rate_cell, seen_by, tool_cell
from reports.model import ReportData
from reports.tables import Table, TableCell, number, share, text

NO_NULL = "No two actors can change places, or the score is of an earlier version."


def rate_table(data: ReportData, cohorts: Sequence[CohortScore]) -> Table:
    """One row for each attacker of each tool, beside the same attack on the originals."""
    columns = (
        *("Tool", "Attacker", "Rank-1, swapped", "Rank-1, original", "Chance"),
        *("Beyond chance", "Null, 95 %", "p", "AUC", "AUC, original", "EER", "D_sys"),
        *("D_sys, null", "Not comparable", "Probes the study lacks", "Actors"),
    )
    rows = tuple(
        (tool_cell(data, cohort), *_rates(attack, cohort))
        for cohort in cohorts
        for attack in cohort.attacks
    )
    return Table(
        title="Re-identification by attacker",
        columns=columns,
        rows=rows,
        note="Rank-1: share of probes that are nearest to their own actor, mean over actors with a "
        "95 % interval over actors in brackets. Beyond chance: (right - chance) / (1 - chance), of "
        "all probes asked; the attacker for whom it is largest counts. Null: what it stays under "
        "in 95 % of permutations of who is who, where nothing can be identified; p is against the "
        "largest of all attacks under the same permutations, and only one of at most 0.05 shows "
        "that an attack works. AUC, EER and D_sys (linkability) are of mated against non-mated "
        "distances in the swapped videos. D_sys is above 0 by itself: read it next to its null "
        "(mean, and 95 % in brackets). Not comparable: share of probes without a face, or in which "
        "nothing moves. Probes the study lacks: faces that dlib's HOG detector, on which the "
        "study's own numbers rest, does not find, and that MediaPipe's tracker or else the second "
        "detector sees.",
    )


def _rates(attack: Attack, cohort: CohortScore) -> tuple[TableCell, ...]:
    swapped, own = attack.swapped, attack.control
    why = attack.reason or NOT_SCORED
    few = "see what could not be computed, below"
    place, null = standing(attack, cohort), attack.null
    name = attack_name(attack, cohort) + (f", {place}" if place else "")
    return (
        text(name, "bad" if place == WORST else ""),
        rate_cell(swapped.rank_1 if swapped else None, why),
        rate_cell(own.rank_1 if own else None, why),
        share(swapped.chance if swapped else None, why),
        share(attack.advantage, why),
        share(null.high if null else None, why if swapped is None else NO_NULL),
        p_cell(attack, why),
        number(swapped.auc.rate if swapped else None, why),
        number(own.auc.rate if own else None, why),
        share(swapped.eer if swapped else None, why),
        linkability_cell(swapped, few if swapped else why),
        linkability_null_cell(attack, few if swapped else why),
        share(swapped.fta if swapped else None, why),
        beyond_study(swapped, why),
        text(len(swapped.actors) if swapped else 0, "number"),
    )


def beyond_study(found: Verification | None, why: str) -> TableCell:
    """Number of probes whose face the study's detector does not find, and what sees it."""
    words = seen_by(found)
    reason = why if found is None else "It compares no faces that were found one way or another."
    return text(words) if words else TableCell(text=DASH, reason=reason, look="muted")


def p_cell(attack: Attack, why: str) -> TableCell:
    """Adjusted for the number of attacks; by itself in the tooltip."""
    if attack.null is None or attack.best_null is None:
        return number(None, why if attack.swapped is None else NO_NULL)
    p = attack.best_null.p
    alone = f"By itself, had no other attack been tried: {attack.null.p:.2g}."
    if attack.best_null.smallest_p > ALPHA:
        alone += f" With these actors it is never under {attack.best_null.smallest_p:.2g}."
    return TableCell(text=f"{p:.2g}", sort=p, reason=alone, look="number")


def linkability_cell(found: Verification | None, why: str) -> TableCell:
    """D_sys with its interval over actors."""
    cell = number(found.linkability if found else None, why)
    if found is None or found.linkability_low is None or found.linkability_high is None:
        return cell
    limits = f"({found.linkability_low:.2f}{DASH}{found.linkability_high:.2f})"
    return cell.model_copy(update={"text": f"{cell.text} {limits}"})


def linkability_null_cell(attack: Attack, why: str) -> TableCell:
    """Mean of D_sys under permuted names, and its 95th percentile."""
    null = attack.linkability_null
    if null is None:
        known = attack.swapped is not None and attack.swapped.linkability is not None
        return number(None, NO_NULL if known else why)
    cell = number(null.mean)
    return cell.model_copy(
        update={"text": f"{cell.text} ({null.high:.3f})", "reason": f"p = {null.p:.2g}"}
    )


def threshold_table(data: ReportData, cohorts: Sequence[CohortScore]) -> Table | None:
    """Rates at thresholds: the fixed one, and those calibrated at false accept rates; None where
    no attack has either."""
    rows = []
    for cohort in cohorts:
        for attack in cohort.attacks:
            head = (tool_cell(data, cohort), text(attack_name(attack, cohort)))
            rows += [(*head, *cells) for cells in _operating_points(attack)]
    if not rows:
        return None
    columns = ("Tool", "Attacker", "Threshold from", "Threshold")
    return Table(
        title="Match rates at thresholds",
        columns=(*columns, "Found again (TAR)", "Found again, original", "False matches (FMR)"),
        rows=tuple(rows),
        note="Found again: share of mated comparisons at or under the threshold, mean over actors. "
        "False matches: the same of the swapped videos' non-mated comparisons; where they rise "
        "with the rate, the tool makes everybody alike.",
    )


def _operating_points(attack: Attack) -> list[tuple[TableCell, ...]]:
    swapped, own = attack.swapped, attack.control
    if swapped is None:
        return []
    why = attack.reason or NOT_SCORED
    points: list[tuple[TableCell, ...]] = []
    if attack.threshold is not None:
        points.append(
            (
                text("fixed"),
                number(attack.threshold),
                rate_cell(swapped.match_rate, why),
                rate_cell(own.match_rate if own else None, why),
                share(swapped.false_match_rate, why),
            )
        )
    controls = {one.far: one for one in own.at_far} if own else {}
    for one in swapped.at_far:
        if one.threshold is None:
            continue
        same = controls.get(one.far)
        points.append(
            (
                text(f"FAR {100 * one.far:g} %"),
                number(one.threshold),
                rate_cell(one.tar, why),
                rate_cell(same.tar if same else None, why),
                share(one.false_match_rate, why),
            )
        )
    return points


def threshold_origin(cohorts: Sequence[CohortScore]) -> str:
    """Where thresholds come from, and how low a FAR these actors can show."""
    floors = [c.fmr_floor for c in cohorts if c.fmr_floor is not None]
    floor = (
        f" With these actors no false match rate under {percent(min(floors))} can be distinguished "
        "from 0 (rule of three)."
        if floors
        else ""
    )
    return (
        "The fixed threshold is the recogniser's customary one. A threshold at a false accept rate "
        "(FAR) is taken, for each actor, from the unmodified non-mated pairs of all the other "
        "actors; the median over actors is shown, and none where the pairs are too few." + floor
    )


def donor_table(data: ReportData, cohorts: Sequence[CohortScore]) -> Table | None:
    """Can actors who were given the same donor still be told apart? None without donors."""
    donors = {cell.spec.id: cell.spec.donor for cell in data.cells}
    rows = []
    for cohort in cohorts:
        attack = next((a for a in cohort.attacks if a.attacker is Attacker.PARROT), None)
        if attack is None or not any(donors.get(cell) for cell in cohort.cells):
            continue
        swapped, why = attack.swapped, attack.reason or NOT_SCORED
        rows.append(
            (
                tool_cell(data, cohort),
                rate_cell(swapped.rank_1 if swapped else None, why),
                share(swapped.chance if swapped else None, why),
                _beyond_chance(attack, why),
                text(len(swapped.actors) if swapped else 0, "number"),
            )
        )
    if not rows:
        return None
    return Table(
        title="One donor, several actors",
        columns=("Tool", "Rank-1 among actors of one donor", "Chance (1/N)", "Reading", "Actors"),
        rows=tuple(rows),
        note="All these actors wear the same face. A rank-1 beyond its null says that "
        "the donor's face carries the actor's traces; one within it, that none were found.",
    )


def _beyond_chance(attack: Attack, why: str) -> TableCell:
    """By the permutation null, adjusted for all attacks that were tried."""
    found = attack.swapped
    if found is None or found.chance is None or found.rank_1.rate is None:
        return TableCell(text=DASH, reason=why, look="muted")
    if attack.best_null is None:
        return text("no null, so undecided", "soft")
    if attack.works:
        return text("actors are told apart", "bad")
    if found.rank_1.rate < found.chance:
        return text("below chance", "soft")
    return text("within its null", "soft")
