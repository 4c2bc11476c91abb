"""Kinds of numbers in stored scores: what cannot be one of them is damage, and does not load."""

from __future__ import annotations

import itertools
from typing import Annotated

from pydantic import Field

_SLACK = 1e-9
"""For sums and quotients that end a rounding beyond their bound."""

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=-_SLACK, le=1 + _SLACK)]
"""Shares, rates and probabilities."""
Correlation = Annotated[float, Field(ge=-1 - _SLACK, le=1 + _SLACK)]
"""Correlations, and rates beyond chance."""
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Seconds, errors, deviations."""
L2 = Annotated[float, Field(ge=0, le=4)]
"""Distances of dlib's embeddings, whose lengths are under 2."""


def in_order(*numbers: float | None) -> bool:
    """True when the numbers that are there ascend, within rounding."""
    known = [number for number in numbers if number is not None]
    slack = _SLACK * max([1.0, *map(abs, known)])
    return all(low <= high + slack for low, high in itertools.pairwise(known))
