"""What a reader must know before the numbers: few actors, few frames, odd clips, no faces."""

from __future__ import annotations

from harness.model.score import Comparison
from harness.results.standing import FEWEST_ACTORS
from harness.results.wording import counted
from reports.aggregate import (
    attribute_sources,
    attributes,
    detected,
    distances,
    fmt,
    listing,
    lost_share,
    percent,
    units_frozen,
    units_used,
)
from reports.controls import control_checks
from reports.model import UNUSABLE, ReportCell, ReportData

FEW_ACTORS = 10
FULL_SAMPLE = 1000
OWN_FTA = 0.05
"""From this share of faceless frames on, an original itself needs a warning."""
FEW_FRAMES = 0.5


def cautions(data: ReportData) -> list[str]:
    """Sentences, the gravest first; empty when there is nothing to warn of."""
    found = distrust(data)
    found += [_unlike_references(data), _faceless_originals(data)]
    found += [
        *_unprepared(data),
        " ".join(data.earlier),
        *data.material,
        _thin_distances(data),
        _frozen_units(data),
        _thin_units(data),
        _unchecked_timing(data),
        _few_actors(data),
        _small_sample(data),
    ]
    return [sentence for sentence in found if sentence]


def distrust(data: ReportData) -> list[str]:
    """Of these, those that no verdict can be trusted with: a failed control, people who are one and
    the same picture. Wherever a verdict is shown, they are."""
    return [*_failed_controls(data), *_shared_material(data)]


def _failed_controls(data: ReportData) -> list[str]:
    failed = [check for check in control_checks(data) if check.passed is False]
    if not failed:
        return []
    names = listing([f"{check.variant}, actor {check.actor}" for check in failed])
    return [f"A control missed its known result ({names}): do not trust the other numbers."]


def _shared_material(data: ReportData) -> list[str]:
    """People who are one and the same picture: a search for one of them finds the other."""
    photos: dict[tuple[str, str], set[int]] = {}
    videos: dict[tuple[str, str], set[int]] = {}
    own: set[int] = set()
    for cell in data.cells:
        if cell.status == UNUSABLE:
            continue
        actor, donor, dataset = cell.spec.actor, cell.spec.donor, cell.spec.dataset
        photos.setdefault((dataset, actor.reference.sha256), set()).add(actor.number)
        videos.setdefault((dataset, actor.test.sha256), set()).add(actor.number)
        if donor is not None and donor.reference.sha256 == actor.reference.sha256:
            own.add(actor.number)
    found = [
        f"Actors {listing(list(map(str, sorted(people))))} have the same {what}: distances, "
        "attacks and ranks of these actors say nothing."
        for what, groups in (("reference face", photos), ("test video", videos))
        for people in groups.values()
        if len(people) > 1
    ]
    if own:
        found.append(
            f"The donor has the reference face of the actor: {_actors(own)}. A face is then put "
            "on itself, which hides nobody."
        )
    return found


def _actors(numbers: set[int]) -> str:
    return f"actor{'s' * (len(numbers) > 1)} {listing(list(map(str, sorted(numbers))))}"


def _unprepared(data: ReportData) -> list[str]:
    """One sentence for each reason, which names the person."""
    cells: dict[str, int] = {}
    for cell in data.cells:
        if cell.status == UNUSABLE:
            cells[cell.reason] = cells.get(cell.reason, 0) + 1
    return [
        f"{counted(number, 'cell')} that {'was' if number == 1 else 'were'} asked for "
        f"{'counts' if number == 1 else 'count'} as not done. {reason}"
        for reason, number in cells.items()
    ]


def _unlike_references(data: ReportData) -> str:
    """A reference that the untouched face does not resemble hides everybody, whatever the tool."""
    actors: dict[int, str] = {}
    for cell in data.cells:
        d = distances(cell, Comparison.ORIGINAL_ORIGINAL)
        if d and d.mean is not None and cell.score and d.mean > cell.score.identity.threshold:
            actors[cell.spec.actor.number] = f"actor {cell.spec.actor.number}: {fmt(d.mean)}"
    if not actors:
        return ""
    return (
        "Reference faces that the untouched video does not resemble (mean OR-OR distance): "
        f"{listing([actors[n] for n in sorted(actors)])}. No tool can be credited with hiding "
        "these people; look at their reference faces."
    )


