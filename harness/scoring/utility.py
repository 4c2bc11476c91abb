"""Measures the behaviour left in a face: events, head pose, gaze, landmarks, detection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.model.observed import EXPRESSIONS, HEAD_POSE, REENCODING_NOTE, FrameTables
from harness.model.score import Alignment
from harness.model.utility import Difference, Kept, Utility
from harness.model.video import ByVideo
from harness.scoring.events import BLINK, MOUTH_OPENING, match_events, unmatched
from harness.scoring.geometry import (
    DEGREES,
    EYES,
    INTEROCULAR,
    LOOKS,
    RIG_WEIGHTS,
    difference,
    gaze,
    geodesic_deg,
    landmark_error,
    rotations,
)

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

NO_PAIR = "no frame shows a face in both videos"


def utility(faces: ByVideo[FrameTables], alignment: Alignment, fps: float) -> Utility:
    """Of the swapped video, and of the re-encoding as the noise floor."""
    original, swapped, reencoded = faces
    return Utility(
        source=EXPRESSIONS,
        kept=kept(original, swapped, fps)
        if alignment.aligned
        else not_paired(original, alignment.reason),
        floor=kept(original, reencoded, fps),
        floor_note=REENCODING_NOTE,
    )


def kept(original: FrameTables, swapped: FrameTables, fps: float) -> Kept:
    """Compare two videos of the same length whose frames show the same instants."""
    x, y = original.expressions, swapped.expressions
    x_points, y_points = (video.landmarks.astype(np.float64) for video in (original, swapped))
    seen = _seen(x)
    both = int((seen & _seen(y)).sum())
    turned = [rotations(*(_column(table, name) for name in HEAD_POSE)) for table in (x, y)]
    looked = [gaze({name: _column(table, name) for name in LOOKS}) for table in (x, y)]
    return Kept(
        faces_original=int(seen.sum()),
        faces_kept=both,
        detection_rate=both / int(seen.sum()) if seen.any() else None,
        blinks=match_events(_closed(x), _closed(y), BLINK, fps),
        mouth_openings=match_events(
            _column(x, "inner_lip_gap"), _column(y, "inner_lip_gap"), MOUTH_OPENING, fps
        ),
        head_pose=difference(geodesic_deg(*turned), DEGREES, NO_PAIR),
        landmarks=difference(landmark_error(x_points, y_points, EYES), INTEROCULAR, NO_PAIR),
        gaze=difference(np.linalg.norm(looked[0] - looked[1], axis=-1), RIG_WEIGHTS, NO_PAIR),
    )


def not_paired(original: FrameTables, reason: str) -> Kept:
    """Of two videos whose frames must not be paired: nothing is compared."""
    return Kept(
        faces_original=int(_seen(original.expressions).sum()),
        faces_kept=0,
        detection_rate=None,
        blinks=unmatched(reason),
        mouth_openings=unmatched(reason),
        head_pose=Difference(unit=DEGREES, frames=0, reason=reason),
        landmarks=Difference(unit=INTEROCULAR, frames=0, reason=reason),
        gaze=Difference(unit=RIG_WEIGHTS, frames=0, reason=reason),
    )


def _seen(table: pd.DataFrame) -> NDArray[np.bool_]:
    seen: NDArray[np.bool_] = table["faces"].to_numpy() > 0
    return seen


def _column(table: pd.DataFrame, name: str) -> Array:
    values: Array = table[name].to_numpy(float)
    return values


def _closed(table: pd.DataFrame) -> Array:
    """Degree to which both eyes are closed, 0 to 1."""
    return (_column(table, "eyeBlinkLeft") + _column(table, "eyeBlinkRight")) / 2
