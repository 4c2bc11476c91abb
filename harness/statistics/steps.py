"""Finds the night at which a series changed its level for good."""

from __future__ import annotations

from bisect import insort

import numpy as np

from harness.core.base import Frozen
from harness.statistics.values import Array, Values, as_values

_PENALTY = 5
"""Logarithms of n per segment. Schwarz's criterion would have 2; as places of steps are searched
for, that finds one in a third of series that are nothing but noise, and 5 in one of a hundred."""


class Segment(Frozen):
    """Nights ``start`` to ``end`` (the last one included) that share a level."""

    start: int
    end: int
    level: float
    """Median of the nights."""
    spread: float
    """Mean distance of the nights from the level."""


def fit_steps(values: Values, resolution: float, *, least: int = 2) -> tuple[Segment, ...]:
    """The piecewise constant series that fits best, by least absolute distances.

    Dynamic programming over all places of steps; their number is the one with the least
    information criterion for Laplace noise (Schwarz 1978, with a stronger penalty). ``resolution``
    is the least noise that is believed in: steps far below it are none. A segment has at least
    ``least`` nights, so that one odd night is no step. Needs O(n^2) medians: meant for hundreds of
    nights. Raises ValueError unless ``resolution`` is above 0.
    """
    x = as_values(values)
    if not (np.isfinite(resolution) and resolution > 0):
        raise ValueError(f"a resolution must be a number above 0, not {resolution}")
    n = x.size
    if n == 0:
        return ()
    most = max(1, min(n // least, 12))
    cost = _costs(x, least)
    best, came = _partitions(cost, most)
    floor = resolution * n
    scores = [
        2 * n * np.log(max(best[k, n], floor) / n) + _PENALTY * k * np.log(n)
        for k in range(1, most + 1)
    ]
    k = int(np.argmin(scores)) + 1
    segments = []
    end = n
    for count in range(k, 0, -1):
        start = int(came[count, end])
        part = x[start:end]
        level = float(np.median(part))
        spread = float(np.abs(part - level).mean())
        segments.append(Segment(start=start, end=end - 1, level=level, spread=spread))
        end = start
    return tuple(reversed(segments))


def _costs(x: Array, least: int) -> Array:
    """(n, n + 1): summed distances of nights i to j - 1 from their median; infinite if too few.

    A series shorter than ``least`` is one segment all the same.
    """
    n = x.size
    cost = np.full((n, n + 1), np.inf)
    fewest = min(least, n)
    for i in range(n):
        ordered: list[float] = []
        for j in range(i + 1, n + 1):
            insort(ordered, float(x[j - 1]))
            if j - i >= fewest:
                # numpy's median would sort all of it again.
                middle = (ordered[(j - i - 1) // 2] + ordered[(j - i) // 2]) / 2
                cost[i, j] = np.abs(x[i:j] - middle).sum()
    return cost


def _partitions(cost: Array, most: int) -> tuple[Array, Array]:
    """Least cost of the first j nights in k segments, and where the last of them starts."""
    n = cost.shape[0]
    best = np.full((most + 1, n + 1), np.inf)
    came = np.zeros((most + 1, n + 1), dtype=np.float64)
    best[0, 0] = 0.0
    for k in range(1, most + 1):
        for j in range(1, n + 1):
            total = best[k - 1, :j] + cost[:j, j]
            came[k, j] = int(np.argmin(total))
            best[k, j] = total[int(came[k, j])]
    return best, came
