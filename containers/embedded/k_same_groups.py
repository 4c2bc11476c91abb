"""Groups of people who share a face: the partition on which the bound of k-Same rests.

After Newton, Sweeney and Malin (2005), with classes after Gross et al. (2005, k-Same-Select). All
members of a group get one and the same face. A recogniser that is shown this face names one person,
who is right for at most one of the group's k or more members: rank-1 is at most 1/k. So the groups
must not depend on who asks, only on the gallery.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Group = tuple[int, ...]


def partition(distances: NDArray[np.float64], k: int) -> tuple[Group, ...]:
    """Groups of k to 2k-1 members, each index once; ``distances`` is square and symmetric.

    The first index that is left and its k-1 nearest make a group; when fewer than 2k are left,
    they are the last one. Raises ValueError for fewer than k indices.
    """
    left = list(range(len(distances)))
    if len(left) < k:
        raise ValueError(f"{len(left)} faces are fewer than k = {k}")
    groups: list[Group] = []
    while len(left) >= 2 * k:
        first = left[0]
        others = sorted(left[1:], key=lambda index: (distances[first, index], index))
        groups.append(tuple(sorted([first, *others[: k - 1]])))
        left = [index for index in left if index not in groups[-1]]
    return (*groups, tuple(left))


def join_small_classes(labels: Sequence[str], k: int) -> tuple[tuple[str, ...], ...]:
    """The labels, put together where fewer than k faces bear one: privacy goes before likeness.

    The smallest set of labels is joined with the next smallest, until none is too small.
    """
    sets: list[tuple[tuple[str, ...], int]] = [
        ((label,), labels.count(label)) for label in sorted(set(labels))
    ]
    while len(sets) > 1:
        sets.sort(key=lambda one: (one[1], one[0]))
        (small, few), (next_one, more) = sets[:2]
        if few >= k:
            break
        sets[:2] = [(tuple(sorted(small + next_one)), few + more)]
    return tuple(sorted(names for names, _ in sets))


def partition_by_class(
    distances: NDArray[np.float64], labels: Sequence[str], k: int
) -> tuple[Group, ...]:
    """As ``partition``, within each class of ``labels`` (one a face) that is large enough."""
    groups: list[Group] = []
    for names in join_small_classes(labels, k):
        members = [index for index, label in enumerate(labels) if label in names]
        for group in partition(distances[np.ix_(members, members)], k):
            groups.append(tuple(members[place] for place in group))
    return tuple(groups)
