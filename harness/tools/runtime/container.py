"""Runs a step in a container: under limits, without network, as the caller, and then gone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.core.errors import UnfitMachineError
from harness.model.job import Job
from harness.model.tool import Container, Tool
from harness.tools.engine import Engine, EngineInfo, connect, image_record, require_space
from harness.tools.runtime.base import Control, StepOutcome
from harness.tools.runtime.container_gpu import (
    WITHOUT_GPU,
    Gpu,
    fit_gpus,
    query_gpus,
    visible_gpus,
)
from harness.tools.runtime.container_plan import Allowance, Caller, own_allowance
from harness.tools.runtime.container_step import Work, run_step

ENGINE_WAIT_S = 60.0
HAND_OUT_GPUS = (
    "Docker: install nvidia-container-toolkit, then `sudo nvidia-ctk runtime configure && sudo "
    "systemctl restart docker`. Podman 5.4 or newer: `sudo nvidia-ctk cdi generate "
    "--output=/etc/cdi/nvidia.yaml`."
)
_POLL_S = 0.5
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ContainerRuntime:
    """Runs tools that come as images, on the engine of this machine.

    ``gpus`` are those that may be used, none of them when empty; None asks nvidia-smi when a tool
    first needs one, and keeps to CUDA_VISIBLE_DEVICES.
    ``environ`` says where the engine is, and which GPUs are visible (None: this process's
    environment).
    """

    def __init__(
        self,
        home: Path,
        *,
        allowance: Allowance | None = None,
        gpus: Sequence[Gpu] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._home = home.absolute()
        self._allowance = allowance or own_allowance()
        self._gpus = None if gpus is None else tuple(gpus)
        self._environ = environ
        self._met: EngineInfo | None = None

    def device(self, tool: Tool) -> str | None:
        """See ``Runtime.device``: the GPU, when there is only one that the tool may use.

        With several, each step takes one that is free.
        """
        fit = self.gpus_for(tool)
        return fit[0].uuid if len(fit) == 1 else None

    def uses_gpu(self, tool: Tool) -> bool:
        """See ``Runtime.uses_gpu``."""
        return bool(self.gpus_for(tool))

    def gpus_for(self, tool: Tool) -> tuple[Gpu, ...]:
        """The GPUs that are large enough for ``tool``; none when it uses none, or can do without
        and there is none. Raises UnfitMachineError when it cannot do without.
        """
        spec = _container(tool)
        if spec.gpu == "none":
            return ()
        if self._gpus is None:
            environ = os.environ if self._environ is None else self._environ
            self._gpus = visible_gpus(query_gpus(), environ)
        if spec.gpu == "optional" and not self._gpus:
            return ()
        return fit_gpus(
            self._gpus, spec.gpu_memory_bytes, tool=tool.name, optional=spec.gpu == "optional"
        )

    def require_gpu(self, tool: Tool, engine: EngineInfo) -> None:
        """See that ``tool`` gets the GPU that it uses, if it uses one; raises UnfitMachineError."""
        if not self.gpus_for(tool) or engine.nvidia:
            return
        raise UnfitMachineError(
            f"{tool.name} uses the GPU, but {engine.kind} {engine.version} cannot hand one to a "
            "container.",
            hint=HAND_OUT_GPUS + (f" {WITHOUT_GPU}" if _container(tool).gpu == "optional" else ""),
        )

    def check(
        self, tool: Tool, version: str, image_digest: str | None, disk_bytes: int = 0
    ) -> EngineInfo:
        """See, before hours are spent, that this machine can run ``tool``.

        ``disk_bytes`` is an estimate of what the cells to be run will write. Raises
        UnfitMachineError: no engine, no permission, no image, no fitting GPU, a full disk.
        """
        with connect(self._environ) as engine:
            self._met = engine.info
            image_record(
                engine, _known(image_digest, tool, version), tool=tool.name, version=version
            )
            self.require_gpu(tool, engine.info)
            require_space(self._home, disk_bytes, f"this run of {tool.name}")
            return engine.info

    def run(self, tool: Tool, job: Job, folder: Path, control: Control) -> StepOutcome:
        """See ``Runtime.run``. Raises TypeError for a tool that runs as a child process, and
        UnfitMachineError when there is no engine, no image or no GPU to run it with.
        """
        _container(tool)
        with self._engine(control) as engine:
            digest = _known(job.image_digest, tool, job.version)
            image = image_record(engine, digest, tool=tool.name, version=job.version)
            uuids = [gpu.uuid for gpu in self.gpus_for(tool)] if job.gpu else None
            work = Work(engine, image, tool, job, folder, control)
            return run_step(work, self._caller(), self._allowance, uuids)

    def _caller(self) -> Caller:
        boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""
        return Caller(
            uid=os.getuid(), gid=os.getgid(), pid=os.getpid(), boot=boot, home=str(self._home)
        )

    @contextmanager
    def _engine(self, control: Control) -> Iterator[Engine]:
        """The engine; one that was there before and is being restarted is waited for."""
        give_up = time.monotonic() + (ENGINE_WAIT_S if self._met else 0)
        while True:
            try:
                engine = connect(self._environ)
                break
            except UnfitMachineError:
                if control.stop.is_set() or time.monotonic() > give_up:
                    raise
                control.stop.wait(_POLL_S)
        self._met = engine.info
        with engine:
            yield engine


def _container(tool: Tool) -> Container:
    if not isinstance(tool.runs_as, Container):
        raise TypeError(f"{tool.name} runs as a child process, not in a container")
    return tool.runs_as


def _known(digest: str | None, tool: Tool, version: str) -> str:
    if digest is None:
        raise UnfitMachineError(
            f"No image of {tool.name} {version} is known on this machine.",
            hint=f"Build it: bench images build {tool.name}@{version}",
        )
    return digest
