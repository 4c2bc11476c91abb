"""What the scores of cells must be when the tool's effect is known beforehand. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.model.base import Frozen
from harness.model.score import Attributes, CellScore, Comparison
from harness.model.video import VideoInfo
from harness.scoring.cohort_trials import Trial

Vector = Sequence[float]

_EXACT = 1e-6
_CODEC_L2 = 0.05
"""Compression alone moves a mean distance by less."""
_UNRELATED_PCC = 0.5
"""Mean PCC of movements that have nothing to do with each other stays under it."""
_LOST = 0.95


class Answer(Frozen):
    """One thing that is known beforehand, and what was seen."""

    name: str
    expected: str
    seen: str
    passed: bool


class Missing(Frozen):
    """A cell that has no score, with the reason; every answer that rests on it fails."""

    reason: str


def missing(name: str, expected: str, what: Missing) -> Answer:
    """The answer when there is nothing to judge."""
    return Answer(name=name, expected=expected, seen=f"no score: {what.reason}", passed=False)


def mean_l2(score: CellScore, comparison: Comparison) -> float | None:
    """The mean distance of a comparison; None when no frame could be compared."""
    return score.identity.comparisons[comparison].mean


def moved_l2(score: CellScore) -> float | None:
    """How far the mean distance to the actor's face moved from the original's: |SW-OR - OR-OR|."""
    swapped = mean_l2(score, Comparison.SWAPPED_ORIGINAL)
    original = mean_l2(score, Comparison.ORIGINAL_ORIGINAL)
    return None if swapped is None or original is None else abs(swapped - original)


def spell(value: float | None) -> str:
    """Three digits; ``none`` for no number."""
    return "none" if value is None else f"{value:.3f}"


def _units(score: CellScore) -> Attributes:
    return score.attributes[0]


def untouched(score: CellScore) -> Answer:
    """``noop``: everything as in the original, to the last digit."""
    moved, units = moved_l2(score), _units(score)
    seen = f"moved by {spell(moved)}, PCC {spell(units.mean_pcc)}, RMSE {spell(units.mean_rmse)}"
    passed = (
        moved is not None
        and moved <= _EXACT
        and units.mean_pcc is not None
        and units.mean_pcc >= 1 - _EXACT
        and units.mean_rmse is not None
        and units.mean_rmse <= _EXACT
    )
    return Answer(
        name="noop",
        expected="the mean distance moved by 0.000, PCC 1.000, RMSE 0.000",
        seen=seen,
        passed=passed,
    )


def reencoded(score: CellScore) -> Answer:
    """``reencode``: the noise floor, which is made in the same way, is met exactly."""
    moved, units = moved_l2(score), _units(score)
    floor = units.floor_mean_pcc
    passed = (
        moved is not None
        and moved <= _CODEC_L2
        and units.mean_pcc is not None
        and floor is not None
        and abs(units.mean_pcc - floor) <= _EXACT
    )
    return Answer(
        name="reencode",
        expected=f"moved by at most {_CODEC_L2}, PCC equal to the noise floor",
        seen=f"moved by {spell(moved)}, PCC {spell(units.mean_pcc)}, floor {spell(floor)}",
        passed=passed,
    )


def blackened(score: CellScore) -> Answer:
    """``blackbox``: no face, which is failure to acquire and no distance."""
    fta = score.identity.comparisons[Comparison.SWAPPED_ORIGINAL].fta
    return Answer(
        name="blackbox",
        expected=f"failure to acquire (FTA) of at least {_LOST}",
        seen=f"FTA {spell(fta)}",
        passed=fta is not None and fta >= _LOST,
    )


def somebody_else(score: CellScore) -> Answer:
    """``oracle``: the ceiling of privacy and the floor of expression."""
    distance = mean_l2(score, Comparison.SWAPPED_ORIGINAL)
    threshold, pcc = score.identity.threshold, _units(score).mean_pcc
    return Answer(
        name="oracle",
        expected=f"mean SW-OR above {threshold}, PCC at most {_UNRELATED_PCC}",
        seen=f"SW-OR {spell(distance)}, PCC {spell(pcc)}",
        passed=distance is not None
        and distance > threshold
        and pcc is not None
        and pcc <= _UNRELATED_PCC,
    )


def shift_named(score: CellScore, late: int) -> Answer:
    """A short ``time-shift``: found to the frame, and nothing is paired."""
    lag, pcc = score.alignment.lag_frames, _units(score).mean_pcc
    return Answer(
        name="time-shift, short",
        expected=f"named as late by {late} frames, no action unit compared",
        seen=f"late by {'none' if lag is None else lag} frames, PCC {spell(pcc)}",
        passed=lag == late and not score.alignment.aligned and pcc is None,
    )


def shift_paired(score: CellScore, late: int) -> Answer:
    """A long ``time-shift``, beyond the search: the same person, other moments."""
    moved, pcc = moved_l2(score), _units(score).mean_pcc
    return Answer(
        name="time-shift, long",
        expected=f"late by {late} frames: distance moved by at most {_CODEC_L2}, "
        f"PCC at most {_UNRELATED_PCC}",
        seen=f"moved by {spell(moved)}, PCC {spell(pcc)}",
        passed=moved is not None
        and moved <= _CODEC_L2
        and pcc is not None
        and pcc <= _UNRELATED_PCC,
    )


def flickering(score: CellScore, strength: float) -> Answer:
    """``flicker``: the brightness that was injected comes back, or most of it: the face is
    measured with some of what lies around it.
    """
    found = None if score.quality is None else score.quality.flicker
    added = None if found is None else found.added
    low, high = 0.5 * strength, 1.1 * strength
    return Answer(
        name="flicker",
        expected=f"{low:.1f} to {high:.1f} grey levels added, of {strength:g} injected",
        seen=f"{spell(added)} added",
        passed=added is not None and low <= added <= high,
    )


def leak_found(score: CellScore, frame: int, info: VideoInfo) -> Answer:
    """``leak``: one frame, found exactly and at its time."""
    from fractions import Fraction

    at_s = float(frame / Fraction(info.fps))
    profile = score.leaks
    found = [] if profile is None else list(profile.stretches)
    seen = ", ".join(
        f"frames {one.first_frame} to {one.last_frame} from {one.start_s:.3f} s" for one in found
    )
    passed = (
        profile is not None
        and profile.every_frame
        and [(one.first_frame, one.last_frame) for one in found] == [(frame, frame)]
        and abs(found[0].start_s - at_s) <= _EXACT
    )
    return Answer(
        name="leak",
        expected=f"frames {frame} to {frame} from {at_s:.3f} s, and no other of {info.frames}",
        seen=seen or "no leak",
        passed=passed,
    )


def parrot_wins(name: str, naive: Trial, parrot: Trial) -> Answer:
    """``blur`` and ``pixelate`` (Newton, Sweeney and Malin 2005): who passes the gallery through
    the same tool finds people nearer to themselves. Both use the same frames.

    Compared are the mean mated distance as a share of the mean non-mated one: distortion draws
    all faces together, and two actors who differ much are told apart by every attacker.
    """
    (naive_1, naive_share), (parrot_1, parrot_share) = (
        (_rank_1(trial), _mated_share(trial)) for trial in (naive, parrot)
    )
    passed = (
        naive_1 is not None
        and parrot_1 is not None
        and parrot_1 >= naive_1
        and naive_share is not None
        and parrot_share is not None
        and parrot_share < naive_share
    )
    return Answer(
        name=name,
        expected="mated / non-mated distance of the parrot below the naive attacker's, "
        "and no lower rank-1",
        seen=f"naive {spell(naive_share)}, rank-1 {spell(naive_1)}; "
        f"parrot {spell(parrot_share)}, rank-1 {spell(parrot_1)}",
        passed=passed,
    )


def _rank_1(trial: Trial) -> float | None:
    """The share of probes that are nearest to their own actor, a mean over actors."""
    shares = [
        float((np.argmin(probe.distances, axis=1) == trial.gallery.index(probe.actor)).mean())
        for probe in trial.scored()
    ]
    return float(np.mean(shares)) if shares else None


def _mated_share(trial: Trial) -> float | None:
    """Mean mated over mean non-mated distance, each a mean over actors; None where fewer than two
    actors can be compared."""
    mated, others = trial.mated(), trial.non_mated()
    if len(mated) < 2 or not others:
        return None
    return float(np.mean([d.mean() for d in mated]) / np.mean([d.mean() for d in others]))


def shared_faces(
    probes: Mapping[int, Vector | None], enrolled: Mapping[int, Vector], k: int
) -> Answer:
    """``k-same``: of single images, a naive recogniser names at most one in k rightly.

    ``probes`` and ``enrolled`` map an actor to an embedding; a probe without a face is wrong.
    """
    right = sum(
        probe is not None and nearest(probe, enrolled) == actor for actor, probe in probes.items()
    )
    undetected = sum(probe is None for probe in probes.values())
    share = right / len(probes) if probes else None
    return Answer(
        name=f"k-same, k = {k}",
        expected=f"naive rank-1 of {len(probes)} single images at most 1/{k} = {1 / k:.3f}",
        seen=f"{right} of {len(probes)} = {spell(share)}, {undetected} without a face",
        passed=share is not None and undetected == 0 and share <= 1 / k,
    )


def nearest(probe: Vector, enrolled: Mapping[int, Vector]) -> int:
    """The enrolled actor whose face is nearest (L2); of equals the first."""
    face = np.asarray(probe, dtype=np.float64)
    return min(enrolled, key=lambda actor: float(np.linalg.norm(enrolled[actor] - face)))
