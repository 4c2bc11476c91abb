"""A cell's page: every number of it, its frames, and where all of that comes from."""

from __future__ import annotations

from typing import Any

from harness.model.dataset import Split
from harness.model.score import Attributes, CellScore, Comparison
from reports.aggregate import distances, is_control
from reports.model import UNUSABLE, ReportCell
from reports.provenance import step_words
from reports.quality import quality_table
from reports.readings import readings_table
from reports.recognisers import recognisers_table
from reports.site.cell_parts import leak_facts, stretch_table, utility_table
from reports.site.model import Site
from reports.site.paths import actor_page, tool_page
from reports.site.tool_view import variant_facts
from reports.tables import ORDER, SHORT, Table, TableCell, number, share, text, verdict, why_missing
from reports.units import count

Facts = tuple[tuple[str, str], ...]
SPLITS = {
    Split.HELD_OUT: "held-out",
    Split.THESIS: "thesis: test takes are in the training video",
}
LONG = {
    "OR-OR": "original video, own face",
    "OR-SW": "original video, swapped identity",
    "SW-OR": "swapped video, own face",
    "SW-SW": "swapped video, swapped identity",
}


def cell_view(site: Site, cell: ReportCell, page: str) -> dict[str, Any]:
    """What the template shows of one cell."""
    alone = site.report.model_copy(update={"cells": (cell,)})
    return {
        "cell": cell,
        "control": is_control(site.report, cell.variant),
        "tool_page": tool_page(cell.spec.tool),
        "actor_page": actor_page(cell.spec),
        "verdict": verdict(cell),
        "distances": distance_table(cell),
        "readings": readings_table(alone),
        "recognisers": recognisers_table(alone),
        "quality": quality_table(alone),
        "units": [unit_rows(found) for found in (cell.score.attributes if cell.score else ())],
        **_later_parts(cell.score),
        "gallery": site.gallery_of(cell),
        "asked": _asked(cell),
        "content": _content(site, cell),
        "attempts": attempt_table(cell),
        "steps": step_words(cell),
    }


def _later_parts(score: CellScore | None) -> dict[str, Any]:
    """Parts that scores of older versions do not have."""
    leaks = score.leaks if score else None
    utility = score.utility if score else None
    return {
        "leaks": leak_facts(leaks) if leaks else (),
        "stretches": stretch_table(leaks) if leaks else None,
        "utility": utility_table(utility) if utility else None,
    }


def distance_table(cell: ReportCell) -> Table:
    """The four comparisons, with what each rests on."""
    columns = (
        *("Comparison", "What", "Mean", "SD", "Median", "Quartiles", "Recognised"),
        *("Frames with a face", "No face"),
    )
    return Table(
        title="L2 distances of face embeddings",
        columns=columns,
        rows=tuple(_distance_row(cell, c) for c in ORDER) if cell.score else (),
        note="Over sampled frames with a face. Recognised: share of these at or under the "
        "threshold. Neighbouring frames are much alike: the spread is no measure of certainty.",
    )


def _distance_row(cell: ReportCell, comparison: Comparison) -> tuple[TableCell, ...]:
    name = SHORT[comparison]
    d = distances(cell, comparison)
    why = why_missing(cell, comparison)
    head = (text(name), text(LONG[name]))
    if d is None:
        return (*head, *(number(None, why) for _ in range(7)))
    quartiles = (
        text(f"{d.q1:.3f} to {d.q3:.3f}", "number", d.q1)
        if d.q1 is not None and d.q3 is not None
        else number(None, why)
    )
    return (
        *head,
        *(number(v, why) for v in (d.mean, d.sd, d.median)),
        quartiles,
        share(d.share_at_or_under_threshold, why),
        text(f"{d.used} of {d.asked}", "number", float(d.used)),
        share(d.fta),
    )


