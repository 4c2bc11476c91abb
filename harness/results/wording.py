"""Numbers and names as sentences show them: on pages, in the terminal, in comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.model.cohort import Attacker
from harness.results.estimates import Estimate
from harness.scoring.cohort.score import CROPS_SOURCE, MOTION_SOURCE

DASH = "\N{EN DASH}"
_ATTACKERS = {
    Attacker.NAIVE: "A0 naive",
    Attacker.PARROT: "A1 parrot",
    Attacker.INFORMED: "A2 informed",
    Attacker.MOTION: "A4 motion",
}
_SOURCES = {CROPS_SOURCE: "self-trained", MOTION_SOURCE: ""}
"""Short names of long sources; the one that an attacker always has needs none."""
_DETECTORS = {"centerface": "CenterFace"}


def attacker_name(attacker: Attacker, source: str = "") -> str:
    """``A0 naive``; with what it compares by ``A0 naive (dlib)``, ``A1 parrot (self-trained)``."""
    by = _SOURCES.get(source, source)
    return f"{_ATTACKERS[attacker]} ({by})" if by else _ATTACKERS[attacker]


def detector_name(detector: str) -> str:
    """The name of a second detector for people; stored scores name it by its observer."""
    return _DETECTORS.get(detector, detector)


def finite(value: float | None) -> float | None:
    """The value, or None where it is missing, NaN or infinite."""
    return value if value is not None and math.isfinite(value) else None


def fmt(value: float | None, digits: int = 3, *, signed: bool = False, missing: str = DASH) -> str:
    """Fixed decimals, ``signed`` with a plus; a zero has no sign, and NaN is ``missing``."""
    number = finite(value)
    if number is None:
        return missing
    text = f"{number:+z.{digits}f}" if signed else f"{number:z.{digits}f}"
    return text.lstrip("+") if float(text) == 0 else text


def percent(value: float | None) -> str:
    """A share in per cent with one decimal."""
    number = finite(value)
    return DASH if number is None else f"{fmt(100 * number, 1)} %"


def listing(names: Sequence[str], most: int = 6) -> str:
    """Names in a row, the first ``most`` of them."""
    more = len(names) - most
    shown = ", ".join(names[:most])
    return f"{shown} and {more} more" if more > 0 else shown


def together(names: Sequence[str], most: int = 4) -> str:
    """``a``, ``a and b``, ``a, b and c``; of more than ``most`` the first and how many more."""
    if len(names) > most:
        return listing(names, most - 1)
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def counted(count: int, noun: str) -> str:
    """``1 actor``, ``2 actors``."""
    return f"{count} {noun}{'s' if count != 1 else ''}"


def number_words(estimate: Estimate) -> str:
    """``0.742 [0.701, 0.783]``: a number with its 95 % interval, where there is one."""
    within = estimate.bounds
    shown = fmt(estimate.value)
    return shown if within is None else f"{shown} [{fmt(within[0])}, {fmt(within[1])}]"


def share_words(estimate: Estimate) -> str:
    """``62.0 % [41.0, 83.0]``."""
    within = estimate.bounds
    shown = percent(estimate.value)
    if within is None:
        return shown
    low, high = (fmt(100 * end, 1) for end in within)
    return f"{shown} [{low}, {high}]"


def p_words(p: float | None) -> str:
    """``0.031``; a small one as ``under 0.001``."""
    return "under 0.001" if p is not None and p < 0.001 else fmt(p)
