"""Findings of a check of the register, and the small sums that checks share."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from benchmarks.thesis.model import Value
from harness.core.base import Frozen


class Finding(Frozen):
    """``wrong`` is whether the study's inconsistency is there, by computation."""

    wrong: bool
    printed: dict[str, Value]
    """Number that the study says, read from its data."""
    recomputed: dict[str, Value]


Check = Callable[..., Finding]
"""``check(study, **about)``: pure, of the study's data alone."""


def spread(values: Sequence[float], names: tuple[str, str] = ("mean", "sd")) -> dict[str, Value]:
    """Mean and sample standard deviation (n - 1), by the given names."""
    return {names[0]: statistics.fmean(values), names[1]: statistics.stdev(values)}


def by_value(values: Mapping[int, float], count: int) -> tuple[int, ...]:
    """The keys of the ``count`` smallest values, smallest first."""
    return tuple(sorted(values, key=lambda key: (values[key], key))[:count])


def differs(printed: float, computed: float, digits: int = 3) -> bool:
    """True when a printed number is not the computed one, rounded in whatever way."""
    return abs(printed - computed) > 10.0**-digits * (1 + 1e-9)
