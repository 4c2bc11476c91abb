"""Attributes: how far the action units of the swapped video follow those of the original, by each
source that measured them; never a mixture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.core.base import Frozen
from harness.model.observed import EXPRESSIONS, UnitScale
from harness.model.score import Alignment, Attributes, UnitScore
from harness.model.video import ByVideo
from harness.scoring.action_units import UNITS, action_units
from harness.scoring.alignment import CONVINCING
from harness.scoring.events import neutral
from harness.scoring.observations import OutsideUnits

if TYPE_CHECKING:
    import pandas as pd


Series = NDArray[np.float64]

MINIMUM_PAIRED = 25
"""A floor against nonsense (one second at 25 frames/s), not a promise: between unrelated stretches
of one clip, 7 frames long, |PCC| reaches 0.9 (docs/protocol.md)."""
LAG_REACH_S = 1.0
"""Reach in which a unit's shift is looked for, and never over more than a third of the video."""
BLENDSHAPE_SCALE = UnitScale(name="0-1 (rig weights)", factor=1.0)


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


def pearson(original: Series, swapped: Series) -> float | None:
    """Pearson's correlation; None when either series is constant."""
    x, y = original - original.mean(), swapped - swapped.mean()
    norm = float(np.sqrt((x @ x) * (y @ y)))
    if np.ptp(original) == 0 or np.ptp(swapped) == 0 or norm == 0:
        return None
    return float(np.clip((x @ y) / norm, -1.0, 1.0))


def rmse(original: Series, swapped: Series) -> float:
    """Root of the mean squared difference, in the source's scale."""
    return float(np.sqrt(np.mean((original - swapped) ** 2)))


def concordance(original: Series, swapped: Series) -> float | None:
    """Lin's concordance (Biometrics 45, 1989) with population moments (1/n), as Lin defines it;
    None when both series are the same constant.
    """
    mean_gap = float(original.mean() - swapped.mean())
    covariance = float(np.mean((original - original.mean()) * (swapped - swapped.mean())))
    bottom = float(original.var() + swapped.var()) + mean_gap**2
    return 2 * covariance / bottom if bottom > 0 else None


def slope(original: Series, swapped: Series) -> float | None:
    """Least squares of ``swapped`` on ``original``: cov / var(original). None for a constant
    original.
    """
    centred = original - original.mean()
    power = float(centred @ centred)
    if np.ptp(original) == 0 or power == 0:
        return None
    return float(centred @ (swapped - swapped.mean())) / power


def rmse_neutral(original: Series, swapped: Series) -> float:
    """``rmse`` after the ``neutral`` value of each was taken off: two faces at rest differ in what
    an estimator makes of them, which is no lost expression.
    """
    return rmse(original - neutral(original), swapped - neutral(swapped))


class Lag(Frozen):
    """The shift at which two series agree best, and how well. ``frames`` is None where they agree
    at no shift.
    """

    frames: int | None = None
    pcc: float | None = None


