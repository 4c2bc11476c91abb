"""From planned cells to cells with ids: people prepared, images found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from harness.core.base import Frozen
from harness.core.errors import BenchError, UnusableInputError, UsageError
from harness.datasets.prepare import find_actor, prepare_actor, prepare_donor
from harness.execution.lanes import Lane, Lanes, Task
from harness.model.cell import CellSpec
from harness.model.dataset import Dataset, GalleryFace, PreparedActor, PreparedDonor, Split
from harness.model.job import Role
from harness.model.suite import PlannedCell, UnpreparedCell
from harness.planning.current import record_person
from harness.planning.plan import find_donor, require_gallery
from harness.planning.study import Study
from harness.planning.unprepared import unprepared_cell
from harness.store.media import MediaStore
from harness.store.sources import keep_sources

Say = Callable[[str], None]

Digests = Mapping[tuple[str, str], str]
"""The image of each (tool, version) that runs in a container."""


class LeftOut(Frozen):
    """A planned cell whose actor's, donor's or gallery's material cannot be used."""

    cell: PlannedCell
    reason: str

    @property
    def label(self) -> str:
        """``blur 1 weak, actor 3, donor anna``."""
        donor = f", donor {self.cell.donor}" if self.cell.donor else ""
        return (
            f"{self.cell.tool} {self.cell.version} {self.cell.config}, "
            f"actor {self.cell.actor}{donor}"
        )


Skip = Callable[[Sequence[LeftOut]], None]
"""Gets the cells that cannot be prepared, before they are reported or an error says so."""


def skip_nothing(left_out: Sequence[LeftOut]) -> None:
    """Keeps no record of them."""


def unprepared(study: Study, left_out: Sequence[LeftOut]) -> list[UnpreparedCell]:
    """The same cells as they are counted: asked for, and not done."""
    split = study.suite.split
    return [unprepared_cell(study.dataset, split, left.cell, left.reason) for left in left_out]


