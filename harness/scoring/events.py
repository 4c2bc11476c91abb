"""Blinks and mouth openings: found in a series with hysteresis, matched in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.base import Frozen
from harness.model.utility import Events

Series = NDArray[np.float64]
"""One value per frame, NaN without a face."""

NEUTRAL_QUANTILE = 0.1
"""Intensities are one-sided: at rest they are low, so a low quantile is the face at rest."""
TOLERANCE_S = 0.2
"""Half of a blink, which lasts 0.1 to 0.4 s."""


class Trigger(Frozen):
    """An event begins above ``on`` and ends below ``off``, both over the series' neutral value,
    as two faces differ in what the estimator calls closed.
    """

    name: str
    on: float
    off: float


BLINK = Trigger(name="blink", on=0.25, off=0.15)
"""Of the mean of both eyeBlink weights. Three clips: rest varies by under 0.1, blinks reach 0.3 to
0.8 above it."""
MOUTH_OPENING = Trigger(name="mouth opening", on=0.10, off=0.05)
"""Of the inner lips' gap over the interocular distance. Three clips: closed lips vary by under
0.02, open ones drift by up to 0.08, speech opens them by 0.1 to 0.3."""


def neutral(values: Series) -> float:
    """A face at rest: the 10th percentile of the finite values, linear interpolation; NaN of
    none.
    """
    seen = values[np.isfinite(values)]
    return float(np.quantile(seen, NEUTRAL_QUANTILE)) if len(seen) else float("nan")


class Event(NamedTuple):
    """From the frame ``start`` up to, not including, ``end``."""

    start: int
    end: int


def events(values: Series, trigger: Trigger) -> tuple[Event, ...]:
    """The events of a series. A frame without a value ends one; one that is going on in the first
    frame, or behind a gap, begins there.
    """
    over = values - neutral(values)
    seen: list[Event] = []
    start: int | None = None
    for frame, value in enumerate(over):
        if start is None:
            start = frame if value > trigger.on else None
        elif not value >= trigger.off:
            seen.append(Event(start, frame))
            start = None
    if start is not None:
        seen.append(Event(start, len(over)))
    return tuple(seen)


def same_event(first: Event, second: Event, tolerance: float) -> bool:
    """True when they begin within ``tolerance`` frames of each other or share half of the time
    that they last together: a mouth that opens slowly has no sharp beginning.
    """
    shared = min(first.end, second.end) - max(first.start, second.start)
    whole = max(first.end, second.end) - min(first.start, second.start)
    return abs(first.start - second.start) <= tolerance or shared >= whole / 2


def matches(first: Sequence[Event], second: Sequence[Event], tolerance: float) -> int:
    """Number of ``first`` and ``second`` that can be paired one to one, each the ``same_event``:
    the most there can be.
    """
    if not first or not second:
        return 0
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    pairs = csr_array(
        [[same_event(event, other, tolerance) for other in second] for event in first]
    )
    return int(np.count_nonzero(maximum_bipartite_matching(pairs, perm_type="column") >= 0))


def match_events(original: Series, swapped: Series, trigger: Trigger, fps: float) -> Events:
    """The events of two series of the same length, frame by frame of the same instants."""
    x = original
    y = np.where(np.isfinite(original), swapped, np.nan)
    wanted, seen = events(x, trigger), events(y, trigger)
    # Times in a file are multiples of the frame, so a distance may equal the tolerance.
    matched = matches(wanted, seen, TOLERANCE_S * fps + 1e-9)
    counts = Events(
        original=len(wanted), swapped=len(seen), matched=matched, tolerance_s=TOLERANCE_S
    )
    if not wanted:
        return counts.model_copy(
            update={"reason": f"not measurable: the original has no {trigger.name}"}
        )
    return counts.model_copy(
        update={
            "precision": matched / len(seen) if seen else None,
            "recall": matched / len(wanted),
            "f1": 2 * matched / (len(wanted) + len(seen)),
        }
    )


def unmatched(reason: str) -> Events:
    """The events of two videos whose frames must not be paired."""
    return Events(original=0, swapped=0, matched=0, tolerance_s=TOLERANCE_S, reason=reason)
