"""``bench retry`` and ``bench clean``: failed cells again, and room on the disk."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import complete
from harness.cli.earlier import say_namesakes
from harness.cli.options import ActorOption, AsJson, CpuOption, DatasetOption, ToolOption
from harness.cli.output import Progress, note, print_json, say, size_text
from harness.cli.stored import find_cell, is_locked, is_running, open_store
from harness.core.errors import UsageError
from harness.core.trees import remove_tree, tree_size
from harness.planning.selection import Selection, choose_cells

if TYPE_CHECKING:
    from harness.execution.outcomes import CellOutcome
    from harness.model.cell import CellSpec
    from harness.store.cells import CellStore

STALE_S = 24 * 3600.0
"""Work in progress that nothing touched for this long was left behind by a killed command."""

_LEFTOVERS = (
    "media/tmp/*",
    "downloads/fetch-*",
    "cells/*/.*.json.*",
    "cells/*/attempts/*/.*.json.*",
    "scores/*/.*.json.*",
    "scores/*/.*.part",
    "scores/cohorts/*/.*.json.*",
    "observations/*/.*.part",
    "reports/.*.tmp",
)


def retry(
    cell: Annotated[
        str | None,
        typer.Argument(
            help="A cell's slug, id, or an unambiguous start of either.",
            autocompletion=complete.cell_names,
        ),
    ] = None,
    all_failed: Annotated[
        bool, typer.Option("--all-failed", help="Every cell whose last attempt failed.")
    ] = False,
    tool: ToolOption = None,
    actor: ActorOption = None,
    dataset: DatasetOption = None,
    cpu: CpuOption = False,
    as_json: AsJson = False,
) -> None:
    """Try failed cells again, with the same settings.

    Exit code 1 if one fails again.

    Examples: bench retry blur-1-default-actor03
              bench retry --all-failed --tool blur
    """
    from harness.core.signals import terminate_as_interrupt
    from harness.execution.pipeline import RunOptions, open_workplace, run_cells
    from harness.model.cell import Status
    from harness.tools.registry import find_tool

    store = open_store()
    specs = _to_retry(store, cell, all_failed, Selection((), tool, actor, dataset))
    tools = {name: find_tool(name) for name in {spec.tool for spec in specs}}
    progress = Progress(len(specs))
    progress.say(f"{len(specs)} cell{'s' * (len(specs) != 1)} to try again")

    def finished(spec: CellSpec, outcome: CellOutcome) -> None:
        progress.advance(f"{spec.slug} {_word(outcome)}")

    options = RunOptions(cpu=cpu)
    with terminate_as_interrupt(), open_workplace(store.home, len(specs), options) as workplace:
        outcomes = run_cells(specs, tools, workplace, finished)
    good = [outcome for outcome in outcomes if outcome.status is Status.OK]
    if as_json:
        print_json([_retried(spec, out) for spec, out in zip(specs, outcomes, strict=True)])
    else:
        for spec, outcome in zip(specs, outcomes, strict=True):
            reason = outcome.attempt.reason if outcome.attempt and outcome not in good else ""
            say(f"{spec.slug}: {_word(outcome)}{reason and f': {reason}'}")
        if any(not outcome.reused for outcome in good):
            what = specs[0].slug if len(specs) == 1 else ""
            note(f"Hint: Next: bench score {what}".rstrip())
    if len(good) < len(specs):
        raise typer.Exit(1)


def _word(outcome: CellOutcome) -> str:
    return "already done" if outcome.reused and outcome.result else outcome.status.value


def _retried(spec: CellSpec, outcome: CellOutcome) -> dict[str, object]:
    return {
        "cell": spec.slug,
        "id": spec.id,
        "status": outcome.status.value,
        "reused": outcome.reused,
        "reason": outcome.attempt.reason if outcome.attempt else "",
    }


def _to_retry(
    store: CellStore, cell: str | None, all_failed: bool, selection: Selection
) -> list[CellSpec]:
    """The cells to try again. Raises UsageError for a cell that is being run just now."""
    if (cell is None) is not all_failed:
        raise UsageError("Name a cell, or --all-failed.", hint="See `bench status`.")
    if cell is None:
        chosen = choose_cells(store, selection)
        say_namesakes(chosen)
        return [spec for spec in chosen.specs if _has_failed(store, spec)]
    if not selection.is_all:
        raise UsageError("--tool, --actor and --dataset go with --all-failed, not with a cell.")
    spec = find_cell(store, cell)
    if is_running(store, spec):
        raise UsageError(
            f"The cell {spec.slug} is being run just now.",
            hint=f"Watch it: bench logs {spec.slug} --follow",
        )
    return [spec]


def _has_failed(store: CellStore, spec: CellSpec) -> bool:
    tried = any((store.folder(spec) / "attempts").glob("*"))
    return tried and store.result(spec) is None and not is_running(store, spec)


@dataclass(frozen=True)
class _Target:
    """Something that may be removed; ``spec`` is the cell whose lock must be held for it."""

    path: Path
    why: str
    spec: CellSpec | None = None
    finished: bool = False
    """True when a cell is removed although it has a result."""


def clean(
    failed: Annotated[
        bool,
        typer.Option(
            "--failed",
            help="Cells without a result too, with their logs, and those never prepared.",
        ),
    ] = False,
    earlier: Annotated[
        bool,
        typer.Option(
            "--earlier", help="Cells of an earlier manifest or image too, with their scores."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove; without it, only say what.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove leftovers of finished and cut-off work.

    Tools' working files of finished cells are leftovers too. Results and scores are removed by
    --earlier alone, which keeps what the last good nights are made of; measurements never are.
    Cells that are being run are left alone.

    Examples: bench clean
              bench clean --yes
              bench clean --earlier --yes
              bench clean --failed --yes
    """
    store = open_store()
    targets = {target.path: target for target in _targets(store, failed)}
    if earlier:
        targets |= {target.path: target for target in _earlier_targets(store)}
    rows = [_clean(store, target, yes) for target in targets.values()]
    rows += _clean_containers(store.home, yes)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        done = {"removed": "removed", "kept": "would remove", "busy": "busy, left alone:"}
        size = size_text(int(str(row["size_bytes"])))
        say(f"{done[str(row['done'])]} {row['path']} ({row['why']}, {size})")
    total = sum(int(str(row["size_bytes"])) for row in rows if row["done"] != "busy")
    busy = sum(row["done"] == "busy" for row in rows)
    if len(rows) == busy:
        say("Nothing to clean.")
    elif yes:
        say(f"{size_text(total)} removed.")
    else:
        say(f"{size_text(total)} could be removed; nothing was: add --yes to do it.")