def peak_lag(original: Series, swapped: Series, reach: int) -> Lag:
    """The shift of at most ``reach`` frames at which the PCC peaks: frame t of the original is
    frame t + lag of the swapped video.

    Both series have one value per frame, NaN without a face; a shift at which fewer than
    ``MINIMUM_PAIRED`` frames have both is not looked at. Slow series fit at many shifts, so one is
    believed only if it halves the variance (1 - PCC^2) that no shift leaves unexplained. As in the
    alignment of pictures, what fits worse than ``CONVINCING`` shows no shift.
    """
    reach = min(reach, len(original) // 3)
    pcc_at: dict[int, float] = {}
    for lag in sorted(range(-reach, reach + 1), key=abs):
        x = original[max(0, -lag) : len(original) - max(0, lag)]
        y = swapped[max(0, lag) : len(swapped) - max(0, -lag)]
        both = np.isfinite(x) & np.isfinite(y)
        pcc = pearson(x[both], y[both]) if both.sum() >= MINIMUM_PAIRED else None
        if pcc is not None:
            pcc_at[lag] = pcc
    if not pcc_at:
        return Lag()
    best = max(pcc_at, key=lambda lag: pcc_at[lag])
    # A negative PCC explains nothing: a series that is half a period late is late all the same.
    if 0 in pcc_at and 1 - pcc_at[best] ** 2 > (1 - max(pcc_at[0], 0.0) ** 2) / 2:
        best = 0
    return Lag(frames=best if pcc_at[best] >= CONVINCING else None, pcc=pcc_at[best])


def moves(original: Series, scale: UnitScale) -> bool:
    """True when a channel of the original moves enough to be measured at all.

    A dead channel still correlates under blur (0.7 to 0.99 in trials), so it must not be scored.
    """
    if not len(original):
        return False
    low, high = np.quantile(original, (0.01, 0.99))
    return bool(original.std() > scale.minimum_sd and high - low > scale.minimum_range)


def score_unit(
    unit: str, original: Series, swapped: Series, scale: UnitScale, fps: float
) -> UnitScore:
    """One unit from its paired values (same length, NaN where a video has no face).

    Every number is computed from the same frames, those with a value in both videos, but for the
    lag, which pairs other ones.
    """
    seen = original[np.isfinite(original)]
    both = np.isfinite(original) & np.isfinite(swapped)
    x, y = original[both], swapped[both]
    reason = _not_measurable(seen, x, scale)
    if reason:
        return UnitScore(
            unit=unit,
            measurable=False,
            reason=reason,
            paired=len(x),
            original_quartiles=_quartiles(seen),
            swapped_quartiles=_quartiles(y),
        )
    # A tracker on a frozen picture still trembles, and its trembling correlates by chance.
    frozen = float(y.std()) < scale.frozen_sd
    error = rmse(x, y)
    lag = Lag() if frozen else peak_lag(original, swapped, round(LAG_REACH_S * fps))
    return UnitScore(
        unit=unit,
        measurable=True,
        reason="stands still in the swapped video; counts as 0 in the mean PCC" if frozen else "",
        paired=len(x),
        frozen=frozen,
        pcc=None if frozen else pearson(x, y),
        rmse=error,
        nrmse=error / float(x.std()),
        ccc=concordance(x, y),
        slope=slope(x, y),
        rmse_neutral=rmse_neutral(x, y),
        lag_frames=lag.frames,
        lag_s=None if lag.frames is None else lag.frames / fps,
        lag_pcc=lag.pcc,
        original_quartiles=_quartiles(x),
        swapped_quartiles=_quartiles(y),
    )


def _not_measurable(seen: Series, paired: Series, scale: UnitScale) -> str:
    """The reason why a unit cannot be scored, from the original's values wherever it has one and in
    the paired frames; empty when it can.
    """
    if not len(seen):
        return "no face in the original"
    if not moves(seen, scale):
        return "does not move in the original"
    if len(paired) < MINIMUM_PAIRED:
        return (
            f"too few frames: {len(paired)} with a face in both videos, of at least "
            f"{MINIMUM_PAIRED}"
        )
    if not moves(paired, scale):
        return "does not move in the original where both videos show a face"
    return ""


class Length(Frozen):
    """Of a video: its frames, and how many are a second."""

    frames: int
    fps: float


def score_attributes(
    source: str, scale: UnitScale, length: Length, original: pd.DataFrame, swapped: pd.DataFrame
) -> Attributes:
    """All units of two tables of one source (frame, then a column per unit), paired by frame.

    ``length`` is the original's. The three means are over the same units: all measurable
    ones. A frozen unit has no PCC and counts as 0 there, as its covariance is nil; left out, a tool
    would gain by freezing what it cannot follow. Raises ValueError for tables of different units,
    which cannot be of one source.
    """
    units = [name for name in original.columns if name != "frame"]
    if set(original.columns) != set(swapped.columns):
        raise ValueError("both tables must be of one source: their units differ")
    # A source may leave frames out; shifts and events are counted in frames of the video.
    every = original.set_index("frame").reindex(range(length.frames)).reset_index()
    joined = every.merge(swapped, on="frame", suffixes=("", "_swapped"), how="left")
    pairs = np.isfinite(joined[[*units, *(f"{u}_swapped" for u in units)]].to_numpy(float))
    scores = tuple(
        score_unit(
            unit,
            joined[unit].to_numpy(float),
            joined[f"{unit}_swapped"].to_numpy(float),
            scale,
            length.fps,
        )
        for unit in units
    )
    used = [score for score in scores if score.measurable]
    return Attributes(
        source=source,
        scale=scale.name,
        frames=length.frames,
        paired=int(pairs.all(axis=1).sum()),
        seen_original=_seen(original, units),
        seen_swapped=_seen(swapped, units),
        units=scores,
        mean_pcc=_mean([0.0 if s.frozen else s.pcc for s in used]),
        mean_rmse=_mean([s.rmse for s in used]),
        mean_ccc=_mean([s.ccc for s in used]),
        units_used=len(used),
        units_frozen=sum(s.frozen for s in used),
    )


def with_floor(scores: Attributes, floor: Attributes) -> Attributes:
    """``scores`` with those of the original against its own re-encoding alongside them."""
    known = {unit.unit: unit for unit in floor.units}
    units = tuple(
        unit.model_copy(
            update={"floor_pcc": known[unit.unit].pcc, "floor_rmse": known[unit.unit].rmse}
        )
        for unit in scores.units
    )
    used = [unit for unit in units if unit.measurable]
    return scores.model_copy(
        update={
            "units": units,
            # As in the tool's own mean: what compression alone freezes counts as 0.
            "floor_mean_pcc": _mean(
                [0.0 if known[unit.unit].frozen else unit.floor_pcc for unit in used]
            ),
            "floor_mean_rmse": _mean([unit.floor_rmse for unit in used]),
        }
    )


def _seen(table: pd.DataFrame, units: Sequence[str]) -> int:
    return int(np.isfinite(table[list(units)].to_numpy(float)).all(axis=1).sum())


def unpaired(
    source: str, scale: UnitScale, frames: int, units: Sequence[str], reason: str
) -> Attributes:
    """The attributes of two videos whose frames must not be paired, each unit with the reason."""
    return Attributes(
        source=source,
        scale=scale.name,
        frames=frames,
        paired=0,
        units=tuple(UnitScore(unit=unit, measurable=False, reason=reason) for unit in units),
        mean_pcc=None,
        mean_rmse=None,
        mean_ccc=None,
        units_used=0,
        units_frozen=0,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _quartiles(values: Series) -> tuple[float, float, float, float, float] | None:
    if not len(values):
        return None
    low, q1, median, q3, high = (float(x) for x in np.quantile(values, (0, 0.25, 0.5, 0.75, 1)))
    return low, q1, median, q3, high
