"""Shares of things that depend on each other, and rates too small for what there is."""

from __future__ import annotations

import math

from harness.core.base import Frozen
from harness.statistics.actor_shares import mean_share_bounds
from harness.statistics.values import Values, as_share, as_values


class RateInterval(Frozen):
    """A rate over actors with its interval; without one, ``reason`` says why in a sentence."""

    rate: float | None
    low: float | None = None
    high: float | None = None
    n: int
    """Actors with a trial."""
    confidence: float = 0.95
    reason: str = ""


def wilson(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (1927) of hits out of n independent trials.

    Raises ValueError unless 0 <= hits <= n and n > 0.
    """
    from scipy import special

    if not (n > 0 and 0 <= hits <= n):
        raise ValueError(f"{hits} hits out of {n} trials are impossible")
    z2 = float(special.ndtri(0.5 + as_share(confidence, "confidence") / 2)) ** 2
    p = hits / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    return low, 1.0 if hits == n else min(1.0, centre + half)


def clustered_rate(hits: Values, totals: Values, confidence: float = 0.95) -> RateInterval:
    """A rate over actors: the mean of each actor's share of hits, with the interval of a mean over
    actors (``actor_shares``).

    ``hits`` and ``totals``: one number per actor. Every actor weighs the same, however many trials
    there are; actors without a trial are left out. One more hit of m trials moves rate and bounds
    by 0 to 1 / m. Raises ValueError for impossible numbers.
    """
    k, m = as_values(hits), as_values(totals)
    if k.size != m.size or (k < 0).any() or (k > m).any():
        raise ValueError("every actor needs hits between 0 and its total")
    shares = k[m > 0] / m[m > 0]
    bare = RateInterval(
        rate=float(shares.mean()) if shares.size else None,
        n=shares.size,
        confidence=as_share(confidence, "confidence"),
    )
    if shares.size < 2:
        reason = f"{shares.size or 'No'} actor with trials: dependence cannot be seen in one."
        return bare.model_copy(update={"reason": reason})
    low, high = mean_share_bounds(shares, confidence)
    return bare.model_copy(update={"low": low, "high": high})


class FmrFloor(Frozen):
    """Lowest FMR that so many identities can show at all."""

    identities: int
    pairs: int
    """Pairs of different identities."""
    rule_of_3: float
    """No lower FMR can be distinguished from 0 with 95 % confidence: 3 / pairs, at most 1."""
    rule_of_30: float
    """From here on the FMR is known within +-30 % with 90 % confidence: 30 / pairs, at most 1."""


class FmrCheck(Frozen):
    """Verdict on printing an FMR; if not, ``floor`` stands in its place with the sentence."""

    fmr: float
    resolvable: bool
    floor: float
    sentence: str


def resolvable_fmr(n_identities: int) -> FmrFloor:
    """Rule of 3 and rule of 30 (Doddington et al. 2000; ISO/IEC 19795-1) for n identities.

    Raises ValueError below two identities, which make no pair.
    """
    if n_identities < 2:
        raise ValueError("a false match needs two identities")
    pairs = n_identities * (n_identities - 1) // 2
    return FmrFloor(
        identities=n_identities,
        pairs=pairs,
        rule_of_3=min(1.0, 3 / pairs),
        rule_of_30=min(1.0, 30 / pairs),
    )


def check_fmr(fmr: float, n_identities: int) -> FmrCheck:
    """Checks that n identities resolve this FMR by the rule of 3, with the sentence to print."""
    as_share(fmr, "an FMR")
    if n_identities < 2:
        sentence = "It takes two identities to make a non-mated pair: no FMR can be measured."
        return FmrCheck(fmr=fmr, resolvable=False, floor=1.0, sentence=sentence)
    floor = resolvable_fmr(n_identities)
    having = f"{n_identities} identities make {floor.pairs} non-mated pairs"
    if fmr < floor.rule_of_3:
        needed = identities_needed(fmr)
        sentence = (
            f"{having}, which resolve no FMR under {floor.rule_of_3:.2g}; "
            f"an FMR of {fmr:g} needs at least {needed} identities."
        )
        return FmrCheck(fmr=fmr, resolvable=False, floor=floor.rule_of_3, sentence=sentence)
    loosely = fmr < floor.rule_of_30
    sentence = f"{having}: an FMR of {fmr:g} is {'known loosely' if loosely else 'resolved'}"
    sentence += f" (within 30 % only from {floor.rule_of_30:.2g} on)." if loosely else "."
    return FmrCheck(fmr=fmr, resolvable=True, floor=floor.rule_of_3, sentence=sentence)


def identities_needed(fmr: float, events: int = 3) -> int:
    """Least identities whose pairs resolve ``fmr`` by the rule of 3 (or of 30)."""
    as_share(fmr, "an FMR")
    pairs = events / fmr
    n = math.ceil((1 + math.sqrt(1 + 8 * pairs)) / 2 - 1e-9)
    return max(n, 2)
