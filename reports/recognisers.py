"""What other recognisers than dlib's say, each in its own scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.model.recognised import RecogniserScore, Similarity
from reports.aggregate import cells_of, fmt, is_control, over_actors, variants
from reports.model import ReportCell, ReportData
from reports.tables import Table, TableCell, actors_of, number, partial, share, text

Read = Callable[[RecogniserScore], float | None]
NO_THRESHOLD = (
    "nobody calibrated a threshold for this recogniser; thresholds from other people's unmodified "
    "videos are under Attackers"
)
NO_FACE = "it found no face to embed"


def recognisers_table(data: ReportData) -> Table | None:
    """A row per column of the report and recogniser, means over actors; None without any."""
    rows = [
        _row(data, name, recogniser)
        for name in variants(data)
        for recogniser in _recognisers(cells_of(data, name))
    ]
    if not rows:
        return None
    return Table(
        title="Other recognisers",
        columns=(
            *("Tool", "Recogniser", "Licence", "Distance", "OR-OR", "SW-OR"),
            *("Nearest frame", "Threshold", "Recognised", "Faces embedded"),
        ),
        rows=tuple(rows),
        note="Mean over actors, and how many of them where some are missing, "
        "against the actor's photo. Scales differ: distances of two "
        "recognisers are never compared or averaged. Recognised: share of the frames with a face "
        "at or under the recogniser's own threshold.",
    )


def _recognisers(cells: Sequence[ReportCell]) -> list[tuple[str, str]]:
    """Name and version of each, in the order in which they appear."""
    found = ((one.name, one.version) for cell in cells for one in _scores(cell))
    return list(dict.fromkeys(found))


def _scores(cell: ReportCell) -> tuple[RecogniserScore, ...]:
    return cell.score.recognisers if cell.score else ()


def _row(data: ReportData, name: str, recogniser: tuple[str, str]) -> tuple[TableCell, ...]:
    cells = cells_of(data, name)
    found = [
        (cell.spec.actor.number, one)
        for cell in cells
        for one in _scores(cell)
        if (one.name, one.version) == recogniser
    ]
    first = found[0][1]
    why = next((one.note for _, one in found if one.note), NO_FACE)

    def mean(read: Read, shown: Callable[[float | None, str], TableCell], why: str) -> TableCell:
        of = over_actors((actor, read(one)) for actor, one in found)
        return partial(shown(of.mean, why), of.n, actors_of(cells))

    known = first.threshold is not None
    return (
        text(f"{name} (control)" if is_control(data, name) else name),
        text(_label(first)),
        text(first.licence),
        text("cosine" if first.distance == "cosine" else "L2"),
        mean(lambda one: one.or_or.mean, number, why),
        mean(lambda one: one.sw_or.mean, number, why),
        mean(lambda one: one.sw_or.minimum, number, why),
        text(fmt(first.threshold), "number") if known else number(None, NO_THRESHOLD),
        mean(
            lambda one: one.sw_or.share_at_or_under_threshold, share, why if known else NO_THRESHOLD
        ),
        mean(lambda one: _embedded(one.sw_or), share, why),
    )


def _label(recogniser: RecogniserScore) -> str:
    label = f"{recogniser.name} {recogniser.version}"
    return f"{label} ({recogniser.preprocessing})" if recogniser.preprocessing else label


def _embedded(seen: Similarity) -> float | None:
    return seen.used / seen.asked if seen.asked else None
