"""Runs a step as a child process on this machine, under limits."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import ValidationError

from harness.model.cell import Resources, Status
from harness.model.job import ExitCode, Job, Limits, StepReport
from harness.model.tool import ChildProcess, Tool
from harness.runtime.base import (
    CANCELLED_REASON,
    JOB_NAME,
    LOG_NAME,
    REPORT_NAME,
    Control,
    StepOutcome,
)
from harness.runtime.log import CappedLog, LogSink

GRACE_S = 5.0
STATE_WAIT_S = 30.0
SAMPLE_S = 0.2
THREADS = 2
FULL_BYTES = 1 << 16
"""A disk with less room than this fails whatever writes to it."""
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "BENCH_FFMPEG")
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
_ENDS = {
    ExitCode.BAD_JOB: (Status.TOOL_ERROR, "The driver refused the job as malformed (exit 64)."),
    ExitCode.INPUT_UNUSABLE: (
        Status.TOOL_ERROR,
        "The driver found an input unusable, such as a video without a face (exit 65).",
    ),
    ExitCode.TOOL_FAILED: (Status.TOOL_ERROR, "The tool failed (exit 70)."),
    ExitCode.TRANSIENT: (Status.INFRA_ERROR, "The driver reported a transient fault (exit 75)."),
}


class _Tree:
    """The launcher and everything below it; gone when the ``with`` block is left."""

    def __init__(self, command: list[str], folder: Path, env: Mapping[str, str], lock: int) -> None:
        """``lock`` is an open file that the launcher keeps open until the tree is gone."""
        control_read, self._control = os.pipe()
        self._report, report_write = os.pipe()
        launcher = Path(__file__).with_name("launch.py")
        passed = (control_read, report_write, lock)
        ends = [str(descriptor) for descriptor in passed]
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(launcher), *ends, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(env),
                pass_fds=passed,
                start_new_session=True,
            )
        except OSError:
            os.close(self._control)
            os.close(self._report)
            raise
        finally:
            os.close(control_read)
            os.close(report_write)
        self.peak_bytes = 0
        self.cpu_s = 0.0
        self._seen: dict[int, psutil.Process] = {}

    def __enter__(self) -> _Tree:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._control)
        try:
            self.process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for process in self._seen.values():
            # The launcher has done this already unless it was itself killed from outside.
            # psutil compares start times, so a reused pid is not hit.
            with contextlib.suppress(psutil.Error):
                process.kill()
        if self.process.stdout:
            self.process.stdout.close()
        os.close(self._report)

    def order(self, letter: bytes) -> None:
        """``T`` ends the tree politely, ``K`` at once."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._control, letter)

    def sample_bytes(self) -> int:
        """Resident memory of the tree now, launcher excluded; remembers the peak.

        CPU seconds are noted too, in case that the launcher cannot report them.
        """
        total = 0
        cpu_s = 0.0
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self.process.pid).children(recursive=True):
                self._seen[process.pid] = process
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss
                    cpu_s += sum(process.cpu_times()[:4])
        self.cpu_s = max(self.cpu_s, cpu_s)
        self.peak_bytes = max(self.peak_bytes, total)
        return total

    def exit_code(self) -> int | None:
        """The driver's exit code or -signal; None when the launcher was killed before it knew."""
        self.process.wait()
        text = os.read(self._report, 4096)
        if not text:
            return None
        end = json.loads(text)
        self.cpu_s = float(end["cpu_s"])
        self.peak_bytes = max(self.peak_bytes, int(end["peak_memory_bytes"]))
        return int(end["exit"])


