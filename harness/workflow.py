"""From a plan to scored cells: prepare, run, observe and score, each from stored files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BenchError
from harness.model.base import Frozen
from harness.model.cell import CellSpec
from harness.model.dataset import Dataset, PreparedActor, PreparedDonor, Split
from harness.model.score import CellScore
from harness.model.suite import PlannedCell, Suite
from harness.model.tool import Tool
from harness.plan import expand, find_donor
from harness.prepare import prepare_actor, prepare_donor
from harness.runner import CellOutcome, RunContext, run_cells
from harness.scoring.protocol import Protocol
from harness.scoring.score import Listen, score_cell
from harness.store.media import MediaStore

Say = Callable[[str], None]


class ScoreOutcome(Frozen):
    """A cell's score, or the sentence that says why it has none."""

    cell_id: str
    score: CellScore | None
    reason: str = ""


@dataclass(frozen=True)
class Study:
    """A suite with everything its names stand for."""

    suite: Suite
    dataset: Dataset
    tools: Mapping[str, Tool]
    home: Path

    @property
    def protocol(self) -> Protocol:
        """The scoring protocol of the suite; a reduced frame sample has a name of its own."""
        frames = self.suite.protocol.frames
        name = "thesis" if frames == 1000 else f"thesis-{frames}"
        return Protocol(name=name, frames=frames, seed=self.suite.protocol.seed)

    def plan(self) -> tuple[PlannedCell, ...]:
        return expand(self.suite, self.dataset, self.tools)


def specify(study: Study, planned: Sequence[PlannedCell], say: Say) -> tuple[CellSpec, ...]:
    """Prepare the videos that the cells need, each once, and return the cells with their ids.

    Raises UnusableInputError naming the actor or donor whose material cannot be used.
    """
    media = MediaStore(study.home)
    split = study.suite.split
    actors: dict[int, PreparedActor] = {}
    donors: dict[str, PreparedDonor] = {}
    for cell in planned:
        if cell.actor not in actors:
            say(f"preparing actor {cell.actor}")
            actors[cell.actor] = prepare_actor(study.dataset, cell.actor, split, media)
        if cell.donor is not None and cell.donor not in donors:
            say(f"preparing donor {cell.donor}")
            donors[cell.donor] = prepare_donor(find_donor(study.dataset, cell.donor), media)
    return tuple(_spec(study, cell, actors, donors, split) for cell in planned)


def _spec(
    study: Study,
    cell: PlannedCell,
    actors: Mapping[int, PreparedActor],
    donors: Mapping[str, PreparedDonor],
    split: Split,
) -> CellSpec:
    return CellSpec(
        tool=cell.tool,
        version=cell.version,
        config=cell.config,
        settings=cell.settings,
        dataset=study.dataset.name,
        split=split,
        actor=actors[cell.actor],
        donor=donors[cell.donor] if cell.donor is not None else None,
        seed=study.suite.seed,
        limits=study.suite.limits,
    )


def run(study: Study, specs: Sequence[CellSpec], context: RunContext) -> tuple[CellOutcome, ...]:
    """Run the cells that have no result yet; finished ones are reused."""
    return tuple(run_cells(specs, study.tools, context))


def score(
    specs: Sequence[CellSpec],
    home: Path,
    protocol: Protocol,
    say: Say,
    listen: Listen | None = None,
) -> tuple[ScoreOutcome, ...]:
    """Score every cell; one that cannot be scored says why and does not stop the others."""
    outcomes = []
    for number, spec in enumerate(specs, 1):
        say(f"scoring {number}/{len(specs)}: {spec.slug}")
        try:
            outcomes.append(
                ScoreOutcome(cell_id=spec.id, score=score_cell(spec, home, protocol, listen))
            )
        except BenchError as error:
            outcomes.append(ScoreOutcome(cell_id=spec.id, score=None, reason=str(error)))
    return tuple(outcomes)
