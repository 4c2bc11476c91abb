"""`bench logs --follow` on steps of real child processes, in a pipe and on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.cli import logs
from harness.cli.logs import progress_line
from harness.model.cell import CellSpec
from harness.model.job import Job, Limits, Role, Setting, Step
from harness.model.tool import ChildProcess, Tool
from harness.tools.runtime import progress
from harness.tools.runtime.base import Control
from harness.tools.runtime.process import ProcessRuntime
from harness.tools.runtime.progress import StepProgress

from .conftest import Bench

DRIVERS = Path(__file__).parents[1] / "tools" / "runtime"
TOOL = Tool(
    name="stand-in",
    summary="",
    homepage="",
    licence="",
    versions=("1",),
    runs_as=ChildProcess(module="stand_in_driver"),
)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes and reads the place of a step more often than for people."""
    monkeypatch.setattr(progress, "WRITE_EVERY_S", 0.2)
    monkeypatch.setattr(logs, "POLL_S", 0.05)


def start(bench: Bench, log_bytes: int, **settings: Setting) -> tuple[CellSpec, threading.Thread]:
    """A step of a stand-in driver in a cell's attempt that has begun."""
    spec = bench.add(status=None)
    video = bench.home / "in.mp4"
    video.write_bytes(b"video")
    began = threading.Event()

    def work() -> None:
        with bench.store.lock(spec):
            folder = bench.store.begin(spec).folder / "1-convert"
            job = Job(
                step=Step.CONVERT,
                tool="stand-in",
                version="1",
                inputs={Role.TEST_VIDEO: str(video)},
                state=str(bench.store.state(spec)),
                out=str(folder / "out"),
                settings=settings,
                limits=Limits(wall_s=30, log_bytes=log_bytes),
            )
            began.set()
            ProcessRuntime({"PYTHONPATH": str(DRIVERS)}).run(TOOL, job, folder, Control())

    worker = threading.Thread(target=work)
    worker.start()
    assert began.wait(10)
    return spec, worker


def on_terminal(bench: Bench, spec: CellSpec, wanted: bytes) -> str:
    """Output of ``bench logs --follow`` on a terminal; the driver ends after ``wanted``."""
    ours, theirs = pty.openpty()
    code = "from harness.cli.main import app; app()"
    environ = {**os.environ, "BENCH_HOME": str(bench.home), "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        [sys.executable, "-c", code, "logs", spec.slug, "--follow"], stdout=theirs, env=environ
    ) as shown:
        os.close(theirs)
        text = b""
        while True:
            try:
                data = os.read(ours, 1 << 16)
            except OSError:
                # The terminal's other end is closed.
                break
            if not data:
                break
            text += data
            if wanted in text:
                (bench.store.state(spec) / "enough").touch()
        os.close(ours)
    assert shown.returncode == 0
    return text.decode()


def test_a_pipe_gets_every_line_of_a_running_step_over_all_parts_of_its_log(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    # 12 bytes a line: the head is full after 40 lines, and then a part about every 0.3 s.
    spec, worker = start(bench, 1000, mode="numbered", lines=100, pause_s=0.015)
    shown = bench("logs", spec.slug, "--follow").stdout
    worker.join(10)
    assert shown.splitlines() == [f"line {number:06d}" for number in range(100)]
    assert "left out" in bench("logs", spec.slug).stdout


def test_a_pipe_gets_the_progress_of_a_tool_that_says_nothing_else(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    spec, worker = start(bench, 1 << 20, mode="events_only", events=20, linger_s=0.5)
    lines = bench("logs", spec.slug, "--follow").stdout.splitlines()
    worker.join(10)
    assert len(lines) == 3
    assert lines[0].startswith("convert 1,0")
    assert lines[1] == "convert: saved  [2J"
    assert lines[2] == "convert 1,019/100,000 iterations  loss a 0.031 b not finite"


def test_a_terminal_gets_one_line_that_is_rewritten_with_rate_and_estimate(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    spec, worker = start(bench, 1 << 20, mode="events_only", events=1500, linger_s=0.5)
    shown = on_terminal(bench, spec, b" left")
    worker.join(10)
    (found,) = bench.store.folder(spec).glob("attempts/*/1-convert")
    last = progress.read_progress(found)
    assert last is not None
    assert "\r\x1b[Kconvert 1,0" in shown
    assert " it/s  about " in shown
    assert "\x1b[2J" not in shown
    assert shown.count("\n") == 2
    end = f"convert {last.done:,.0f}/100,000 iterations  loss a 0.031 b not finite\r\n"
    assert shown.endswith(end)


@pytest.mark.parametrize(
    ("rate", "age_s", "end"),
    [
        (5.2, 0, "5.2 it/s  about 4 h 41 min left"),
        (120, 0, "120 it/s  about 12 min left"),
        (None, 0, "b 0.028"),
        (0.05, 300, "0.05 it/s  about 20 days left  nothing new for 5 min"),
    ],
)
def test_a_progress_line_tells_counts_losses_rate_and_estimate(
    rate: float | None, age_s: float, end: str
) -> None:
    known = StepProgress(
        time=1000.0,
        done=12_400,
        total=100_000,
        unit="iterations",
        rate_per_s=rate,
        losses={"b": 0.028, "a": 0.031},
    )
    line = progress_line("train", known, 1000.0 + age_s)
    assert line.startswith("train 12,400/100,000 iterations  loss a 0.031 b 0.028")
    assert line.endswith(end)
