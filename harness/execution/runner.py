"""Runs cells: each at most once, every try stored, a result published only when it is sound."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.base import Frozen
from harness.core.errors import UnfitMachineError
from harness.core.host import host
from harness.core.signals import StoppedError, stop_on_signals
from harness.execution.inputs import collect_inputs, video_fault
from harness.execution.lanes import Lane, Lanes, Task
from harness.model.cell import Attempt, CellSpec, Resources, Result, Status
from harness.model.job import Event, Job, Role, Step, StepReport
from harness.model.tool import Tool
from harness.model.video import VideoInfo
from harness.store.cells import CellStore, OpenAttempt, disk_errors, utc_now
from harness.store.media import MediaStore
from harness.tools.runtime.base import CANCELLED_REASON, Control, Runtime, StepOutcome
from harness.tools.runtime.process import ProcessRuntime

_PREVIEW = re.compile(r"\d{8}\.jpg")
_SIGNAL_S = 0.3
"""Within this time a signal to the whole process group has reached this process."""


class CellOutcome(Frozen):
    """Outcome of one cell in this call."""

    cell_id: str
    status: Status
    attempt: Attempt | None = None
    """The try made now, or the one that another process made meanwhile."""
    result: Result | None = None
    reused: bool = False
    """True when nothing was run here."""
    busy: bool = False
    """Another process runs the cell; ``status`` is then ``infra_error``."""


def _ignore_event(spec: CellSpec, event: Event) -> None:
    pass


def _ignore_outcome(outcome: CellOutcome) -> None:
    pass


def _runtimes() -> dict[str, Runtime]:
    return {"process": ProcessRuntime()}


@dataclass(frozen=True)
class RunContext:
    """Surroundings in which cells are run; nothing of it changes a result.

    ``runtimes`` maps a tool's kind (``process``, ``container``) to what runs it. An attempt that
    ends as ``infra_error`` is repeated ``infra_retries`` times, after ``backoff_s``, twice that...
    """

    home: Path
    runtimes: Mapping[str, Runtime] = field(default_factory=_runtimes)
    infra_retries: int = 2
    backoff_s: float = 1.0
    listen: Callable[[CellSpec, Event], None] = _ignore_event
    finished: Callable[[CellOutcome], None] = _ignore_outcome

    def select_runtime(self, tool: Tool) -> Runtime:
        """Runtime for ``tool``; raises UnfitMachineError when nothing here can run it."""
        kind = tool.runs_as.kind
        if kind not in self.runtimes:
            raise UnfitMachineError(
                f"{tool.name} runs as a {kind}, which this machine is not set up for.",
                hint="See `bench doctor`.",
            )
        return self.runtimes[kind]


def run_cells(
    specs: Sequence[CellSpec],
    tools: Mapping[str, Tool],
    context: RunContext,
    lanes: Lanes | None = None,
) -> tuple[CellOutcome, ...]:
    """Run the cells that have no result yet; outcomes come in the order of ``specs``.

    Without ``lanes`` one after the other. Cells that another process is running are passed over
    first and waited for at the end, so two commands at once share the work and both end with all
    results. ``context.finished`` is called for each cell as it ends. Raises StoreError when the
    disk refuses, KeyboardInterrupt after the running attempts are stored as cancelled.
    """
    queue = RunQueue(specs, tools, context)
    with nullcontext(lanes) if lanes else Lanes(1) as used:
        used.run(lambda taken: queue.next(taken) or queue.next_held(taken))
    return tuple(queue.outcomes[spec.id] for spec in specs)


class RunQueue:
    """The cells to run. Those that another process runs are passed over, and waited for last."""

    def __init__(
        self, specs: Sequence[CellSpec], tools: Mapping[str, Tool], context: RunContext
    ) -> None:
        store = CellStore(context.home)
        self._context = context
        self._tools = tools
        self._pending = list({spec.id: spec for spec in specs}.values())
        self._held: list[CellSpec] = []
        self._known = {spec.id: _last_number(store, spec) for spec in self._pending}
        self.outcomes: dict[str, CellOutcome] = {}

    def next(self, taken: Set[str]) -> Task | None:
        """The next cell that nobody is known to run and whose device is not ``taken``."""
        return self._pick(self._pending, taken, wait=False)

    def next_held(self, taken: Set[str]) -> Task | None:
        """The next cell that another process runs: this one waits, and takes over its result."""
        return self._pick(self._held, taken, wait=True)

    def _pick(self, queue: list[CellSpec], taken: Set[str], *, wait: bool) -> Task | None:
        for place, spec in enumerate(queue):
            device = self._device(spec)
            if device not in taken:
                del queue[place]
                return self._task(spec, device, wait=wait)
        return None

    def _device(self, spec: CellSpec) -> str | None:
        tool = self._tools[spec.tool]
        runtime = self._context.runtimes.get(tool.runs_as.kind)
        return runtime.device(tool) if runtime else None

    def _task(self, spec: CellSpec, device: str | None, *, wait: bool) -> Task:
        def work(lane: Lane) -> CellOutcome:
            terms = Terms(stop=lane.stop, wait=wait, known=self._known[spec.id])
            return settle_cell(spec, self._tools[spec.tool], self._context, terms)

        def done(outcome: CellOutcome) -> None:
            if outcome.busy:
                self._held.append(spec)
            else:
                self.outcomes[spec.id] = outcome
                self._context.finished(outcome)

        return Task(work, done, device)


def run_cell(spec: CellSpec, tool: Tool, context: RunContext, *, wait: bool = False) -> CellOutcome:
    """Run one cell unless it has a result already.

    A cell that another process holds is ``busy``, unless ``wait``. What goes wrong in the tool is
    an outcome and a stored attempt. SIGINT and SIGTERM end the attempt, which is stored as
    ``cancelled``, and raise KeyboardInterrupt. Raises UsageError or UnusableInputError when the
    cell lacks an input that the tool needs, StoreError when the disk refuses.
    """
    stop = threading.Event()
    with stop_on_signals(stop.set):
        try:
            return settle_cell(spec, tool, context, Terms(stop=stop, wait=wait))
        except StoppedError as error:
            raise KeyboardInterrupt from error


@dataclass(frozen=True)
class Terms:
    """Options for running one cell among others. ``stop`` ends it.

    ``known`` is the number of the last attempt that was there when the command began: a newer one
    that failed is another process's try of just now, and is taken over.
    """

    stop: threading.Event
    wait: bool = False
    known: int | None = None


def settle_cell(spec: CellSpec, tool: Tool, context: RunContext, terms: Terms) -> CellOutcome:
    """As ``run_cell``, in any thread: raises StoppedError once the attempt is stored."""
    store, known = CellStore(context.home), terms.known
    if done := _reusable(store, spec, known):
        return done
    runtime = context.select_runtime(tool)
    inputs = collect_inputs(spec, tool, MediaStore(context.home))
    with store.lock(spec, wait=terms.stop if terms.wait else None) as held:
        if not held:
            if terms.stop.is_set():
                raise StoppedError
            return CellOutcome(cell_id=spec.id, status=Status.INFRA_ERROR, busy=True)
        if done := _reusable(store, spec, known):
            return done
        with disk_errors(store.folder(spec)):
            return _Work(store, spec, tool, context, runtime, inputs, terms.stop).until_settled()


def previews_in(attempt: Path) -> list[Path]:
    """The pictures that a training left in an attempt's folder, by iteration.

    Only plain files that are named as the contract says: a driver's links lead anywhere.
    """
    root = attempt.resolve()
    return sorted(
        path
        for path in root.glob("*-train/out/previews/*.jpg")
        if _PREVIEW.fullmatch(path.name) and path.is_file() and path.resolve() == path
    )


def _last_number(store: CellStore, spec: CellSpec) -> int:
    """The number of the cell's last finished attempt; 0 without any."""
    return max((attempt.number for attempt in store.attempts(spec)), default=0)


