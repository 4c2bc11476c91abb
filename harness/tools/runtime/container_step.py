"""The life of one container: made, followed, ended, judged, removed."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.base import Frozen
from harness.model.cell import Resources, Status
from harness.model.job import Job, Step, StepReport
from harness.model.tool import Container, Tool
from harness.tools.engine import Engine
from harness.tools.runtime.base import (
    CANCELLED_REASON,
    JOB_NAME,
    LOG_NAME,
    Control,
    StepOutcome,
)
from harness.tools.runtime.container_end import (
    Ended,
    broken_entry_point,
    never_ran,
    out_of_memory,
    read_state,
    refusal_words,
    refused_start,
)
from harness.tools.runtime.container_gpu import (
    GpusFilled,
    HeldGpu,
    emptiest_first,
    filled_by_others,
    gpu_of_ones_own,
)
from harness.tools.runtime.container_guard import Guard
from harness.tools.runtime.container_leftovers import remove_namesakes
from harness.tools.runtime.container_log import Attachment, PatternReader, Sinks, ToolLog
from harness.tools.runtime.container_plan import (
    Allowance,
    Caller,
    ContainerPlan,
    create_arguments,
    job_inside,
    plan,
)
from harness.tools.runtime.container_use import find_cgroup
from harness.tools.runtime.container_watch import ContainerWatch
from harness.tools.runtime.ending import Verdict, judge_end
from harness.tools.runtime.limits import StepLimits
from harness.tools.runtime.progress import PROGRESS_NAME, ProgressFile
from harness.tools.runtime.state_lock import state_lock
from harness.tools.runtime.takeover import TakenOver, make_private, take_over

NEAR_LIMIT = 0.75
RECORD_NAME = "container.json"
TERMINAL_ROWS, TERMINAL_COLUMNS = 50, 200
_POLL_S = 0.05
_EVENT_DELAY_S = 0.1
_START_S = 3.0
"""Time that a container may stay as it was made after the engine has said that it is started."""
_ENGINE_GONE = (
    "The container engine stopped answering while the step ran: it was restarted, or has crashed."
)
_NETWORK_NOTE = "This step was allowed to use the network."
_KILLED = -signal.SIGKILL
_NOTHING = Resources(wall_s=0.0, cpu_s=0.0, peak_memory_bytes=0)


@dataclass(frozen=True)
class Work:
    """One step, and what it is run with. ``image`` is what the engine knows of the image."""

    engine: Engine
    image: Mapping[str, Any]
    tool: Tool
    job: Job
    folder: Path
    control: Control


class ContainerRecord(Frozen):
    """``container.json``, alongside the log: what ran, and how it ended in the engine's words."""

    engine: str
    plan: ContainerPlan
    container: str | None
    ended: Ended | None
    resources: Resources
    namesakes_removed: int
    removed: bool


def run_step(
    work: Work, caller: Caller, allowance: Allowance, gpus: Sequence[str] | None
) -> StepOutcome:
    """Run the step and leave no container behind. ``gpus``: it gets one of these; None: none."""
    job, folder, control = work.job, work.folder, work.control
    state, out = Path(job.state), Path(job.out)
    for made in (folder, state, out):
        make_private(made)
    (folder / JOB_NAME).write_text(job_inside(job).model_dump_json(indent=1), encoding="utf-8")
    iterations = float(job.limits.iterations) if job.limits.iterations else None
    with (
        ProgressFile(folder / PROGRESS_NAME, control.listen) as progress,
        ToolLog(
            folder / LOG_NAME,
            job.limits.log_bytes,
            PatternReader(work.tool.progress, job.step, progress.hear, iterations),
        ) as log,
        state_lock(state) as lock,
        _gpu(work, gpus) as gpu,
    ):
        refusal = _refusal(work, gpu)
        if refusal is not None:
            return _outcome(refusal, None, _NOTHING, log.tail)
        planned = plan(
            work.tool,
            job,
            folder,
            image=work.image,
            engine=work.engine.info,
            caller=caller,
            allowance=allowance,
            gpu=gpu.uuid if isinstance(gpu, HeldGpu) else None,
        )
        locks = (lock, gpu.lock) if isinstance(gpu, HeldGpu) else (lock,)
        guard = Guard(work.engine.info.socket, planned.name, locks, control.stop)
        limits = StepLimits(job.limits, (out, state), control.stop, "output and state")
        life = _Life(work, planned, guard, log, progress, limits)
        with guard:
            life.go()
        log.end()
        life.record(removed=guard.removed)
        return life.outcome()


