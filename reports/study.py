"""The published study beside the cells that repeat it: its tables, figures and claims."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.thesis.claims import DecidedClaim, decide, load_claims
from benchmarks.thesis.load import load_published
from benchmarks.thesis.model import TOOLS, Published, Sex
from benchmarks.thesis.rules import Outcome
from benchmarks.thesis.runs import CellValues, Measure, Runs, UnitValue
from harness.core.base import Frozen
from harness.model.dataset import Sex as PersonSex
from harness.model.dataset import Split
from harness.model.score import Attributes, Comparison, UnitScore
from reports.aggregate import actor_ranges, attributes, detected, distances
from reports.model import ReportCell, ReportData
from reports.plot import Figure
from reports.study_figures import study_boxes
from reports.study_tables import (
    deid_table,
    means_table,
    switch_table,
    switch_units_table,
    units_table,
)
from reports.tables import Table

CONFIG, DATASET = "thesis", "ravdess"
"""What makes a cell one of the study's: other settings or other people do not repeat it."""
OPENFACE = "openface"


class StudyView(Frozen):
    """The section as the template shows it."""

    sentences: tuple[str, ...]
    """What is compared, and what stands in the way."""
    claims: tuple[DecidedClaim, ...]
    verdicts: str
    """How many claims came out how."""
    boxes: tuple[Figure, ...]
    """Figures 29-32."""
    deid: tuple[Table, ...]
    """Tables 4-7."""
    units: tuple[Table, ...]
    """Table 2, PCC and RMSE apart."""
    means: Table | None
    """Table 3."""
    switch: tuple[Table, ...]
    """Tables 8-11."""
    switch_units: tuple[Table, ...]
    """Table 12, PCC and RMSE apart."""


def study_view(data: ReportData) -> StudyView | None:
    """The section for a selection; None when no scored cell of it repeats the study."""
    cells = study_cells(data)
    if not any(cell in data.cells for cell in cells):
        return None
    study = load_published()
    source = _source(cells)
    runs = study_runs(cells, source)
    claims = decide(load_claims(), runs)
    tools = [tool for tool in TOOLS if any(cell.spec.tool == tool for cell in cells)]
    switched = [tool for tool in tools if runs.of(tool, "sw_or", switched=True)]
    return StudyView(
        sentences=tuple(_sentences(cells, data, study, source)),
        claims=claims,
        verdicts=_verdicts(claims),
        boxes=tuple(study_boxes(runs, study, tool) for tool in tools),
        deid=tuple(deid_table(runs, study, tool) for tool in tools),
        units=tuple(units_table(runs, study, m, source) for m in ("pcc", "rmse")) if source else (),
        means=means_table(runs, study, source) if source else None,
        switch=tuple(switch_table(runs, study, tool) for tool in switched),
        switch_units=tuple(switch_units_table(runs, study, m, source) for m in ("pcc", "rmse"))
        if switched and source
        else (),
    )


def study_cells(data: ReportData) -> list[ReportCell]:
    """The scored cells that repeat the study; of two splits those of the study's own."""
    found = [
        cell
        for cell in (*data.cells, *data.beside)
        if cell.score is not None
        and cell.spec.donor is not None
        and (cell.spec.config, cell.spec.dataset) == (CONFIG, DATASET)
        and cell.spec.tool in TOOLS
    ]
    found = list({cell.spec.id: cell for cell in found}.values())
    own = [cell for cell in found if cell.spec.split is Split.THESIS]
    return own or found


def study_runs(cells: Sequence[ReportCell], source: str | None) -> Runs:
    """The cells as the claims are decided on, action units from one source."""
    scores = [cell.score for cell in cells if cell.score]
    threshold = scores[0].identity.threshold if scores else 0.6
    return Runs(cells=tuple(_values(cell, source) for cell in cells), threshold_l2=threshold)