def _clean(store: CellStore, target: _Target, yes: bool) -> dict[str, object]:
    """Remove one target, if asked and if nobody is at work on it, and say what was done."""
    size_bytes = tree_size(target.path).size_bytes
    done = "kept"
    if target.spec is not None and _is_busy(store, target.spec):
        done = "busy"
    elif yes:
        done = "removed" if _remove(store, target) else "busy"
    return {
        "path": str(target.path),
        "why": target.why,
        "size_bytes": size_bytes,
        "done": done,
    }


def _clean_containers(home: Path, yes: bool) -> list[dict[str, object]]:
    """Containers that a killed command left, where there is an engine to ask."""
    from harness.core.errors import UnfitMachineError
    from harness.tools.engine import connect
    from harness.tools.runtime.container_leftovers import leftovers, remove_leftovers

    try:
        engine = connect()
    except UnfitMachineError:
        return []
    with engine:
        found = leftovers(engine, home)
        if yes:
            remove_leftovers(engine, found)
    return [
        {
            "path": f"container {one.name}",
            "why": "left by a command that was killed",
            "size_bytes": 0,
            "done": "removed" if yes else "kept",
        }
        for one in found
    ]


def _is_busy(store: CellStore, spec: CellSpec) -> bool:
    """Run now, or a killed run's driver is still ending."""
    state = store.state(spec)
    return is_running(store, spec) or is_locked(state.with_name(f"{state.name}.lock"))


def _remove(store: CellStore, target: _Target) -> bool:
    """True when it was removed: a cell that another process took meanwhile is left alone."""
    from harness.store.cells import disk_errors

    if target.spec is None:
        remove_tree(target.path)
        return True
    with store.lock(target.spec) as held:
        whole = target.path == store.folder(target.spec) and not target.finished
        if not held or (whole and store.result(target.spec)):
            return False
        with disk_errors(target.path):
            remove_tree(target.path)
    return True


def _targets(store: CellStore, failed: bool) -> Iterator[_Target]:
    from harness.store.cells import ATTEMPT_FILE
    from harness.store.manifests import ManifestStore

    for spec in store.list():
        folder = store.folder(spec)
        if store.result(spec) is None and failed:
            yield _Target(folder, "a cell without a result", spec)
            continue
        for attempt in sorted((folder / "attempts").glob("*")):
            if not (attempt / ATTEMPT_FILE).is_file():
                yield _Target(attempt, "a cut-off attempt", spec)
        if store.result(spec) is not None and any(store.state(spec).glob("*")):
            yield _Target(store.state(spec), "working files of a finished cell", spec)
    if failed:
        records = ManifestStore(store.home)
        for use in records.unprepared:
            yield _Target(
                records.unprepared_path(use.asked.key), "a cell that could not be prepared"
            )
    for path in _stale(store.home, _LEFTOVERS):
        yield _Target(path, "left by a command that was killed")


def _earlier_targets(store: CellStore) -> Iterator[_Target]:
    """Cells of an earlier manifest or image, with their scores and their cohorts', but for those
    that a next night is compared with."""
    from harness.planning.current import earlier_cells
    from harness.store.nights import NightStore

    good = {
        (n.suite, n.dataset, n.tool, n.config): n
        for n in NightStore(store.home).records()
        if n.good
    }
    kept = {cell for night in good.values() for cell in night.cells}
    specs = store.list()
    earlier = earlier_cells(store, specs)
    cohorts = sorted((store.home / "scores" / "cohorts").glob("*/*.json"))
    texts = {path: path.read_text(encoding="utf-8") for path in cohorts}
    removed = set()
    for spec in specs:
        if spec.id not in earlier or spec.id in kept:
            continue
        why = f"of an earlier {earlier[spec.id].value}"
        removed |= {path for path, text in texts.items() if spec.id in text}
        scores = store.home / "scores" / spec.id
        if scores.is_dir():
            yield _Target(scores, f"scores of a cell {why}", spec)
        yield _Target(store.folder(spec), f"a cell {why}", spec, finished=True)
    for path in sorted(removed):
        yield _Target(path, "the score of a cohort that has such cells")


def _stale(home: Path, patterns: Sequence[str]) -> Iterator[Path]:
    now = time.time()
    for pattern in patterns:
        for path in sorted(home.glob(pattern)):
            newest = tree_size(path).newest or now
            if now - newest > STALE_S:
                yield path


def register(root: typer.Typer) -> None:
    for command in (retry, clean):
        root.command()(command)
