"""Rates of a trial over actors, at thresholds of unmodified pairs; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.model.cohort import ActorRate, AtFar, ProbeSource, Rate, Verification
from harness.scoring.biometrics import (
    chance_corrected,
    chance_of,
    comparison_weights,
    det,
    probe_scores,
    rank_shares,
    scores_of,
    tar_at,
    thresholds_at,
)
from harness.scoring.cohort.linkability import linkability_of
from harness.scoring.cohort.trials import Array, Probe, Trial
from harness.statistics.identities import Scores, auc, eer, fmr, vertex_bootstrap
from harness.statistics.rates import check_fmr, clustered_rate

FARS = (0.1, 0.05, 0.02, 0.01, 0.001)
LEAST_FOR_LINKABILITY = 5
"""A histogram of fewer actors' distances has bins of single actors, and is near 1 by itself."""
_CMC_RANKS = 10
_DET_POINTS = 60
_BOOTSTRAP_PROBES = 10
_RESAMPLES = 400


def mean_rate(shares: Sequence[float]) -> Rate:
    """The mean of one share per actor, with its interval over actors."""
    rate = clustered_rate(list(shares), [1.0] * len(shares))
    return Rate(
        rate=rate.rate, low=rate.low, high=rate.high, actors=len(shares), reason=rate.reason
    )


def verify(
    trial: Trial,
    edges: Array,
    *,
    fixed: float | None = None,
    calibration: Calibration | None = None,
) -> Verification:
    """All rates of a trial. ``fixed`` is a threshold known beforehand; ``calibration`` has those
    of the same attack on unmodified videos.
    ``edges`` are the bins of D_sys, which never depend on the data.
    """
    probes = trial.scored()
    seen_by = sum((Counter(p.sources) for p in trial.probes), Counter[str]())
    scores = probe_scores([(p.distances, trial.gallery.index(p.actor)) for p in probes])
    bare = Verification(
        actors=tuple(p.actor for p in probes),
        probes=sum(len(p.distances) for p in trial.probes),
        asked=sum(p.asked for p in trial.probes),
        tracker_probes=seen_by[ProbeSource.TRACKER] if seen_by else None,
        second_detector_probes=seen_by[ProbeSource.SECOND_DETECTOR] if seen_by else None,
        by_actor=tuple(_rate_of(probe, trial.gallery) for probe in trial.probes if probe.asked),
    )
    if not probes:
        return bare
    parts: dict[str, object] = {}
    if fixed is not None:
        parts["match_rate"] = _match_rate(trial, {p.actor: fixed for p in probes})
    if len(scores.non_mated):
        curve = det(scores)
        parts |= {
            **_identification(trial),
            # Of the cohort's actors, whether they were asked for or not.
            "advantage": sum(rate.advantage for rate in bare.by_actor) / len(trial.probes),
            "auc": _area(trial, scores),
            "eer": eer(scores),
            "det": tuple((float(curve.fmr[i]), float(curve.fnmr[i])) for i in _thin(curve.fmr)),
            "false_match_rate": None if fixed is None else fmr(fixed)(scores),
        }
        if len(probes) >= LEAST_FOR_LINKABILITY:
            linked = linkability_of(trial, edges)
            parts |= {
                "linkability": linked.value,
                "linkability_low": linked.low,
                "linkability_high": linked.high,
            }
    if calibration is not None:
        parts["at_far"] = tuple(_at_far(trial, calibration, far) for far in FARS)
    return bare.model_copy(update=parts)


class Calibration(NamedTuple):
    """Thresholds of unmodified non-mated pairs: FAR to actor to the threshold that all *other*
    actors set, and a sentence for each FAR that their pairs do not resolve.
    """

    thresholds: dict[float, dict[int, float]]
    refusals: dict[float, str]


def calibrate(originals: Trial) -> Calibration:
    """For every actor of the same attack on unmodified videos."""
    rest = {p.actor: originals.without(p.actor) for p in originals.scored()}
    others = min((len(trial.scored()) for trial in rest.values()), default=0)
    checks = {far: check_fmr(far, others) for far in FARS}
    wanted = [far for far, check in checks.items() if check.resolvable]
    thresholds = {
        actor: thresholds_at(scores_of([], trial.non_mated()), wanted)
        for actor, trial in rest.items()
        if wanted
    }
    return Calibration(
        {far: {actor: own[k] for actor, own in thresholds.items()} for k, far in enumerate(wanted)},
        {far: check.sentence for far, check in checks.items() if not check.resolvable},
    )


