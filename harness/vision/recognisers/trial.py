"""Trial of how well a recogniser distinguishes people, by embeddings of known faces; pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.core.base import Frozen
from harness.vision.recognisers.base import Distance, Embeddings, distances

TRIAL_VERSION = 1
"""Raised whenever another recogniser could be accepted, or another of its conventions."""
LEAST_RANKED = 0.9
LEAST_MARGIN = 4.0
"""Three networks of the ArcFace family and dlib's reach 4.7 to 5.2 with the pixels that they were
trained on, 3.2 at most with pixels far from these, and pixels themselves 1.2 (docs/protocol.md)."""
_AS_GOOD = 0.75
"""The few faces of the sample do not order conventions whose margins differ by less."""
_AS_FAR = 0.5
"""Share of the largest mean distance of non-mated pairs."""


class Labelled(Frozen):
    """The person whom a face shows, and the take: faces of one take resemble each other anyway."""

    person: str
    take: str


class Trial(Frozen):
    """Distances of the mated pairs (one person in two takes) and of the non-mated pairs."""

    faces: int = Field(ge=0)
    """Faces whose person is seen in another take too."""
    ranked: int = Field(ge=0)
    """Of these, those that are nearer to each face of their own person than to anybody else's."""
    mated: float
    """Mean distance."""
    non_mated: float
    margin: float
    """non_mated - mated, in units of the pairs' standard deviation (d')."""

    @property
    def passed(self) -> bool:
        return self.ranked >= LEAST_RANKED * self.faces and self.margin >= LEAST_MARGIN

    def __str__(self) -> str:
        return (
            f"distinguishes {self.ranked} of {self.faces} faces, margin {self.margin:z.1f} "
            f"(mated {self.mated:.3g}, non-mated {self.non_mated:.3g})"
        )


def try_out(vectors: Embeddings, faces: Sequence[Labelled], kind: Distance) -> Trial:
    """The trial of the ``vectors`` of these faces, in the same order.

    d' as in signal detection: the difference of the two means over the root of the mean of the two
    variances. A number that is not finite counts as 0.
    """
    apart = _matrix(np.nan_to_num(vectors, nan=0, posinf=0, neginf=0), kind)
    persons = np.array([face.person for face in faces])
    takes = np.array([face.take for face in faces])
    same = persons[:, None] == persons
    mated = same & (takes[:, None] != takes)
    judged = mated.any(axis=1)
    farthest_own = np.where(mated, apart, -np.inf).max(axis=1)
    nearest_other = np.where(same, np.inf, apart).min(axis=1)
    upper = np.triu(np.ones_like(same), 1)
    own, others = apart[mated & upper], apart[~same & upper]
    gap = float(others.mean() - own.mean())
    spread = float(np.sqrt((own.var(ddof=1) + others.var(ddof=1)) / 2))
    return Trial(
        faces=int(judged.sum()),
        ranked=int((judged & (farthest_own < nearest_other)).sum()),
        mated=float(own.mean()),
        non_mated=float(others.mean()),
        margin=gap / spread if spread > 0 else 0.0,
    )


def _matrix(vectors: Embeddings, kind: Distance) -> NDArray[np.float64]:
    """Distance of each to each."""
    count = len(vectors)
    apart = np.zeros((count, count))
    first, second = (np.array(side) for side in zip(*combinations(range(count), 2), strict=True))
    apart[first, second] = apart[second, first] = distances(vectors[first], vectors[second], kind)
    return apart


def first_of_the_best(trials: Sequence[Trial]) -> int | None:
    """Index of the first trial that passed and is about as good as any; None if none passed.

    Pixels that a network was not trained on also show in all its distances: they shrink.
    """
    farthest = max((trial.non_mated for trial in trials if trial.passed), default=0.0)
    spread_out = [
        number
        for number, trial in enumerate(trials)
        if trial.passed and trial.non_mated >= _AS_FAR * farthest
    ]
    best = max((trials[number].margin for number in spread_out), default=0.0)
    return next((number for number in spread_out if trials[number].margin >= _AS_GOOD * best), None)
