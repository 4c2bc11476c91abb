"""Coverage of the interval of a rate over actors: ``python -m benchmarks.simulations.rates``.

Prints the tables of docs/protocol.md. Base rates above one half are left out, since the interval of
the misses is the mirror image of that of the hits.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from harness.statistics.actor_shares import spread_limits, subset_weights
from harness.statistics.values import Array

ACTORS = (5, 6, 7, 8, 10, 12, 15, 18, 24)
CORRELATIONS = (0.0, 0.05, 0.2, 0.5, 0.8, 1.0)
RATES = (0.02, 0.05, 0.1, 0.15, 0.3, 0.4, 0.5)
FRAMES = (25, 1000)
SEED = 2020
ERROR = 0.05
ROUNDING = 1e-12
_BLOCK = 500

Bools = npt.NDArray[np.bool_]

Draw = Callable[[np.random.Generator, int, int], Array]
"""(generator, samples, actors) -> (samples, actors) true shares."""


def beta(rate: float, correlation: float) -> Draw:
    """Actors' shares with a mean of ``rate`` and this correlation of frames within actors."""

    def draw(rng: np.random.Generator, samples: int, actors: int) -> Array:
        if correlation <= 0:
            return np.full((samples, actors), rate)
        if correlation >= 1:
            return np.asarray(rng.random((samples, actors)) < rate, dtype=np.float64)
        size = 1 / correlation - 1
        return rng.beta(rate * size, (1 - rate) * size, (samples, actors))

    return draw


def never(share: float, others: float) -> Draw:
    """``share`` of the actors is never recognised, the others in ``others`` of their frames."""

    def draw(rng: np.random.Generator, samples: int, actors: int) -> Array:
        return np.where(rng.random((samples, actors)) < share, 0.0, others)

    return draw


def coverage(draw: Draw, rate: float, actors: int, frames: int | Array, samples: int) -> float:
    """Share of samples whose interval holds ``rate``.

    ``frames``: per actor, one number or one for each.
    """
    rng = np.random.default_rng(SEED)
    totals = np.broadcast_to(np.asarray(frames, dtype=np.int64), actors)
    shares = rng.binomial(totals, draw(rng, samples, actors)) / totals
    return 1 - float((is_under_the_bounds(shares, rate) | is_over_them(shares, rate)).mean())


def is_over_them(shares: Array, rate: float) -> Bools:
    """(samples,) whether ``rate`` is above the upper bound of each row of (samples, actors)."""
    return is_under_the_bounds(1 - shares, 1 - rate)


def is_under_the_bounds(shares: Array, rate: float) -> Bools:
    """(samples,) whether ``rate`` is below the lower bound of ``mean_share_bounds`` of each row.

    That is asked without computing the bound, which is much quicker; a test compares the two.
    """
    ordered = np.sort(shares, axis=1)
    under: Bools = 1 - _exceeds(ordered, rate) < ERROR / 2
    for rank, most in spread_limits(ordered.shape[1], ERROR):
        if rate < most:
            below = [
                (block @ subset_weights(ordered.shape[1]) <= rate + ROUNDING).sum(axis=1)
                for block in np.split(ordered, range(_BLOCK, len(ordered), _BLOCK))
            ]
            under |= np.concatenate(below) <= rank
    return under


def _exceeds(ordered: Array, value: float) -> Array:
    """``actor_shares``' probability that the weighted mean exceeds a value, row by row."""
    above, below = np.maximum(ordered - value, 0).T, np.maximum(value - ordered, 0).T
    row = [np.full(len(ordered), 0.5)]
    for v in below:
        row.append(row[-1] * (1 - value) / (1 - value + v))
    missed = row[0]
    for u in above:
        missed = missed * value / (value + u)
        row[0] = 1 - missed
        for j, v in enumerate(below, 1):
            first = np.divide(u, u + v, out=np.ones_like(u), where=u + v > 0)
            row[j] = first * row[j - 1] + (1 - first) * row[j]
    return row[-1]


def by_correlation(samples: int) -> list[str]:
    """A Markdown table: lowest, mean and highest coverage over base rates and frames."""
    head = [f"{c:g}" for c in CORRELATIONS]
    lines = [f"| actors | {' | '.join(head)} |", f"| --- |{' --- |' * len(head)}"]
    for actors in ACTORS:
        cells = []
        for correlation in CORRELATIONS:
            # An actor who is recognised always or never is so in one frame as in a thousand.
            kinds = FRAMES[:1] if correlation == 1 else FRAMES
            found = [
                coverage(beta(rate, correlation), rate, actors, frames, samples)
                for rate in RATES
                for frames in kinds
            ]
            low, mean, high = (100 * f(found) for f in (min, np.mean, max))
            cells.append(f"{low:.1f}-{high:.1f} ({mean:.1f})")
        lines.append(f"| {actors} | {' | '.join(cells)} |")
    return lines


def of_mixtures(samples: int) -> list[str]:
    """A Markdown table: actors of two kinds, and actors of unequal numbers of frames."""
    lines = [f"| actors | {' | '.join(map(str, ACTORS))} |", f"| --- |{' --- |' * len(ACTORS)}"]
    for share in (0.05, 0.15, 0.3):
        for others in (1.0, 0.99, 0.9, 0.6):
            name = f"{100 * share:.0f} % never, the others in {100 * others:.0f} % of their frames"
            draw, rate = never(share, others), (1 - share) * others
            found = [coverage(draw, rate, n, 25, samples) for n in ACTORS]
            lines.append(_row(name, found))
    for rate in (0.1, 0.5):
        found = [
            coverage(beta(rate, 0.2), rate, n, np.linspace(5, 500, n).round(), samples)
            for n in ACTORS
        ]
        lines.append(_row(f"rate {rate:g}, correlation 0.2, 5 to 500 frames each", found))
    return lines


def _row(name: str, found: list[float]) -> str:
    return f"| {name} | {' | '.join(f'{100 * value:.1f}' for value in found)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=4000, help="simulations for each cell")
    samples = parser.parse_args().samples
    begun = time.perf_counter()
    print("\n".join([*by_correlation(samples), "", *of_mixtures(samples)]))
    print(f"\n{samples} samples each, seed {SEED}, {time.perf_counter() - begun:.0f} s.")


if __name__ == "__main__":
    main()
