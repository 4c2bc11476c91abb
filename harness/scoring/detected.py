"""Measures whether a swapped video still shows the faces that the original shows."""

from __future__ import annotations

from harness.model.score import CellScore, Comparison

NOT_DETECTED_LOSS = 0.95
"""From this share of lost faces on, a cell is "not detected": its distance describes almost no
frames, so it is never called hidden. Only faces that the original shows can be lost."""


def lost_share(score: CellScore) -> float | None:
    """Share of the original's faces that the recogniser no longer finds after the swap.

    1 - (1 - FTA of SW) / (1 - FTA of OR), at least 0: a frame in which the original has no face
    either is not held against (or in favour of) the tool. None when a comparison is missing, or
    when no sampled frame of the original has a face.
    """
    original = score.identity.comparisons.get(Comparison.ORIGINAL_ORIGINAL)
    swapped = score.identity.comparisons.get(Comparison.SWAPPED_ORIGINAL)
    if original is None or swapped is None or original.used == 0:
        return None
    return max(0.0, 1.0 - (1.0 - swapped.fta) / (1.0 - original.fta))
