"""Checks what this machine runs tools with, and what must be there before hours are spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import UnusableInputError
from harness.model.cell import CellSpec
from harness.model.dataset import Dataset, MediaRef, Part
from harness.model.job import Role, Step
from harness.model.suite import PlannedCell
from harness.model.tool import Container, Tool
from harness.planning.forecast import MODEL_BYTES
from harness.planning.plan import find_donor
from harness.store.cells import CellStore
from harness.tools.runtime.base import Runtime
from harness.tools.runtime.process import ProcessRuntime

if TYPE_CHECKING:
    from harness.observe.container import Place

_FRAME_BYTES_PER_PIXEL = 2
"""A frame as PNG, and the faces cut from it."""
_COPIES_OF_VIDEO = 4


def runtimes(home: Path, jobs: int, *, cpu: bool = False) -> dict[str, Runtime]:
    """By a tool's kind, what runs it, ``jobs`` at once. Nothing is started or looked for yet.

    ``cpu``: no GPU is used, though there may be one.
    """
    from harness.tools.runtime.container import ContainerRuntime
    from harness.tools.runtime.container_plan import own_allowance

    share = own_allowance().model_copy(update={"sharers": jobs})
    container = ContainerRuntime(home, allowance=share, gpus=() if cpu else None)
    return {"process": ProcessRuntime(), "container": container}


def outside_observers(
    names: Iterable[str], home: Path, jobs: int, say: Callable[[str], None]
) -> tuple[tuple[Tool, Place], ...]:
    """The observers of these names with where they run; a missing image is built.

    Raises UsageError for an unknown name, and as ``image_digests``.
    """
    from harness.observe.container import Place
    from harness.tools.engine import connect
    from harness.tools.images.ensure import ensure_image
    from harness.tools.registry import find_observer

    observers = [find_observer(name) for name in dict.fromkeys(names)]
    if not observers:
        return ()
    runtime = runtimes(home, jobs)["container"]
    with connect() as engine:
        images = [ensure_image(engine, one, one.versions[-1], say=say) for one in observers]
    return tuple(
        (observer, Place(home, runtime, image.id))
        for observer, image in zip(observers, images, strict=True)
    )


def image_digests(
    planned: Iterable[PlannedCell],
    tools: Mapping[str, Tool],
    home: Path,
    say: Callable[[str], None],
    *,
    cpu: bool = False,
) -> dict[tuple[str, str], str]:
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
    found = {}
    with connect() as engine:
        for name, _ in contained:
            runtime.require_gpu(tools[name], engine.info)
        for name, version in contained:
            digest = ensure_image(engine, tools[name], version, say=say).id
            runtime.check(tools[name], version, digest)
            found[name, version] = digest
    return found


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
    """Bytes a cell may write: models and frames of a tool that trains, else copies of the video.

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
