"""Expected results of several cells together when the tool's effect is known beforehand. Pure.

harness/results/known_answers judges single cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.core.base import Frozen
from harness.results.known_answers import Answer
from harness.scoring.cohort.trials import Trial

Vector = Sequence[float]


class Missing(Frozen):
    """A cell that has no score, with the reason; every answer that rests on it fails."""

    reason: str


def missing(name: str, expected: str, what: Missing) -> Answer:
    """The answer when there is nothing to judge."""
    return Answer(name=name, expected=expected, seen=f"no score: {what.reason}", passed=False)


def spell(value: float | None) -> str:
    """Three digits; ``none`` for no number."""
    return "none" if value is None else f"{value:z.3f}"


def parrot_wins(name: str, naive: Trial, parrot: Trial) -> Answer:
    """``blur`` and ``pixelate`` (Newton, Sweeney and Malin 2005): who passes the gallery through
    the same tool finds people nearer to themselves. Both use the same frames.

    The mean mated distance is compared as a share of the mean non-mated one: distortion draws
    all faces together, and every attacker distinguishes two actors who differ much.
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
