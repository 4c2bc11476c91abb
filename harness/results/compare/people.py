"""Pairs of cells, person by person: what the gate of single people looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.model.cohort import CellLeaks, CohortScore
from harness.model.compare import ActorGate
from harness.model.score import Comparison
from harness.results.compare.gate import actor_gate, runs_by_donor
from harness.results.compare.gather import Cell, Gathered
from harness.results.compare.runs import ActorRuns, Run, run_of

_APART = 0.005
"""By which the thresholds of an actor's two cells may differ: each cohort calibrates its own, on
the same originals."""


def stored_cohorts(side: Gathered, protocol: str) -> tuple[CohortScore, ...]:
    """The cohorts of just these cells that were attacked already. Raises StoreError."""
    if not (side.home / "scores" / "cohorts").is_dir():
        return ()
    from harness.execution.cohorts import load_cohorts

    return load_cohorts(side.home, [cell.spec for cell in side.cells.values()], protocol)


def gate_of(
    pairs: Sequence[tuple[Cell, Cell]], cohorts: Sequence[CohortScore], margin: float
) -> ActorGate | None:
    """Every actor of the pairs by the threshold of ``cohorts`` (of both sides), where these have
    calibrated one for all cells, else by the protocol's. None where no cell has distances."""
    usable = [pair for pair in pairs if all(_asked(cell) for cell in pair)]
    if not usable:
        return None
    leaks = {leak.cell_id: leak for cohort in cohorts for leak in cohort.leaks}
    calibrated = all(_calibrated(pair, leaks) for pair in usable)
    by_actor: dict[int, list[tuple[Cell, Cell]]] = {}
    for pair in usable:
        by_actor.setdefault(pair[0].spec.actor.number, []).append(pair)
    return actor_gate(
        [_runs(actor, by_actor[actor], leaks if calibrated else {}) for actor in sorted(by_actor)],
        margin=margin,
        threshold=_phrase(usable, leaks if calibrated else {}),
    )


def _asked(cell: Cell) -> int:
    distances = cell.score.identity.comparisons.get(Comparison.SWAPPED_ORIGINAL)
    return distances.asked if distances else 0


def _calibrated(pair: tuple[Cell, Cell], leaks: Mapping[str, CellLeaks]) -> bool:
    profiles = [leaks.get(cell.spec.id) for cell in pair]
    known = [
        profile.leaks
        for profile in profiles
        if profile and profile.leaks.share_of_asked is not None
    ]
    return len(known) == 2 and abs(known[0].threshold - known[1].threshold) <= _APART


def _runs(
    actor: int, pairs: Sequence[tuple[Cell, Cell]], leaks: Mapping[str, CellLeaks]
) -> ActorRuns:
    sides = []
    for side in (0, 1):
        runs = [(_donor(pair), _run(pair[side], leaks)) for pair in pairs]
        sides.append(runs_by_donor(runs))
    return ActorRuns(actor, *sides)


def _donor(pair: tuple[Cell, Cell]) -> str:
    """The split and donors, which a pair shares with its repetitions, as it does the actor."""
    return " ".join(f"{cell.key[0]} {cell.key[2]}" for cell in pair)


def _run(cell: Cell, leaks: Mapping[str, CellLeaks]) -> Run:
    identity = cell.score.identity
    known = leaks.get(cell.spec.id)
    share = known.leaks.share_of_asked if known else None
    return run_of(identity.comparisons[Comparison.SWAPPED_ORIGINAL], identity.threshold, share)


def _phrase(pairs: Sequence[tuple[Cell, Cell]], leaks: Mapping[str, CellLeaks]) -> str:
    if not leaks:
        values = sorted({cell.score.identity.threshold for pair in pairs for cell in pair})
        return f"{' and '.join(f'{value:g}' for value in values)}, the protocol's threshold"
    used = [leaks[cell.spec.id] for pair in pairs for cell in pair]
    low, high = (f(leak.leaks.threshold for leak in used) for f in (min, max))
    span = f"{low:.3f}" if high - low < 0.0005 else f"{low:.3f} to {high:.3f}"
    fars = " and ".join(f"{100 * far:g} %" for far in sorted({leak.far for leak in used}))
    return f"{span}, calibrated on the cohort's other people at a FAR of {fars}"
