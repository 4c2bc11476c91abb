"""From planned cells to cells with ids: images and observers found, people prepared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import BenchError, UnusableInputError, UsageError
from harness.execution.lanes import Lanes, Task, Workplace
from harness.execution.outcomes import ResolvedCells, SkippedCell
from harness.execution.requests import (
    OutsideObserver,
    PrepareActor,
    PrepareDonor,
    WorkContext,
    ignore,
)
from harness.model.cell import CellSpec
from harness.model.dataset import GalleryFace, PreparedActor, PreparedDonor
from harness.model.job import Role
from harness.model.suite import PlannedCell, UnpreparedCell
from harness.model.tool import Container, Tool
from harness.planning.plan import require_gallery
from harness.planning.study import Study
from harness.planning.unprepared import unprepared_cell
from harness.store.sources import keep_sources

Say = Callable[[str], None]

Skip = Callable[[Sequence[SkippedCell]], None]
"""Gets the cells that cannot be prepared, before they are reported or an error says so."""

Images = Mapping[tuple[str, str], str]
"""The image of each (tool, version) that runs in a container."""


def find_images(
    planned: Iterable[PlannedCell],
    tools: Mapping[str, Tool],
    home: Path,
    say: Say,
    *,
    cpu: bool = False,
) -> Images:
    """The image of each (tool, version) that runs in a container; a missing one is built.

    Whether there is the GPU that a tool needs is known before any image is built; ``cpu`` does
    without. Raises UnfitMachineError when there is no engine, an image cannot be built, or the
    machine lacks the GPU or the space that the tool needs.
    """
    wanted = dict.fromkeys((cell.tool, cell.version) for cell in planned)
    contained = [
        (name, version) for name, version in wanted if isinstance(tools[name].runs_as, Container)
    ]
    if not contained:
        return {}
    from harness.tools.engine import connect
    from harness.tools.images.ensure import ensure_image
    from harness.tools.runtime.container import ContainerRuntime

    runtime = ContainerRuntime(home, gpus=() if cpu else None)
    digests = {}
    with connect() as engine:
        for name, _ in contained:
            runtime.require_gpu(tools[name], engine.info)
        for name, version in contained:
            digest = ensure_image(engine, tools[name], version, say=say).id
            runtime.check(tools[name], version, digest)
            digests[name, version] = digest
    return digests


def find_observers(names: Iterable[str], say: Say) -> tuple[OutsideObserver, ...]:
    """The observers of these names with their images; a missing image is built.

    Raises UsageError for an unknown name, and as ``find_images``.
    """
    from harness.tools.engine import connect
    from harness.tools.images.ensure import ensure_image
    from harness.tools.registry import find_observer

    observers = [find_observer(name) for name in dict.fromkeys(names)]
    if not observers:
        return ()
    with connect() as engine:
        images = [
            ensure_image(engine, observer, observer.versions[-1], say=say) for observer in observers
        ]
    return tuple(
        OutsideObserver(tool=observer, image_digest=image.id)
        for observer, image in zip(observers, images, strict=True)
    )


@dataclass
class People:
    """People who are prepared so far, and why others cannot be."""

    actors: dict[int, PreparedActor] = field(default_factory=dict)
    donors: dict[str, PreparedDonor] = field(default_factory=dict)
    faults: dict[int | str, UnusableInputError] = field(default_factory=dict)

    def fault(self, cell: PlannedCell) -> UnusableInputError | None:
        """The reason why the cell's actor or donor cannot be used."""
        fault = self.faults.get(cell.actor)
        return fault or (self.faults.get(cell.donor) if cell.donor else None)

    def gallery(self) -> tuple[GalleryFace, ...]:
        """Everybody who has a reference face, by number."""
        actors = sorted(self.actors.values(), key=lambda actor: actor.number)
        return tuple(
            GalleryFace(number=actor.number, sex=actor.sex, reference=actor.reference)
            for actor in actors
        )


def prepare_people(
    study: Study, planned: Sequence[PlannedCell], say: Say, workplace: Workplace
) -> People:
    """Prepare everybody whom the cells need, each once.

    A person whose material cannot be used is among the faults. Raises StoreError when the disk
    refuses, FetchError for a model that is not here, KeyboardInterrupt when interrupted.
    """
    keep_sources(study.home, study.dataset)
    people = People()
    tasks = _tasks(study, planned, people)

    def choose(taken: Set[str]) -> Task | None:
        if not tasks:
            return None
        text, task = tasks.pop(0)
        say(text)
        return task

    workplace.run(choose)
    if _needs_gallery(study, planned):
        for who, fault in people.faults.items():
            if isinstance(who, int) and who not in {cell.actor for cell in planned}:
                say(f"not in the gallery: {fault.message}")
    return people


