"""Scores of a cell: pure functions of observations, small enough to keep as JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.model.numbers import L2, Amount, Correlation, Count, Share, in_order
from harness.model.privacy import LeakProfile
from harness.model.quality import Quality
from harness.model.recognised import RecogniserScore
from harness.model.utility import Utility


class Comparison(StrEnum):
    """The four comparisons C(V, ID) of the thesis (4.3.2)."""

    ORIGINAL_ORIGINAL = "or_or"
    ORIGINAL_SWAPPED = "or_sw"
    SWAPPED_ORIGINAL = "sw_or"
    SWAPPED_SWAPPED = "sw_sw"


class Distances(Frozen):
    """L2 distances of sampled frames to one reference face.

    ``asked`` frames were sampled, ``used`` had a face and a distance; the rest is failure to
    acquire (FTA), never skipped in silence. Quantiles are linear-interpolated (numpy's default).
    The whiskers are Tukey's: the furthest values within 1.5 interquartile ranges of the box.
    All statistics are None when no frame was usable.
    """

    asked: Count
    used: Count
    several_faces: Count
    mean: L2 | None = None
    sd: Amount | None = None
    """Sample standard deviation (n - 1); None for fewer than two."""
    median: L2 | None = None
    q1: L2 | None = None
    q3: L2 | None = None
    whisker_low: L2 | None = None
    whisker_high: L2 | None = None
    p01: L2 | None = None
    p99: L2 | None = None
    minimum: L2 | None = None
    maximum: L2 | None = None
    outliers: tuple[L2, ...] = ()
    """At most 50, the most extreme, for the box plot."""
    share_at_or_under_threshold: Share | None = None

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if (
            self.used > self.asked
            or not in_order(
                self.minimum, self.p01, self.q1, self.median, self.q3, self.p99, self.maximum
            )
            or not in_order(self.minimum, self.mean, self.maximum)
        ):
            raise ValueError("a mean and quantiles that are not between minimum and maximum")
        return self

    @property
    def fta(self) -> float:
        """Failure to acquire: share of the asked frames without a usable face."""
        return 1.0 - self.used / self.asked if self.asked else 1.0


class EvidenceFrame(Frozen):
    """A frame worth looking at: the worst leak, the median, the best hidden."""

    kind: str
    """``worst``, ``median`` or ``best``."""
    frame: Count
    distance_l2: L2


class SwappedReading(StrEnum):
    """Readings of which face "ID swapped" is; the thesis says two things (4.3.1 and 4.3.2)."""

    DONOR_PHOTO = "donor photo"
    SWAPPED_FRAME = "swapped frame"
    NONE = "none"


class SwappedIdentity(Frozen):
    """One reading of "ID swapped", with the two comparisons that depend on it."""

    reading: SwappedReading
    note: str
    """Note on how the face was chosen, or why there is none, as a sentence."""
    frame: int | None = None
    """The swapped frame that serves as the face, and is left out of both comparisons."""
    or_sw: Distances | None = None
    sw_sw: Distances | None = None


class Identity(Frozen):
    """``comparisons`` follow ``swapped_reading``: the donor's photo where one can be used, else a
    swapped frame, else none. ``swapped_identities`` hold both readings side by side.

    FTA is that of OR-OR and SW-OR: the other two need a swapped identity as well as a face.
    """

    recogniser: str
    threshold: Amount
    comparisons: dict[Comparison, Distances]
    swapped_reading: SwappedReading
    swapped_note: str = ""
    """Reason for this reading, as a sentence."""
    swapped_identities: tuple[SwappedIdentity, ...] = ()
    evidence: tuple[EvidenceFrame, ...] = ()
    seed: int
    frames: Count
    """Frames in the video the sample was drawn from."""


class UnitScore(Frozen):
    """One action unit. ``measurable`` is False for a channel that does not move in the original,
    and where too few frames can be paired; ``reason`` says which.

    A measurable unit that stands still in the swapped video is ``frozen``: it has no PCC, follows
    nothing, and counts as 0 in the mean PCC.
    """

    unit: str
    """``AU12``."""
    measurable: bool
    reason: str = ""
    paired: Count | None = None
    """Frames with a value in both videos: what every number here is computed from."""
    frozen: bool = False
    pcc: Correlation | None = None
    rmse: Amount | None = None
    nrmse: Amount | None = None
    """RMSE divided by the original's standard deviation."""
    ccc: Correlation | None = None
    slope: float | None = None
    """Least squares of the swapped intensity on the original's: 1 keeps the amplitude."""
    rmse_neutral: Amount | None = None
    """RMSE after each video's own neutral value (10th percentile) was taken off."""
    lag_frames: int | None = None
    """Shift at which the PCC peaks: positive when the swapped video is late; None where no shift
    fits, 0 where none fits much better."""
    lag_s: float | None = None
    lag_pcc: Correlation | None = None
    """The PCC there, or the one that is too low to show a shift."""
    floor_pcc: Correlation | None = None
    """PCC of the original with its own re-encoding: what the source makes of compression alone."""
    floor_rmse: Amount | None = None
    original_quartiles: tuple[float, float, float, float, float] | None = None
    """Minimum, q1, median, q3, maximum of the original's intensity."""
    swapped_quartiles: tuple[float, float, float, float, float] | None = None

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if not all(
            in_order(*five) for five in (self.original_quartiles, self.swapped_quartiles) if five
        ):
            raise ValueError("quartiles that are not in order")
        return self


class Attributes(Frozen):
    source: str
    """``mediapipe-blendshapes`` or ``openface``; sources are never mixed in one number."""
    scale: str
    frames: Count
    paired: Count
    """Frames with a face in both videos; coverage is paired / frames."""
    seen_original: Count | None = None
    """Frames of the original in which the source saw the face well enough."""
    seen_swapped: Count | None = None
    units: tuple[UnitScore, ...]
    mean_pcc: Correlation | None
    """Over ``units_used`` units, frozen ones as 0."""
    mean_rmse: Amount | None
    mean_ccc: Correlation | None
    units_used: Count | None = None
    """Measurable units: what all three means are over."""
    units_frozen: Count | None = None
    floor_mean_pcc: Correlation | None = None
    """Over the same units as the means above, of the original and its own re-encoding."""
    floor_mean_rmse: Amount | None = None

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.paired > self.frames:
            raise ValueError("more frames are paired than there are")
        return self


class Alignment(Frozen):
    """Verdict on whether original and swapped frames may be paired at all."""

    frames_original: Count
    frames_swapped: Count
    same_size: bool
    same_rate: bool
    lag_frames: int | None
    """Shift of the swapped video that fits the original best; 0 is aligned, None undecidable."""
    lag_correlation: Correlation | None
    lag_halves: tuple[int | None, int | None] = (None, None)
    """The same of the first and the second half; they differ when frames were lost on the way."""
    aligned: bool
    reason: str


class CellScore(Frozen):
    """``scores/<cell id>/<protocol>.json``."""

    schema_version: int = SCHEMA_VERSION
    cell_id: str
    protocol: str
    inputs: dict[str, str]
    """Hash of everything it was computed from: media, observers, protocol parameters."""
    observations: dict[str, str] = {}
    """The SHA-256 of each stored observation that it was computed from, by its place below
    ``observations/``; empty in scores of earlier versions."""
    alignment: Alignment
    identity: Identity
    attributes: tuple[Attributes, ...]
    leaks: LeakProfile | None = None
    """At the protocol's threshold; None in scores of an earlier scoring version."""
    utility: Utility | None = None
    """None in scores of older versions."""
    quality: Quality | None = None
    """None in scores of older versions."""
    recognisers: tuple[RecogniserScore, ...] = ()
    """Other recognisers, where they have seen both videos and the actor's photo."""
