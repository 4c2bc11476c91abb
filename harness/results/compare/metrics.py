"""The metrics that are compared: a new one is one entry of ``METRICS``.

They are two families, each with its share of alpha: what the study measures (privacy and action
units), and what else a viewer sees (behaviour and video quality). p-values are adjusted within a
family and for its share, so that a run without any change is alarmed in at most 5 % of cases, and
more metrics of the second kind cost the first kind nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.model.compare import Family
from harness.model.quality import Quality
from harness.model.score import Attributes, CellScore, Comparison
from harness.model.utility import Kept
from harness.scoring.detected import NOT_DETECTED_LOSS, lost_share

Read = Callable[[CellScore], float | None]
"""A cell's value, None where it has none."""


@dataclass(frozen=True)
class Metric:
    """A number of a cell with its direction and its practical margin."""

    key: str
    title: str
    """Short: it heads a row of a table."""
    higher_is_better: bool
    margin: float
    """The least shift that matters, in the metric's unit. A difference within it is no regression,
    however sure it is; equivalence is shown against it."""
    read: Read | None = None
    digits: int = 3
    missing: str = ""
    """A sentence: why a cell may have no value."""
    attribute: Callable[[Attributes], float | None] | None = None
    """Instead of ``read``: a number of each action-unit source, compared source by source."""
    margins: Mapping[str, float] = field(default_factory=dict)
    """Other margins of sources whose scale is another."""
    family: Family = Family.STUDY
    lowest: float | None = 0.0
    highest: float | None = None
    """Limits of a value; None without a limit."""
    privacy: bool = False
    """True when it says how well people are hidden. Lost faces do not: a face that is found
    again is kept better, and hidden no better."""
    whole: float | None = None
    """The largest shift there can be, for a metric that is not coarse: alike for every actor, it
    needs no test."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Limits of a value; infinite without a limit."""
        low = -math.inf if self.lowest is None else self.lowest
        return low, math.inf if self.highest is None else self.highest

    def margin_of(self, source: str) -> float:
        return self.margins.get(source, self.margin)

    def shifts(self, baseline: float) -> tuple[float | None, float | None]:
        """The least and the largest difference from a baseline of this mean that there can be."""
        if self.lowest is None:
            return None, None
        if self.highest is None:
            return self.lowest - baseline, None
        return self.lowest - self.highest, self.highest - self.lowest


def _distance(score: CellScore) -> float | None:
    """Mean SW-OR distance; a video that shows almost no face any more has none."""
    distances = score.identity.comparisons.get(Comparison.SWAPPED_ORIGINAL)
    lost = lost_share(score)
    detected = lost is not None and lost < NOT_DETECTED_LOSS
    return distances.mean if distances and detected else None


def _match_rate(score: CellScore) -> float | None:
    """Share of all sampled swapped frames at or under the threshold; no face is no match."""
    distances = score.identity.comparisons.get(Comparison.SWAPPED_ORIGINAL)
    if distances is None or not distances.asked:
        return None
    return (distances.share_at_or_under_threshold or 0.0) * distances.used / distances.asked


def _kept(read: Callable[[Kept], float | None]) -> Read:
    return lambda score: read(score.utility.kept) if score.utility else None


def _quality(read: Callable[[Quality], float | None]) -> Read:
    return lambda score: read(score.quality) if score.quality else None


MATCH_RATE = "match_rate"
IDENTIFIED = Metric(
    "identified",
    "Identified by the worst attacker",
    False,
    0.05,
    highest=1.0,
    privacy=True,
)
"""Read from cohorts, not from a cell: of all probes of an actor the share that each side's own
worst attacker gives to the right person."""
_OLD = "Scores of older versions lack it; `bench score` makes it."

METRICS: tuple[Metric, ...] = (
    # A shift of 3 % is about 0.02; with that as its margin, chance alone would decide over it.
    Metric(
        "sw_or",
        "SW-OR distance",
        True,
        0.01,
        _distance,
        missing="A video in which almost no face is found has no distance.",
        privacy=True,
    ),
    Metric(MATCH_RATE, "Match rate", False, 0.05, _match_rate, highest=1.0, privacy=True),
    Metric("lost_faces", "Faces lost (FTA)", False, 0.05, lost_share, highest=1.0, whole=1.0),
    Metric("pcc", "Mean PCC", True, 0.05, attribute=lambda a: a.mean_pcc, lowest=-1.0, highest=1.0),
    Metric("ccc", "Mean CCC", True, 0.05, attribute=lambda a: a.mean_ccc, lowest=-1.0, highest=1.0),
    Metric(
        "rmse",
        "Mean RMSE",
        False,
        0.02,
        attribute=lambda a: a.mean_rmse,
        # On OpenFace's scale of 0 to 5.
        margins={"openface": 0.1},
    ),
    Metric(
        "blinks",
        "Blinks, F1",
        True,
        0.1,
        _kept(lambda kept: kept.blinks.f1),
        missing=f"Without a blink in the original there is none to find again. {_OLD}",
        highest=1.0,
        family=Family.VIEWER,
    ),
    Metric(
        "head_pose",
        "Head pose, degrees",
        False,
        1.0,
        _kept(lambda kept: kept.head_pose.mean),
        2,
        missing=f"It takes frames with a face in both videos. {_OLD}",
        family=Family.VIEWER,
    ),
    Metric(
        "landmarks",
        "Landmarks, interocular",
        False,
        0.02,
        _kept(lambda kept: kept.landmarks.mean if kept.landmarks else None),
        missing=f"It takes frames with a face in both videos. {_OLD}",
        family=Family.VIEWER,
    ),
    Metric(
        "warping",
        "Warping for its detail",
        False,
        0.1,
        _quality(lambda quality: quality.warping.detail_fair_ratio if quality.warping else None),
        missing=f"It takes frames in step and a face with some detail. {_OLD}",
        family=Family.VIEWER,
    ),
    Metric(
        "flicker",
        "Flicker added",
        False,
        1.0,
        _quality(lambda quality: quality.flicker.added if quality.flicker else None),
        2,
        missing=f"It takes frames in step and long enough a video. {_OLD}",
        lowest=None,
        family=Family.VIEWER,
    ),
    Metric(
        "background",
        "Background SSIM",
        True,
        0.01,
        _quality(lambda quality: quality.background.ssim if quality.background else None),
        missing=f"It takes frames in step and pixels away from the face. {_OLD}",
        lowest=-1.0,
        highest=1.0,
        family=Family.VIEWER,
    ),
)


@dataclass(frozen=True)
class Reading:
    """A metric of one source, ready to be read from scores."""

    metric: Metric
    source: str
    read: Read

    @property
    def margin(self) -> float:
        return self.metric.margin_of(self.source)


def readings(metric: Metric, sources: tuple[str, ...]) -> list[Reading]:
    """The metric itself, or once for each action-unit source."""
    if metric.read is not None:
        return [Reading(metric, "", metric.read)]
    return [Reading(metric, source, _of_source(metric, source)) for source in sources]


def _of_source(metric: Metric, source: str) -> Read:
    def read(score: CellScore) -> float | None:
        attributes = next((a for a in score.attributes if a.source == source), None)
        return metric.attribute(attributes) if attributes and metric.attribute else None

    return read
