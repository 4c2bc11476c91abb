"""Measures how much a result moves when nothing but the seed changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from harness.core.base import Frozen
from harness.statistics.values import as_values


class RunNoise(Frozen):
    """Standard deviation within groups of repeated runs; None without any repetition."""

    sd: float | None
    degrees: int
    """Degrees of freedom: runs minus groups."""


def run_noise(groups: Iterable[Sequence[float]]) -> RunNoise:
    """Pooled standard deviation of runs that are alike but for their seed, group by group."""
    squares, degrees = 0.0, 0
    for group in groups:
        values = as_values(group)
        if values.size > 1:
            squares += float(((values - values.mean()) ** 2).sum())
            degrees += values.size - 1
    return RunNoise(sd=float(np.sqrt(squares / degrees)) if degrees else None, degrees=degrees)
