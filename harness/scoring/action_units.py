"""From MediaPipe's blendshapes to action units, as data.

The mapping follows Sălăgean, Leba and Ionica, Applied Sciences 15(12):6417, 2025, save for AU25,
which has no blendshape and is read from the lips' geometry. The weights are rig weights from 0 to
1 of no known unit, not FACS intensities: they are never rescaled to OpenFace's 0 to 5.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from harness.core.base import Frozen

if TYPE_CHECKING:
    import pandas as pd

MAPPING_VERSION = 1


class Trust(StrEnum):
    """Trust in a channel."""

    GOOD = "good"
    LOW = "usable, low range"
    WEAK = "weak"
    PROXY = "proxy"
    GEOMETRY = "from geometry"
    DEAD = "dead"


class UnitSource(Frozen):
    """The columns whose mean is an action unit."""

    unit: str
    columns: tuple[str, ...]
    standing: Trust
    note: str = ""


def _both(stem: str) -> tuple[str, str]:
    return f"{stem}Left", f"{stem}Right"


UNITS: tuple[UnitSource, ...] = (
    UnitSource(unit="AU01", columns=("browInnerUp",), standing=Trust.GOOD),
    UnitSource(unit="AU02", columns=_both("browOuterUp"), standing=Trust.GOOD),
    UnitSource(unit="AU04", columns=_both("browDown"), standing=Trust.LOW),
    UnitSource(unit="AU05", columns=_both("eyeWide"), standing=Trust.WEAK),
    UnitSource(
        unit="AU06",
        columns=_both("cheekSquint"),
        standing=Trust.DEAD,
        note="the model never raises cheekSquint",
    ),
    UnitSource(
        unit="AU07",
        columns=_both("eyeSquint"),
        standing=Trust.GOOD,
        note="mixes AU06 and AU07",
    ),
    UnitSource(
        unit="AU09",
        columns=_both("noseSneer"),
        standing=Trust.DEAD,
        note="the model never raises noseSneer",
    ),
    UnitSource(
        unit="AU10",
        columns=_both("mouthUpperUp"),
        standing=Trust.GOOD,
        note="fires with smiles",
    ),
    UnitSource(unit="AU12", columns=_both("mouthSmile"), standing=Trust.GOOD),
    UnitSource(unit="AU14", columns=_both("mouthDimple"), standing=Trust.WEAK),
    UnitSource(unit="AU15", columns=_both("mouthFrown"), standing=Trust.WEAK),
    UnitSource(unit="AU17", columns=("mouthShrugLower",), standing=Trust.LOW),
    UnitSource(unit="AU20", columns=_both("mouthStretch"), standing=Trust.LOW),
    UnitSource(
        unit="AU23",
        columns=_both("mouthPress"),
        standing=Trust.PROXY,
        note="AU24 strictly; no counterpart of AU23 exists",
    ),
    UnitSource(
        unit="AU25",
        columns=("inner_lip_gap",),
        standing=Trust.GEOMETRY,
        note="gap of the inner lips over the interocular distance",
    ),
    UnitSource(unit="AU26", columns=("jawOpen",), standing=Trust.GOOD),
    UnitSource(unit="AU28", columns=("mouthRollLower", "mouthRollUpper"), standing=Trust.PROXY),
    UnitSource(
        unit="AU45",
        columns=_both("eyeBlink"),
        standing=Trust.GOOD,
        note="rises when looking down",
    ),
)


def action_units(observations: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``observe_attributes`` as frame and one column per unit; NaN without a face."""
    import pandas as pd

    columns: dict[str, pd.Series] = {"frame": observations["frame"]}
    for source in UNITS:
        columns[source.unit] = observations[list(source.columns)].mean(axis=1, skipna=False)
    return pd.DataFrame(columns)
