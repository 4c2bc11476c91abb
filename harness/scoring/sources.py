"""Scores of the action units, one for each source that measured them; never a mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.observed import EXPRESSIONS
from harness.model.score import Alignment, Attributes
from harness.model.video import ByVideo
from harness.scoring.action_units import UNITS, action_units
from harness.scoring.attributes import (
    BLENDSHAPE_SCALE,
    Length,
    score_attributes,
    unpaired,
    with_floor,
)
from harness.scoring.observations import OutsideUnits

if TYPE_CHECKING:
    import pandas as pd


def blendshape_scores(
    rows: ByVideo[pd.DataFrame], alignment: Alignment, length: Length
) -> Attributes:
    """From the expressions of ``FrameTables``; ``length`` is the original's."""
    source, scale = EXPRESSIONS, BLENDSHAPE_SCALE
    if not alignment.aligned:
        names = [unit.unit for unit in UNITS]
        return unpaired(source, scale, length.frames, names, alignment.reason)
    original, swapped, reencoded = (action_units(table) for table in rows)
    scores = score_attributes(source, scale, length, original, swapped)
    return with_floor(scores, score_attributes(source, scale, length, original, reencoded))


def outside_scores(
    outside: OutsideUnits, alignment: Alignment, length: Length
) -> tuple[Attributes, ...]:
    """One entry when the source has measured the original or the swapped video, none otherwise.
    Where only one of the two was measured the entry says so; without the re-encoding there is no
    floor.
    """
    source, scale = outside.source, outside.scale
    original, swapped, reencoded = outside.rows
    if original is None and swapped is None:
        return ()
    if original is None or swapped is None or not alignment.aligned:
        reason = alignment.reason
        if original is None or swapped is None:
            label = "original" if original is None else "swapped"
            reason = f"there is no {outside.title} file of the {label} video"
        return (unpaired(source, scale, length.frames, outside.units, reason),)
    scores = score_attributes(source, scale, length, original, swapped)
    if reencoded is None:
        return (scores,)
    return (with_floor(scores, score_attributes(source, scale, length, original, reencoded)),)
