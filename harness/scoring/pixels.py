"""The video quality of a cell: its videos' pixels are observed side by side, and judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.model.quality import Quality
from harness.model.score import Alignment
from harness.observe.attributes import attributes_version
from harness.observe.pair import Side, observe_pair
from harness.observe.video import Observed
from harness.scoring.identity import embeddings_of
from harness.scoring.quality import Video, quality, unpairable

if TYPE_CHECKING:
    import pandas as pd


class Seen(NamedTuple):
    """One of the two videos, and what was observed of it alone."""

    path: Path
    sha256: str
    observed: Observed
    faces: pd.DataFrame
    """Rows of ``identity_rows``, of all frames or of sampled ones."""


def observed_quality(
    original: Seen,
    swapped: Seen,
    alignment: Alignment,
    fps: float,
    home: Path,
    listen: Callable[[int, int], None] | None = None,
) -> Quality:
    """Quality of the swapped video against the original. Their pixels are read only when they may
    be paired, and only once; else the reason is reported. Raises as ``observe_pair``.
    """
    reason = unpairable(alignment)
    lengths = {len(video.observed.expressions) for video in (original, swapped)}
    if not reason and len(lengths) > 1:
        reason = "The videos have different numbers of frames that can be decoded."
    if reason:
        return Quality(reason=reason)
    sides = _side(original), _side(swapped)
    rows = observe_pair(*sides, attributes_version(), home, listen)
    return quality(_video(original), _video(swapped), rows, fps)


def _side(video: Seen) -> Side:
    names = [f"box_{corner}" for corner in ("x0", "y0", "x1", "y1")]
    boxes = video.observed.expressions[names].to_numpy(float)
    return Side(path=video.path, sha256=video.sha256, boxes=boxes)


def _video(video: Seen) -> Video:
    return Video(
        seen=video.observed.expressions["faces"].to_numpy() > 0,
        landmarks=video.observed.landmarks.astype(np.float64),
        embeddings=embeddings_of(video.faces),
    )
