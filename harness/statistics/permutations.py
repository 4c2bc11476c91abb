"""Permutation nulls: what a statistic comes to when who is who is permuted.

Where names say nothing, every way to deal them out among people who are otherwise alike is equally
probable, so p = (draws that reach the observed value + 1) / (draws + 1) is at most alpha in a share
of alpha of cases (Phipson & Smyth 2010). Of several statistics under the *same* permutations the
largest has a null too, which accounts for choosing it (Westfall & Young 1993, single step).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import permutations, product
from math import factorial, prod

import numpy as np
import numpy.typing as npt

from harness.model.estimates import Null
from harness.statistics.values import Array

DRAWS = 9_999
SEED = 2020

Places = npt.NDArray[np.intp]


def arrangements(kinds: Sequence[Hashable], draws: int = DRAWS, seed: int = SEED) -> Places:
    """Ways to permute people among those of their own kind, (ways, people); row r says whose name
    each person has in way r.

    All ways but the true one where there are at most ``draws`` of these, in a fixed order; else so
    many drawn at random with ``seed``, each as probable as any other. No rows where nobody has
    anybody to change places with.
    """
    groups = [np.flatnonzero([kind == own for own in kinds]) for kind in dict.fromkeys(kinds)]
    if prod(factorial(len(group)) for group in groups) - 1 <= draws:
        return _every(groups, len(kinds))
    rng = np.random.default_rng(seed)
    orders = np.tile(np.arange(len(kinds)), (draws, 1))
    for group in groups:
        orders[:, group] = rng.permuted(orders[:, group], axis=1)
    return orders


def _every(groups: Sequence[Places], people: int) -> Places:
    ways = [_place(groups, way, people) for way in _ways(groups)]
    # The first is the true one.
    return np.stack(ways)[1:]


def _ways(groups: Sequence[Places]) -> Iterator[tuple[tuple[int, ...], ...]]:
    return product(*(permutations(group.tolist()) for group in groups))


def _place(groups: Sequence[Places], way: Sequence[Sequence[int]], people: int) -> Places:
    row = np.arange(people)
    for group, names in zip(groups, way, strict=True):
        row[group] = names
    return row


def permuted_means(table: Array, ways: Places) -> Array:
    """Means over people of ``table[person, whose name the person has]``, one for each way; the
    table is people x people.
    """
    people = np.arange(table.shape[0])
    means: Array = table[people, ways].mean(axis=1)
    return means


def null_of(observed: float, draws: Array) -> Null | None:
    """Position of ``observed`` among the values of the draws; None without any draw."""
    if not len(draws):
        return None
    # What is equal but for rounding reaches it.
    reached = int((draws >= observed - 1e-9).sum())
    return Null(
        draws=len(draws),
        mean=float(draws.mean()),
        high=float(np.quantile(draws, 0.95, method="higher")),
        p=(1 + reached) / (1 + len(draws)),
    )