def _faceless_originals(data: ReportData) -> str:
    """One clause per actor: the original is the same for every tool."""
    actors: dict[int, str] = {}
    for cell in data.cells:
        d = distances(cell, Comparison.ORIGINAL_ORIGINAL)
        if d and d.fta >= OWN_FTA:
            words = f"{d.asked - d.used} of {d.asked} sampled frames ({percent(d.fta)})"
            actors[cell.spec.actor.number] = f"actor {cell.spec.actor.number}: {words}"
    if not actors:
        return ""
    return (
        "Originals in which the recogniser finds no face: "
        f"{listing([actors[n] for n in sorted(actors)])}. No tool can be credited with these "
        "frames; compare its rate without a face with the original's."
    )


def _thin_distances(data: ReportData) -> str:
    thin = []
    for cell in data.cells:
        d = distances(cell, Comparison.SWAPPED_ORIGINAL)
        if d and detected(cell) and (lost_share(cell) or 0) >= FEW_FRAMES:
            thin.append(f"{_name(cell)}: {d.used} of {d.asked} frames")
    return f"Distances that rest on few frames with a face: {listing(thin)}." if thin else ""


def _thin_units(data: ReportData) -> str:
    thin = []
    for source in attribute_sources(data):
        for cell in _tool_cells(data):
            a = attributes(cell, source)
            if a and a.mean_pcc is not None and a.paired < FEW_FRAMES * a.frames:
                thin.append(f"{_name(cell)}: {a.paired} of {a.frames} frames")
    return f"PCC that rest on few paired frames: {listing(thin)}." if thin else ""


def _frozen_units(data: ReportData) -> str:
    still = []
    for source in attribute_sources(data):
        for cell in _tool_cells(data):
            a = attributes(cell, source)
            if a and (n := units_frozen(a)):
                still.append(f"{_name(cell)}: {n} of {units_used(a)} units")
    return f"Units that stand still in the swapped video: {listing(still)}." if still else ""


def _unchecked_timing(data: ReportData) -> str:
    blind = [
        _name(cell)
        for cell in _tool_cells(data)
        if cell.score
        and cell.score.alignment.aligned
        and cell.score.alignment.lag_frames is None
        and any(a.paired for a in cell.score.attributes)
    ]
    if not blind:
        return ""
    return (
        f"Frames paired by count alone, as the pictures do not tell the timing: {listing(blind)}."
    )


def _few_actors(data: ReportData) -> str:
    n = len({cell.spec.actor.number for cell in data.cells if cell.score})
    if not 0 < n < FEW_ACTORS:
        return ""
    actors = "1 actor" if n == 1 else f"{n} actors"
    if n >= FEWEST_ACTORS:
        return f"Only {actors}: no more than a large difference between tools can show."
    return f"Only {actors}: enough to see that everything works, not enough to rank tools."


def _small_sample(data: ReportData) -> str:
    asked = max(
        (d.asked for c in data.cells if (d := distances(c, Comparison.ORIGINAL_ORIGINAL))),
        default=FULL_SAMPLE,
    )
    frames = max((c.score.identity.frames for c in data.cells if c.score), default=0)
    if asked >= FULL_SAMPLE or asked >= frames:
        return ""
    return (
        f"A reduced sample: at most {asked} frames of each video were looked at for identity; "
        f"the full protocol takes {FULL_SAMPLE}, or all."
    )


def _tool_cells(data: ReportData) -> list[ReportCell]:
    """Without controls, which are judged by rules of their own."""
    controls = {name for name, tool in data.tools.items() if tool.control}
    return [cell for cell in data.cells if cell.spec.tool not in controls]


def _name(cell: ReportCell) -> str:
    return f"{cell.variant}, actor {cell.spec.actor.number}"
