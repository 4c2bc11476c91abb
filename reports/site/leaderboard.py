"""One line per tool, version and config: what it hides, what it keeps, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from harness.core.base import Frozen
from harness.model.cohort import Attacker, CohortScore, Rate
from harness.model.score import Comparison
from harness.results.estimates import Estimate as Estimate
from harness.results.estimates import mean_estimate as mean_estimate
from harness.results.estimates import share_estimate
from harness.results.headline import gone_words
from harness.results.standing import Group, Standing
from harness.results.wording import attacker_name
from harness.scoring.cohort.score import CROPS_SOURCE
from reports.aggregate import (
    Detection,
    attribute_sources,
    by_actor_distance,
    cells_of,
    detected,
    detection,
    is_control,
    leak,
    mean_pcc,
    variants,
)
from reports.model import ReportCell, ReportData
from reports.verdict import Judged

DISTANCES = (0.0, math.inf)
CORRELATIONS = (-1.0, 1.0)
NO_DISTANCE = "No face was detected in any of its cells, which is not the same as hidden."
NO_SCORE = "None of its cells has a score."
NO_UNITS = "No action unit could be measured in any of its cells."


class Attacked(Frozen):
    """Result of the worst of the attackers against the tool (docs/protocol.md), seeds averaged."""

    attacker: str
    source: str
    """What it compares by."""
    identified: Estimate
    """Share of all sampled frames given to the right person; one without a face is not. Less hides
    better."""
    chance: float | None
    """The same by guessing."""
    advantage: float
    """Mean over actors of what is identified beyond chance: tools are compared by this."""
    original: Estimate
    """The same attack on the original videos."""
    gain: Estimate
    """Additional share of these that it identifies, beyond chance."""
    within_null: bool = False
    """True when permuted names give as much: nothing shows that the attack works."""

    @property
    def by(self) -> str:
        """The attacker's name for people, with the self-trained recogniser where it compares by
        that."""
        source = self.source if self.source == CROPS_SOURCE else ""
        return attacker_name(Attacker(self.attacker), source)


class Row(Frozen):
    """A column of the report: a tool with a version, a config, and whatever else tells it apart."""

    name: str
    tool: str
    version: str
    config: str
    control: bool
    group: Group
    """Group of the tool: ranked, or why it is not."""
    rank: int | None
    """1 plus the tools that hide significantly better; indistinguishable tools share it."""
    rank_reason: str
    """Why there is no rank, as a sentence."""
    keeps_rank: int | None
    """The same by what is kept of the expression."""
    keeps_reason: str
    actors: int
    """Actors that were asked for."""
    cells: int
    scored: int
    detected: int
    """Cells in which enough of the original's faces are still found."""
    distance: Estimate
    """Mean SW-OR distance (L2) over the actors of detected cells; nothing is ranked by it."""
    with_pcc: int
    """Cells with a mean PCC."""
    recognised: Estimate
    """Share of all sampled frames at or under the threshold, over the actors with a score; a frame
    without a face is not recognised."""
    lost: Estimate
    """Share of cells in which the face is not detected any more, among those scored."""
    pcc: Estimate
    """Mean PCC of action units; more keeps more of the expression."""
    worst_attack: Attacked | None = None
    """None where no attack was computed for just these cells, or none could be."""


def leaderboard(data: ReportData, judged: Judged) -> list[Row]:
    """All rows in the order of the verdict: by rank, then those without one, then those whose face
    is gone, then controls. Equals keep the order of the selection."""
    sources = attribute_sources(data)
    source = sources[0] if sources else None
    places = {one.name: place for place, one in enumerate(judged.verdict.tools)}
    columns = [(cells_of(data, name), name) for name in variants(data)]
    columns.sort(key=lambda column: places[judged.standing(column[0][0]).name])
    return [_row(data, name, source, judged.standing(cells[0])) for cells, name in columns]


def cohorts_of(cells: Sequence[ReportCell], cohorts: Sequence[CohortScore]) -> list[CohortScore]:
    """The cohorts that are made of these cells."""
    ids = {cell.spec.id for cell in cells}
    return [cohort for cohort in cohorts if ids.issuperset(cohort.cells)]


def _row(data: ReportData, name: str, source: str | None, standing: Standing) -> Row:
    cells = cells_of(data, name)
    spec = cells[0].spec
    scored = [cell for cell in cells if cell.score is not None]
    kept = mean_pcc(cells, source) if source else []
    gone = standing.group is Group.FACE_GONE
    return Row(
        name=name,
        tool=spec.tool,
        version=spec.version,
        config=spec.config,
        control=is_control(data, name),
        group=standing.group,
        rank=standing.hides.rank,
        rank_reason=gone_words(standing) if gone else standing.hides.reason,
        keeps_rank=standing.keeps.rank,
        keeps_reason=standing.keeps.reason,
        actors=len({cell.spec.actor.number for cell in cells}),
        cells=len(cells),
        scored=len(scored),
        detected=sum(detected(cell) for cell in cells),
        distance=mean_estimate(
            by_actor_distance(cells, Comparison.SWAPPED_ORIGINAL),
            NO_DISTANCE if scored else NO_SCORE,
            DISTANCES,
        ),
        recognised=share_estimate(_recognised(scored), NO_SCORE),
        lost=share_estimate(_lost(scored), NO_SCORE),
        worst_attack=_attacked(standing),
        pcc=mean_estimate(kept, NO_UNITS, CORRELATIONS),
        with_pcc=sum(value is not None for _, value in kept),
    )


def _attacked(standing: Standing) -> Attacked | None:
    privacy = standing.privacy
    if privacy is None:
        return None
    return Attacked(
        attacker=privacy.attacker.value,
        source=privacy.source,
        identified=standing.identified,
        chance=privacy.chance,
        advantage=privacy.advantage,
        original=standing.original,
        gain=standing.gain,
        within_null=standing.within_null,
    )


def of_rate(rate: Rate) -> Estimate:
    """A cohort's rate as the tables show it."""
    return Estimate(
        n=rate.actors, value=rate.rate, low=rate.low, high=rate.high, reason=rate.reason
    )


def _recognised(scored: Sequence[ReportCell]) -> Iterable[tuple[int, float | None]]:
    """(actor, share of all sampled frames) of each cell."""
    return ((cell.spec.actor.number, found.of_all) for cell in scored if (found := leak(cell)))


def _lost(scored: Sequence[ReportCell]) -> Iterable[tuple[int, float | None]]:
    known = ((cell.spec.actor.number, detection(cell)) for cell in scored)
    return (
        (actor, float(state is Detection.NOT_DETECTED))
        for actor, state in known
        if state in (Detection.NOT_DETECTED, Detection.DETECTED)
    )
