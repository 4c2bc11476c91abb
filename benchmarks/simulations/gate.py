"""Comparisons without a change, and with planted leaks, before the gate of single people.

    python -m benchmarks.simulations.gate              every scenario, 2000 comparisons each
    python -m benchmarks.simulations.gate --stores 200

Prints, by scenario, in how many of the comparisons without a change the gate names anybody, and in
how many of those with planted leaks it names anybody, and all whose leak was planted. Both sides'
frames are drawn apart, which is harder than the same clip twice.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.model.compare import ActorGate
from harness.model.score import Distances
from harness.results.compare.gate import actor_gate
from harness.results.compare.runs import ActorRuns, Run, run_of
from harness.statistics.values import Array

Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
THRESHOLD = 0.6
MARGIN = 0.05


@dataclass(frozen=True)
class Scenario:
    """The assumptions behind a simulated comparison. Distances are L2."""

    actors: int = 24
    run_sd: float = 0.02
    """Of an actor's mean distance from run to run."""
    frame_sd: float = 0.05
    """Within a video, of neighbouring frames (AR(1))."""
    level: tuple[float, float] = (0.55, 0.85)
    """Between which actors' mean distances lie: about the threshold and above it."""
    frames: int = 300
    shared: float = 0.0
    """Share of the variance within a video that both sides have in common, as they show the same
    frames."""
    lost: float = 0.0
    """Most of the frames that an actor's video has no face in, by chance and its own."""
    lost_sd: float = 0.0
    """From run to run, of that share."""
    seeds: int = 1
    noisier: float = 1.0
    """So many times as much does a run move the first actor as anybody else."""
    leaks: int = 0
    leaking: float = 1.0
    """Share of a leaking video's frames that are at a distance of 0.3."""
    leaking_seeds: int | None = None
    """Of the candidate's; None for all."""
    no_face: bool = False
    """True when nobody who leaks has a face in the baseline."""


NULLS: dict[str, Scenario] = {
    f"{n} actors, run-to-run sd {run:g}, frame sd {frame:g}": Scenario(
        actors=n, run_sd=run, frame_sd=frame
    )
    for n in (2, 5, 10, 12, 24)
    for run, frame in ((0.005, 0.02), (0.01, 0.08), (0.03, 0.05), (0.05, 0.02), (0.05, 0.08))
}
_WORST = Scenario(run_sd=0.05, frame_sd=0.02, level=(0.58, 0.66))
NULLS |= {
    "24 actors, all about the threshold, sd 0.05 and 0.02": _WORST,
    "12 actors, all about the threshold, sd 0.05 and 0.02": replace(_WORST, actors=12),
    "2 actors, all about the threshold, sd 0.05 and 0.02": replace(_WORST, actors=2),
    "24 actors, 1000 frames": Scenario(frames=1000),
    "24 actors, 30 frames": Scenario(frames=30),
    "2 actors, 30 frames": Scenario(actors=2, frames=30),
    "24 actors, up to 90 % of faces lost": Scenario(lost=0.9, lost_sd=0.03),
    "24 actors, the same, all recognised": Scenario(lost=0.9, lost_sd=0.1, level=(0.3, 0.6)),
    "10 actors, the same, all recognised": Scenario(10, lost=0.9, lost_sd=0.1, level=(0.3, 0.6)),
    "24 actors, 3 seeds": replace(_WORST, seeds=3),
    "5 actors, 2 seeds": replace(_WORST, actors=5, seeds=2),
    "2 actors, 2 seeds": replace(_WORST, actors=2, seeds=2),
    "24 actors, 2 seeds, one of them twice as noisy": replace(_WORST, seeds=2, noisier=2),
    "24 actors, 3 seeds, one of them four times as noisy": Scenario(seeds=3, noisier=4),
    "5 actors, 2 seeds, one of them four times as noisy": Scenario(5, seeds=2, noisier=4),
}
_HIDDEN = Scenario(level=(0.70, 0.80))
LEAKS: dict[str, Scenario] = {
    f"{k} of 24, run-to-run sd {run:g}": replace(_HIDDEN, leaks=k, run_sd=run)
    for k in (1, 2, 4, 6, 7)
    for run in (0.01, 0.03)
}
LEAKS |= {f"{k} of 12": replace(_HIDDEN, leaks=k, actors=12) for k in (1, 4, 6)}
LEAKS |= {
    "12 of 24": replace(_HIDDEN, leaks=12),
    "2 of 24, 40 % of the frames": replace(_HIDDEN, leaks=2, leaking=0.4),
    "2 of 24, 10 % of the frames": replace(_HIDDEN, leaks=2, leaking=0.1),
    "1 of 10": replace(_HIDDEN, leaks=1, actors=10),
    "1 of 10, 40 % of the frames": replace(_HIDDEN, leaks=1, actors=10, leaking=0.4),
    "2 of 2": replace(_HIDDEN, leaks=2, actors=2),
    "2 of 2, no face before": replace(_HIDDEN, leaks=2, actors=2, no_face=True),
    "2 of 24, no face before": replace(_HIDDEN, leaks=2, no_face=True),
    "2 of 24, no face before, 3 seeds": replace(_HIDDEN, leaks=2, no_face=True, seeds=3),
    "2 of 24, 3 seeds": replace(_HIDDEN, leaks=2, seeds=3),
    "1 of 24, one of 2 seeds": replace(_HIDDEN, leaks=1, seeds=2, leaking_seeds=1),
    "1 of 24, one of 3 seeds": replace(_HIDDEN, leaks=1, seeds=3, leaking_seeds=1),
    "1 of 5, one of 2 seeds": replace(_HIDDEN, leaks=1, actors=5, seeds=2, leaking_seeds=1),
}