@contextmanager
def _state_lock(state: Path) -> Iterator[int]:
    """Hold ``state``; the launcher shares the lock, so it is held until the last process is gone.

    After a kill -9 of bench its cell is free at once, but its driver may still be ending: the next
    one waits here. Raises OSError when the state stays held for 30 s.
    """
    handle = os.open(state.with_name(f"{state.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        end = time.monotonic() + STATE_WAIT_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    text = "still used by the driver of an earlier run that does not end"
                    raise OSError(errno.EBUSY, text, str(state)) from None
                time.sleep(0.05)
        yield handle
    finally:
        os.close(handle)


class _Written:
    """How much a step wrote to ``folders``; what they held before it does not count."""

    def __init__(self, folders: Sequence[Path], *, counted: bool) -> None:
        self._folders = folders
        self._at_first_bytes = sum(map(folder_bytes, folders)) if counted else 0
        self._due = 0.0

    def is_due(self) -> bool:
        """Whether to count again; it takes its time where there are many files."""
        return time.monotonic() >= self._due

    def free_bytes(self) -> int:
        """What is left on the disk."""
        return shutil.disk_usage(self._folders[0]).free

    def now_bytes(self) -> int:
        began = time.monotonic()
        found = sum(map(folder_bytes, self._folders)) - self._at_first_bytes
        ended = time.monotonic()
        self._due = ended + 20 * (ended - began)
        return found


class _Watch:
    """Holds a tree to its limits: says once why it must end, then ends it with growing force."""

    def __init__(
        self, tree: _Tree, limits: Limits, written: _Written, stop: threading.Event
    ) -> None:
        self._tree = tree
        self._limits = limits
        self._written = written
        self._stop = stop
        self._started = time.monotonic()
        self._next_sample = 0.0
        self._kill_at: float | None = None
        self._killed = False
        self.verdict: tuple[Status, str] | None = None
        self.disk_was_full = False

    @property
    def wall_s(self) -> float:
        return time.monotonic() - self._started

    def check(self) -> None:
        """Call often; it samples every 0.2 s at most."""
        now = time.monotonic()
        stopped = self._stop.is_set() and self.verdict is None
        if now < self._next_sample and not stopped:
            return
        self._next_sample = now + SAMPLE_S
        memory_bytes = self._tree.sample_bytes()
        self.disk_was_full |= self._written.free_bytes() < FULL_BYTES
        if self.verdict is None:
            self.verdict = self._judge(memory_bytes)
            if self.verdict:
                self._tree.order(b"T")
                self._kill_at = now + GRACE_S
        elif self._kill_at is not None and now >= self._kill_at and not self._killed:
            self._tree.order(b"K")
            self._killed = True

    def _judge(self, memory_bytes: int) -> tuple[Status, str] | None:
        limits = self._limits
        if self._stop.is_set():
            return Status.CANCELLED, CANCELLED_REASON
        if self.wall_s > limits.wall_s:
            return Status.TIMEOUT, f"The step was stopped at its limit of {limits.wall_s:g} s."
        if limits.memory_bytes is not None and memory_bytes > limits.memory_bytes:
            used, allowed = _mib(memory_bytes), _mib(limits.memory_bytes)
            return Status.OOM, f"The step used {used} of memory; {allowed} are allowed."
        return self.judge_output() if self._written.is_due() else None

    def judge_output(self) -> tuple[Status, str] | None:
        """The verdict on the size of what was written, if it is too much."""
        allowed = self._limits.output_bytes
        if allowed is None or (written := self._written.now_bytes()) <= allowed:
            return None
        return (
            Status.BAD_OUTPUT,
            f"The step wrote {_mib(written)} (output, state and temporary files together); "
            f"{_mib(allowed)} are allowed.",
        )


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):.1f} MiB"