class Specified(Frozen):
    """Planned cells: those that can be run, and those that cannot be prepared."""

    specs: tuple[CellSpec, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass
class _People:
    """People prepared so far, and the reasons why others cannot be."""

    actors: dict[int, PreparedActor] = field(default_factory=dict)
    donors: dict[str, PreparedDonor] = field(default_factory=dict)
    faults: dict[int | str, UnusableInputError] = field(default_factory=dict)

    def settle_actor(self, number: int, outcome: PreparedActor | UnusableInputError) -> None:
        if isinstance(outcome, UnusableInputError):
            self.faults[number] = outcome
        else:
            self.actors[number] = outcome

    def settle_donor(self, name: str, outcome: PreparedDonor | UnusableInputError) -> None:
        if isinstance(outcome, UnusableInputError):
            self.faults[name] = outcome
        else:
            self.donors[name] = outcome

    def fault(self, cell: PlannedCell) -> UnusableInputError | None:
        fault = self.faults.get(cell.actor)
        return fault or (self.faults.get(cell.donor) if cell.donor else None)

    def gallery(self) -> tuple[GalleryFace, ...]:
        """Everybody who has a reference face, by number."""
        people = sorted(self.actors.values(), key=lambda actor: actor.number)
        return tuple(
            GalleryFace(number=person.number, sex=person.sex, reference=person.reference)
            for person in people
        )


def specify(
    study: Study,
    planned: Sequence[PlannedCell],
    say: Say,
    lanes: Lanes | None = None,
    digests: Digests | None = None,
    skip: Skip = skip_nothing,
) -> Specified:
    """Prepare the videos that the cells need, each person once; ``lanes`` do several at once.

    A person whose material cannot be used costs their own cells only, and is missing in the
    gallery of the others'; ``skip`` gets these cells. When that leaves no cell at all, raises
    UnusableInputError, or UsageError for a gallery that is too small.
    """
    keep_sources(study.home, study.dataset)
    people = _People()
    tasks = _tasks(study, planned, people)

    def choose(taken: Set[str]) -> Task | None:
        if not tasks:
            return None
        text, task = tasks.pop(0)
        say(text)
        return task

    with nullcontext(lanes) if lanes else Lanes(1) as used:
        used.run(choose)
    if _needs_gallery(study, planned):
        for who, fault in people.faults.items():
            if isinstance(who, int) and who not in {cell.actor for cell in planned}:
                say(f"not in the gallery: {fault.message}")
    specs, left_out, faults = [], [], []
    for cell in planned:
        unusable = people.fault(cell) or _gallery_fault(study, cell, people)
        if unusable is None:
            donor = people.donors[cell.donor] if cell.donor is not None else None
            digest = (digests or {}).get((cell.tool, cell.version))
            gallery = people.gallery() if _needs_gallery(study, [cell]) else ()
            specs.append(spec_of(study, cell, people.actors[cell.actor], donor, digest, gallery))
        else:
            faults.append(unusable)
            left_out.append(LeftOut(cell=cell, reason=str(unusable)))
    skip(left_out)
    if faults and not specs:
        raise faults[0]
    return Specified(specs=tuple(specs), left_out=tuple(left_out))


def _needs_gallery(study: Study, planned: Sequence[PlannedCell]) -> bool:
    return any(Role.GALLERY in study.tools[cell.tool].needs for cell in planned)


def _gallery_fault(study: Study, cell: PlannedCell, people: _People) -> BenchError | None:
    tool = study.tools[cell.tool]
    try:
        require_gallery(tool, cell.settings, len(people.actors), study.dataset.name)
    except UsageError as error:
        return error
    return None


def _tasks(study: Study, planned: Sequence[PlannedCell], people: _People) -> list[tuple[str, Task]]:
    media = MediaStore(study.home)
    remarks = {actor.number: actor.remark for actor in study.dataset.actors}
    tasks: list[tuple[str, Task]] = []
    numbers = [cell.actor for cell in planned]
    if _needs_gallery(study, planned):
        numbers += [actor.number for actor in study.dataset.actors]
    for number in dict.fromkeys(numbers):
        remark = f" ({remarks[number]})" if remarks.get(number) else ""
        work = partial(_in_worker, _actor, study.dataset, number, study.suite.split, media)
        task = Task(work, partial(people.settle_actor, number))
        tasks.append((f"preparing actor {number}{remark}", task))
    for name in dict.fromkeys(cell.donor for cell in planned if cell.donor is not None):
        work = partial(_in_worker, _donor, study.dataset, name, media)
        tasks.append((f"preparing donor {name}", Task(work, partial(people.settle_donor, name))))
    return tasks


def _actor(dataset: Dataset, number: int, split: Split, media: MediaStore) -> PreparedActor:
    prepared = prepare_actor(dataset, number, split, media)
    record_person(media.home, dataset, find_actor(dataset, number), split, prepared)
    return prepared


def _donor(dataset: Dataset, name: str, media: MediaStore) -> PreparedDonor:
    donor = find_donor(dataset, name)
    prepared = prepare_donor(donor, media)
    record_person(media.home, dataset, donor, None, prepared)
    return prepared


def _in_worker(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call ``function(*arguments)`` in the worker of the lane that comes as last argument."""
    *own, lane = arguments
    assert isinstance(lane, Lane)
    try:
        return lane.worker.call(_without_listener, function, *own, stop=lane.stop)
    except UnusableInputError as error:
        return error


def _without_listener(function: Callable[..., Any], *arguments: Any) -> Any:
    """A worker hands every task a listener for progress; preparing has none to report."""
    return function(*arguments[:-1])


def spec_of(
    study: Study,
    cell: PlannedCell,
    actor: PreparedActor,
    donor: PreparedDonor | None,
    image_digest: str | None = None,
    gallery: tuple[GalleryFace, ...] = (),
) -> CellSpec:
    """The cell with its id. Suites share it when all that it names is the same."""
    return CellSpec(
        tool=cell.tool,
        version=cell.version,
        image_digest=image_digest,
        config=cell.config,
        settings=cell.settings,
        dataset=study.dataset.name,
        split=study.suite.split,
        actor=actor,
        donor=donor,
        gallery=gallery,
        seed=cell.seed,
        limits=cell.limits,
    )
