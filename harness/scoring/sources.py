"""Scores of the action units, one for each source that measured them; never a mixture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.model.score import Alignment, Attributes
from harness.observe import attributes as blendshapes
from harness.observe import openface
from harness.scoring.action_units import UNITS, action_units
from harness.scoring.attributes import (
    BLENDSHAPE_SCALE,
    OPENFACE_SCALE,
    score_attributes,
    unpaired,
)

if TYPE_CHECKING:
    import pandas as pd


def blendshape_scores(
    original: pd.DataFrame, swapped: pd.DataFrame, alignment: Alignment
) -> Attributes:
    """From the rows of ``observe_attributes`` of both videos."""
    frames = alignment.frames_original
    if not alignment.aligned:
        names = [source.unit for source in UNITS]
        return unpaired(blendshapes.OBSERVER, BLENDSHAPE_SCALE, frames, names, alignment.reason)
    tables = action_units(original), action_units(swapped)
    return score_attributes(blendshapes.OBSERVER, BLENDSHAPE_SCALE, frames, *tables)


def openface_scores(
    home: Path, videos: Mapping[str, str], alignment: Alignment
) -> tuple[Attributes, ...]:
    """One entry when the user brought OpenFace's file of a video, none otherwise. ``videos`` maps
    ``original`` and ``swapped`` to content hashes; a file that is missing for one is told.

    Raises UnusableInputError for a file that was damaged after it was imported.
    """
    paths = {label: openface.openface_path(home, sha256) for label, sha256 in videos.items()}
    missing = [label for label, path in paths.items() if not path.exists()]
    if len(missing) == len(paths):
        return ()
    frames = alignment.frames_original
    if missing or not alignment.aligned:
        reason = (
            f"there is no OpenFace file of the {missing[0]} video" if missing else alignment.reason
        )
        units = openface.INTENSITIES
        return (unpaired(openface.OBSERVER, OPENFACE_SCALE, frames, units, reason),)
    original, swapped = (openface.read_openface(paths[label]) for label in ("original", "swapped"))
    return (score_attributes(openface.OBSERVER, OPENFACE_SCALE, frames, original, swapped),)
