"""The three numbers a report starts with."""

from __future__ import annotations

from harness.model.base import Frozen
from harness.model.score import Comparison
from reports.aggregate import (
    DASH,
    attribute_sources,
    by_actor_distance,
    cells_of,
    detected,
    distances,
    fmt,
    is_control,
    mean_fta,
    mean_pcc,
    over_actors,
    percent,
    variants,
)
from reports.model import ReportCell, ReportData


class HeadlineNumber(Frozen):
    """One number with what it means and what to know beside it."""

    label: str
    value: str
    who: str
    detail: str


def headline_numbers(data: ReportData) -> list[HeadlineNumber]:
    """Best hidden, best kept expressions, worst leak; controls do not compete."""
    names = [name for name in variants(data) if not is_control(data, name)]
    return [_best_hidden(data, names), _best_kept(data, names), _worst_leak(data)]


def headline(data: ReportData) -> list[tuple[str, str]]:
    """The same three as (label, value) for a terminal."""
    return [(n.label, f"{n.value} ({n.who}; {n.detail})") for n in headline_numbers(data)]


def _best_hidden(data: ReportData, names: list[str]) -> HeadlineNumber:
    label = "Best hidden: mean distance from the original face"
    best: tuple[float, str] | None = None
    for name in names:
        mean = over_actors(by_actor_distance(cells_of(data, name), Comparison.SWAPPED_ORIGINAL))
        if mean.mean is not None and (best is None or mean.mean > best[0]):
            best = (mean.mean, name)
    if best is None:
        return HeadlineNumber(
            label=label,
            value=DASH,
            who="no tool",
            detail="no scored cell in which a face was detected; that is not the same as hidden",
        )
    cells = cells_of(data, best[1])
    n = sum(detected(cell) for cell in cells)
    detail = (
        f"{n} of {len(cells)} cells detected; frames without a face {percent(mean_fta(cells).mean)}"
    )
    return HeadlineNumber(label=label, value=fmt(best[0]), who=best[1], detail=detail)


def _best_kept(data: ReportData, names: list[str]) -> HeadlineNumber:
    label = "Best kept expressions: mean correlation of action units (PCC)"
    sources = attribute_sources(data)
    best: tuple[float, str, int] | None = None
    for name in names if sources else ():
        mean = over_actors(mean_pcc(cells_of(data, name), sources[0]))
        if mean.mean is not None and (best is None or mean.mean > best[0]):
            best = (mean.mean, name, mean.n)
    if best is None:
        return HeadlineNumber(
            label=label, value=DASH, who="no tool", detail="no cell with measurable action units"
        )
    actors = "actor" if best[2] == 1 else "actors"
    detail = f"over {best[2]} {actors}, source {sources[0]}"
    return HeadlineNumber(label=label, value=fmt(best[0]), who=best[1], detail=detail)


def _worst_leak(data: ReportData) -> HeadlineNumber:
    label = "Worst leak: frames in which the person is still recognised"
    worst: tuple[float, ReportCell] | None = None
    for cell in data.cells:
        found = distances(cell, Comparison.SWAPPED_ORIGINAL)
        share = found.share_at_or_under_threshold if found else None
        if share is None or is_control(data, cell.variant):
            continue
        if worst is None or share > worst[0]:
            worst = (share, cell)
    if worst is None or worst[1].score is None:
        return HeadlineNumber(
            label=label, value=DASH, who="no tool", detail="no frame with a face was scored"
        )
    found = distances(worst[1], Comparison.SWAPPED_ORIGINAL)
    used = f"{found.used} of {found.asked}" if found else DASH
    detail = (
        f"distance at or under {worst[1].score.identity.threshold:g} "
        f"in the {used} sampled frames with a face"
    )
    who = f"{worst[1].variant}, actor {worst[1].spec.actor.number}"
    return HeadlineNumber(label=label, value=percent(worst[0]), who=who, detail=detail)