def _values(cell: ReportCell, source: str | None) -> CellValues:
    donor = cell.spec.donor
    assert donor is not None
    values: dict[Measure, float] = {}
    for comparison in Comparison:
        found = distances(cell, comparison)
        from_swapped = comparison in (Comparison.SWAPPED_ORIGINAL, Comparison.SWAPPED_SWAPPED)
        # A video in which no face was found hides nothing: it has no distance that counts.
        if found and found.mean is not None and (detected(cell) or not from_swapped):
            values[comparison.value] = found.mean
    attribute = attributes(cell, source) if source else None
    if attribute and attribute.mean_pcc is not None:
        values["pcc"] = attribute.mean_pcc
    if attribute and attribute.mean_rmse is not None:
        values["rmse"] = attribute.mean_rmse
    return CellValues(
        tool=cell.spec.tool,
        actor=cell.spec.actor.number,
        sex=_sex(cell.spec.actor.sex),
        donor=donor.name,
        donor_sex=_sex(donor.sex),
        values=values,
        units=_units(attribute),
    )


def _units(found: Attributes | None) -> dict[int, UnitValue]:
    """By the unit's number; one that stands still follows nothing, so its PCC is 0."""
    out = {}
    for unit in found.units if found else ():
        digits = "".join(filter(str.isdigit, unit.unit.split("/", maxsplit=1)[0]))
        if unit.measurable and digits:
            out[int(digits)] = UnitValue(
                pcc=0.0 if unit.frozen and unit.pcc is None else unit.pcc,
                rmse=unit.rmse,
                **_reach(unit),
            )
    return out


def _reach(unit: UnitScore) -> dict[str, float | None]:
    original, swapped = unit.original_quartiles, unit.swapped_quartiles
    return {
        "reach_original": original[4] - original[0] if original else None,
        "reach_swapped": swapped[4] - swapped[0] if swapped else None,
    }


def _sex(sex: PersonSex) -> Sex:
    return "M" if sex is PersonSex.MALE else "F"


def _source(cells: Sequence[ReportCell]) -> str | None:
    """The study's own source of action units where all scored cells have it, else the commonest."""
    counts: dict[str, int] = {}
    for cell in cells:
        for found in cell.score.attributes if cell.score else ():
            counts[found.source] = counts.get(found.source, 0) + (found.mean_pcc is not None)
    if counts.get(OPENFACE) == len(cells):
        return OPENFACE
    return max(counts, key=lambda name: counts[name], default=None)


def _sentences(
    cells: Sequence[ReportCell], data: ReportData, study: Published, source: str | None
) -> list[str]:
    """What is compared, and what the comparison cannot carry."""
    about = study.about
    actors = {cell.spec.actor.number for cell in cells}
    tools = {cell.spec.tool for cell in cells}
    out = [
        f"{len(cells)} scored cells repeat the study of {about.source.author} "
        f"({about.source.institution}, {about.source.academic_year}): {len(tools)} of its "
        f"{len(TOOLS)} tools on {len(actors)} of its {about.dataset.actors} actors "
        f"({actor_ranges(actors)}). Its numbers are shown as they were printed, also where they "
        "are impossible.",
        "Its OR-SW and SW-SW refer to a face that it does not define, so they cannot be compared "
        "closely. Its donors are other people than yours: distances move with the donor.",
    ]
    frames = {c.score.identity.comparisons[Comparison.ORIGINAL_ORIGINAL].asked for c in cells if
              c.score}  # fmt: skip
    most = max(frames, default=0)
    if most < about.protocol.frames:
        out.append(
            f"The protocol {data.protocol} samples at most {most} frames a video, the study "
            f"{about.protocol.frames}."
        )
    if any(cell.spec.split is not Split.THESIS for cell in cells):
        out.append(
            "These cells do not train on the test takes, as the study did: worse results are to be "
            "expected."
        )
    if source is None:
        out.append("No action units were measured, so nothing can be said of expressions.")
    elif source != OPENFACE:
        out.append(
            f"Action units are {source}'s, the study's are OpenFace's on a scale of 0 to 5: PCCs "
            "are alike in kind only, and RMSEs are on another scale."
        )
    return out


def _verdicts(claims: Sequence[DecidedClaim]) -> str:
    counts = {one: sum(claim.outcome is one for claim in claims) for one in Outcome}
    told = ", ".join(f"{number} {one.value}" for one, number in counts.items())
    return f"{len(claims)} claims: {told}."