@contextmanager
def _gpu(work: Work, gpus: Sequence[str] | None) -> Iterator[HeldGpu | GpusFilled | None]:
    """The GPU to use, one of ``gpus`` that nothing else fills; None for none, or when stopped."""
    if gpus is None:
        yield None
        return
    spec = work.tool.runs_as
    assert isinstance(spec, Container)
    # What a tool says it needs is for training; the other steps make do with less.
    needed_bytes = spec.gpu_memory_bytes if work.job.step is Step.TRAIN else None
    uuids = emptiest_first(gpus) if len(gpus) > 1 else gpus
    with gpu_of_ones_own(uuids, work.control.stop, filled_by_others(needed_bytes)) as gpu:
        yield gpu


def _refusal(work: Work, gpu: HeldGpu | GpusFilled | None) -> Verdict | None:
    """Reason why the step is not even begun."""
    if work.control.stop.is_set():
        return Status.CANCELLED, CANCELLED_REASON
    if not isinstance(gpu, GpusFilled):
        return None
    return Status.INFRA_ERROR, (
        f"Another program uses the GPU (`nvidia-smi` names it): only {', '.join(gpu.free)} are "
        f"free, too little to {work.job.step}."
    )


class _Life:
    """One container from its making to its end; what goes wrong with the engine is a verdict."""

    def __init__(
        self,
        work: Work,
        planned: ContainerPlan,
        guard: Guard,
        log: ToolLog,
        progress: ProgressFile,
        limits: StepLimits,
    ) -> None:
        self._work = work
        self._limits = limits
        self._api = work.engine.api
        self._planned = planned
        self._guard = guard
        self._log = log
        self._progress = progress
        self._container: str | None = None
        self._watch: ContainerWatch | None = None
        self._namesakes = 0
        self._began_at = time.time()
        self._verdict: Verdict | None = None
        self._ended: Ended | None = None
        self._used = _NOTHING
        self._taken = TakenOver()

    def go(self) -> None:
        """Make the container and follow it until it has ended."""
        from docker.errors import APIError, DockerException, NotFound
        from requests.exceptions import RequestException

        try:
            with ExitStack() as stack:
                attachment = self._begin(stack)
                if attachment is not None:
                    self._follow(attachment)
        except NotFound:
            self._fail("The container was removed by somebody else.")
        except APIError as error:
            text = " ".join(str(error.explanation or error).split())[:500]
            self._fail(f"The container engine reported a fault: {text}")
        except (DockerException, RequestException):
            self._fail(_ENGINE_GONE)
        finally:
            self._used = self._watch.resources if self._watch else _NOTHING

    def _fail(self, reason: str) -> None:
        ended_by_bench = self._watch.verdict if self._watch else None
        self._verdict = ended_by_bench or (Status.INFRA_ERROR, reason)

    def _begin(self, stack: ExitStack) -> Attachment | None:
        """Make, attach and start; None when the engine refuses, which is a verdict."""
        from docker.errors import APIError

        work, engine = self._work, self._work.engine
        self._namesakes = remove_namesakes(engine, work.job.state)
        podman = engine.info.kind == "podman"
        self._guard.making()
        try:
            arguments = create_arguments(self._planned, podman=podman)
            self._container = str(self._api.create_container(**arguments)["Id"])
            self._guard.made(self._container)
            attachment = Attachment(self._api, self._container, terminal=self._planned.terminal)
            stack.enter_context(closing(attachment))
            self._api.start(self._container)
            self._limits.start()
            state = self._started()
            if state is None:
                return None
            cgroup = find_cgroup(int(state.get("Pid") or 0), self._container)
            self._watch = ContainerWatch(self._api, self._container, cgroup, self._limits)
        except APIError as error:
            self._verdict = refused_start(str(error.explanation or error))
            return None
        if self._planned.terminal:
            # It may have ended already.
            with suppress(APIError):
                self._api.resize(self._container, TERMINAL_ROWS, TERMINAL_COLUMNS)
        return attachment

    def _started(self) -> dict[str, Any] | None:
        """The state of the container once it runs or has run; None, and a verdict, when it never
        does although the engine took the order (Podman, whose runtime then refuses).
        """
        patience = time.monotonic() + _START_S
        while never_ran(state := self._inspect()):
            if self._gave_up(state, patience):
                return None
            time.sleep(_POLL_S)
        return state

    def _gave_up(self, state: Mapping[str, Any], patience: float) -> bool:
        """True when a container that does not run has been waited for long enough: a verdict."""
        if not never_ran(state) or time.monotonic() <= patience:
            return False
        self._verdict = refused_start(refusal_words(state))
        return True

    def _follow(self, attachment: Attachment) -> None:
        """Read the log and enforce the limits until the container has ended."""
        assert self._watch is not None
        sinks = Sinks(self._log, self._progress.hear)
        while (pieces := attachment.read(_POLL_S)) is not None:
            sinks.feed(pieces)
            self._look()
        sinks.end()
        patience = time.monotonic() + _START_S
        while (ended := read_state(state := self._inspect())) is None:
            # A driver may close its output and go on; but Podman has also been seen to take a
            # container that ran for one that never did, which ends by itself no more.
            if self._gave_up(state, patience):
                return
            self._look()
            time.sleep(_POLL_S)
        self._ended = self._with_memory_event(ended)
        self._verdict = self._watch.verdict or self._limits.judge_output()

    def _look(self) -> None:
        assert self._watch is not None
        self._log.tick()
        self._progress.tick()
        self._watch.check()

    def _inspect(self) -> dict[str, Any]:
        state: dict[str, Any] = self._api.inspect_container(self._container)["State"]
        return state

    def _with_memory_event(self, ended: Ended) -> Ended:
        """The engine learns of a process killed for memory apart from the end, sometimes later."""
        if ended.exit_code == 0 or ended.out_of_memory:
            return ended
        if self._watch and (self._watch.memory_kills or self._was_near_limit(ended)):
            return ended.model_copy(update={"out_of_memory": True})
        time.sleep(_EVENT_DELAY_S)
        events = self._api.events(
            since=f"{self._began_at:.6f}",
            until=f"{time.time():.6f}",
            filters={"container": [self._container], "event": ["oom"]},
            decode=True,
        )
        return ended.model_copy(update={"out_of_memory": any(True for _ in events)})

    def _was_near_limit(self, ended: Ended) -> bool:
        """Podman on version 1 control groups never says why: killed with most of it in use."""
        if ended.exit_code != -signal.SIGKILL or self._watch is None or self._watch.verdict:
            return False
        used = self._watch.resources.peak_memory_bytes
        return used > NEAR_LIMIT * (self._planned.memory_bytes or float("inf"))

    def record(self, *, removed: bool) -> None:
        """Write ``container.json``."""
        info = self._work.engine.info
        record = ContainerRecord(
            engine=f"{info.kind} {info.version}",
            plan=self._planned,
            container=self._container,
            ended=self._ended,
            resources=self._used,
            namesakes_removed=self._namesakes,
            removed=removed,
        )
        path = self._work.folder / RECORD_NAME
        path.write_text(record.model_dump_json(indent=1), encoding="utf-8")

    def outcome(self) -> StepOutcome:
        """Raises OSError when the disk was full: no failure of the tool."""
        ended, used, report = self._ended, self._used, None
        self._taken = take_over(self._work.job)
        verdict = self._verdict
        if verdict is None and ended is not None:
            report, verdict = self._judge(ended)
        if ended is not None and ended.out_of_memory:
            # It was killed at its limit, whatever the last look saw.
            peak_bytes = max(used.peak_memory_bytes, self._planned.memory_bytes or 0)
            used = used.model_copy(update={"peak_memory_bytes": peak_bytes})
        used = used.model_copy(update={"gpu": self._planned.gpu})
        if report is not None and self._planned.network:
            report = report.model_copy(update={"notes": (*report.notes, _NETWORK_NOTE)})
        outcome = _outcome(verdict, ended, used, self._log.tail, report)
        taken = self._taken
        return outcome.model_copy(
            update={"deleted": taken.deleted, "video_sha256": taken.video_sha256}
        )

    def _judge(self, ended: Ended) -> tuple[StepReport | None, Verdict | None]:
        """The driver's account, or what its end means when bench did not order it."""
        work, ending = self._work, self._log.ending
        if ended.exit_code != 0 and self._limits.disk_was_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), work.job.out)
        if verdict := broken_entry_point(ended.exit_code, ending):
            return None, verdict
        report, verdict = judge_end(ended.exit_code, self._taken, work.tool, work.job, ending)
        if verdict is not None and ended.out_of_memory:
            verdict = out_of_memory(self._planned.memory_bytes)
        elif ended.exit_code == _KILLED:
            text = "The driver was killed (SIGKILL), by neither bench nor its memory limit."
            verdict = Status.TOOL_ERROR, text
        return report, verdict


def _outcome(
    verdict: Verdict | None,
    ended: Ended | None,
    used: Resources,
    tail: tuple[str, ...],
    report: StepReport | None = None,
) -> StepOutcome:
    status, reason = verdict or (Status.OK, "done")
    return StepOutcome(
        status=status,
        reason=reason,
        exit_code=None if ended is None else ended.exit_code,
        resources=used,
        log_tail=tail,
        report=report,
    )
