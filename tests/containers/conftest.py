"""Runs a driver as the harness does, against a named stand-in of its tool."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.media.ffmpeg import ffmpeg_path, run_ffmpeg
from harness.model.job import Event, Job, Limits, Role, Setting, Step, StepReport
from harness.model.tool import Container, Tool
from harness.tools.registry import resolve_settings

FRAMEWORKS = Path(__file__).parent / "frameworks"
"""Stand-ins for TensorFlow and PyTorch, as far as a driver asks them itself."""

REVISION = "f" * 40
"""The commit that a stand-in's image says it holds."""


@dataclass(frozen=True)
class Ended:
    """End of a step, and the places of its files."""

    code: int
    log: str
    errors: str
    out: Path

    @property
    def report(self) -> StepReport:
        return StepReport.model_validate_json((self.out / "step.json").read_text())

    @property
    def events(self) -> list[Event]:
        lines = [line for line in self.log.splitlines() if line.startswith("@bench ")]
        return [Event.model_validate_json(line.removeprefix("@bench ")) for line in lines]

    @property
    def sentence(self) -> str:
        """The last line on stderr."""
        return self.errors.strip().splitlines()[-1] if self.errors.strip() else ""


@dataclass
class Cell:
    """One cell's folder: its state lasts over steps and attempts, each of which has its own out."""

    tool: Tool
    folder: Path
    videos: Mapping[Role, Path]
    settings: dict[str, Setting] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    stand_in: dict[str, Any] = field(default_factory=dict)
    iterations: int | None = None
    gpu: bool = False
    python: str = sys.executable
    """Python that runs the driver."""
    attempts: int = 0

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def start(self, step: Step, stand_in: Mapping[str, Any] | None = None) -> tuple[Any, Path]:
        """Start a step; its process (stdout and stderr are pipes) and its out folder."""
        assert isinstance(self.tool.runs_as, Container)
        self.attempts += 1
        out = self.folder / f"out {self.attempts}"
        known = {spec.name for spec in self.tool.settings}
        settings = resolve_settings(self.tool, "default", {})
        assert set(settings) == known
        job = Job(
            step=step,
            tool=self.tool.name,
            version=self.tool.versions[-1],
            inputs={role: str(path) for role, path in self.videos.items()},
            state=str(self.state),
            out=str(out),
            settings={**settings, **self.settings},
            limits=Limits(iterations=self.iterations),
            gpu=self.gpu,
        )
        (self.folder / "upstream.json").write_text(
            json.dumps({"source": "x", "revision": REVISION})
        )
        path = self.folder / f"job {self.attempts}.json"
        path.write_text(job.model_dump_json())
        process = subprocess.Popen(
            # A driver needs the standard library only, and gets no more.
            [self.python, "-S", "-m", f"{self.tool.runs_as.recipe}.driver", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "BENCH_FFMPEG": str(ffmpeg_path()),
                "BENCH_UPSTREAM": str(self.folder / "upstream.json"),
                "STAND_IN": json.dumps({**self.stand_in, **(stand_in or {})}),
                "STAND_IN_ANSWERS": str(self.folder / "answers"),
                **self.environment,
            },
        )
        return process, out

    def run(self, step: Step, **stand_in: Any) -> Ended:
        """Do a step. Keywords are what goes wrong, in the stand-in's words."""
        process, out = self.start(step, stand_in)
        try:
            log, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Ended(process.returncode, log, errors, out)

    def done(self, step: Step, **stand_in: Any) -> Ended:
        """Do a step that must succeed."""
        ended = self.run(step, **stand_in)
        assert ended.code == 0, ended.log[-3000:] + ended.errors
        return ended

    def done_for_all(self, step: Step, **stand_in: Any) -> Done:
        """Do a step that must succeed, for tests that only look at what it left."""
        return Done(self.done(step, **stand_in), self)

    def starts_from(self, done: Done) -> Cell:
        """This cell with the state after an earlier step."""
        shutil.copytree(done.cell.state, self.state)
        return self

    def forget_faces(self, role: str) -> None:
        """Throw away what was extracted from a video, as if it alone were still to be done."""
        shutil.rmtree(self.state / f"faces_{role}")
        (self.state / f"faces_{role}.done.json").unlink()

    def interrupt(
        self, step: Step, when: Callable[[str], bool], number: int = signal.SIGKILL, **stand_in: Any
    ) -> int:
        """Send a signal to a step's driver once a line of its log is right; its exit code."""
        process, _ = self.start(step, stand_in)
        try:
            for line in process.stdout:
                if when(line):
                    process.send_signal(number)
                    break
            process.stdout.read()
            return int(process.wait(timeout=30))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()

    def answers(self) -> dict[str, str]:
        """Answers that were typed at each of the stand-in's questions."""
        lines = (self.folder / "answers").read_text().splitlines()
        return dict(json.loads(line) for line in lines)


@dataclass(frozen=True)
class Done:
    """A step that was done once for many tests, and its cell as it left it; only to be read."""

    ended: Ended
    cell: Cell


MakeCell = Callable[[Path], Cell]

# A tool's tests say how its cells are made (``make_cell``), and what an extraction (``extracted``)
# and a training (``model``) left that were done once for all of them.


@pytest.fixture
def cell(tmp_path: Path, make_cell: MakeCell) -> Cell:
    """A cell with nothing done."""
    return make_cell(tmp_path)


@pytest.fixture
def ready(cell: Cell, extracted: Done) -> Cell:
    """A cell whose faces are extracted."""
    return cell.starts_from(extracted)


@pytest.fixture
def trained(cell: Cell, model: Done) -> Cell:
    """A cell that is trained."""
    return cell.starts_from(model)


@pytest.fixture(scope="session")
def small_videos(tmp_path_factory: pytest.TempPathFactory) -> dict[Role, Path]:
    """FFmpeg's test pictures in place of people: a stand-in looks for no face in them."""
    folder = tmp_path_factory.mktemp("small videos")
    found = {}
    for role, source, count in (
        (Role.TEST_VIDEO, "testsrc2=size=96x64:rate=30000/1001", 12),
        (Role.ACTOR_TRAINING, "testsrc=size=96x64:rate=25", 24),
        (Role.DONOR_TRAINING, "smptebars=size=64x64:rate=25", 24),
    ):
        found[role] = folder / f"{role}.mp4"
        made = ["-f", "lavfi", "-i", source, "-frames:v", str(count), "-c:v", "libx264"]
        run_ffmpeg([*made, "-y", str(found[role])])
    return found


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Python for stand-ins that need no packages, which it takes longer to find than to start."""
    path = tmp_path_factory.mktemp("bare") / "python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    path.chmod(0o755)
    return str(path)


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """True when a condition came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
