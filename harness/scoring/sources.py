"""Scores of the action units, one for each source that measured them; never a mixture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from harness.model.score import Alignment, Attributes
from harness.observe import attributes as blendshapes
from harness.observe import openface
from harness.scoring.action_units import UNITS, action_units
from harness.scoring.attributes import (
    BLENDSHAPE_SCALE,
    OPENFACE_SCALE,
    Length,
    score_attributes,
    unpaired,
    with_floor,
)

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


class Watched(NamedTuple, Generic[T]):
    """The same of the three videos that a score looks at."""

    original: T
    swapped: T
    reencoded: T
    """The original encoded again, for the noise floor."""


def blendshape_scores(
    rows: Watched[pd.DataFrame], alignment: Alignment, length: Length
) -> Attributes:
    """From the rows of ``observe_attributes``; ``length`` is the original's."""
    source, scale = blendshapes.OBSERVER, BLENDSHAPE_SCALE
    if not alignment.aligned:
        names = [unit.unit for unit in UNITS]
        return unpaired(source, scale, length.frames, names, alignment.reason)
    original, swapped, reencoded = (action_units(table) for table in rows)
    scores = score_attributes(source, scale, length, original, swapped)
    return with_floor(scores, score_attributes(source, scale, length, original, reencoded))


def openface_scores(
    home: Path, videos: Watched[str], alignment: Alignment, length: Length
) -> tuple[Attributes, ...]:
    """One entry when the user brought OpenFace's file of a video, none otherwise. ``videos`` are
    content hashes. A file that is missing for one of the two compared is reported; without one of
    the re-encoding there is no floor.

    Raises UnusableInputError for a file that was damaged after it was imported.
    """
    paths = Watched(*(openface.openface_path(home, sha256) for sha256 in videos))
    compared = {"original": paths.original, "swapped": paths.swapped}
    missing = [label for label, path in compared.items() if not path.exists()]
    if len(missing) == len(compared):
        return ()
    source, scale = openface.OBSERVER, OPENFACE_SCALE
    if missing or not alignment.aligned:
        reason = (
            f"there is no OpenFace file of the {missing[0]} video" if missing else alignment.reason
        )
        return (unpaired(source, scale, length.frames, openface.INTENSITIES, reason),)
    original, swapped = (openface.read_openface(path) for path in compared.values())
    scores = score_attributes(source, scale, length, original, swapped)
    if not paths.reencoded.exists():
        return (scores,)
    reencoded = openface.read_openface(paths.reencoded)
    return (with_floor(scores, score_attributes(source, scale, length, original, reencoded)),)
