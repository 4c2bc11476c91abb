"""Shares of things that depend on each other, and rates too small for what there is."""

from __future__ import annotations

import math

import numpy as np

from harness.model.base import Frozen
from harness.statistics.values import Array, Values, as_share, as_values


class RateInterval(Frozen):
    """A share with Wilson's interval; ``design_effect`` is how much dependence widens it."""

    rate: float | None
    low: float | None = None
    high: float | None = None
    n: int
    """Trials."""
    n_effective: float | None = None
    design_effect: float | None = None
    confidence: float = 0.95
    reason: str = ""


def wilson(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (1927) of hits out of n independent trials.

    Raises ValueError unless 0 <= hits <= n and n > 0.
    """
    from scipy import special

    z = float(special.ndtri(0.5 + as_share(confidence, "confidence") / 2))
    return _wilson(hits, n, z)


def clustered_rate(hits: Values, totals: Values, confidence: float = 0.95) -> RateInterval:
    """A rate over actors' frames: Wilson's interval with the variance that clusters leave.

    ``hits`` and ``totals``: one number per actor. The variance of the ratio estimator between
    actors gives the effective number of trials, p(1-p)/Var (Fogliato, Patil & Perona 2023,
    arXiv 2306.01198, for dependent trials in general); the quantile is Student's with as many
    degrees of freedom as actors leave (Korn & Graubard 1998). Where no actor differs (all hits or
    none), every actor counts as one trial. Raises ValueError for impossible numbers.
    """
    k, m = as_values(hits), as_values(totals)
    if k.size != m.size or (k < 0).any() or (k > m).any():
        raise ValueError("every actor needs hits between 0 and its total")
    k, m = k[m > 0], m[m > 0]
    n, clusters = float(m.sum()), k.size
    if clusters < 2:
        reason = f"{clusters or 'No'} actor with trials: dependence cannot be told from one."
        rate = float(k.sum()) / n if clusters else None
        return RateInterval(rate=rate, n=round(n), confidence=confidence, reason=reason)
    p = float(k.sum()) / n
    residual = k - p * m
    variance = clusters / (clusters - 1) * float((residual**2).sum()) / n**2
    return _adjusted(p, n, variance, clusters, confidence)


def pair_rate(hits: Array, confidence: float = 0.95) -> RateInterval:
    """A rate over pairs of identities, such as FMR, with dependence through shared identities.

    ``hits``: (G, G), 1 or 0 per pair; the diagonal (mated pairs) is not looked at. Both orders of a
    pair are averaged. The variance sums the products of residuals over all pairs of pairs that
    share an identity (Fogliato et al. 2023; Aronow, Samii & Assenova 2015).
    """
    table = np.asarray(hits, dtype=np.float64)
    size = table.shape[0]
    if table.shape != (size, size):
        raise ValueError(f"expected a square table of identities, not {table.shape}")
    if size < 3:
        reason = "Fewer than three identities: dependence between pairs cannot be told."
        return RateInterval(rate=None, n=size * (size - 1) // 2, reason=reason)
    upper = np.triu_indices(size, 1)
    both = (table + table.T) / 2
    values = both[upper]
    n = float(values.size)
    p = float(values.mean())
    residual = both - p
    np.fill_diagonal(residual, 0.0)
    shared = float((residual.sum(axis=1) ** 2).sum() - (residual[upper] ** 2).sum())
    # Residuals are around the estimated rate, which takes part of their dependence away.
    variance = size / (size - 2) * shared / n**2
    return _adjusted(p, n, variance, size, confidence)


def _adjusted(
    p: float, n: float, variance: float, clusters: int, confidence: float
) -> RateInterval:
    from scipy import special

    binomial = p * (1 - p) / n
    # Residuals vanish where all agree: dependence cannot be seen, so it is taken to be complete.
    effective = float(clusters) if binomial <= 0 else n * binomial / max(variance, binomial)
    quantile = float(special.stdtrit(clusters - 1, 0.5 + as_share(confidence, "confidence") / 2))
    low, high = _wilson(p * effective, effective, quantile)
    return RateInterval(
        rate=p,
        low=low,
        high=high,
        n=round(n),
        n_effective=effective,
        design_effect=n / effective,
        confidence=confidence,
    )


def _wilson(hits: float, n: float, quantile: float) -> tuple[float, float]:
    if not (n > 0 and 0 <= hits <= n * (1 + 1e-12)):
        raise ValueError(f"{hits} hits out of {n} trials are impossible")
    p, z2 = hits / n, quantile**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = quantile / (1 + z2 / n) * math.sqrt(max(p * (1 - p), 0.0) / n + z2 / (4 * n * n))
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    return low, 1.0 if p >= 1 else min(1.0, centre + half)


def rule_of_three(n: int, confidence: float = 0.95) -> float:
    """Upper limit of a rate when none of n independent trials was a hit: 1 - (1-c)^(1/n), which is
    about 3 / n at 95 % (Hanley & Lippman-Hand 1983). Raises ValueError below one trial."""
    if n < 1:
        raise ValueError("there is no trial to take a limit from")
    return float(1 - (1 - as_share(confidence, "confidence")) ** (1 / n))


class FmrFloor(Frozen):
    """What so many identities can say of an FMR at all."""

    identities: int
    pairs: int
    """Pairs of different identities."""
    rule_of_3: float
    """No lower FMR can be told from 0 with 95 % confidence: 3 / pairs, at most 1."""
    rule_of_30: float
    """From here on the FMR is known within +-30 % with 90 % confidence: 30 / pairs, at most 1."""


class FmrCheck(Frozen):
    """Whether an FMR may be printed; if not, ``floor`` stands in its place with the sentence."""

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
    """Whether n identities resolve this FMR by the rule of 3, with the sentence to print."""
    as_share(fmr, "an FMR")
    if n_identities < 2:
        sentence = "It takes two identities to make a non-mated pair: no FMR can be told."
        return FmrCheck(fmr=fmr, resolvable=False, floor=1.0, sentence=sentence)
    floor = resolvable_fmr(n_identities)
    what = f"{n_identities} identities make {floor.pairs} non-mated pairs"
    if fmr < floor.rule_of_3:
        needed = identities_needed(fmr)
        sentence = (
            f"{what}, which resolve no FMR under {floor.rule_of_3:.2g}; "
            f"an FMR of {fmr:g} needs at least {needed} identities."
        )
        return FmrCheck(fmr=fmr, resolvable=False, floor=floor.rule_of_3, sentence=sentence)
    loosely = fmr < floor.rule_of_30
    sentence = f"{what}: an FMR of {fmr:g} is {'known loosely' if loosely else 'resolved'}"
    sentence += f" (within 30 % only from {floor.rule_of_30:.2g} on)." if loosely else "."
    return FmrCheck(fmr=fmr, resolvable=True, floor=floor.rule_of_3, sentence=sentence)


def identities_needed(fmr: float, events: int = 3) -> int:
    """Least identities whose pairs resolve ``fmr`` by the rule of 3 (or of 30)."""
    as_share(fmr, "an FMR")
    pairs = events / fmr
    n = math.ceil((1 + math.sqrt(1 + 8 * pairs)) / 2 - 1e-9)
    return max(n, 2)
