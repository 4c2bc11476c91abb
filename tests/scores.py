"""Parts of synthetic scores that tests of several folders share."""

from __future__ import annotations

from harness.model.score import Alignment


def aligned(frames: int) -> Alignment:
    """Two videos of ``frames`` frames that are in step."""
    return Alignment(
        frames_original=frames,
        frames_swapped=frames,
        same_size=True,
        same_rate=True,
        lag_frames=0,
        lag_correlation=1.0,
        aligned=True,
        reason="",
    )
