"""Reads a selection of cells out of a store. Nothing is measured or changed here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType

from harness.core.errors import BenchError
from harness.execution.cohorts import load_cohorts
from harness.model.cell import Artifact, Attempt, CellSpec, Result
from harness.model.dataset import Source
from harness.model.job import Limits
from harness.model.score import CellScore
from harness.model.suite import UnpreparedCell
from harness.model.tool import Tool
from harness.planning.current import material_remarks
from harness.store.cells import CellStore
from harness.store.media import MediaStore
from harness.store.score_files import ScoreStore
from harness.store.sources import stored_sources
from reports.evidence import Rung, Wanted, evidence_pairs, face_uri
from reports.model import (
    NOT_RUN,
    NOT_SCORED,
    UNUSABLE,
    AttemptNote,
    EvidencePair,
    ReportCell,
    ReportData,
)
from reports.model import ToolInfo as Info
from reports.training import MOST_PREVIEWS, training_pictures, used_deviations
from reports.unprepared import spec_without_people

PICTURES_PER_CELL = 6
_NONE: Mapping[str, str] = MappingProxyType({})
Heard = Callable[[int, int], None]
"""Hears how many cells are done, of how many."""
TITLE = "Face de-identification report"


def ignore(done: int, total: int) -> None:
    """A listener for callers who show no progress."""


def collect(
    home: Path,
    specs: Sequence[CellSpec],
    protocol_name: str,
    *,
    title: str = TITLE,
    tools: Mapping[str, Tool] | None = None,
    sources: Sequence[Source] | None = None,
    earlier: Mapping[str, str] = _NONE,
    unprepared: Sequence[UnpreparedCell] = (),
    listen: Heard = ignore,
) -> ReportData:
    """Everything a page shows of ``specs``, frames and faces included; a cell without a score says
    why. ``listen`` hears of each cell; the other arguments are those of ``collect_numbers``.
    """
    data = collect_numbers(
        home,
        specs,
        protocol_name,
        title=title,
        tools=tools,
        sources=sources,
        earlier=earlier,
        unprepared=unprepared,
    )
    store, media = CellStore(home), MediaStore(home)
    previews = {spec.id: kept_previews(store, spec) for spec in specs}
    rung = Rung(
        images=PICTURES_PER_CELL * sum(cell.score is not None for cell in data.cells)
        + sum(min(len(found), MOST_PREVIEWS) for found in previews.values())
    )
    cells = []
    for done, cell in enumerate(data.cells, 1):
        listen(done, len(data.cells))
        if cell.spec.id not in previews:
            cells.append(cell)
            continue
        pictures, note = _pictures(store, media, cell, rung)
        folder = store.folder(cell.spec)
        trained = training_pictures(folder, previews[cell.spec.id], rung)
        update = {"evidence": pictures, "evidence_note": note, "previews": trained}
        cells.append(cell.model_copy(update=update))
    shown = {
        "cells": tuple(cells),
        "faces": _faces(media, specs),
        "image_note": rung.note,
        "cohorts": load_cohorts(home, [s for s in specs if s.id not in earlier], protocol_name),
    }
    return data.model_copy(update=shown)


def collect_numbers(
    home: Path,
    specs: Sequence[CellSpec],
    protocol_name: str,
    *,
    title: str = TITLE,
    tools: Mapping[str, Tool] | None = None,
    sources: Sequence[Source] | None = None,
    earlier: Mapping[str, str] = _NONE,
    unprepared: Sequence[UnpreparedCell] = (),
) -> ReportData:
    """The same without a single picture and without cohorts: no video, face or preview is opened.

    ``tools`` defaults to the installed adapters, ``sources`` to those that the store keeps of the
    cells' datasets. ``earlier`` is cell id to why a cell is earlier, the newest first: they get
    columns of their own, and are in no cohort. ``unprepared`` cells count as asked and not done.
    """
    store = CellStore(home)
    bare = [(spec_without_people(one), one.sentence) for one in unprepared]
    asked = [*specs, *(spec for spec, _ in bare)]
    names = variant_names(asked, earlier)
    cells = [
        _cell(store, spec, names[spec.id], ScoreStore(home).load(spec, protocol_name))
        for spec in specs
    ]
    cells += [
        ReportCell(spec=spec, variant=names[spec.id], status=UNUSABLE, reason=reason)
        for spec, reason in bare
    ]
    known = _tools() if tools is None else tools
    used = {spec.tool for spec in asked}
    return ReportData(
        title=title,
        protocol=protocol_name,
        generated_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        bench_version=_bench_version(),
        cells=tuple(cells),
        tools={name: tool_info(tool) for name, tool in known.items() if name in used},
        sources=tuple(_sources(home, specs) if sources is None else sources),
        deviations=used_deviations(specs, known),
        material=tuple(material_remarks(home, specs)),
    )


def with_beside(data: ReportData, home: Path, specs: Sequence[CellSpec]) -> ReportData:
    """The same page with scored cells of other suites, for comparisons that need them."""
    found = collect_numbers(home, specs, data.protocol, sources=()).cells if specs else ()
    return data.model_copy(update={"beside": tuple(c for c in found if c.score is not None)})


def tool_info(tool: Tool) -> Info:
    """What a page says of an adapter."""
    return Info(
        name=tool.name,
        summary=tool.summary,
        homepage=tool.homepage,
        licence=tool.licence,
        control=tool.control,
        expected=tool.expected,
    )


def variant_names(specs: Sequence[CellSpec], earlier: Mapping[str, str] = _NONE) -> dict[str, str]:
    """Cell id to column name: the tool, and whatever else differs among its cells. No column has
    two cells of one actor, donor and seed: earlier cells have columns of their own, and so have
    cells that differ in limits alone.
    """
    by_tool: dict[str, list[CellSpec]] = {}
    for spec in specs:
        by_tool.setdefault(spec.tool, []).append(spec)
    names: dict[str, str] = {}
    for same in by_tool.values():
        telling = _telling_properties(same)
        for (number, config), cells in _by_config(same).items():
            changing = _changing_settings(cells)
            for spec in cells:
                parts = [spec.tool]
                parts += [number] if "version" in telling else []
                parts += [config] if "config" in telling else []
                parts += [f"{key}={spec.settings[key]}" for key in changing if key in spec.settings]
                parts += [spec.dataset] if "dataset" in telling else []
                parts += [f"{spec.split.value} split"] if "split" in telling else []
                if spec.donor and "donor" in telling:
                    parts.append(f"donor {spec.donor.name}")
                names[spec.id] = " ".join(parts)
    by_id = {spec.id: spec for spec in specs}
    names |= _earlier_names(names, by_id, earlier)
    return names | _names_with_limits(names, by_id)


def _earlier_names(
    names: Mapping[str, str], by_id: Mapping[str, CellSpec], earlier: Mapping[str, str]
) -> dict[str, str]:
    """``blur (earlier manifest)``; of several such cells of one person, the newest first, the
    second one is ``blur (earlier manifest 2)``."""
    found: dict[str, str] = {}
    count: Counter[tuple[object, ...]] = Counter()
    for cell, reason in earlier.items():
        if cell not in names:
            continue
        name = f"{names[cell]} (earlier {reason}"
        count[name, *_shown(by_id[cell])] += 1
        number = count[name, *_shown(by_id[cell])]
        found[cell] = f"{name} {number})" if number > 1 else f"{name})"
    return found


def _names_with_limits(names: Mapping[str, str], by_id: Mapping[str, CellSpec]) -> dict[str, str]:
    count = Counter((names[key], *_shown(spec)) for key, spec in by_id.items())
    double = {name for (name, *_), number in count.items() if number > 1}
    return {
        key: f"{names[key]}, {_limits_text(spec.limits)}"
        for key, spec in by_id.items()
        if names[key] in double
    }


def _shown(spec: CellSpec) -> tuple[object, ...]:
    return spec.actor.number, spec.donor.name if spec.donor else None, spec.seed


def _limits_text(limits: Limits) -> str:
    iterations = f"{limits.iterations} iterations, " if limits.iterations else ""
    return f"{iterations}at most {limits.wall_s:g} s a step"


def _telling_properties(same: Sequence[CellSpec]) -> set[str]:
    """Which of a tool's properties tell its cells apart, and so belong to their names."""
    differs = {
        "version": len({spec.version for spec in same}) > 1,
        "config": len({spec.config for spec in same}) > 1,
        "dataset": len({spec.dataset for spec in same}) > 1,
        "split": len({spec.split for spec in same}) > 1,
        "donor": _several_donors(same),
    }
    return {name for name, many in differs.items() if many}


