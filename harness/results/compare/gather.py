"""Reads one side of a comparison out of a store: only what can be trusted is used."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UsageError
from harness.model.cell import Attempt, CellSpec, Result, Status
from harness.model.job import Step
from harness.model.score import CellScore
from harness.model.suite import UnpreparedCell
from harness.planning.selection import Selection, choose_cells
from harness.results.compare.selector import Selector, choose, variant_of
from harness.store.cells import CellStore
from harness.store.media import MediaStore
from harness.store.score_files import ScoreStore

Key = tuple[str, int, str, int]
"""Split, actor, donor, seed: what a cell is paired by."""


@dataclass(frozen=True)
class Cell:
    """A scored cell."""

    spec: CellSpec
    score: CellScore
    host: str = ""
    """The machine that made its result: processor and GPU."""
    clocked: bool = False
    """True for a training without a set number of iterations, which the clock ended."""

    @property
    def key(self) -> Key:
        return pair_key(self.spec)


@dataclass(frozen=True)
class Gathered:
    """Cells and scores of one side. The tuples hold slugs."""

    selector: str
    home: Path
    cells: dict[Key, Cell]
    asked: int
    failed: tuple[str, ...]
    unscored: tuple[str, ...]
    damaged: tuple[str, ...]
    replaced: tuple[str, ...]
    unprepared: tuple[str, ...] = ()
    """Names of cells that could not be prepared; they are among the ``asked``."""


def pair_key(spec: CellSpec) -> Key:
    donor = spec.donor.name if spec.donor else ""
    return spec.split.value, spec.actor.number, donor, spec.seed


@dataclass(frozen=True)
class Variant:
    """The cells of one variant on one dataset, earlier ones too."""

    specs: list[CellSpec]
    earlier: frozenset[str]
    """Ids of those that are of an earlier manifest or image."""
    unprepared: tuple[UnpreparedCell, ...]
    """Cells of the variant that were asked for and could not be prepared."""
    notes: tuple[str, ...] = ()
    """The manifest that is meant, where several share the dataset's name."""


def chosen_cells(home: Path, selector: Selector, dataset: str | None) -> Variant:
    """The cells of the variant that ``selector`` names, on the dataset of that name or path.

    Raises UsageError for none or several, or when none of them is of today's manifest.
    """
    selection = Selection(dataset=dataset, earlier=True)
    chosen = choose_cells(CellStore(home), selection)
    cells = choose(selector, chosen.specs, str(home))
    if all(spec.id in chosen.earlier for spec in cells):
        raise UsageError(
            f"All {len(cells)} cells of '{selector.text}' in {home} are of an earlier manifest or "
            "image.",
            hint="Run them again, or compare with the manifest that they were run with.",
        )
    names = sorted({spec.dataset for spec in cells})
    if len(names) > 1:
        raise UsageError(
            f"'{selector.text}' was run on {len(names)} datasets: {', '.join(names)}.",
            hint=f"Compare one of them: --dataset {names[0]}",
        )
    unprepared = [
        cell
        for cell in chosen.unprepared
        if cell.dataset == names[0] and variant_of(cell.cell) == variant_of(cells[0])
    ]
    notes = tuple(one.sentence for one in chosen.namesakes if one.name in names)
    return Variant(cells, frozenset(chosen.earlier), tuple(unprepared), notes)


def gather(
    home: Path,
    selector: str,
    specs: Sequence[CellSpec],
    protocol: str,
    earlier: Collection[str] = (),
    unprepared: Sequence[UnpreparedCell] = (),
) -> Gathered:
    """The scored cells among ``specs``, and what became of the others; those whose ids are
    ``earlier`` are replaced by others, and ``unprepared`` cells have no result.

    A cell's video is hashed again, and so is its original: a cell with one that was changed is not
    used. Of several cells with the same actor and donor the newest result counts.
    """
    store, media = CellStore(home), MediaStore(home)
    cells: dict[Key, tuple[str, Cell]] = {}
    failed: list[str] = []
    unscored: list[str] = []
    damaged: list[str] = []
    replaced: list[str] = []
    for spec in specs:
        if spec.id in earlier:
            replaced.append(spec.slug)
            continue
        result = store.result(spec)
        if result is None:
            broken = (store.folder(spec) / "result.json").is_file()
            (damaged if broken else failed).append(spec.slug)
            continue
        if not (store.verify(spec) and media.unchanged(spec.actor.test)):
            damaged.append(spec.slug)
            continue
        score = ScoreStore(home).load(spec, protocol)
        if score is None or score.inputs.get("swapped", result.swapped.sha256) != (
            result.swapped.sha256
        ):
            unscored.append(spec.slug)
            continue
        attempt = _successful(store.attempts(spec), result)
        ended_at = attempt.ended_at if attempt else ""
        older = cells.get(pair_key(spec))
        if older is not None:
            first, second = sorted([older, (ended_at, _cell(spec, score, attempt))], key=_when)
            replaced.append(first[1].spec.slug)
            cells[pair_key(spec)] = second
        else:
            cells[pair_key(spec)] = ended_at, _cell(spec, score, attempt)
    bare = [one.cell.name for one in unprepared]
    scored = {key: cell for key, (_, cell) in cells.items()}
    lists = (tuple(names) for names in (failed, unscored, damaged, replaced, bare))
    return Gathered(selector, home, scored, len(specs) + len(bare), *lists)


def common_protocol(
    sides: Sequence[tuple[Path, Sequence[CellSpec]]], wanted: str | None
) -> tuple[str, list[str]]:
    """(the protocol that most cells of the poorer side are scored with, the others there are).

    Raises UsageError when no protocol has scores on both sides.
    """
    counts: list[dict[str, int]] = []
    for home, specs in sides:
        by_protocol: dict[str, int] = {}
        for spec in specs:
            for path in ScoreStore(home).paths(spec):
                by_protocol[path.stem] = by_protocol.get(path.stem, 0) + 1
        counts.append(by_protocol)
    shared = sorted(set(counts[0]) & set(counts[1]))
    if wanted is not None and wanted not in shared:
        sides_known = "; ".join(", ".join(sorted(protocols)) or "none" for protocols in counts)
        raise UsageError(
            f"The protocol {wanted} is not scored on both sides (scored are: {sides_known}).",
            hint="Score the cells alike first: bench score --frames N",
        )
    if not shared:
        ours, theirs = (", ".join(sorted(protocols)) or "no scores at all" for protocols in counts)
        raise UsageError(
            f"There is nothing to compare: the baseline has {ours}, the candidate {theirs}.",
            hint="Score both sides alike first: bench score",
        )
    best = wanted or max(shared, key=lambda name: min(protocols[name] for protocols in counts))
    return best, [name for name in shared if name != best]


def _when(dated: tuple[str, Cell]) -> str:
    return dated[0]


def _cell(spec: CellSpec, score: CellScore, attempt: Attempt | None) -> Cell:
    if attempt is None:
        return Cell(spec, score)
    host = attempt.host.cpu + (
        f" with GPU {attempt.resources.gpu}" if attempt.resources.gpu else ""
    )
    trained = any(step.step is Step.TRAIN for step in attempt.steps)
    return Cell(spec, score, host, clocked=trained and spec.limits.iterations is None)


def _successful(attempts: Sequence[Attempt], result: Result) -> Attempt | None:
    """The attempt that made the result."""
    good = [attempt for attempt in attempts if attempt.status is Status.OK]
    return next((attempt for attempt in good if result.attempt.endswith(attempt.uuid)), None)
