"""Quality of a swapped video against its original: steadiness, sharpness, gaps, the background."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from harness.core.base import Frozen
from harness.model.numbers import Amount, Correlation, Count


class Steadiness(StrEnum):
    """Meanings of a warping error once sharpness is known."""

    STEADY = "as steady as the original"
    UNSTEADY = "less steady than the original"
    BLURRED = "softer than the original"
    """Little moves, perhaps because there is little to see: no credit for steadiness."""


class Warping(Frozen):
    """Change of a face from frame to frame beyond the original's own motion.

    ``ratio`` alone rewards blur, so it never stands without ``sharpness_ratio``: both are required
    here, and ``detail_fair_ratio`` (ratio / min(1, sharpness_ratio)) is the one to rank by.
    """

    pairs: Count
    """Consecutive frames compared."""
    original: Amount
    """Mean squared error per visible pixel and colour, in steps of 0 to 255, squared."""
    swapped: Amount
    ratio: Amount
    """swapped / original: 1 for a copy, above 1 for flicker and jitter, below 1 for blur."""
    sharpness_ratio: Amount
    """Of the variances of the Laplacian in the face, swapped / original: 1 for a copy."""
    detail_fair_ratio: Amount | None
    """None where no detail is left at all."""
    verdict: Steadiness


class Jitter(Frozen):
    """Unrest from frame to frame in both videos, at the same frames; smaller is steadier."""

    unit: str
    steps: Count
    """Pairs (identity) or triples (landmarks) of consecutive frames, seen in both videos."""
    original: Amount | None = None
    swapped: Amount | None = None
    ratio: Amount | None = None
    """swapped / original: 1 for a copy; None where the original does not move at all."""
    reason: str = ""


class Flicker(Frozen):
    """Changes of the face's brightness above ``above_hz``, in luminance steps of 0 to 255."""

    above_hz: Amount
    frames: Count
    added: Amount | None = None
    """Root mean square of what the swapped video has and the original has not: 0 for a copy."""
    original: Amount | None = None
    """The same of the original's own brightness, for comparison."""
    reason: str = ""


class Gaps(Frozen):
    """Frames without a face where the original shows one."""

    frames: Count
    count: Count
    """Stretches of such frames."""
    longest_frames: Count
    longest_s: Amount

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.longest_frames > self.frames:
            raise ValueError("a gap that is longer than all gaps")
        return self


class Background(Frozen):
    """Pixels the tool should have left alone: those further than half a face from either face."""

    frames: Count
    ssim: Correlation | None = None
    """Mean structural similarity (Wang 2004) of luminance: 1 is the same."""
    psnr_db: float | None = None
    """Of the mean squared error over all these frames, at most 100 (the same)."""
    reason: str = ""


class Quality(Frozen):
    """All parts are None, and ``reason`` says why, when frames must not be paired; else only those
    that could not be measured.
    """

    reason: str = ""
    warping: Warping | None = None
    warping_note: str = ""
    """Reason for the lack of a warping error, as a sentence."""
    flicker: Flicker | None = None
    identity_jitter: Jitter | None = None
    landmark_jitter: Jitter | None = None
    gaps: Gaps | None = None
    background: Background | None = None