def _by_config(same: Sequence[CellSpec]) -> dict[tuple[str, str], list[CellSpec]]:
    groups: dict[tuple[str, str], list[CellSpec]] = {}
    for spec in same:
        groups.setdefault((spec.version, spec.config), []).append(spec)
    return groups


def _changing_settings(cells: Sequence[CellSpec]) -> list[str]:
    keys = sorted({key for spec in cells for key in spec.settings})
    return [key for key in keys if len({str(spec.settings.get(key)) for spec in cells}) > 1]


def _several_donors(specs: Sequence[CellSpec]) -> bool:
    """Whether one actor of a tool meets more than one donor (one per sex is the normal case)."""
    met: dict[int, set[str]] = {}
    for spec in specs:
        met.setdefault(spec.actor.number, set()).add(spec.donor.name if spec.donor else "")
    return any(len(donors) > 1 for donors in met.values())


def _cell(store: CellStore, spec: CellSpec, variant: str, score: CellScore | None) -> ReportCell:
    attempts = store.attempts(spec)
    result, problem = _result(store, spec)
    if result is None:
        score = None
    status, reason = _state(attempts, result, score, problem)
    steps = result.steps if result else (attempts[-1].steps if attempts else ())
    return ReportCell(
        spec=spec,
        variant=variant,
        status=status,
        reason=reason,
        attempts=tuple(_note(attempt) for attempt in attempts),
        steps=steps,
        score=score,
        previews_kept=len(result.previews) if result else 0,
    )


