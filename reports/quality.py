"""How the swapped videos look: steadiness never without sharpness, flicker, gaps, background."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.model.quality import Quality
from reports.aggregate import cells_of, is_control, over_actors, variants
from reports.model import ReportCell, ReportData
from reports.tables import Table, TableCell, actors_of, number, partial, text

Read = Callable[[Quality], float | None]
NOT_LOOKED = "no score with this part; `bench score` makes it"


def quality_table(data: ReportData) -> Table | None:
    """One row per column, means over actors; None when no score has the part."""
    if not any(cell.score and cell.score.quality for cell in data.cells):
        return None
    columns = (
        *(
            "Tool",
            "Warping error ratio",
            "Sharpness ratio",
            "Steadiness for its detail",
            "Reads as",
        ),
        *("Flicker added", "Identity jitter ratio", "Landmark jitter ratio", "Gaps"),
        *("Longest gap (s)", "Background SSIM", "Background PSNR (dB)"),
    )
    rows = tuple(_row(data, name) for name in variants(data))
    return Table(
        title="Video quality next to the original",
        columns=columns,
        rows=rows,
        note="Mean over actors, and how many of them where some are missing. A warping "
        "error under 1 with a sharpness under 1 is blur, not "
        "steadiness: the two stand side by side, and only the column after them (the error over "
        "the sharpness, where that is under 1) compares tools. Ratios are swapped over original: 1 "
        "is a copy. Flicker added: brightness steps (0 to 255) that the original has not. Gaps: "
        "stretches in which a face of the original is lost, all actors together. Background: "
        "pixels well away from the face, which a tool should leave alone; SSIM 1 is the same.",
    )


def _row(data: ReportData, name: str) -> tuple[TableCell, ...]:
    cells = cells_of(data, name)
    return (
        text(f"{name} (control)" if is_control(data, name) else name),
        _mean(cells, lambda q: q.warping.ratio if q.warping else None),
        _mean(cells, lambda q: q.warping.sharpness_ratio if q.warping else None),
        _mean(cells, lambda q: q.warping.detail_fair_ratio if q.warping else None),
        _verdicts(cells),
        _part(cells, "flicker", "added"),
        _part(cells, "identity_jitter", "ratio"),
        _part(cells, "landmark_jitter", "ratio"),
        _gaps(cells),
        _longest(cells),
        _part(cells, "background", "ssim"),
        _part(cells, "background", "psnr_db", digits=1),
    )


def _parts(cells: Sequence[ReportCell]) -> list[Quality]:
    return [cell.score.quality for cell in cells if cell.score and cell.score.quality]


def _mean(cells: Sequence[ReportCell], read: Read, digits: int = 3) -> TableCell:
    pairs = [
        (c.spec.actor.number, read(c.score.quality) if c.score and c.score.quality else None)
        for c in cells
    ]
    found = over_actors(pairs)
    return partial(number(found.mean, _why(cells), digits), found.n, actors_of(cells))


def _part(cells: Sequence[ReportCell], name: str, field: str, digits: int = 3) -> TableCell:
    """A number of a part that has a reason of its own where it is missing."""

    def read(quality: Quality) -> float | None:
        part = getattr(quality, name)
        value: float | None = getattr(part, field) if part else None
        return value

    cell = _mean(cells, read, digits)
    said = [part.reason for q in _parts(cells) if (part := getattr(q, name)) and part.reason]
    return cell.model_copy(update={"reason": said[0]}) if cell.reason and said else cell


def _why(cells: Sequence[ReportCell]) -> str:
    """Why a number of these cells may be missing: their most frequent own reason."""
    parts = _parts(cells)
    if not parts:
        return NOT_LOOKED
    said = [reason for part in parts if (reason := part.reason or part.warping_note)]
    return max(set(said), key=said.count) if said else "it could not be measured in any cell"


def _verdicts(cells: Sequence[ReportCell]) -> TableCell:
    """What the warping error means, cell by cell, in words; with counts where cells differ."""
    found = [part.warping.verdict.value for part in _parts(cells) if part.warping]
    if not found:
        return number(None, _why(cells))
    counts = {words: found.count(words) for words in dict.fromkeys(found)}
    if len(counts) == 1:
        return text(found[0], "soft")
    return text("; ".join(f"{words} ({n})" for words, n in counts.items()), "long")


def _gaps(cells: Sequence[ReportCell]) -> TableCell:
    found = [part.gaps for part in _parts(cells) if part.gaps]
    if not found:
        return number(None, _why(cells))
    count = sum(gaps.count for gaps in found)
    return _looked_at(text(count, "number", float(count)), cells)


def _looked_at(cell: TableCell, cells: Sequence[ReportCell]) -> TableCell:
    """A number that is no mean, with how many of the actors it is about."""
    actors = {c.spec.actor.number for c in cells if c.score and c.score.quality}
    return partial(cell, len(actors), actors_of(cells))


def _longest(cells: Sequence[ReportCell]) -> TableCell:
    found = [part.gaps.longest_s for part in _parts(cells) if part.gaps]
    return _looked_at(number(max(found, default=None), _why(cells), 2), cells)
