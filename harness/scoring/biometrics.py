"""Error rates of a recogniser, in the terms of ISO/IEC 19795-1:2021; pure functions of distances.

A comparison is *mated* when both faces are the same person's, else *non-mated*. Two faces match
when their distance is at or under the threshold. Every comparison has a weight, so that a person
with many frames does not count for more than another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Comparisons(NamedTuple):
    """Distances of one kind of pairs, and how much each counts (the weights add up to 1)."""

    distances: Array
    weights: Array


def comparisons(groups: Sequence[Array]) -> Comparisons:
    """All distances of the groups (a pair of persons each, say); every group that is not empty
    weighs the same.
    """
    filled = [group for group in groups if len(group)]
    if not filled:
        return Comparisons(np.empty(0), np.empty(0))
    weights = [np.full(len(group), 1 / (len(group) * len(filled))) for group in filled]
    return Comparisons(np.concatenate(filled), np.concatenate(weights))


def match_rate(pairs: Comparisons, threshold: float) -> float:
    """Share of comparisons at or under the threshold: FMR of non-mated pairs, TAR of mated ones."""
    return float(pairs.weights[pairs.distances <= threshold].sum())


def fnmr(mated: Comparisons, threshold: float) -> float:
    """False non-match rate: share of mated comparisons above the threshold."""
    return float(mated.weights[mated.distances > threshold].sum())


def fta(asked: int, used: int) -> float:
    """Failure to acquire: share of the frames asked in which no face could be used."""
    return 1.0 - used / asked if asked else 1.0


def gfrr(failure_to_acquire: float, false_non_match: float) -> float:
    """Generalised false reject rate: the mated probes that are lost, for whichever reason."""
    return failure_to_acquire + (1.0 - failure_to_acquire) * false_non_match


def threshold_at(non_mated: Comparisons, far: float) -> float:
    """The largest threshold at which the FMR of these pairs is at most ``far``; infinite when
    ``far`` is 1. Raises ValueError without pairs.
    """
    if not len(non_mated.distances):
        raise ValueError("no non-mated comparisons to set a threshold on")
    levels, rate = _cumulative(non_mated)
    over = np.flatnonzero(rate > far + 1e-12)
    return float(np.nextafter(levels[over[0]], -np.inf)) if len(over) else float("inf")


def tar_at_far(mated: Comparisons, non_mated: Comparisons, far: float) -> float:
    """TAR of the mated pairs at the threshold that the non-mated ones set. Whether there are
    enough of these to carry ``far`` is the caller's to ask.
    """
    return match_rate(mated, threshold_at(non_mated, far))


class Det(NamedTuple):
    """Error rates at every threshold where one of them changes, thresholds ascending; the first
    threshold is under all distances. FMR rises from 0 to 1, FNMR falls from 1 to 0.
    """

    thresholds: Array
    fmr: Array
    fnmr: Array


def det(mated: Comparisons, non_mated: Comparisons) -> Det:
    """The detection error trade-off. Raises ValueError when either kind of pair is missing."""
    if not len(mated.distances) or not len(non_mated.distances):
        raise ValueError("a trade-off needs mated and non-mated comparisons")
    values = np.unique(np.concatenate([mated.distances, non_mated.distances]))
    thresholds = np.concatenate([[-np.inf], values])
    return Det(thresholds, _rate_at(non_mated, thresholds), 1.0 - _rate_at(mated, thresholds))


def eer(curve: Det) -> float:
    """Equal error rate: where the FMR and the FNMR cross, straight between the two thresholds
    around it.
    """
    gap = curve.fmr - curve.fnmr
    after = int(np.argmax(gap >= 0))
    low, high = gap[after - 1], gap[after]
    share = -low / (high - low)
    return float(curve.fmr[after - 1] + share * (curve.fmr[after] - curve.fmr[after - 1]))


def auc(mated: Comparisons, non_mated: Comparisons) -> float:
    """Probability that a mated distance is smaller than a non-mated one; ties count half."""
    levels, rate = _cumulative(non_mated)
    rates = np.concatenate([[0.0], rate])
    below = rates[np.searchsorted(levels, mated.distances, side="left")]
    up_to = rates[np.searchsorted(levels, mated.distances, side="right")]
    return float(mated.weights @ (1.0 - (below + up_to) / 2))


def rank_shares(distances: Array, own: int, ranks: int) -> Array:
    """Closed-set identification of one person's probes: for rank 1 to ``ranks`` (at most the size
    of the gallery), the share of probes whose own face is among the k nearest of the gallery.

    ``distances`` are probes x gallery, ``own`` is the person's column. Among equal distances the
    order is drawn by lot, so a probe that says nothing is right as often as chance.
    """
    mine = distances[:, own : own + 1]
    nearer = (distances < mine).sum(axis=1)
    equal = (distances == mine).sum(axis=1)
    wanted = np.arange(1, ranks + 1)
    right = np.clip((wanted[None, :] - nearer[:, None]) / equal[:, None], 0.0, 1.0)
    shares: Array = right.mean(axis=0)
    return shares


def chance_corrected(share: float, chance: float) -> float:
    """0 at chance, 1 when always right; negative below chance. ``chance`` is under 1."""
    return (share - chance) / (1.0 - chance)


def linkability(mated: Comparisons, non_mated: Comparisons, edges: Array) -> float:
    """D_sys of Gomez-Barrero et al. (IEEE TIFS 13(6), 2018) with equal priors, from histograms
    over fixed bins: 0 when mated and non-mated distances are alike, 1 when no bin has both.

    What lies outside of ``edges`` counts in the first or last bin.
    """
    same, other = (_histogram(pairs, edges) for pairs in (mated, non_mated))
    seen = same > 0
    # 2 LR / (1 + LR) - 1 with LR = same / other, written so that other may be 0.
    local = np.clip((same[seen] - other[seen]) / (same[seen] + other[seen]), 0.0, None)
    return float(same[seen] @ local)


def _histogram(pairs: Comparisons, edges: Array) -> Array:
    inside = np.clip(pairs.distances, edges[0], edges[-1])
    counts, _ = np.histogram(inside, bins=edges, weights=pairs.weights)
    return np.asarray(counts, dtype=np.float64)


def _cumulative(pairs: Comparisons) -> tuple[Array, Array]:
    """The distinct distances, ascending, and the share of comparisons at or under each."""
    levels, place = np.unique(pairs.distances, return_inverse=True)
    summed = np.cumsum(np.bincount(place, weights=pairs.weights, minlength=len(levels)))
    return levels, np.minimum(summed, 1.0)


def _rate_at(pairs: Comparisons, thresholds: Array) -> Array:
    levels, rate = _cumulative(pairs)
    found: Array = np.concatenate([[0.0], rate])[np.searchsorted(levels, thresholds, side="right")]
    return found
