"""The interval of a mean of shares, one share per actor, whatever the actors have in common.

Two arguments, each right where the other is wasteful or wrong, and both monotone and continuous in
every share. The bound that is nearer to the mean counts, within limits:

* *The missing actor.* A Bayesian bootstrap (Rubin 1981) of the actors and one more of whom nothing
  is known, a hit or a miss with equal chance. Where shares are 0 or 1 it is the mid-P interval of
  a binomial share of actors (Lancaster 1961), and n actors of whom none is hit leave the rule of
  three, 1 - 0.05^(1/n). Where the shares are alike it is wide: a rare actor unlike them all may be
  missing.
* *The spread.* Means of subsets of the actors (Hartigan 1969), which inverts the sign-flip test
  and is exact where shares lie symmetrically around their mean: narrow where actors are alike.

The spread says nothing of a rare actor who is missing, and that actor moves the mean most towards
the far end of the scale. So the spread bounds the mean from below only up to a little beyond the
middle (0.55, and never more than n unanimous actors show), and mirrored from above; further on the
missing actor does. Where only one bound can err by the spread, it has two thirds of the error, and
half of it where both can.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from harness.statistics.values import Array, Values, as_share, as_values

_BEYOND_THE_MIDDLE = 0.55
_ERROR_OF_ONE_BOUND = 2 / 3
"""All of it would leave under 90 % where shares are 0 or 1: the missing actor errs as well."""
_ALL_SUBSETS_UP_TO = 12
_HALF_OF_THE_DRAWN = 2047
_TOLERANCE = 1e-12


def mean_share_bounds(shares: Values, confidence: float = 0.95) -> tuple[float, float]:
    """Lower and upper bound of the mean share of the actors these are drawn from.

    ``shares``: one number from 0 to 1 per actor. Raising a share by d raises each bound by 0 to d,
    and the bounds of 1 - shares are 1 - bounds. Raises ValueError without an actor and for what is
    no share.
    """
    ordered = np.sort(as_values(shares))
    if not ordered.size or ordered[0] < 0 or ordered[-1] > 1:
        raise ValueError("every actor needs a share from 0 to 1, and there must be an actor")
    error = 1 - as_share(confidence, "confidence")
    return _lower(ordered, error), 1 - _lower(1 - ordered[::-1], error)


def _lower(ordered: Array, error: float) -> float:
    bounds = [_missing_actor(ordered.tolist(), error / 2)]
    if limits := spread_limits(ordered.size, error):
        means = np.partition(ordered @ subset_weights(ordered.size), [rank for rank, _ in limits])
        bounds += [min(float(means[rank]), most) for rank, most in limits]
    return max(bounds)


def spread_limits(n: int, error: float) -> list[tuple[int, float]]:
    """Sorted subset means of n actors that bound the mean from below, and up to where: for
    the part of the scale where only the lower bound can err, and for that where both can.

    None of so few actors that not even their smallest share bounds the mean with this confidence.
    """
    per_error = subset_weights(n).shape[1] + 1
    alone, both = (
        int(part * per_error + _TOLERANCE) for part in (error * _ERROR_OF_ONE_BOUND, error / 2)
    )
    if not alone:
        return []
    furthest: float = min(_BEYOND_THE_MIDDLE, error ** (1 / n))
    return [(alone - 1, 1 - furthest), (max(both, 1) - 1, furthest)]


def _missing_actor(ordered: Sequence[float], tail: float) -> float:
    """The ``tail`` quantile of the Bayesian bootstrap with one more actor."""
    from scipy import optimize

    if ordered[-1] <= 0:
        return 0.0

    def excess(value: float) -> float:
        return 1 - _exceeds(ordered, value) - tail

    return float(optimize.brentq(excess, 0.0, 1.0, xtol=_TOLERANCE))


def _exceeds(ordered: Sequence[float], value: float) -> float:
    """P(weighted mean > value), with Dirichlet(1, ..., 1) weights, the missing actor's among them.

    The weights are exponentials over their sum, so this is whether the sum of E (share - value)
    over shares above the value exceeds that of E (value - share) over those below. Of two
    exponentials with means u and v the first is larger with probability u / (u + v), and what it is
    larger by is distributed as itself: terms are set off against each other one by one. The missing
    actor comes last: a term above (a hit) or below (a miss), half of the time each.
    """
    above = [share - value for share in ordered if share > value]
    below = [value - share for share in ordered if share < value]
    # row[j]: with the first i terms above and the first j below.
    row = [0.5]
    for v in below:
        row.append(row[-1] * (1 - value) / (1 - value + v))
    missed = 0.5
    for u in above:
        missed *= value / (value + u)
        last = row[0] = 1 - missed
        for j, v in enumerate(below, 1):
            last = row[j] = (u * last + v * row[j]) / (u + v)
    return row[-1]


@lru_cache(maxsize=32)
def subset_weights(n: int) -> Array:
    """(n, subsets) weights, one column for each subset of n actors that is not empty: all of them,
    or of many actors so many drawn ones, each with its mirror image.
    """
    if n <= _ALL_SUBSETS_UP_TO:
        chosen = np.arange(1, 2**n)[:, None] >> np.arange(n) & 1
    else:
        drawn = np.random.default_rng(n).integers(0, 2, (_HALF_OF_THE_DRAWN, n))
        drawn = drawn[drawn.any(axis=1)]
        chosen = np.concatenate([drawn, drawn[:, ::-1]])
    weights: Array = np.ascontiguousarray((chosen / chosen.sum(axis=1, keepdims=True)).T)
    weights.flags.writeable = False
    return weights
