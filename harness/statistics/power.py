"""The least effect that a paired test of n actors finds, at the level at which it is used."""

from __future__ import annotations

from functools import cache

import numpy as np

from harness.statistics.sign_flip import smallest_p
from harness.statistics.values import Array, as_share

POWER = 0.8
_STEPS = 20_000
_SAMPLES, _SIGNS, _SEED = 500, 2048, 2020
_CLOSE = 0.005


@cache
def detectable_dz(n: int, *, alpha: float = 0.05, power: float = POWER) -> float:
    """The effect dz that a two-sided paired t test of n actors finds with ``power`` (Cohen 1988).

    The noncentral t's power is integrated over the standard deviation's distribution, which holds
    for two actors as well. Raises ValueError below two actors.
    """
    from scipy import optimize, special

    if n < 2:
        raise ValueError("no effect can be detected with fewer than two actors")
    as_share(power, "power")
    limit = special.stdtrit(n - 1, 1 - as_share(alpha, "alpha") / 2)
    shares = (np.arange(_STEPS) + 0.5) / _STEPS
    bound = limit * np.sqrt(special.chdtri(n - 1, 1 - shares) / (n - 1))

    def missing(there: float) -> float:
        reached = special.ndtr(there - bound) + special.ndtr(-there - bound)
        return float(reached.mean()) - power

    upper = 1.0
    while missing(upper) < 0:
        upper *= 2
    return float(optimize.brentq(missing, 0.0, upper)) / float(np.sqrt(n))


@cache
def detectable_dz_by_signs(n: int, *, alpha: float = 0.05, power: float = POWER) -> float | None:
    """The same of the sign-flip test, by simulation of normal differences (to about 0.03).

    Its p is a step function: few actors need nearly all differences on one side, which takes a
    larger effect than the t test does. None where n actors cannot reach ``alpha`` at all.
    """
    if smallest_p(n) > as_share(alpha, "alpha"):
        return None
    rng = np.random.default_rng(_SEED)
    noise, signs = rng.normal(size=(_SAMPLES, n)), _all_signs(n, rng)
    # The sum with its own signs is one of them; this many of the largest are significant.
    allowed = max(1, int(alpha * signs.shape[0] + 1e-9))

    def power_at(dz: float) -> float:
        sums = np.abs((noise + dz) @ signs.T)
        edge = np.partition(sums, -allowed, axis=1)[:, -allowed]
        return float((sums[:, 0] >= edge * (1 - 1e-12)).mean())

    low, high = 0.0, 1.0
    while power_at(high) < power:
        low, high = high, 2 * high
    while high - low > _CLOSE:
        middle = (low + high) / 2
        low, high = (low, middle) if power_at(middle) >= power else (middle, high)
    return high


def _all_signs(n: int, rng: np.random.Generator) -> Array:
    """Rows of signs, the first of them all positive: each pattern once but for its mirror image, or
    a random choice of many."""
    if 2 ** (n - 1) <= _SIGNS:
        bits = (np.arange(2 ** (n - 1))[:, None] >> np.arange(n)) & 1
        return np.asarray(1.0 - 2.0 * bits, dtype=np.float64)
    signs = np.asarray(rng.integers(0, 2, (_SIGNS, n)) * 2.0 - 1.0, dtype=np.float64)
    signs[0] = 1.0
    return signs
