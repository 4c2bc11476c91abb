"""Runs the stand-in driver's image in a results folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.engine import Engine
from harness.model.cell import Status
from harness.model.job import Event, Job, Limits, Role, Setting, Step
from harness.model.tool import Container, KnownFailure, LogPattern, Tool
from harness.runtime.base import Control, StepOutcome
from harness.runtime.container import ContainerRuntime
from harness.runtime.container_plan import LABEL_HOME, container_name, own_allowance

ROOT = Path(__file__).parents[3]
MIB = 1 << 20
HANGS_S = 300
"""How long the stand-in's ``hang`` takes when nobody ends it."""
LIMITS = Limits(wall_s=60, memory_bytes=128 * MIB)
ALLOWANCE = own_allowance().model_copy(update={"cpus": 2.0, "pids": 64, "open_files": 1024})

TOOL = Tool(
    name="stand-in",
    summary="",
    homepage="",
    licence="",
    versions=("1",),
    runs_as=Container(recipe="tests", scratch=("/scratch",), shm_bytes=64 * MIB),
    progress=(
        LogPattern(
            step=Step.TRAIN,
            # As DeepFaceLab's trainer writes it.
            pattern=r"\[#(?P<done>\d+)\]\[\d+ms\]\[(?P<loss_a>[\d.]+)\]\[(?P<loss_b>[\d.]+)\]",
            unit="iterations",
            example="[12:00:00][#000123][0052ms][0.1234][0.5678]",
        ),
    ),
    failures=(
        KnownFailure(
            pattern=r"ResourceExhaustedError|OOM when allocating",
            status=Status.OOM,
            reason="The GPU ran out of memory; choose a smaller batch.",
            example="ResourceExhaustedError: OOM when allocating tensor",
        ),
    ),
)


def with_container(**changes: Any) -> Tool:
    """The stand-in with another way to run its container."""
    assert isinstance(TOOL.runs_as, Container)
    return TOOL.model_copy(update={"runs_as": TOOL.runs_as.model_copy(update=changes)})


class Bench:
    """A home with one cell, ``cell``, whose attempts are all the same folder."""

    def __init__(self, home: Path, engine: Engine, digest: str, cell: str = "cell") -> None:
        self.home = home
        self.engine = engine
        self.digest = digest
        self.cell = home / "cells" / cell
        self.events: list[Event] = []
        self.stop = threading.Event()
        self.video = home / "in put.mp4"
        home.mkdir(parents=True, exist_ok=True)
        self.video.write_bytes(b"video")

    @property
    def environ(self) -> dict[str, str]:
        return {"DOCKER_HOST": f"unix://{self.engine.info.socket}"}

    @property
    def runtime(self) -> ContainerRuntime:
        return ContainerRuntime(self.home, allowance=ALLOWANCE, gpus=(), environ=self.environ)

    def folder(self, step: Step = Step.CONVERT) -> Path:
        return self.cell / "attempts" / "001-uuid" / f"1-{step}"

    @property
    def state(self) -> Path:
        return self.cell / "state"

    def job(self, mode: str, limits: Limits, step: Step = Step.CONVERT, **more: Setting) -> Job:
        return Job(
            step=step,
            tool="stand-in",
            version="1",
            image_digest=self.digest,
            inputs={Role.TEST_VIDEO: str(self.video)},
            state=str(self.state),
            out=str(self.folder(step) / "out"),
            settings={"mode": mode, **more},
            limits=limits,
        )

    def run(
        self,
        mode: str,
        limits: Limits = LIMITS,
        *,
        tool: Tool = TOOL,
        step: Step = Step.CONVERT,
        **settings: Setting,
    ) -> StepOutcome:
        job = self.job(mode, limits, step, **settings)
        control = Control(self.events.append, self.stop)
        outcome = self.runtime.run(tool, job, self.folder(step), control)
        assert self.containers() == []
        return outcome

    def start(
        self, mode: str, prefix: Sequence[str] = (), stderr: int | None = None
    ) -> subprocess.Popen[bytes]:
        """A training in a process that can be killed; ``prefix`` comes before its command."""
        step = Step.TRAIN
        job = self.job(mode, LIMITS, step, pace_s=0.2)
        request = {
            "tool": TOOL.model_dump(mode="json"),
            "job": job.model_dump(mode="json"),
            "folder": str(self.folder(step)),
            "home": str(self.home),
            "allowance": ALLOWANCE.model_dump(mode="json"),
        }
        environ: Mapping[str, str] = {"PATH": os.environ["PATH"], **self.environ}
        return subprocess.Popen(
            [*prefix, sys.executable, str(Path(__file__).with_name("bench_program.py"))],
            cwd=ROOT,
            env={**environ, "BENCH_REQUEST": json.dumps(request), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=stderr,
        )

    @property
    def container(self) -> str:
        """The name of what ``start`` runs."""
        return container_name(self.job("train", LIMITS, Step.TRAIN))

    def containers(self) -> list[str]:
        """Names of all containers for this home, whatever became of them."""
        labels = {"label": f"{LABEL_HOME}={self.home}"}
        return [one["Names"][0] for one in self.engine.api.containers(all=True, filters=labels)]

    @property
    def log(self) -> bytes:
        return (self.folder() / "log.txt").read_bytes()


def wait_for(what: Any, seconds: float = 20) -> bool:
    """Whether ``what()`` came true in time."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
