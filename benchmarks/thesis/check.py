"""The register held against the study's data, and the study's means against its tables."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from enum import StrEnum
from itertools import zip_longest
from typing import Literal, TypeGuard

from benchmarks.thesis import checks_tables as tables
from benchmarks.thesis import checks_text as text
from benchmarks.thesis.finding import Check, Finding
from benchmarks.thesis.model import TOOLS, Comparison, Entry, Published, Value
from harness.core.base import Frozen
from harness.core.errors import UsageError, unknown_name

CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        tables.text_mean_off_its_rows,
        tables.text_mean_outside_its_rows,
        tables.table3_off_table2,
        tables.pcc_means_off_table2,
        tables.rmse_in_three_versions,
        tables.one_digit_slip_of_a_mean,
        tables.outside_its_scale,
        tables.units_without_intensity,
        tables.far_from_the_other_actors,
        tables.reference_moves_with_the_tool,
        tables.last_actors_on_another_scale,
        tables.copied_from_another_row,
        tables.swapped_further_from_their_reference,
        tables.not_the_lowest_actors,
        text.ranking_differs,
        text.most_consistent_differs,
        text.not_the_worst_units,
        text.good_where_called_unrelated,
        text.de_identification_contradicted,
        text.statements_disagree,
        text.batch_share_differs,
        text.more_clips_than_takes,
        text.clips_last_longer_than_their_video,
        text.sum_has_a_term_too_many,
        text.means_have_a_term_too_many,
        text.perfect_correlation_with_an_error,
        text.heading_does_not_fit_the_rows,
        text.sex_matters_after_all,
        text.gains_are_noise,
    )
}
"""By the names that the register uses."""


class Verdict(StrEnum):
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"
    NOT_COMPUTABLE = "not computable"


class Checked(Frozen):
    """One entry of the register, and what became of it."""

    id: str
    where: str
    kind: str
    says: str
    verdict: Verdict
    printed: dict[str, Value] = {}
    recomputed: dict[str, Value] = {}
    """All that the check computed, also what the register does not state."""
    differs: tuple[str, ...] = ()
    """In sentences: where the register and the computation part."""
    not_computable: str = ""

    @property
    def as_registered(self) -> bool:
        """True when the entry comes out as the register says."""
        return self.verdict is not Verdict.NOT_CONFIRMED


class Aggregate(Frozen):
    """A mean with its standard deviation (n - 1) from the published rows, and as printed."""

    tool: str
    what: str
    rows: str
    """Place of the rows: ``Table 4``."""
    n: int
    mean: float
    sd: float
    where: str = ""
    """Place where it is printed; empty when the study prints none."""
    printed_mean: float | None = None
    printed_sd: float | None = None

    @property
    def agrees(self) -> bool | None:
        """True when the printed mean is the recomputed one but for a last digit; None without."""
        if self.printed_mean is None:
            return None
        return abs(self.printed_mean - self.mean) < 0.001


def check_register(study: Published, entries: tuple[Entry, ...]) -> tuple[Checked, ...]:
    """All entries in their order. Raises UsageError for a check that does not exist."""
    return tuple(_check(study, entry) for entry in entries)


def _check(study: Published, entry: Entry) -> Checked:
    fields = entry.model_dump(include={"id", "where", "kind", "says", "not_computable"})
    if entry.check is None:
        return Checked(**fields, verdict=Verdict.NOT_COMPUTABLE)
    if entry.check not in CHECKS:
        raise unknown_name("check", entry.check, CHECKS, see="benchmarks/thesis/README.md")
    try:
        found = CHECKS[entry.check](study, **entry.about)
    except (TypeError, KeyError, StopIteration, IndexError, statistics.StatisticsError) as error:
        raise UsageError(
            f"The check '{entry.check}' of {entry.id} does not fit the study's data: {error!r}.",
            hint="Compare the entry's `about` in register.yaml with the tables.",
        ) from error
    parts = tuple(_differences(entry, found))
    verdict = Verdict.CONFIRMED if found.wrong and not parts else Verdict.NOT_CONFIRMED
    return Checked(
        **fields,
        verdict=verdict,
        printed=found.printed,
        recomputed=found.recomputed,
        differs=parts,
    )


def _differences(entry: Entry, found: Finding) -> list[str]:
    out = [] if found.wrong else ["The inconsistency is not there."]
    for part, stated, computed in (
        ("printed", entry.printed, found.printed),
        ("recomputed", entry.recomputed, found.recomputed),
    ):
        for name, value in stated.items():
            if name not in computed:
                out.append(f"{part} '{name}': the check computes no such value.")
            elif not _agree(value, computed[name], entry.digits):
                out.append(
                    f"{part} '{name}': the register says {value}, the data {computed[name]}."
                )
    return out


def _agree(stated: object, computed: object, digits: int) -> bool:
    """Numbers to half a unit of the last digit, lists member by member, all else exactly."""
    if isinstance(stated, tuple) and isinstance(computed, tuple):
        pairs = zip_longest(stated, computed, fillvalue="")
        return all(_agree(one, other, digits) for one, other in pairs)
    if _is_number(stated) and _is_number(computed):
        return abs(stated - computed) <= 0.5 * 10.0**-digits + 1e-9
    return stated == computed


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def aggregates(study: Published) -> tuple[Aggregate, ...]:
    """Every mean over the rows of the published tables, alongside each place that prints it.

    Raises UsageError for a table without the rows of a tool.
    """
    out: list[Aggregate] = []
    for number, tool in enumerate(TOOLS):
        try:
            said, table3 = study.said(tool), study.printed_means(tool)
        except StopIteration as error:
            place = "Table 3" if any(row.tool == tool for row in study.text) else "Section 4.6"
            raise _too_few(place, tool, 0, "one row, with the printed means") from error
        comparisons: tuple[Comparison, ...] = ("or_or", "or_sw", "sw_or", "sw_sw")
        for comparison in comparisons:
            values = list(study.distances(tool, comparison).values())
            out.append(_mean(tool, comparison, f"Table {4 + number}", values))
            if comparison == "sw_or":
                out[-1] = _printed(out[-1], "4.6", said.deid_mean, said.deid_sd)
        measures: tuple[Literal["pcc", "rmse"], ...] = ("pcc", "rmse")
        for measure in measures:
            found = _mean(tool, measure, "Table 2", list(study.unit_values(tool, measure).values()))
            for where, row in (("Table 3", table3), ("4.6", said)):
                mean, sd = getattr(row, f"{measure}_mean"), getattr(row, f"{measure}_sd")
                out.append(_printed(found, where, mean, sd))
        out += _switched(study, tool, f"Table {8 + number}")
    return tuple(out)


def _switched(study: Published, tool: str, rows: str) -> list[Aggregate]:
    cells = study.switches(tool)
    units = [row for row in study.switched_units if row.tool == tool]
    return [
        _mean(tool, "sw_or same-sex donor", rows, [cell.same_sex for cell in cells]),
        _mean(tool, "sw_or other-sex donor", rows, [cell.other_sex for cell in cells]),
        _mean(tool, "change of pcc", "Table 12", [row.delta_pcc for row in units]),
        _mean(tool, "change of rmse", "Table 12", [row.delta_rmse for row in units]),
    ]


def _mean(tool: str, what: str, rows: str, values: list[float]) -> Aggregate:
    if len(values) < 2:
        raise _too_few(rows, tool, len(values), "two rows, to have a deviation")
    mean, sd = statistics.fmean(values), statistics.stdev(values)
    return Aggregate(tool=tool, what=what, rows=rows, n=len(values), mean=mean, sd=sd)


def _too_few(place: str, tool: str, n: int, needed: str) -> UsageError:
    rows = "1 row" if n == 1 else f"{n} rows"
    return UsageError(
        f"{place} has {rows} of {tool}, and needs at least {needed}.",
        hint="Compare the files in tables/ with those that ship: benchmarks/thesis/tables.",
    )


def _printed(found: Aggregate, where: str, mean: float, sd: float) -> Aggregate:
    return found.model_copy(update={"where": where, "printed_mean": mean, "printed_sd": sd})
