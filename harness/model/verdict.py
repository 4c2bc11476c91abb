"""Verdicts a comparison can end with, and the aspects that can stand in their way."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    REGRESSED = "regressed"
    """Significant after correction, beyond the margin, and in the worse direction."""
    IMPROVED = "improved"
    """The same in the better direction, and nothing hides less."""
    TRADED = "better, hides less"
    """A metric that is better, while one of privacy is worse beyond its margin: no improvement."""
    UNCHANGED = "unchanged"
    """Equivalence within the margin is shown."""
    INCONCLUSIVE = "inconclusive"
    """Neither is shown: the actors are too few, or too different, to decide."""
    NOT_COMPARABLE = "not comparable"
    """Dataset, scorer, limits or hardware differ, or a side has no value."""


class Aspect(StrEnum):
    """Aspects that must be alike on both sides before numbers may be compared."""

    DATASET = "dataset"
    SCORER = "scorer"
    LIMITS = "limits"
    HARDWARE = "hardware"