def _reusable(store: CellStore, spec: CellSpec, known: int | None) -> CellOutcome | None:
    """The outcome that is there already: a result, or another process's try of just now."""
    result = store.result(spec)
    attempts = store.attempts(spec)
    if result is not None:
        mine = [attempt for attempt in attempts if result.attempt.endswith(attempt.uuid)]
        attempt = mine[-1] if mine else None
        return CellOutcome(
            cell_id=spec.id, status=Status.OK, attempt=attempt, result=result, reused=True
        )
    if known is None:
        return None
    unsettled = {Status.OK, Status.CANCELLED, Status.INFRA_ERROR}
    fresh = [
        attempt
        for attempt in attempts
        if attempt.number > known and attempt.status not in unsettled
    ]
    if not fresh:
        return None
    return CellOutcome(cell_id=spec.id, status=fresh[-1].status, attempt=fresh[-1], reused=True)


@dataclass(frozen=True)
class _Work:
    """One cell being run, with its lock held."""

    store: CellStore
    spec: CellSpec
    tool: Tool
    context: RunContext
    runtime: Runtime
    inputs: Mapping[Role, str]
    stop: threading.Event

    def until_settled(self) -> CellOutcome:
        """Try until something other than ``infra_error`` comes of it, or retries are used up."""
        outcome = self._attempt()
        for retry in range(self.context.infra_retries):
            if outcome.status is not Status.INFRA_ERROR:
                break
            if self.stop.wait(self.context.backoff_s * 2**retry):
                raise StoppedError
            outcome = self._attempt()
        return outcome

    def _attempt(self) -> CellOutcome:
        opened = self.store.begin(self.spec)
        done: list[StepOutcome] = []
        for number, step in enumerate(self.tool.steps, 1):
            done.append(self._step(step, opened.folder / f"{number}-{step}"))
            if done[-1].status is not Status.OK:
                break
        return self._keep(opened, done, self._checked(done[-1], opened))

    def _step(self, step: Step, folder: Path) -> StepOutcome:
        job = Job(
            step=step,
            tool=self.spec.tool,
            version=self.spec.version,
            image_digest=self.spec.image_digest,
            inputs=dict(self.inputs),
            state=str(self.store.state(self.spec).absolute()),
            out=str((folder / "out").absolute()),
            settings=self.spec.settings,
            limits=self.spec.limits,
            gpu=self.runtime.uses_gpu(self.tool),
            seed=self.spec.seed,
        )
        folder.mkdir(parents=True)
        control = Control(lambda event: self.context.listen(self.spec, event), self.stop)
        return self.runtime.run(self.tool, job, folder.absolute(), control)

    def _checked(self, last: StepOutcome, opened: OpenAttempt) -> StepOutcome:
        """The last step's outcome, or ``bad_output`` when the video it left cannot be used."""
        if last.status is not Status.OK:
            return last
        fault = video_fault(self._swapped(opened), self._original())
        if fault is None:
            return last
        status = Status.BAD_OUTPUT
        # Ctrl-C reaches the FFmpeg that looks at the video as well, and may end it first.
        if self.stop.wait(_SIGNAL_S):
            status, fault = Status.CANCELLED, CANCELLED_REASON
        return last.model_copy(update={"status": status, "reason": fault, "report": None})

    def _swapped(self, opened: OpenAttempt) -> Path:
        steps = self.tool.steps
        return opened.folder / f"{len(steps)}-{steps[-1]}" / "out" / "swapped.mp4"

    def _original(self) -> VideoInfo:
        from harness.media.probe import probe

        test = self.spec.actor.test
        return test.info or probe(MediaStore(self.context.home).path(test))

    def _keep(
        self, opened: OpenAttempt, done: Sequence[StepOutcome], final: StepOutcome
    ) -> CellOutcome:
        attempt = self._record(opened, done, final)
        result = None
        if attempt.status is Status.OK:
            swapped = self._swapped(opened)
            result = self.store.publish(
                self.spec, attempt, swapped, attempt.steps, previews_in(opened.folder)
            )
        else:
            self.store.finish(self.spec, attempt)
        if attempt.status is Status.CANCELLED:
            raise StoppedError
        return CellOutcome(
            cell_id=self.spec.id, status=attempt.status, attempt=attempt, result=result
        )

    def _record(
        self, opened: OpenAttempt, done: Sequence[StepOutcome], final: StepOutcome
    ) -> Attempt:
        used = [step.resources for step in done]
        reports: list[StepReport] = [step.report for step in done if step.report is not None]
        return Attempt(
            cell_id=self.spec.id,
            number=opened.number,
            uuid=opened.uuid,
            started_at=opened.started_at,
            ended_at=utc_now(),
            status=final.status,
            reason=final.reason,
            exit_code=final.exit_code,
            log_tail=final.log_tail,
            resources=Resources(
                wall_s=sum(usage.wall_s for usage in used),
                cpu_s=sum(usage.cpu_s for usage in used),
                peak_memory_bytes=max(usage.peak_memory_bytes for usage in used),
                gpu=next((usage.gpu for usage in used if usage.gpu), None),
            ),
            host=host(),
            steps=tuple(reports),
        )
