"""Checks before hours are spent: the material of a study's cells, and room on the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from harness.core.errors import UnusableInputError
from harness.core.hashing import file_state
from harness.datasets.material import faults_of, shared_material, used_in
from harness.datasets.prepare import find_actor
from harness.datasets.registry import manifests_of
from harness.execution.outcomes import SkippedCell
from harness.execution.requests import ignore
from harness.execution.resolve import Skip, unprepared
from harness.model.cell import CellSpec
from harness.model.dataset import Actor, Dataset, Donor, MediaRef, Part
from harness.model.identity import IdentityPath
from harness.model.job import Role, Step
from harness.model.suite import PlannedCell
from harness.model.tool import Tool
from harness.planning.forecast import MODEL_BYTES
from harness.planning.plan import find_donor
from harness.planning.study import Study
from harness.planning.unprepared import record_unprepared
from harness.store.cells import CellStore
from harness.store.manifests import ManifestStore
from harness.vision.recognition import load_face_recognition

_FRAME_BYTES_PER_PIXEL = 2
"""A frame as PNG, and the faces cut from it."""
_COPIES_OF_VIDEO = 4


def check_study(study: Study, planned: Sequence[PlannedCell], warn: Callable[[str], None]) -> None:
    """See what can be known to be wrong before anything is prepared or built.

    Raises UnusableInputError when no cell can be run, which is recorded, and UnfitMachineError when
    the reference path is asked for without its package; ``warn`` gets what stops nothing.
    """
    if study.protocol.identity is IdentityPath.REFERENCE:
        load_face_recognition()
    check_donors(planned, study.tools, study.dataset)
    unusable_cells(study, planned, skip=partial(record_skipped, study))
    for sentence in material_warnings(study, planned):
        warn(sentence)


def record_skipped(study: Study, skipped: Sequence[SkippedCell]) -> None:
    """They were asked for, so they count in every denominator though they cannot be run."""
    record_unprepared(study.home, study.dataset, unprepared(study, skipped))


def unusable_cells(
    study: Study,
    planned: Sequence[PlannedCell],
    *,
    look_into: bool = False,
    skip: Skip = ignore,
) -> tuple[SkippedCell, ...]:
    """Cells whose actor or donor has a file that is missing, empty or unreadable. With
    ``look_into`` the first frame of a manifest's clips is decoded where they were never prepared
    as they are; a clip that is damaged further on is found when it is prepared.

    Raises UnusableInputError when no cell is left, after ``skip`` has got all of them.
    """
    unseen = _unseen(study) if look_into else lambda path: False
    people = _people(study, planned)
    faults = {who: faults_of(person, unseen) for who, person in people.items()}
    unusable: list[SkippedCell] = []
    for cell in planned:
        reasons = [reason for who in _of_cell(cell) for reason in faults[who]]
        if reasons:
            unusable.append(SkippedCell(cell=cell, reason=" ".join(dict.fromkeys(reasons))))
    if unusable and len(unusable) == len(planned):
        skip(unusable)
        raise UnusableInputError(
            " ".join(
                f"{_begin(who, study)}: {' '.join(reasons)}"
                for who, reasons in faults.items()
                if reasons
            ),
            hint="Check the paths in the manifest; is a disk not mounted?",
        )
    return tuple(unusable)


def _unseen(study: Study) -> Callable[[Path], bool]:
    """True when a file of a manifest was not prepared yet as it is. `bench data verify` looks into
    RAVDESS, whose thousands of clips take minutes.
    """
    place = study.dataset.path
    if place is None or place.is_dir():
        return lambda path: False
    people = ManifestStore(study.home).people
    seen = {(file.path, file.state) for use in people for file in use.files}
    return lambda path: (path, file_state(path)) not in seen


def _begin(who: int | str, study: Study) -> str:
    """The start of a sentence about a person who cannot be prepared."""
    if isinstance(who, str):
        return f"Donor {who}"
    remark = find_actor(study.dataset, who).remark
    return f"Actor {who} of '{study.dataset.name}'{f' ({remark})' if remark else ''}"


def material_warnings(study: Study, planned: Sequence[PlannedCell]) -> list[str]:
    """Sentences about material that would make numbers of these cells mean something else."""
    people = _people(study, planned)
    actors = [(_named(who), person) for who, person in people.items() if isinstance(person, Actor)]
    warnings = [
        f"{sentence} Whoever looks for one of them finds the other: distances, attacks and ranks "
        "of these actors say nothing."
        for sentence in shared_material(actors)
    ]
    for cell in planned:
        if cell.donor is not None and not _is_actor(study, cell.donor):
            pair = [(_named(who), people[who]) for who in _of_cell(cell)]
            warnings += [
                f"{sentence} A face is then put on itself, which hides nobody."
                for sentence in shared_material(pair)
            ]
    places = manifests_of(study.dataset.name, study.home)
    others = [place for place in places if place != study.dataset.path]
    if others:
        warnings.append(
            f"The store has cells of another manifest called '{study.dataset.name}', {others[0]}: "
            "reports show the cells of one of them. Give one another `name:`."
        )
    return list(dict.fromkeys(warnings))


def _people(study: Study, planned: Sequence[PlannedCell]) -> Mapping[int | str, Actor | Donor]:
    """Everybody whose files the cells need, by number or donor's name."""
    split, dataset = study.suite.split, study.dataset
    numbers = [cell.actor for cell in planned]
    people: dict[int | str, Actor | Donor] = {
        number: used_in(split, find_actor(dataset, number)) for number in dict.fromkeys(numbers)
    }
    for cell in planned:
        if cell.donor is not None and cell.donor not in people:
            people[cell.donor] = find_donor(dataset, cell.donor)
    if any(Role.GALLERY in study.tools[cell.tool].needs for cell in planned):
        for actor in dataset.actors:
            people.setdefault(actor.number, used_in(split, actor))
    return people


