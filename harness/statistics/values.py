"""Checks of the numbers given to every function here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Values = Sequence[float] | npt.NDArray[np.float64]


def as_values(values: Values) -> Array:
    """A one-dimensional array of finite numbers, possibly empty.

    Raises ValueError for NaN and infinity: a missing actor is left out (and counted) by the
    caller, never carried into a mean.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"expected one number per actor, not an array of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("a value is NaN or infinite; leave out the actors that have none")
    return array


def as_share(value: float, name: str) -> float:
    """``value``, which must lie between 0 and 1, both excluded. Raises ValueError."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, not {value}")
    return value


def is_constant(values: Array) -> bool:
    """True when the numbers differ by no more than rounding can make them differ."""
    if values.size == 0:
        return True
    scale = float(np.abs(values).max())
    return bool(np.ptp(values) <= 1e-12 * scale)


def actor_means(pairs: Iterable[tuple[int, float | None]]) -> dict[int, float]:
    """Mean of each actor's values (of several donors or seeds), by actor number.

    Missing and non-finite values are left out; an actor without any is not in the result.
    """
    by_actor: dict[int, list[float]] = {}
    for actor, value in pairs:
        if value is not None and np.isfinite(value):
            by_actor.setdefault(actor, []).append(float(value))
    return {actor: float(np.mean(by_actor[actor])) for actor in sorted(by_actor)}