def unit_rows(found: Attributes) -> Table:
    """Every action unit of one source."""
    rows = []
    for unit in found.units:
        digits = "".join(filter(str.isdigit, unit.unit.split("/")[0]))
        why = unit.reason or "the swapped video stands still in this unit"
        values = (unit.pcc, unit.ccc, unit.rmse, unit.nrmse)
        paired = number(None, why) if unit.paired is None else count(unit.paired)
        rows.append(
            (text(unit.unit, sort=float(digits or 999)), *(number(v, why) for v in values), paired)
        )
    means = (found.mean_pcc, found.mean_ccc, found.mean_rmse)
    none = "no measurable unit"
    footer = (text("Mean"), *(number(v, none) for v in means), text(""), text(""))
    return Table(
        title=f"Action units by {found.source}",
        columns=("Unit", "PCC", "CCC", "RMSE", "RMSE / SD", "Frames paired"),
        rows=tuple(rows),
        footer=(footer,),
        note=f"Scale: {found.scale}. {found.paired} of {found.frames} frames have a face in both "
        "videos. A unit that does not move in the original is not measurable.",
    )


def attempt_table(cell: ReportCell) -> Table:
    """Every try, failed ones too."""
    rows = []
    for one in cell.attempts:
        look = "good" if one.status.value == "ok" else "bad"
        rows.append(
            (
                text(one.number, sort=float(one.number)),
                text(one.status.value.replace("_", " "), look),
                text(one.reason, "long"),
                text(one.started_at.replace("T", " ")[:16]),
                text(f"{one.wall_s:.1f} s", "number", one.wall_s),
                text(
                    f"{one.peak_memory_bytes / (1 << 20):.0f} MiB", "number", one.peak_memory_bytes
                ),
                text(one.gpu or "none"),
                text(one.host.summary, "long"),
                text(one.host.bench_version),
            )
        )
    columns = (
        "Try",
        "Status",
        "Reason",
        "Began (UTC)",
        "Took",
        "Memory",
        "GPU",
        "Machine",
        "bench",
    )
    return Table(title="Attempts", columns=columns, rows=tuple(rows))


def _asked(cell: ReportCell) -> Facts:
    """Everything that was asked for: what the cell's id is the hash of."""
    spec = cell.spec
    donor = (("Donor", f"{spec.donor.name} ({spec.donor.sex.value})"),) if spec.donor else ()
    limits = {k: v for k, v in spec.limits.model_dump(mode="json").items() if v is not None}
    return (
        ("Tool", spec.tool),
        *variant_facts(cell),
        ("Dataset", spec.dataset),
        ("Split", SPLITS[spec.split]),
        ("Actor", f"{spec.actor.number} ({spec.actor.sex.value})"),
        *donor,
        ("Seed", str(spec.seed)),
        ("Limits", ", ".join(f"{k} {v:,.12g}" for k, v in limits.items()) or "none"),
        ("Cell id", spec.id),
    )


def _content(site: Site, cell: ReportCell) -> Facts:
    """Hashes of all that the score was made from, and with what."""
    if cell.status == UNUSABLE:
        return ()
    spec, facts = cell.spec, site.facts_of(cell)
    found = [("Original video", spec.actor.test.sha256)]
    if facts.swapped_sha256:
        checked = "hash checked" if site.verified and not facts.refused else "hash not checked"
        if facts.refused:
            checked = "not used"
        size = f"{facts.swapped_bytes:,} bytes"
        found.append(("Swapped video", f"{facts.swapped_sha256} ({size}; {checked})"))
    found.append(("Reference face", f"{spec.actor.reference.sha256} ({spec.actor.reference_note})"))
    if spec.donor:
        note = f"{spec.donor.reference.sha256} ({spec.donor.reference_note})"
        found.append(("Donor's face", note))
    if cell.score:
        known = {"original", "swapped", "reference", "donor"}
        identity = cell.score.identity
        found.append(("Protocol", f"{cell.score.protocol}, frame sample seed {identity.seed}"))
        found.append(("Recogniser", f"{identity.recogniser}, threshold {identity.threshold:g}"))
        found.append(("Frames", _alignment(cell)))
        rest = sorted((k, v) for k, v in cell.score.inputs.items() if k not in known)
        found += [(f"Score input: {name}", value) for name, value in rest]
    return tuple(found)


def _alignment(cell: ReportCell) -> str:
    if cell.score is None:
        return ""
    a = cell.score.alignment
    state = "in step" if a.aligned else "not aligned"
    lag = "" if a.lag_frames is None else f", shift {a.lag_frames} frames"
    reason = f": {a.reason}" if a.reason else ""
    return f"{a.frames_original} and {a.frames_swapped}, {state}{lag}{reason}"