def folder_bytes(folder: Path) -> int:
    """Total size of the files below ``folder``; files that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if not path.is_symlink() and path.is_file():
                total += path.stat().st_size
    return total


class ProcessRuntime:
    """Runs ``python -m MODULE job.json`` in a session of its own.

    ``extra_env`` is added to the driver's environment, which is otherwise minimal.
    """

    def __init__(self, extra_env: Mapping[str, str] | None = None) -> None:
        self._extra_env = dict(extra_env or {})

    def device(self, tool: Tool) -> str | None:
        """See ``Runtime.device``: embedded tools share the processor."""
        return None

    def run(self, tool: Tool, job: Job, folder: Path, control: Control) -> StepOutcome:
        """See ``Runtime.run``. Raises TypeError for a tool that runs in a container."""
        if not isinstance(tool.runs_as, ChildProcess):
            raise TypeError(f"{tool.name} runs in a container, not as a child process")
        out, state, temporary = Path(job.out), Path(job.state), folder / "tmp"
        for made in (folder, out, state, temporary):
            made.mkdir(parents=True, exist_ok=True)
        job_file = folder / JOB_NAME
        job_file.write_text(job.model_dump_json(indent=1), encoding="utf-8")
        command = [sys.executable, "-m", tool.runs_as.module, str(job_file)]
        written = _Written((out, state, temporary), counted=job.limits.output_bytes is not None)
        try:
            with (
                CappedLog(folder / LOG_NAME, job.limits.log_bytes) as log,
                _state_lock(state) as lock,
                _Tree(command, folder, self._environment(folder), lock) as tree,
            ):
                watch = _Watch(tree, job.limits, written, control.stop)
                _follow(tree, watch, LogSink(log, control.listen))
                return _outcome(tree, watch, job, log.tail)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _environment(self, folder: Path) -> dict[str, str]:
        env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        env |= dict.fromkeys(_THREAD_VARIABLES, str(THREADS))
        # The job's folder is the working directory; a file there must not shadow a module.
        env |= {"PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"}
        env |= {"TMPDIR": str(folder / "tmp"), "MPLBACKEND": "Agg"}
        return env | self._extra_env


def _follow(tree: _Tree, watch: _Watch, sink: LogSink) -> None:
    """Read the log and enforce the limits until the whole tree has ended."""
    stream = tree.process.stdout
    assert stream is not None
    descriptor = stream.fileno()
    os.set_blocking(descriptor, False)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if selector.select(timeout=SAMPLE_S / 2):
                data = os.read(descriptor, 1 << 16)
                if not data:
                    break
                sink.feed(data)
            watch.check()
    while tree.process.poll() is None:
        # A driver may close its output and go on.
        watch.check()
        time.sleep(0.02)
    sink.end()


def _outcome(tree: _Tree, watch: _Watch, job: Job, tail: tuple[str, ...]) -> StepOutcome:
    code = tree.exit_code()
    resources = Resources(wall_s=watch.wall_s, cpu_s=tree.cpu_s, peak_memory_bytes=tree.peak_bytes)
    report = None
    verdict = watch.verdict or watch.judge_output()
    if verdict is None and code != 0 and (watch.disk_was_full or _tells_of_full_disk(tail)):
        # Not the tool's failure, and any attempt stored now might be cut short as well.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), job.out)
    verdict = verdict or _judge_exit(code)
    if verdict is None:
        report, verdict = _read_report(Path(job.out) / REPORT_NAME, job)
    status, reason = verdict or (Status.OK, "done")
    return StepOutcome(
        status=status,
        reason=reason,
        exit_code=code,
        resources=resources,
        log_tail=tail,
        report=report if status is Status.OK else None,
    )


def _tells_of_full_disk(tail: Sequence[str]) -> bool:
    return any(os.strerror(errno.ENOSPC) in line for line in tail)


def _judge_exit(code: int | None) -> tuple[Status, str] | None:
    """What an exit code means; None for 0."""
    if code == 0:
        return None
    if code is None:
        return Status.INFRA_ERROR, "The process that watches the driver was killed from outside."
    if code < 0:
        name = signal.Signals(-code).name
        hint = " The kernel does so when memory runs out." if name == "SIGKILL" else ""
        return Status.TOOL_ERROR, f"The driver was ended by {name}.{hint}"
    if code in set(ExitCode):
        return _ENDS[ExitCode(code)]
    return Status.TOOL_ERROR, f"The driver crashed with exit code {code}; see the end of its log."


def _read_report(path: Path, job: Job) -> tuple[StepReport | None, tuple[Status, str] | None]:
    """The driver's account of its step, or the verdict that it left none."""
    try:
        report = StepReport.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None, (Status.BAD_OUTPUT, "The driver exited with 0 but wrote no step.json.")
    except ValidationError as error:
        first = error.errors()[0]["msg"]
        return None, (Status.BAD_OUTPUT, f"The driver's step.json is not valid: {first}.")
    if report.step is not job.step:
        text = f"The driver's step.json is about '{report.step}', but '{job.step}' was asked."
        return None, (Status.BAD_OUTPUT, text)
    return report, None
