"""Scores and cohorts with known numbers, for tests of verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.model.cohort import (
    ActorRate,
    Attack,
    Attacker,
    CohortScore,
    DetectionSplit,
    Rate,
    Verification,
)
from harness.model.score import (
    Attributes,
    CellScore,
    Comparison,
    Distances,
    Identity,
    SwappedReading,
)
from harness.results.standing import AskedCell, Contender
from tests.scores import aligned

FRAMES = 100
DONE = Attributes(
    source="tracker",
    scale="0 to 1",
    frames=FRAMES,
    paired=FRAMES,
    units=(),
    mean_pcc=0.8,
    mean_rmse=0.1,
    mean_ccc=None,
)


def scored(faces: int = FRAMES, pcc: float | None = 0.8, hits: float = 0.0) -> CellScore:
    """A cell in whose swapped video ``faces`` of 100 frames have one (the original has 100), and
    the share ``hits`` of these is at or under the threshold."""
    swapped = Distances(
        asked=FRAMES,
        used=faces,
        several_faces=0,
        mean=0.7 if faces else None,
        share_at_or_under_threshold=hits if faces else None,
    )
    return CellScore(
        cell_id="a cell",
        protocol="thesis",
        inputs={},
        alignment=aligned(FRAMES),
        identity=Identity(
            recogniser="dlib",
            threshold=0.6,
            comparisons={
                Comparison.ORIGINAL_ORIGINAL: Distances(
                    asked=FRAMES, used=FRAMES, several_faces=0, mean=0.3
                ),
                Comparison.SWAPPED_ORIGINAL: swapped,
            },
            swapped_reading=SwappedReading.NONE,
            seed=2020,
            frames=FRAMES,
        ),
        attributes=(DONE.model_copy(update={"mean_pcc": pcc}),),
    )


def verified(identified: Mapping[int, float], gallery: int | None = None) -> Verification:
    """Each actor with the share of probes that are given to the right one of ``gallery``."""
    chance = 1 / (gallery or len(identified))
    return Verification(
        actors=tuple(identified),
        probes=FRAMES,
        asked=FRAMES,
        rank_1=Rate(rate=sum(identified.values()) / len(identified), actors=len(identified)),
        chance=chance,
        by_actor=tuple(
            ActorRate(
                actor=actor,
                asked=FRAMES,
                probes=FRAMES,
                identified=share,
                advantage=(share - chance) / (1 - chance),
            )
            for actor, share in identified.items()
        ),
    )


def attacked(
    attacks: Mapping[Attacker, Sequence[float]], original: float = 1.0, gallery: int | None = None
) -> CohortScore:
    """Actors 1, 2, ... against each attacker; all are right in ``original`` of the originals."""
    actors = tuple(range(1, 1 + len(next(iter(attacks.values())))))
    return CohortScore(
        key="a key",
        protocol="thesis",
        label="a tool",
        tool="tool",
        version="1",
        config="default",
        dataset="stand-in",
        cells=(),
        actors=actors,
        impostor_pairs=0,
        attacks=tuple(
            Attack(
                attacker=who,
                source="dlib",
                method="",
                swapped=verified(dict(zip(actors, shares, strict=True)), gallery),
                control=verified(dict.fromkeys(actors, original), gallery),
            )
            for who, shares in attacks.items()
        ),
        swapped_split=DetectionSplit(
            actors=len(actors),
            matched=0.0,
            hidden=1.0,
            not_detected=0.0,
            detector="centerface",
            still_a_face=0.25,
        ),
    )


def tool(
    name: str,
    identified: Sequence[float],
    *,
    failed: int = 0,
    faces: int = FRAMES,
    pcc: Sequence[float | None] | None = None,
    original: float = 1.0,
    control: bool = False,
) -> Contender:
    """A tool whose actors 1, 2, ... the naive attacker identifies so often, and ``failed`` more
    that have no result."""
    done = range(1, 1 + len(identified))
    kept = [0.8] * len(identified) if pcc is None else pcc
    cells = [AskedCell(actor, scored(faces, kept[actor - 1])) for actor in done]
    cells += [AskedCell(1 + len(identified) + k, None) for k in range(failed)]
    made = attacked({Attacker.NAIVE: identified}, original, gallery=25) if identified else None
    return Contender(
        name=name,
        cells=tuple(cells),
        cohorts=(made,) if made else (),
        control=control,
        footage="stand-in",
    )


def around(mean: float, actors: int = 10, spread: float = 0.02) -> list[float]:
    """Shares that differ a little from actor to actor."""
    return [mean + spread * (-1) ** k for k in range(actors)]
