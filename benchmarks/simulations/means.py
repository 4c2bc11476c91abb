"""Coverage of the intervals of a mean over actors: ``python -m benchmarks.simulations.means``.

Prints the table of docs/protocol.md: Student's interval, which reports print, and the studentised
bootstrap, which ``bench compare`` and its page show as well; of actors' values that are normal,
exponential (skewness 2) and lognormal (standard deviation of the logarithm 1, skewness 6).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

import numpy as np

from harness.statistics.intervals import bootstrap_t_bounds, resample_counts, t_interval
from harness.statistics.values import Array

ACTORS = (5, 7, 10, 15, 24)
RESAMPLES = 999
SEED = 2020
_BLOCK = 500

Draw = Callable[[np.random.Generator, tuple[int, int]], Array]
KINDS: Mapping[str, tuple[Draw, float]] = {
    "normal": (lambda rng, shape: rng.normal(0, 1, shape), 0.0),
    "exponential": (lambda rng, shape: rng.exponential(1, shape), 1.0),
    "lognormal": (lambda rng, shape: rng.lognormal(0, 1, shape), float(np.exp(0.5))),
}
"""Of each: values of (samples, actors), and their true mean."""


def student(kind: str, actors: int, samples: int) -> float:
    """Share of samples in which Student's 95 % interval holds the true mean."""
    draw, truth = KINDS[kind]
    found = [t_interval(row) for row in draw(np.random.default_rng(SEED), (samples, actors))]
    held = [one.low <= truth <= one.high for one in found if one.low is not None and one.high]
    return sum(held) / samples


def bootstrap(kind: str, actors: int, samples: int) -> float:
    """The same of the studentised bootstrap."""
    draw, truth = KINDS[kind]
    values = draw(np.random.default_rng(SEED), (samples, actors))
    counts = resample_counts(actors, RESAMPLES, SEED)
    held = 0
    for start in range(0, samples, _BLOCK):
        low, high = bootstrap_t_bounds(values[start : start + _BLOCK], counts, 0.95)
        held += int(((low <= truth) & (high >= truth)).sum())
    return held / samples


def table(samples: int) -> list[str]:
    """Markdown: a row per number of actors, Student's and the bootstrap's coverage of each kind."""
    ways = {"t": student, "bootstrap-t": bootstrap}
    head = [f"{kind}: {way}" for kind in KINDS for way in ways]
    lines = [f"| actors | {' | '.join(head)} |", f"| --- |{' --- |' * len(head)}"]
    for actors in ACTORS:
        cells = [
            f"{100 * way(kind, actors, samples):.1f} %" for kind in KINDS for way in ways.values()
        ]
        lines.append(f"| {actors} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=4000, help="simulations for each cell")
    print("\n".join(table(parser.parse_args().samples)))


if __name__ == "__main__":
    main()
