"""Where every number comes from: versions, hashes, settings, hosts, limits, references."""

from __future__ import annotations

import json

from harness.core.base import Frozen
from harness.model.dataset import Split
from reports.aggregate import cells_of, detected, is_control, variants
from reports.model import UNUSABLE, ReportCell, ReportData
from reports.tables import Table, text


class ReferenceRow(Frozen):
    """A reference face, for the page."""

    name: str
    note: str
    image: str | None
    sha256: str


def reference_rows(data: ReportData) -> list[ReferenceRow]:
    """The reference faces of all actors, then of all donors."""
    actors: dict[str, ReferenceRow] = {}
    donors: dict[str, ReferenceRow] = {}
    for cell in sorted(data.cells, key=lambda c: c.spec.actor.number):
        if cell.status == UNUSABLE:
            continue
        actor, donor = cell.spec.actor, cell.spec.donor
        sha = actor.reference.sha256
        actors[f"{actor.number}/{sha}"] = ReferenceRow(
            name=f"Actor {actor.number} ({actor.sex.value})",
            note=actor.reference_note,
            image=data.faces.get(sha),
            sha256=sha,
        )
        if donor:
            sha = donor.reference.sha256
            donors[f"{donor.name}/{sha}"] = ReferenceRow(
                name=f"Donor {donor.name} ({donor.sex.value})",
                note=donor.reference_note,
                image=data.faces.get(sha),
                sha256=sha,
            )
    return [*actors.values(), *donors.values()]


class ToolCard(Frozen):
    """A tool column, for the page."""

    name: str
    control: bool
    summary: str
    facts: tuple[str, ...]
    outcome: str


def tool_cards(data: ReportData) -> list[ToolCard]:
    """What each column is, and what became of its cells."""
    cards = []
    for name in variants(data):
        cells = cells_of(data, name)
        spec = cells[0].spec
        info = data.tools.get(spec.tool)
        facts = [f"version {spec.version}", f"config {spec.config}"]
        facts += [f"{key} {value}" for key, value in sorted(spec.settings.items())]
        scored = sum(cell.score is not None for cell in cells)
        seen = sum(detected(cell) for cell in cells)
        cards.append(
            ToolCard(
                name=name,
                control=is_control(data, name),
                summary=info.summary if info else "",
                facts=tuple(facts),
                outcome=f"{scored} of {len(cells)} cells scored, {seen} with a face",
            )
        )
    return cards


def tool_licences(data: ReportData) -> list[tuple[str, str, str]]:
    """(tool, licence, homepage) of every tool whose adapter names a licence."""
    return [(t.name, t.licence, t.homepage) for t in data.tools.values() if t.licence]


def host_lines(data: ReportData) -> list[str]:
    """The machines that ran attempts, each once."""
    lines: dict[str, None] = {}
    for cell in data.cells:
        for attempt in cell.attempts:
            host = attempt.host
            lines[f"{host.summary}, deid-bench {host.bench_version}"] = None
    return list(lines)


MOST_CELLS = 600
"""Rows of provenance that a page can bear; the store keeps every cell's."""


def provenance_table(data: ReportData) -> Table:
    """One row for each cell, of very many the first; scored ones come first then."""
    columns = (
        *("Cell", "Tool", "Version", "Config", "Settings", "Dataset", "Split", "Seed"),
        *("Limits", "Wall time", "Peak memory", "GPU", "Inputs", "Test video", "Steps"),
    )
    cells = list(data.cells)
    note = ""
    if len(cells) > MOST_CELLS:
        cells = sorted(cells, key=lambda cell: cell.score is None)[:MOST_CELLS]
        left = len(data.cells) - MOST_CELLS
        note = f"{left} more cells are left out here; each cell's spec.json holds the same."
    rows = tuple(tuple(text(value) for value in _row(cell)) for cell in cells)
    return Table(title="Provenance of every cell", columns=columns, rows=rows, note=note)


def _row(cell: ReportCell) -> tuple[str, ...]:
    spec = cell.spec
    last = cell.attempts[-1] if cell.attempts else None
    image = f" ({spec.image_digest})" if spec.image_digest else ""
    inputs = cell.score.inputs if cell.score else {}
    limits = {k: v for k, v in spec.limits.model_dump(mode="json").items() if v is not None}
    return (
        spec.slug,
        spec.tool,
        spec.version + image,
        spec.config,
        json.dumps(spec.settings, sort_keys=True, ensure_ascii=False),
        spec.dataset,
        "THESIS: test takes are in the training video"
        if spec.split is Split.THESIS
        else "held-out",
        str(spec.seed),
        ", ".join(f"{k} {v:g}" for k, v in limits.items()),
        f"{last.wall_s:.1f} s" if last else "not run",
        f"{last.peak_memory_bytes / (1 << 20):.0f} MiB" if last else "not run",
        (last.gpu or "none") if last else "not run",
        "; ".join(f"{k} {_short(v)}" for k, v in sorted(inputs.items())),
        spec.actor.test.sha256[:12],
        " | ".join(step_words(cell)),
    )


def _short(value: str) -> str:
    is_hash = len(value) == 64 and all(c in "0123456789abcdef" for c in value)
    return value[:12] if is_hash else value


def step_words(cell: ReportCell) -> list[str]:
    """A line for each step of the attempt that counts: what the driver says that it did."""
    lines = []
    for step in cell.steps:
        parts = [step.step.value]
        known = (
            ("frames", step.frames),
            ("without a face", step.frames_without_face),
            ("with several faces", step.frames_with_several_faces),
            ("iterations", step.iterations),
            ("revision", step.upstream_revision),
        )
        parts += [f"{name} {value}" for name, value in known if value is not None]
        parts += [f"{video}: {count} faces" for video, count in sorted(step.faces_found.items())]
        lines.append(", ".join([*parts, *step.notes]))
    return lines
