"""Error rates of a recogniser, in the terms of ISO/IEC 19795-1:2021; pure functions of distances.

A comparison is *mated* when both faces are the same person's, else *non-mated*. Two faces match
when their distance is at or under the threshold. Every comparison has a weight, so that a person
with many frames does not count for more than another. FMR, FNMR, EER and the area under the curve
are in ``harness.statistics.identities``, which also gives their intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.statistics.identities import Scores, fnmr

Array = NDArray[np.float64]


def scores_of(mated: Sequence[Array], non_mated: Sequence[Array]) -> Scores:
    """All distances of the groups (a person's frames, or those of a pair of persons); within each
    kind every group that is not empty weighs the same, and the weights add up to 1.
    """
    return Scores(
        *(_joined(groups) for groups in (mated, non_mated)),
        *(_weights(groups) for groups in (mated, non_mated)),
    )


def comparison_weights(distances: Array, own: int) -> Array:
    """Weights of each comparison of one person's probes (probes x gallery; NaN in
    ``distances`` marks what is not compared, ``own`` is the person's column).

    Every probe counts the same; its comparison with its own face weighs as much as all others of it
    together, and each of the two kinds adds up to 1. People who are compared among themselves
    alone, such as those behind one donor, so weigh the same in both kinds: else distributions that
    differ from group to group would distinguish people who are all alike within theirs. Probes
    without both kinds have no weight.
    """
    known = np.isfinite(distances)
    others = known.copy()
    others[:, own] = False
    counts = others.sum(axis=1)
    usable = known[:, own] & (counts > 0)
    weights = np.zeros(distances.shape)
    if usable.any():
        weights[usable] = others[usable] / counts[usable, None] / usable.sum()
        weights[usable, own] = 1 / usable.sum()
    return weights


def probe_scores(people: Sequence[tuple[Array, int]]) -> Scores:
    """All comparisons of people's probes, each with the person's column, weighed as
    ``comparison_weights`` says; every person weighs the same, and each kind adds up to 1.
    """
    parts: list[list[Array]] = [[], [], [], []]
    for distances, own in people:
        weights = comparison_weights(distances, own)
        mated = np.zeros(distances.shape, dtype=bool)
        mated[:, own] = True
        for kind, chosen in enumerate((mated & (weights > 0), ~mated & (weights > 0))):
            parts[kind].append(distances[chosen])
            parts[kind + 2].append(weights[chosen])
    total = sum(len(part) > 0 for part in parts[0])
    joined = [_joined(part) for part in parts]
    return Scores(*joined[:2], *(weights / max(1, total) for weights in joined[2:]))


def fta(asked: int, used: int) -> float:
    """Failure to acquire: share of the frames asked in which no face could be used."""
    return 1.0 - used / asked if asked else 1.0


def thresholds_at(scores: Scores, fars: Sequence[float]) -> list[float]:
    """For each FAR the largest threshold at which the FMR of the non-mated pairs is at most that;
    infinite for a FAR of 1. Whether there are enough pairs to carry a FAR is the caller's to ask.
    Raises ValueError without pairs.
    """
    if not len(scores.non_mated):
        raise ValueError("no non-mated comparisons to set a threshold on")
    order = np.argsort(scores.non_mated)
    values, shares = scores.non_mated[order], np.cumsum(scores.non_mated_weight[order])
    last = np.append(values[1:] > values[:-1], True)
    levels, shares = values[last], np.minimum(shares[last], 1.0)
    over = np.searchsorted(shares, np.minimum(fars, 1.0) + 1e-12, side="right")
    return [float(np.nextafter(levels[k], -np.inf)) if k < len(levels) else np.inf for k in over]


def tar_at(scores: Scores, threshold: float) -> float:
    """True accept rate: share of mated comparisons at or under the threshold."""
    return 1.0 - fnmr(threshold)(scores)


class Det(NamedTuple):
    """Error rates at every threshold where one of them changes, thresholds ascending; the first
    threshold is under all distances. FMR rises from 0 to 1, FNMR falls from 1 to 0.
    """

    thresholds: Array
    fmr: Array
    fnmr: Array


def det(scores: Scores) -> Det:
    """The detection error trade-off. Raises ValueError when either kind of pair is missing."""
    if not len(scores.mated) or not len(scores.non_mated):
        raise ValueError("a trade-off needs mated and non-mated comparisons")
    values = np.unique(np.concatenate([scores.mated, scores.non_mated]))
    thresholds = np.concatenate([[-np.inf], values])
    missed = 1.0 - _share(scores.mated, scores.mated_weight, thresholds)
    return Det(thresholds, _fmr(scores, thresholds), missed)


def rank_shares(distances: Array, own: int, ranks: int) -> Array:
    """Closed-set identification of one person's probes: for rank 1 to ``ranks`` the share of
    probes whose own face is among the k nearest of the gallery.

    ``distances`` are probes x gallery, NaN for a face that a probe is not compared with; ``own``
    is the person's column. Among equal distances the order is drawn by lot, so a probe that says
    nothing is right as often as chance.
    """
    shares: Array = np.stack(
        [right_by_lot(distances, own, rank) for rank in range(1, ranks + 1)]
    ).mean(axis=1)
    return shares


def right_by_lot(distances: Array, own: int, rank: int = 1) -> Array:
    """For each probe, how surely its own face is among the ``rank`` nearest (0 to 1); of equal
    distances one is drawn by lot. Arguments as in ``rank_shares``.
    """
    mine = distances[:, own : own + 1]
    nearer = (distances < mine).sum(axis=1)
    equal = (distances == mine).sum(axis=1)
    right: Array = np.clip((rank - nearer) / equal, 0.0, 1.0)
    return right


def chance_of(distances: Array) -> float:
    """Rank 1 by chance: the mean over probes of one over the faces that each is compared with."""
    return float((1 / np.isfinite(distances).sum(axis=1)).mean())


def chance_corrected(share: float, chance: float) -> float:
    """0 at chance, 1 when always right; negative below chance. ``chance`` is under 1."""
    return (share - chance) / (1.0 - chance)


def linkability(scores: Scores, edges: Array) -> float:
    """D_sys of Gomez-Barrero et al. (IEEE TIFS 13(6), 2018) with equal priors, from histograms
    over fixed bins: 0 when mated and non-mated distances are alike, 1 when no bin has both.

    What lies outside of ``edges`` counts in the first or last bin.
    """
    same = _histogram(scores.mated, scores.mated_weight, edges)
    other = _histogram(scores.non_mated, scores.non_mated_weight, edges)
    return float(linked(same, other))


def linked(same: Array, other: Array) -> Array:
    """D_sys from shares of mated and of non-mated distances in each bin, ... x bins to ..."""
    # 2 LR / (1 + LR) - 1 with LR = same / other, written so that other may be 0.
    both = np.where(same > 0, same + other, 1.0)
    summed: Array = (same * np.clip((same - other) / both, 0.0, None)).sum(axis=-1)
    return summed


def bins_of(values: Array, edges: Array) -> NDArray[np.intp]:
    """The bin of each value; what lies outside of ``edges`` is in the first or last bin."""
    places = np.searchsorted(edges, values, side="right") - 1
    return np.clip(places, 0, len(edges) - 2)


def _joined(groups: Sequence[Array]) -> Array:
    return np.concatenate([np.empty(0), *groups])


def _weights(groups: Sequence[Array]) -> Array:
    filled = [len(group) for group in groups if len(group)]
    return _joined([np.full(size, 1 / (size * len(filled))) for size in filled])


def _histogram(values: Array, weights: Array, edges: Array) -> Array:
    counts = np.bincount(bins_of(values, edges), weights=weights, minlength=len(edges) - 1)
    return np.asarray(counts, dtype=np.float64)


def _fmr(scores: Scores, thresholds: Array) -> Array:
    return _share(scores.non_mated, scores.non_mated_weight, thresholds)


def _share(values: Array, weights: Array, thresholds: Array) -> Array:
    """Weighted share of the values at or under each threshold."""
    order = np.argsort(values, kind="stable")
    summed = np.concatenate([[0.0], np.minimum(np.cumsum(weights[order]), 1.0)])
    return np.asarray(summed[np.searchsorted(values[order], thresholds, side="right")])
