"""What this machine runs tools with, and what must be there before hours are spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from harness.model.suite import PlannedCell
from harness.model.tool import Container, Tool
from harness.runtime.base import Runtime
from harness.runtime.process import ProcessRuntime


def runtimes(home: Path) -> dict[str, Runtime]:
    """By a tool's kind, what runs it. Nothing is started or looked for yet."""
    from harness.runtime.container import ContainerRuntime

    return {"process": ProcessRuntime(), "container": ContainerRuntime(home)}


def image_digests(
    planned: Iterable[PlannedCell],
    tools: Mapping[str, Tool],
    home: Path,
    say: Callable[[str], None],
) -> dict[tuple[str, str], str]:
    """The image of each (tool, version) that runs in a container; a missing one is built.

    Raises UnfitMachineError when there is no engine, an image cannot be built, or the machine
    lacks the GPU or the space that the tool needs.
    """
    wanted = dict.fromkeys((cell.tool, cell.version) for cell in planned)
    contained = [
        (name, version) for name, version in wanted if isinstance(tools[name].runs_as, Container)
    ]
    if not contained:
        return {}
    from harness.engine import connect
    from harness.images.ensure import ensure_image
    from harness.runtime.container import ContainerRuntime

    runtime = ContainerRuntime(home)
    found = {}
    with connect() as engine:
        for name, version in contained:
            digest = ensure_image(engine, tools[name], version, say=say).id
            runtime.check(tools[name], version, digest)
            found[name, version] = digest
    return found
