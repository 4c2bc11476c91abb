"""Tables of a cell's page for the later parts of a score: leaks in time, and what else is kept."""

from __future__ import annotations

from harness.model.privacy import LeakProfile
from harness.model.utility import Difference, Events, Kept, Utility
from reports.tables import Table, TableCell, number, share, text
from reports.units import count


def leak_facts(leaks: LeakProfile) -> tuple[tuple[str, str], ...]:
    """When and for how long the person is recognised, in words."""
    looked = "every frame" if leaks.every_frame else "a sample; frames in between may leak unseen"
    first = "never" if leaks.first_leak_s is None else f"after {leaks.first_leak_s:.2f} s"
    longest = "none"
    if leaks.longest_run_frames:
        longest = (
            f"{leaks.longest_run_frames} frames; the longest in time {leaks.longest_run_s:.2f} s"
        )
    lowest = "no face" if leaks.p01_l2 is None else f"{leaks.p01_l2:.3f}"
    return (
        ("Looked at", f"{leaks.asked} frames ({looked}), {leaks.used} with a face"),
        ("Recognised in", f"{leaks.leaking} frames, threshold {leaks.threshold:g}"),
        ("First recognised", first),
        ("Longest stretch", longest),
        ("1st percentile of distance", lowest),
    )


def stretch_table(leaks: LeakProfile) -> Table | None:
    """Stretches of frames in which the person is recognised; None without one."""
    rows = tuple(
        (
            text(f"{s.first_frame} to {s.last_frame}", sort=float(s.first_frame)),
            text(f"{s.start_s:.2f} s", "number", s.start_s),
            text(f"{s.duration_s:.2f} s", "number", s.duration_s),
            count(s.frames),
            number(s.minimum_l2),
        )
        for s in leaks.stretches
    )
    if not rows:
        return None
    hidden = leaks.stretches_found - len(rows)
    return Table(
        title="Stretches in which the person is recognised",
        columns=("Frames", "Begins", "Lasts", "Frames looked at", "Smallest distance"),
        rows=rows,
        note=f"The longest ones; {hidden} shorter ones are left out." if hidden > 0 else "",
    )


def utility_table(utility: Utility) -> Table:
    """What is kept besides action units, with what compression alone leaves of it."""
    kept, floor = utility.kept, utility.floor
    rows = [
        _row(
            "Faces found again",
            share(kept.detection_rate, "the original shows no face"),
            share(floor.detection_rate if floor else None, utility.floor_note),
            f"{kept.faces_kept} of {kept.faces_original} frames",
        )
    ]
    for name, field in (("Blinks, F1", "blinks"), ("Mouth openings, F1", "mouth_openings")):
        rows.append(_event_row(name, kept, floor, field, utility.floor_note))
    for name, field in (
        ("Head pose, mean difference", "head_pose"),
        ("Gaze, mean difference", "gaze"),
        ("Landmarks, mean distance", "landmarks"),
    ):
        rows.append(_difference_row(name, kept, floor, field, utility.floor_note))
    return Table(
        title=f"Behaviour by {utility.source}",
        columns=("What", "Swapped", "Re-encoded original", "Rests on"),
        rows=tuple(rows),
        note="F1: 1 is best. Differences: 0 is best. Re-encoded original: what compression alone "
        f"makes of it; a difference under it says nothing of the tool. {utility.floor_note}",
    )


def _event_row(
    name: str, kept: Kept, floor: Kept | None, field: str, note: str
) -> tuple[TableCell, ...]:
    found: Events = getattr(kept, field)
    other: Events | None = getattr(floor, field) if floor else None
    return _row(
        name,
        number(found.f1, found.reason or "none in the swapped video"),
        number(other.f1 if other else None, (other.reason if other else "") or note),
        f"{found.matched} of {found.original} found again; {found.swapped} in the swapped video",
    )


def _difference_row(
    name: str, kept: Kept, floor: Kept | None, field: str, note: str
) -> tuple[TableCell, ...]:
    found: Difference | None = getattr(kept, field)
    other: Difference | None = getattr(floor, field) if floor else None
    why = found.reason if found else "not measured"
    return _row(
        f"{name} ({found.unit})" if found else name,
        number(found.mean if found else None, why or "not measured"),
        number(other.mean if other else None, (other.reason if other else "") or note),
        f"{found.frames} frames" if found else "",
    )


def _row(name: str, swapped: TableCell, floor: TableCell, rests: str) -> tuple[TableCell, ...]:
    return text(name), swapped, floor, text(rests)