def gate_of(scenario: Scenario, rng: np.random.Generator) -> ActorGate:
    """One comparison; the leaking actors are the first."""
    return actor_gate(_comparison(scenario, rng), margin=MARGIN, threshold="0.6")


def shares_named(scenario: Scenario, stores: int, seed: int = 0) -> tuple[float, float]:
    """Shares of comparisons in which the gate names anybody, and all who leak."""
    rng = np.random.default_rng(seed)
    leaking = set(range(scenario.leaks))
    named = [{one.actor for one in gate_of(scenario, rng).crossed} for _ in range(stores)]
    return float(np.mean([bool(who) for who in named])), float(
        np.mean([leaking <= who for who in named])
    )


def _comparison(of: Scenario, rng: np.random.Generator) -> list[ActorRuns]:
    n, runs = of.actors, 2 * of.seeds
    shape = n, runs, of.frames
    own = rng.uniform(*of.level, (n, 1, 1))
    common, alone = _ar1(rng, (n, 1, of.frames)), _ar1(rng, shape)
    within = np.sqrt(of.shared) * common + np.sqrt(1 - of.shared) * alone
    moved = rng.normal(0, of.run_sd, (n, runs, 1))
    moved[0] *= of.noisier
    values = own + moved + of.frame_sd * within
    leak = np.zeros(shape, bool)
    last = None if of.leaking_seeds is None else of.seeds + of.leaking_seeds
    leak[: of.leaks, of.seeds : last, : round(of.leaking * of.frames)] = True
    values[leak] += 0.3 - 0.75
    faceless = _lost(of, rng)
    if of.no_face:
        faceless[: of.leaks, : of.seeds] = True
    return [_actor(number, values[number], faceless[number], of.seeds) for number in range(n)]


def _lost(
    of: Scenario, rng: np.random.Generator
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Frames without a face, neighbours together: the same on all runs but for their own share."""
    n, runs = of.actors, 2 * of.seeds
    share = rng.uniform(0, of.lost, (n, 1, 1)) + rng.normal(0, of.lost_sd, (n, runs, 1))
    ranks = _ar1(rng, (n, 1, of.frames)).argsort(axis=-1).argsort(axis=-1) / of.frames
    return np.asarray(ranks < share)


def _ar1(rng: np.random.Generator, shape: tuple[int, ...], phi: float = 0.98) -> Array:
    from scipy.signal import lfilter

    steps = rng.normal(0, np.sqrt(1 - phi**2), shape)
    steps[..., 0] /= np.sqrt(1 - phi**2)
    return np.asarray(lfilter([1.0], [1.0, -phi], steps, axis=-1), dtype=np.float64)


def _actor(number: int, values: Array, faceless: Flags, seeds: int) -> ActorRuns:
    runs = [_run(*both) for both in zip(values, faceless, strict=True)]
    return ActorRuns(number, {"": runs[:seeds]}, {"": runs[seeds:]})


def _run(values: Array, faceless: Flags) -> Run:
    """The summary is built unchecked: there are thousands of them."""
    kept = np.maximum(values[~faceless], 0.0)
    if not kept.size:
        return run_of(Distances(asked=values.size, used=0, several_faces=0), THRESHOLD)
    places = (0, 0.01, 0.25, 0.5, 0.75, 0.99, 1)
    names = ("minimum", "p01", "q1", "median", "q3", "p99", "maximum")
    summary = dict(zip(names, np.quantile(kept, places).tolist(), strict=True))
    found = Distances.model_construct(
        asked=values.size,
        used=kept.size,
        several_faces=0,
        mean=float(kept.mean()),
        share_at_or_under_threshold=float((kept <= THRESHOLD).mean()),
        **summary,
    )
    return run_of(found, THRESHOLD)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="How often the gate of single people is wrong.")
    parser.add_argument("--stores", type=int, default=2000, help="comparisons of each scenario")
    stores = parser.parse_args(arguments).stores
    print(f"Without a change: anybody named, of {stores} comparisons each")
    for name, scenario in NULLS.items():
        anybody, _ = shares_named(scenario, stores)
        print(f"  {anybody:7.2%}  {name}", flush=True)
    print("Planted leaks: anybody named, all who leak named")
    for name, scenario in LEAKS.items():
        anybody, everybody = shares_named(scenario, stores)
        print(f"  {anybody:7.2%}  {everybody:7.2%}  {name}", flush=True)


if __name__ == "__main__":
    main()
