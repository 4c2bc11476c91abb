"""Runs the stand-in driver's image in a results folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from harness.model.cell import Status
from harness.model.job import Event, Job, Limits, Role, Setting, Step
from harness.model.tool import Container, KnownFailure, LogPattern, Tool
from harness.tools.engine import Engine
from harness.tools.runtime.base import Control, StepOutcome
from harness.tools.runtime.container import ContainerRuntime
from harness.tools.runtime.container_plan import LABEL_HOME, container_name, own_allowance

ROOT = Path(__file__).parents[4]
MIB = 1 << 20
HANGS_S = 300
"""Seconds the stand-in's ``hang`` takes when nobody ends it."""
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


@dataclass(frozen=True)
class Program:
    """A process that runs one step, as bench does. It makes ``ready`` when the step begins, and
    ``done`` when it has ended without a fault of bench."""

    pid: int
    ready: Path
    done: Path

    @property
    def is_gone(self) -> bool:
        return not psutil.pid_exists(self.pid)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.pid, number)
        assert wait_for(lambda: self.is_gone)


class Programs:
    """Source of programs: a process that forks them. Use it in a ``with``."""

    def __init__(self, prefix: Sequence[str] = ()) -> None:
        """``prefix`` comes before the command, for a caller who is somebody else."""
        self._process = subprocess.Popen(
            [*prefix, sys.executable, str(Path(__file__).with_name("bench_program.py"))],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Programs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._process:
            pass  # Leaving it closes its input, and so ends it.

    def start(self, bench: Bench, mode: str) -> Program:
        """A training of ``bench`` in a process of its own."""
        made = {name: bench.home / f"{bench.cell.name}.{name}" for name in ("ready", "done")}
        for path in made.values():
            path.unlink(missing_ok=True)
        request = {
            "tool": TOOL.model_dump(mode="json"),
            "job": bench.job(mode, LIMITS, Step.TRAIN, pace_s=0.2).model_dump(mode="json"),
            "folder": str(bench.folder(Step.TRAIN)),
            "home": str(bench.home),
            "allowance": ALLOWANCE.model_dump(mode="json"),
            "environ": bench.environ,
            **{name: str(path) for name, path in made.items()},
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return Program(int(self._process.stdout.readline()), **made)


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

    @property
    def container(self) -> str:
        """The name of what a program runs."""
        return container_name(self.job("train", LIMITS, Step.TRAIN))

    def containers(self) -> list[str]:
        """Names of all containers for this home, whatever became of them."""
        labels = {"label": f"{LABEL_HOME}={self.home}"}
        return [one["Names"][0] for one in self.engine.api.containers(all=True, filters=labels)]

    @property
    def log(self) -> bytes:
        return (self.folder() / "log.txt").read_bytes()


def wait_for(what: Any, seconds: float = 20) -> bool:
    """True when ``what()`` came true in time."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
