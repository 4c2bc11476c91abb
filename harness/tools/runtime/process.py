"""Runs a step as a child process on this machine, under limits."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from harness.core.trees import remove_tree
from harness.model.cell import Resources, Status
from harness.model.job import Job
from harness.model.tool import ChildProcess, Tool
from harness.tools.runtime.base import (
    JOB_NAME,
    LOG_NAME,
    Control,
    StepOutcome,
)
from harness.tools.runtime.ending import Verdict, judge_end
from harness.tools.runtime.environment import driver_environment, passed_on
from harness.tools.runtime.limits import GRACE_S, SAMPLE_S, StepLimits, mib
from harness.tools.runtime.log import CappedLog, LogSink
from harness.tools.runtime.progress import PROGRESS_NAME, ProgressFile
from harness.tools.runtime.state_lock import state_lock
from harness.tools.runtime.takeover import make_private, take_over


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


class _Watch:
    """Holds a tree to its limits: says once why it must end, then ends it with growing force."""

    def __init__(self, tree: _Tree, limits: StepLimits, memory_bytes: int | None) -> None:
        self._tree = tree
        self._memory_bytes = memory_bytes
        self._next_sample = 0.0
        self._kill_at: float | None = None
        self._killed = False
        self.limits = limits
        self.verdict: Verdict | None = None

    def check(self) -> None:
        """Call often; it samples every 0.2 s at most."""
        now = time.monotonic()
        stopped = self.limits.stopped and self.verdict is None
        if now < self._next_sample and not stopped:
            return
        self._next_sample = now + SAMPLE_S
        memory_bytes = self._tree.sample_bytes()
        if self.verdict is None:
            self.verdict = self.limits.judge() or self._judge_memory(memory_bytes)
            if self.verdict:
                self._tree.order(b"T")
                self._kill_at = now + GRACE_S
        elif self._kill_at is not None and now >= self._kill_at and not self._killed:
            self._tree.order(b"K")
            self._killed = True

    def _judge_memory(self, memory_bytes: int) -> Verdict | None:
        allowed = self._memory_bytes
        if allowed is None or memory_bytes <= allowed:
            return None
        text = f"The step used {mib(memory_bytes)} of memory; {mib(allowed)} are allowed."
        return Status.OOM, text


class ProcessRuntime:
    """Runs ``python -m MODULE job.json`` in a session of its own.

    ``extra_env`` is added to the driver's environment, which is otherwise as ``environment`` says.
    """

    def __init__(self, extra_env: Mapping[str, str] | None = None) -> None:
        self._extra_env = dict(extra_env or {})

    def device(self, tool: Tool) -> str | None:
        """See ``Runtime.device``: embedded tools share the processor."""
        return None

    def uses_gpu(self, tool: Tool) -> bool:
        """Never: the embedded tools need none."""
        return False

    def run(self, tool: Tool, job: Job, folder: Path, control: Control) -> StepOutcome:
        """See ``Runtime.run``. Raises TypeError for a tool that runs in a container."""
        if not isinstance(tool.runs_as, ChildProcess):
            raise TypeError(f"{tool.name} runs in a container, not as a child process")
        out, state, temporary = Path(job.out), Path(job.state), folder / "tmp"
        for made in (folder, state, out, temporary):
            make_private(made)
        job_file = folder / JOB_NAME
        job_file.write_text(job.model_dump_json(indent=1), encoding="utf-8")
        command = [sys.executable, "-m", tool.runs_as.module, str(job_file)]
        given = passed_on(tool.runs_as, os.environ)
        env = driver_environment(given, temporary, self._extra_env)
        what = "output, state and temporary files"
        limits = StepLimits(job.limits, (out, state, temporary), control.stop, what)
        try:
            with (
                ProgressFile(folder / PROGRESS_NAME, control.listen) as progress,
                CappedLog(folder / LOG_NAME, job.limits.log_bytes) as log,
                state_lock(state) as lock,
                _Tree(command, temporary, env, lock) as tree,
            ):
                limits.start()
                watch = _Watch(tree, limits, job.limits.memory_bytes)
                _follow(tree, watch, log, progress)
                outcome = _outcome(tree, watch, tool, job, log.tail)
                return outcome.model_copy(update={"environment": tuple(sorted(given))})
        finally:
            with contextlib.suppress(OSError):
                remove_tree(temporary)


def _follow(tree: _Tree, watch: _Watch, log: CappedLog, progress: ProgressFile) -> None:
    """Read the log and enforce the limits until the whole tree has ended."""
    sink = LogSink(log, progress.hear)
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
            progress.tick()
            watch.check()
    while tree.process.poll() is None:
        # A driver may close its output and go on.
        progress.tick()
        watch.check()
        time.sleep(0.02)
    sink.end()


def _outcome(
    tree: _Tree, watch: _Watch, tool: Tool, job: Job, tail: tuple[str, ...]
) -> StepOutcome:
    code, limits = tree.exit_code(), watch.limits
    resources = Resources(wall_s=limits.wall_s, cpu_s=tree.cpu_s, peak_memory_bytes=tree.peak_bytes)
    report = None
    verdict = watch.verdict or limits.judge_output()
    if verdict is None and code != 0 and (limits.disk_was_full or _tells_of_full_disk(tail)):
        # Not the tool's failure, and any attempt stored now might be cut short as well.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), job.out)
    taken = take_over(job)
    if verdict is None:
        report, verdict = judge_end(code, taken, tool, job, "\n".join(tail))
    status, reason = verdict or (Status.OK, "done")
    return StepOutcome(
        status=status,
        reason=reason,
        exit_code=code,
        resources=resources,
        log_tail=tail,
        report=report,
        video_sha256=taken.video_sha256,
        deleted=taken.deleted,
    )


def _tells_of_full_disk(tail: Sequence[str]) -> bool:
    return any(os.strerror(errno.ENOSPC) in line for line in tail)