def _tasks(study: Study, planned: Sequence[PlannedCell], people: People) -> list[tuple[str, Task]]:
    """A task for each person, with the line that announces it."""

    def failed(who: int | str) -> Callable[[BenchError], None]:
        def settle(error: BenchError) -> None:
            if not isinstance(error, UnusableInputError):
                raise error
            people.faults[who] = error

        return settle

    def actor(number: int) -> Task:
        request = PrepareActor(dataset=study.dataset, number=number, split=study.suite.split)
        return Task(
            request, lambda prepared: people.actors.update({number: prepared}), failed(number)
        )

    def donor(name: str) -> Task:
        request = PrepareDonor(dataset=study.dataset, name=name)
        return Task(request, lambda prepared: people.donors.update({name: prepared}), failed(name))

    remarks = {actor.number: actor.remark for actor in study.dataset.actors}
    tasks: list[tuple[str, Task]] = []
    numbers = [cell.actor for cell in planned]
    if _needs_gallery(study, planned):
        numbers += [actor.number for actor in study.dataset.actors]
    for number in dict.fromkeys(numbers):
        remark = f" ({remarks[number]})" if remarks.get(number) else ""
        tasks.append((f"preparing actor {number}{remark}", actor(number)))
    for name in dict.fromkeys(cell.donor for cell in planned if cell.donor is not None):
        tasks.append((f"preparing donor {name}", donor(name)))
    return tasks


def _needs_gallery(study: Study, planned: Sequence[PlannedCell]) -> bool:
    return any(Role.GALLERY in study.tools[cell.tool].needs for cell in planned)


def unprepared(study: Study, skipped: Sequence[SkippedCell]) -> list[UnpreparedCell]:
    """The same cells as they are counted: asked for, and not done."""
    split = study.suite.split
    return [unprepared_cell(study.dataset, split, cell.cell, cell.reason) for cell in skipped]


def resolve_cells(
    study: Study,
    planned: Sequence[PlannedCell],
    people: People,
    images: Images,
    skip: Skip = ignore,
) -> ResolvedCells:
    """The planned cells with their ids.

    Somebody who cannot be used costs their own cells only, and is missing in the gallery of the
    others'; ``skip`` gets these cells. When that leaves no cell at all, raises UnusableInputError,
    or UsageError for a gallery that is too small.
    """
    specs, skipped, faults = [], [], []
    for cell in planned:
        unusable = people.fault(cell) or _gallery_fault(study, cell, people)
        if unusable is None:
            donor = people.donors[cell.donor] if cell.donor is not None else None
            image = images.get((cell.tool, cell.version))
            gallery = people.gallery() if _needs_gallery(study, [cell]) else ()
            specs.append(spec_of(study, cell, people.actors[cell.actor], donor, image, gallery))
        else:
            faults.append(unusable)
            skipped.append(SkippedCell(cell=cell, reason=str(unusable)))
    skip(skipped)
    if faults and not specs:
        raise faults[0]
    return ResolvedCells(specs=tuple(specs), skipped=tuple(skipped))


def _gallery_fault(study: Study, cell: PlannedCell, people: People) -> BenchError | None:
    tool = study.tools[cell.tool]
    try:
        require_gallery(tool, cell.settings, len(people.actors), study.dataset.name)
    except UsageError as error:
        return error
    return None


def prepare_and_resolve(
    study: Study,
    planned: Sequence[PlannedCell],
    say: Say,
    images: Images | None = None,
    workplace: Workplace | None = None,
    skip: Skip = ignore,
) -> ResolvedCells:
    """The cells of ``resolve_cells`` after ``prepare_people``; without a ``workplace`` one person
    after the other. ``images`` are those of the tools that run in a container.
    """
    with nullcontext(workplace) if workplace else Lanes(1, WorkContext(study.home)) as used:
        people = prepare_people(study, planned, say, used)
    return resolve_cells(study, planned, people, images or {}, skip)


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
