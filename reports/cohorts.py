"""Cohorts as pages name them, and their rates as words and table cells."""

from __future__ import annotations

from harness.model.cohort import Attack, CohortScore, Rate, Verification
from harness.results.wording import attacker_name
from reports.aggregate import DASH, finite, percent, variants
from reports.model import ReportData
from reports.tables import TableCell, text

ILLUSTRATION = 10
"""Below so many actors a rate over actors shows what an attack does, and estimates nothing."""
NOT_SCORED = "This attack was not scored."


def ordered(data: ReportData) -> list[CohortScore]:
    """Cohorts as the page's columns come: tools first, controls last."""
    places = {name: place for place, name in enumerate(variants(data))}
    first = {cell.spec.id: places[cell.variant] for cell in data.cells}
    return sorted(data.cohorts, key=lambda c: min((first.get(i, 999) for i in c.cells), default=0))


def name_of(data: ReportData, cohort: CohortScore) -> str:
    """The column that the cohort's cells are in, or its own label where they are in several (one
    for each donor)."""
    own = set(cohort.cells)
    names = dict.fromkeys(cell.variant for cell in data.cells if cell.spec.id in own)
    return next(iter(names)) if len(names) == 1 else cohort.label


def is_control_cohort(data: ReportData, cohort: CohortScore) -> bool:
    """Whether its tool is a control."""
    return cohort.tool in data.tools and data.tools[cohort.tool].control


def tool_cell(data: ReportData, cohort: CohortScore) -> TableCell:
    """The column's name as the head of a row."""
    name = name_of(data, cohort)
    return text(f"{name} (control)" if is_control_cohort(data, cohort) else name)


def attack_name(attack: Attack, cohort: CohortScore) -> str:
    """``A1 parrot``, with its source where the same attacker came before with another."""
    first = next(a for a in cohort.attacks if a.attacker is attack.attacker)
    return attacker_name(attack.attacker, "" if first is attack else attack.source)


def rank_1(found: Verification | None) -> float | None:
    """The rate as a finite number, or None."""
    return finite(found.rank_1.rate) if found else None


def seen_by(found: Verification | None) -> str:
    """``40 of 1439: tracker 38, second detector 2``: the probes whose face the study's detector
    does not find, by what sees it; empty where that is not known."""
    if found is None or found.tracker_probes is None:
        return ""
    counts = {
        "tracker": found.tracker_probes,
        "second detector": found.second_detector_probes or 0,
    }
    words = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    return f"{sum(counts.values())} of {found.probes}" + (f": {words}" if words else "")


def interval_words(rate: Rate) -> str:
    """``62.0 % (41-83)``: a rate with its 95 % interval, where there is one."""
    if rate.low is None or rate.high is None:
        return percent(rate.rate)
    # An interval of Student's may reach beyond what a share can be.
    low, high = max(0.0, rate.low), min(1.0, rate.high)
    return f"{percent(rate.rate)} ({100 * low:.0f}{DASH}{100 * high:.0f})"


def rate_cell(rate: Rate | None, reason: str) -> TableCell:
    """A rate with its interval; without one, its own reason."""
    if rate is None or finite(rate.rate) is None:
        return TableCell(
            text=DASH, reason=(rate.reason if rate else "") or reason or NOT_SCORED, look="muted"
        )
    return TableCell(
        text=interval_words(rate), sort=rate.rate or 0.0, reason=rate.reason, look="number"
    )
