"""Attributes: how far the action units of the swapped video follow those of the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.model.base import Frozen
from harness.model.score import Attributes, UnitScore

if TYPE_CHECKING:
    import pandas as pd

Series = NDArray[np.float64]

MINIMUM_PAIRED = 3
"""Two points always correlate perfectly."""


class Scale(Frozen):
    """A source's range; the dead-channel guard grows with it."""

    name: str
    factor: float

    @property
    def minimum_sd(self) -> float:
        return 0.01 * self.factor

    @property
    def minimum_range(self) -> float:
        """Of the 1st to the 99th percentile."""
        return 0.05 * self.factor


BLENDSHAPE_SCALE = Scale(name="0-1 (rig weights)", factor=1.0)
OPENFACE_SCALE = Scale(name="0-5 (FACS intensity)", factor=5.0)


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


def moves(original: Series, scale: Scale) -> bool:
    """Whether a channel of the original moves enough to be measured at all.

    A dead channel still correlates under blur (0.7 to 0.99 in trials), so it must not be scored.
    """
    if len(original) < MINIMUM_PAIRED:
        return False
    low, high = np.quantile(original, (0.01, 0.99))
    return bool(original.std() > scale.minimum_sd and high - low > scale.minimum_range)


def score_unit(unit: str, original: Series, swapped: Series, scale: Scale) -> UnitScore:
    """One unit from its paired values (same length, NaN where a video has no face)."""
    seen = original[np.isfinite(original)]
    both = np.isfinite(original) & np.isfinite(swapped)
    x, y = original[both], swapped[both]
    if not moves(seen, scale):
        return UnitScore(
            unit=unit,
            measurable=False,
            reason="does not move in the original" if len(seen) else "no face in the original",
            original_quartiles=_quartiles(seen),
            swapped_quartiles=_quartiles(y),
        )
    if len(x) < MINIMUM_PAIRED:
        return UnitScore(
            unit=unit,
            measurable=False,
            reason=f"only {len(x)} frames have a face in both videos",
            original_quartiles=_quartiles(seen),
            swapped_quartiles=_quartiles(y),
        )
    correlation, error, spread = pearson(x, y), rmse(x, y), float(x.std())
    reason = "" if correlation is not None else "constant over the frames with a face in both"
    return UnitScore(
        unit=unit,
        measurable=True,
        reason=reason,
        pcc=correlation,
        rmse=error,
        nrmse=error / spread if spread > 0 else None,
        ccc=concordance(x, y),
        original_quartiles=_quartiles(x),
        swapped_quartiles=_quartiles(y),
    )


def score_attributes(
    source: str, scale: Scale, frames: int, original: pd.DataFrame, swapped: pd.DataFrame
) -> Attributes:
    """All units of two tables of one source (frame, then a column per unit), paired by frame.

    ``frames`` is the length of the video. Means are over the measurable units; a unit that has no
    PCC because the swapped face is frozen has a CCC of 0, which stays in the mean CCC.
    """
    units = [name for name in original.columns if name != "frame"]
    joined = original.merge(swapped, on="frame", suffixes=("", "_swapped"), how="left")
    pairs = np.isfinite(joined[[*units, *(f"{u}_swapped" for u in units)]].to_numpy(float))
    scores = tuple(
        score_unit(
            unit, joined[unit].to_numpy(float), joined[f"{unit}_swapped"].to_numpy(float), scale
        )
        for unit in units
    )
    return Attributes(
        source=source,
        scale=scale.name,
        frames=frames,
        paired=int(pairs.all(axis=1).sum()),
        units=scores,
        mean_pcc=_mean([s.pcc for s in scores if s.measurable]),
        mean_rmse=_mean([s.rmse for s in scores if s.measurable]),
        mean_ccc=_mean([s.ccc for s in scores if s.measurable]),
    )


def unpaired(
    source: str, scale: Scale, frames: int, units: Sequence[str], reason: str
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
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _quartiles(values: Series) -> tuple[float, float, float, float, float] | None:
    if not len(values):
        return None
    low, q1, median, q3, high = (float(x) for x in np.quantile(values, (0, 0.25, 0.5, 0.75, 1)))
    return low, q1, median, q3, high
