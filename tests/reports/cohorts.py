"""Synthetic cohort scores with known numbers, of cells that a ReportData has."""

from __future__ import annotations

from harness.model.cohort import (
    ActorRate,
    AtFar,
    Attack,
    Attacker,
    CellLeaks,
    CohortScore,
    DetectionSplit,
    Rate,
    Verification,
)
from harness.model.estimates import Null
from harness.model.privacy import LeakingStretch, LeakProfile
from reports.model import ReportData

TOO_FEW = "Linkability (D_sys) needs 5 actors, and there are 3."
CLEAR = Null(draws=9999, mean=0.1, high=0.25, p=0.0001)
"""Permuted names never reached the attack."""
WITHIN = Null(draws=9999, mean=0.1, high=0.75, p=0.2)
NO_DONOR = "No two actors were given the same donor, so only donors could be distinguished."


def verified(actors: tuple[int, ...], rate: float, low: float | None = None) -> Verification:
    """Rank-1 at ``rate`` among ``actors``; an interval of ``low`` to 0.1 above the rate."""
    chance = 1 / len(actors)
    high = None if low is None else rate + 0.1
    return Verification(
        actors=actors,
        probes=90,
        asked=100,
        rank_1=Rate(rate=rate, low=low, high=high, actors=len(actors)),
        chance=chance,
        rank_1_corrected=(rate - chance) / (1 - chance),
        auc=Rate(rate=0.5 + rate / 2, actors=len(actors)),
        eer=0.25,
        match_rate=Rate(rate=0.125, actors=len(actors)),
        false_match_rate=0.0625,
        by_actor=tuple(
            ActorRate(
                actor=actor,
                asked=100,
                probes=90,
                identified=rate,
                advantage=(rate - chance) / (1 - chance),
            )
            for actor in actors
        ),
        at_far=(AtFar(far=0.01, tar=Rate(rate=0.375), threshold=0.512, false_match_rate=0.03125),),
    )


def attack(
    who: Attacker, actors: tuple[int, ...], rate: float | None, reason: str = "", **more: float
) -> Attack:
    """One attacker, right on the originals, with ``rate`` on the swapped videos (None: never)."""
    return Attack(
        attacker=who,
        source="a recogniser",
        method=f"What {who.value} does.",
        swapped=None if rate is None else verified(actors, rate, more.get("low")),
        control=verified(actors, 1.0),
        threshold=0.6 if who is Attacker.NAIVE else None,
        reason=reason,
        null=None if rate is None else CLEAR,
        best_null=None if rate is None else CLEAR,
    )


def cohort(data: ReportData, variant: str, **rates: float | None) -> CohortScore:
    """All cells of a column, attacked with the given rates (``naive=0.4``); the highest is the
    worst."""
    own = [cell for cell in data.cells if cell.variant == variant]
    actors = tuple(sorted({cell.spec.actor.number for cell in own}))
    made = tuple(
        attack(Attacker(name), actors, rate, "" if rate is not None else NO_DONOR)
        for name, rate in rates.items()
    )
    known = [(found.advantage, k) for k, found in enumerate(made) if found.advantage is not None]
    return CohortScore(
        key=f"key of {variant}",
        protocol="thesis",
        label=f"{variant}-1-default",
        tool=own[0].spec.tool,
        version="1",
        config="default",
        dataset="stand-in",
        cells=tuple(cell.spec.id for cell in own),
        actors=actors,
        impostor_pairs=len(actors) * (len(actors) - 1) // 2,
        attacks=made,
        worst=max(known)[1] if known else None,
        worst_null=CLEAR if known else None,
        swapped_split=DetectionSplit(actors=3, matched=0.125, hidden=0.5, not_detected=0.375),
        notes=(TOO_FEW,),
        leaks=tuple(
            CellLeaks(
                cell_id=cell.spec.id,
                actor=cell.spec.actor.number,
                far=0.01,
                leaks=profile(threshold=0.512, leaking=10),
            )
            for cell in own[:1]
        ),
    )


def within_null(score: CohortScore, null: Null = WITHIN) -> CohortScore:
    """The same rates, which permuted names reach too."""
    made = tuple(one.model_copy(update={"null": null, "best_null": null}) for one in score.attacks)
    return score.model_copy(update={"attacks": made, "worst_null": null})


def with_cohorts(data: ReportData, *cohorts: CohortScore) -> ReportData:
    return data.model_copy(update={"cohorts": cohorts})


def profile(leaking: int = 20, threshold: float = 0.6, stretches: int = 2) -> LeakProfile:
    """``leaking`` of 100 frames, 80 with a face, at 25 frames a second."""
    runs = tuple(
        LeakingStretch(
            first_frame=25 * (1 + k),
            last_frame=25 * (1 + k) + 9,
            frames=10,
            start_s=float(1 + k),
            duration_s=0.4,
            minimum_l2=0.5,
        )
        for k in range(stretches)
    )
    return LeakProfile(
        threshold=threshold,
        every_frame=True,
        asked=100,
        used=80,
        leaking=leaking,
        share_of_asked=leaking / 100,
        share_of_used=leaking / 80,
        longest_run_frames=10,
        longest_run_s=0.4,
        first_leak_s=1.0,
        p01_l2=0.487,
        stretches=runs,
        stretches_found=stretches,
    )