def _at_far(trial: Trial, calibration: Calibration, far: float) -> AtFar:
    """TAR at ``far``, or the floor that the impostor pairs set and why."""
    known = calibration.thresholds.get(far, {})
    probes = [p for p in trial.scored() if p.actor in known]
    if not probes:
        reason = calibration.refusals.get(far, "No original of these actors could be compared.")
        return AtFar(far=far, tar=Rate(reason=reason))
    false = [
        float((values <= known[p.actor]).mean())
        for p in probes
        for values in trial.others(p)
        if len(values)
    ]
    return AtFar(
        far=far,
        tar=_match_rate(trial, known),
        threshold=float(np.median([known[p.actor] for p in probes])),
        false_match_rate=float(np.mean(false)) if false else None,
    )


def _match_rate(trial: Trial, thresholds: Mapping[int, float]) -> Rate:
    own = zip(trial.scored(), trial.mated(), strict=True)
    return mean_rate(
        [tar_at(scores_of([d], []), thresholds[p.actor]) for p, d in own if p.actor in thresholds]
    )


def _identification(trial: Trial) -> dict[str, object]:
    probes = trial.scored()
    ranks = min(len(trial.gallery), _CMC_RANKS)
    shares = [rank_shares(p.distances, trial.gallery.index(p.actor), ranks) for p in probes]
    cmc = np.mean(shares, axis=0)
    chance = float(np.mean([chance_of(p.distances) for p in probes]))
    return {
        "rank_1": mean_rate([float(share[0]) for share in shares]),
        "chance": chance,
        "rank_1_corrected": chance_corrected(float(cmc[0]), chance),
        "cmc": tuple(float(x) for x in cmc),
        "identified": sum(_nearest(p, trial.gallery) for p in probes),
    }


def _rate_of(probe: Probe, gallery: Sequence[int]) -> ActorRate:
    """Rates of one actor's probes that are right, of all that were asked."""
    bare = ActorRate(actor=probe.actor, asked=probe.asked, probes=0, identified=0.0, advantage=0.0)
    if probe.actor not in gallery:
        return bare
    own = gallery.index(probe.actor)
    credit = credits_of(probe)
    return bare.model_copy(
        update={
            "probes": int(credit.probes[own]),
            "identified": float(credit.identified[own]),
            "advantage": float(credit.advantage[own]),
        }
    )


class Credits(NamedTuple):
    """Credit for one actor's probes for each face of the gallery, were it the actor's own."""

    probes: NDArray[np.intp]
    """Probes that are compared with the face and with another."""
    identified: Array
    """Share of all probes asked that are nearest to it."""
    advantage: Array
    """Mean over all probes asked of (right - chance) / (1 - chance)."""


def credits_of(probe: Probe) -> Credits:
    """Of equal distances one is drawn by lot, and a probe without a face is never right."""
    known = np.isfinite(probe.distances)
    compared = known.sum(axis=1)
    usable = compared > 1
    known, chance = known[usable], 1 / compared[usable, None]
    distances = np.where(known, probe.distances[usable], np.inf)
    nearest = known & (distances == distances.min(axis=1, keepdims=True, initial=np.inf))
    right = nearest / np.maximum(nearest.sum(axis=1, keepdims=True), 1)
    gain = np.where(known, (right - chance) / (1 - chance), 0.0)
    asked = max(probe.asked, 1)
    return Credits(known.sum(axis=0), right.sum(axis=0) / asked, gain.sum(axis=0) / asked)


def _nearest(probe: Probe, gallery: Sequence[int]) -> bool:
    """True when no other face is as near as the actor's own, by the mean over all probes."""
    compared: NDArray[np.bool_] = np.asarray(np.isfinite(probe.distances).any(axis=0))
    mean = np.nanmean(probe.distances[:, compared], axis=0)
    own = int(compared[: gallery.index(probe.actor)].sum())
    return bool((np.delete(mean, own) > mean[own]).all())


def _area(trial: Trial, scores: Scores) -> Rate:
    """The area under the curve; its interval resamples actors, with a few probes of each."""
    probes = trial.scored()
    rows, weights, labels = [], [], []
    for probe in probes:
        few = np.unique(np.linspace(0, len(probe.distances) - 1, _BOOTSTRAP_PROBES).astype(int))
        rows.append(probe.distances[few])
        weights.append(comparison_weights(rows[-1], trial.gallery.index(probe.actor)))
        labels += [probe.actor] * len(few)
    area = auc(scores)
    interval = vertex_bootstrap(
        np.concatenate(rows),
        auc,
        weights=np.concatenate(weights),
        estimate=area,
        probes=labels,
        references=trial.gallery,
        resamples=_RESAMPLES,
    )
    return Rate(
        rate=area, low=interval.low, high=interval.high, actors=len(probes), reason=interval.reason
    )


def _thin(fmr_values: Array) -> NDArray[np.int64]:
    """Indices of at most so many points, the ends among them."""
    kept = np.linspace(0, len(fmr_values) - 1, min(len(fmr_values), _DET_POINTS))
    return np.unique(kept.round().astype(np.int64))