def _of_cell(cell: PlannedCell) -> list[int | str]:
    return [cell.actor] if cell.donor is None else [cell.actor, cell.donor]


def _named(who: int | str) -> str:
    return f"actor {who}" if isinstance(who, int) else f"donor {who}"


def _is_actor(study: Study, donor: str) -> bool:
    """True when an actor stands in under this name."""
    return donor not in {listed.name for listed in study.dataset.donors}


def check_donors(
    planned: Sequence[PlannedCell], tools: Mapping[str, Tool], dataset: Dataset
) -> None:
    """See that there is a cell whose donor has the video that its tool trains on, if it does.

    Known before an image is built. Raises UnusableInputError when there is none.
    """
    lacking = [
        cell
        for cell in planned
        if cell.donor is not None
        and Role.DONOR_TRAINING in tools[cell.tool].needs
        and all(clip.part is not Part.TRAINING for clip in find_donor(dataset, cell.donor).clips)
    ]
    if not lacking or len(lacking) < len(planned):
        return
    raise UnusableInputError(
        f"{lacking[0].tool} trains on a video of the donor, and dataset {dataset.name} has none of "
        f"{lacking[0].donor}.",
        hint="Name another with --donor (an actor can stand in: --donor actor02), or add clips "
        "with `part: training` to the dataset's manifest.",
    )


def check_space(specs: Sequence[CellSpec], tools: Mapping[str, Tool], home: Path) -> None:
    """See that the disk has room for the cells that have no result yet, roughly estimated.

    Raises UnfitMachineError.
    """
    from harness.tools.engine import require_space

    store = CellStore(home)
    todo = [spec for spec in specs if store.result(spec) is None]
    need_bytes = sum(cell_bytes(spec, tools[spec.tool]) for spec in todo)
    require_space(home, need_bytes, "1 cell" if len(todo) == 1 else f"{len(todo)} cells")


def cell_bytes(spec: CellSpec, tool: Tool) -> int:
    """Bytes that a cell may write: models and frames of a tool that trains, else copies of the
    video.

    An estimate from above, so that a disk is not found full after hours.
    """
    trains = Step.TRAIN in tool.steps
    videos = [spec.actor.test]
    if trains:
        videos += [video for video in (spec.actor.training, _training(spec)) if video is not None]
    pixels = sum(v.info.frames * v.info.width * v.info.height for v in videos if v.info)
    if trains:
        return MODEL_BYTES + pixels * _FRAME_BYTES_PER_PIXEL
    # H.264 at good quality is far below one bit per pixel.
    return _COPIES_OF_VIDEO * pixels // 8


def _training(spec: CellSpec) -> MediaRef | None:
    return spec.donor.training if spec.donor else None
