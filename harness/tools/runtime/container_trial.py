"""Trial of an engine that answers: one container is started and removed, as a step would be."""

from __future__ import annotations

import io
import json
import tarfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.model.cell import Status
from harness.model.job import Job, Limits, Step
from harness.model.tool import Container, Tool
from harness.tools.engine import Engine
from harness.tools.runtime.base import Control
from harness.tools.runtime.container import ContainerRuntime
from harness.tools.runtime.container_plan import own_allowance

_LIMITS = Limits(wall_s=60, memory_bytes=256 << 20)
_TOOL = Tool(
    name="trial",
    summary="",
    homepage="",
    licence="",
    versions=("1",),
    runs_as=Container(recipe="trial", shm_bytes=1 << 20),
)


def trial(engine: Engine) -> str:
    """Reason why ``engine`` cannot run a step, in its own words; empty when it can.

    A step of an empty image is run as any other is, with the same limits and the same user. The
    engine's init must start, and then finds no program: that is the pass. The image is removed.
    Raises UnfitMachineError when the engine stops answering.
    """
    from docker.errors import APIError

    try:
        image = _empty_image(engine)
    except APIError as error:
        return f"It could not import an empty image: {error.explanation or error}"
    try:
        with TemporaryDirectory(prefix="deid-bench-trial-") as folder:
            return _start(engine, image, Path(folder).resolve())
    finally:
        with suppress(APIError):
            engine.api.remove_image(image, force=True)


def _start(engine: Engine, image: str, folder: Path) -> str:
    job = Job(
        step=Step.CONVERT,
        tool=_TOOL.name,
        version="1",
        image_digest=image,
        inputs={},
        state=str(folder / "cell" / "state"),
        out=str(folder / "cell" / "out"),
        settings={},
        limits=_LIMITS,
    )
    environ = {"DOCKER_HOST": f"unix://{engine.info.socket}"}
    runtime = ContainerRuntime(folder, allowance=own_allowance(), gpus=(), environ=environ)
    outcome = runtime.run(_TOOL, job, folder / "step", Control())
    return "" if outcome.status is Status.TOOL_ERROR else outcome.reason


def _empty_image(engine: Engine) -> str:
    """The id of an image without a single file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w"):
        pass
    answer = engine.api.import_image_from_data(stream.getvalue(), repository="deid-bench/trial")
    return str(json.loads(answer.strip().splitlines()[-1])["status"])