def _result(store: CellStore, spec: CellSpec) -> tuple[Result | None, str]:
    try:
        return store.result(spec), ""
    except BenchError as error:
        return None, str(error)


def kept_previews(store: CellStore, spec: CellSpec) -> tuple[Artifact, ...]:
    """The previews of its training that a cell's result names."""
    result, _ = _result(store, spec)
    return result.previews if result else ()


def _state(
    attempts: Sequence[Attempt], result: Result | None, score: CellScore | None, problem: str
) -> tuple[str, str]:
    """(status, why there is no score); the reason is empty when there is one."""
    if score is not None and result is not None:
        return "ok", ""
    if result is not None:
        return NOT_SCORED, "This cell has run, but has no score yet; `bench score` makes it."
    if problem:
        return "bad_output", problem
    if not attempts:
        return NOT_RUN, "This cell has not been run; `bench run` does it."
    last = attempts[-1]
    if last.status.value == "ok":
        return NOT_RUN, "The result of this cell is no longer in the store; `bench run` redoes it."
    return last.status.value, last.reason


def _note(attempt: Attempt) -> AttemptNote:
    return AttemptNote(
        number=attempt.number,
        status=attempt.status,
        reason=attempt.reason,
        started_at=attempt.started_at,
        wall_s=attempt.resources.wall_s,
        peak_memory_bytes=attempt.resources.peak_memory_bytes,
        gpu=attempt.resources.gpu,
        host=attempt.host,
    )


def _pictures(
    store: CellStore, media: MediaStore, cell: ReportCell, rung: Rung
) -> tuple[tuple[EvidencePair, ...], str]:
    if cell.score is None:
        return (), ""
    try:
        original, swapped = media.path(cell.spec.actor.test), store.swapped_path(cell.spec)
    except BenchError as error:
        return (), str(error)
    return evidence_pairs(original, swapped, wanted_frames(cell.spec, cell.score), rung)


def wanted_frames(spec: CellSpec, score: CellScore) -> list[Wanted]:
    """The score's evidence frames; the middle of the video where no frame has a distance."""
    info = spec.actor.test.info
    rate = float(Fraction(info.fps)) if info else 0.0

    def seconds(frame: int) -> float | None:
        return frame / rate if rate > 0 else None

    if not score.identity.evidence:
        middle = score.identity.frames // 2
        return [Wanted(kind="sample", frame=middle, time_s=seconds(middle))]
    return [
        Wanted(kind=e.kind, frame=e.frame, distance_l2=e.distance_l2, time_s=seconds(e.frame))
        for e in score.identity.evidence
    ]


def _faces(media: MediaStore, specs: Sequence[CellSpec]) -> dict[str, str]:
    faces: dict[str, str] = {}
    for spec in specs:
        refs = [spec.actor.reference] + ([spec.donor.reference] if spec.donor else [])
        for ref in refs:
            path = None if ref.sha256 in faces else media.find(ref)
            if path is not None and (uri := face_uri(path)):
                faces[ref.sha256] = uri
    return faces


def _tools() -> dict[str, Tool]:
    from harness.tools.registry import load_tools

    return load_tools()


def _sources(home: Path, specs: Sequence[CellSpec]) -> list[Source]:
    """Sources of datasets, actors and donors, each once, as the store keeps them."""
    actors = {spec.actor.number for spec in specs}
    donors = {spec.donor.name for spec in specs if spec.donor}
    found: list[Source] = []
    for name in sorted({spec.dataset for spec in specs}):
        for record in stored_sources(home, name):
            found += record.of(actors, donors)
    return list({source.model_dump_json(): source for source in found}.values())


def _bench_version() -> str:
    try:
        return version("deid-bench")
    except PackageNotFoundError:
        return "unknown"
