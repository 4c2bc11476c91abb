"""Runs cells: each at most once, every try stored, a result published only when it is sound."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import FrameType

from harness.errors import BenchError, UnfitMachineError, UnusableInputError, UsageError
from harness.host import host
from harness.model.base import Frozen
from harness.model.cell import Attempt, CellSpec, Resources, Result, Status
from harness.model.dataset import MediaRef, VideoInfo
from harness.model.job import Event, Job, Role, Step, StepReport
from harness.model.tool import Tool
from harness.runtime.base import LOG_NAME, Runtime, StepOutcome
from harness.runtime.log import TAIL_LINE_CHARS, TAIL_LINES
from harness.runtime.process import ProcessRuntime
from harness.store.cells import CellStore, OpenAttempt, disk_errors, utc_now
from harness.store.media import MediaStore


class CellOutcome(Frozen):
    """What became of one cell in this call."""

    cell_id: str
    status: Status
    attempt: Attempt | None = None
    """The try made now, or the one that another process made meanwhile."""
    result: Result | None = None
    reused: bool = False
    """Nothing was run here."""
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
    """Where and how cells are run; nothing of it changes a result.

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
        """What runs ``tool``; raises UnfitMachineError when nothing here can."""
        kind = tool.runs_as.kind
        if kind not in self.runtimes:
            raise UnfitMachineError(
                f"{tool.name} runs as a {kind}, which this machine is not set up for.",
                hint="See `bench doctor`.",
            )
        return self.runtimes[kind]


def run_cells(
    specs: Sequence[CellSpec], tools: Mapping[str, Tool], context: RunContext
) -> tuple[CellOutcome, ...]:
    """Run the cells one after the other; outcomes come in the order of ``specs``.

    Cells that another process is running are passed over first and waited for at the end, so two
    commands at once share the work and both end with all results. ``context.finished`` is called
    for each cell as it ends. Raises StoreError when the disk refuses; KeyboardInterrupt passes
    through after the running attempt is stored as cancelled.
    """
    store = CellStore(context.home)
    known = {spec.id: _last_number(store, spec) for spec in specs}
    outcomes: dict[str, CellOutcome] = {}
    for wait in (False, True):
        for spec in specs:
            if spec.id in outcomes:
                continue
            outcome = _run(spec, tools[spec.tool], context, wait=wait, known=known[spec.id])
            if not outcome.busy:
                outcomes[spec.id] = outcome
                context.finished(outcome)
    return tuple(outcomes[spec.id] for spec in specs)


def run_cell(spec: CellSpec, tool: Tool, context: RunContext, *, wait: bool = False) -> CellOutcome:
    """Run one cell unless it has a result already.

    A cell that another process holds is ``busy``, unless ``wait``. What goes wrong in the tool is
    an outcome and a stored attempt. Raises UsageError or UnusableInputError when the cell lacks
    an input that the tool needs, StoreError when the disk refuses.
    """
    return _run(spec, tool, context, wait=wait, known=None)


def _run(
    spec: CellSpec, tool: Tool, context: RunContext, *, wait: bool, known: int | None
) -> CellOutcome:
    """``known`` is the last attempt's number when the command began; a newer one is taken over."""
    store = CellStore(context.home)
    if done := _reusable(store, spec, known):
        return done
    runtime = context.select_runtime(tool)
    inputs = collect_inputs(spec, tool, MediaStore(context.home))
    with store.lock(spec, wait=wait) as held:
        if not held:
            return CellOutcome(cell_id=spec.id, status=Status.INFRA_ERROR, busy=True)
        if done := _reusable(store, spec, known):
            return done
        with disk_errors(store.folder(spec)), _terminate_as_interrupt():
            work = _Work(store, spec, tool, context, runtime, inputs)
            return work.until_settled()


def _last_number(store: CellStore, spec: CellSpec) -> int:
    return max((attempt.number for attempt in store.attempts(spec)), default=0)


def _reusable(store: CellStore, spec: CellSpec, known: int | None) -> CellOutcome | None:
    """The outcome that is there already: a result, or another process's try of just now."""
    result = store.result(spec)
    attempts = store.attempts(spec)
    if result is not None:
        mine = [one for one in attempts if result.attempt.endswith(one.uuid)]
        attempt = mine[-1] if mine else None
        return CellOutcome(
            cell_id=spec.id, status=Status.OK, attempt=attempt, result=result, reused=True
        )
    if known is None:
        return None
    unsettled = {Status.OK, Status.CANCELLED, Status.INFRA_ERROR}
    fresh = [one for one in attempts if one.number > known and one.status not in unsettled]
    if not fresh:
        return None
    return CellOutcome(cell_id=spec.id, status=fresh[-1].status, attempt=fresh[-1], reused=True)


def collect_inputs(spec: CellSpec, tool: Tool, media: MediaStore) -> dict[Role, str]:
    """The paths of what the tool needs.

    Raises UsageError for a missing donor, UnusableInputError for missing training material,
    StoreError for a media file that is gone.
    """
    return {role: str(_input_path(role, spec, tool, media)) for role in tool.needs}


def _input_path(role: Role, spec: CellSpec, tool: Tool, media: MediaStore) -> Path:
    if role is Role.FACE_LANDMARKER:
        from harness.assets import face_landmarker_path

        return face_landmarker_path(media.home)
    donor = spec.donor
    if donor is None and role in {Role.DONOR_REFERENCE, Role.DONOR_TRAINING}:
        raise UsageError(
            f"{tool.name} puts on a donor's face, but the cell {spec.slug} names no donor.",
            hint="Add --donor NAME; `bench data list` shows the donors.",
        )
    found: dict[Role, MediaRef | None] = {
        Role.TEST_VIDEO: spec.actor.test,
        Role.ACTOR_REFERENCE: spec.actor.reference,
        Role.ACTOR_TRAINING: spec.actor.training,
        Role.DONOR_REFERENCE: donor.reference if donor else None,
        Role.DONOR_TRAINING: donor.training if donor else None,
    }
    reference = found[role]
    if reference is None:
        whose = f"donor {donor.name}" if donor and role is Role.DONOR_TRAINING else "actor"
        raise UnusableInputError(
            f"{tool.name} needs training video of the {whose}, and dataset {spec.dataset} has none "
            f"for the cell {spec.slug}.",
            hint="Add clips with `part: training` to the dataset's manifest.",
        )
    return media.path(reference)


@dataclass(frozen=True)
class _Work:
    """One cell being run, with its lock held."""

    store: CellStore
    spec: CellSpec
    tool: Tool
    context: RunContext
    runtime: Runtime
    inputs: Mapping[Role, str]

    def until_settled(self) -> CellOutcome:
        """Try until something other than ``infra_error`` comes of it, or retries are used up."""
        outcome = self._attempt()
        for retry in range(self.context.infra_retries):
            if outcome.status is not Status.INFRA_ERROR:
                break
            time.sleep(self.context.backoff_s * 2**retry)
            outcome = self._attempt()
        return outcome

    def _attempt(self) -> CellOutcome:
        opened = self.store.begin(self.spec)
        started = time.monotonic()
        done: list[StepOutcome] = []
        try:
            for number, step in enumerate(self.tool.steps, 1):
                done.append(self._step(step, opened.folder / f"{number}-{step}"))
                if done[-1].status is not Status.OK:
                    break
            final = self._checked(done[-1], opened)
        except KeyboardInterrupt:
            before_s = sum(one.resources.wall_s for one in done)
            stopped = _cancelled(opened, time.monotonic() - started - before_s)
            self.store.finish(self.spec, self._record(opened, [*done, stopped], stopped))
            raise
        return self._keep(opened, done, final)

    def _step(self, step: Step, folder: Path) -> StepOutcome:
        job = Job(
            step=step,
            tool=self.spec.tool,
            version=self.spec.version,
            inputs=dict(self.inputs),
            state=str(self.store.state(self.spec).absolute()),
            out=str((folder / "out").absolute()),
            settings=self.spec.settings,
            limits=self.spec.limits,
            seed=self.spec.seed,
        )
        folder.mkdir(parents=True)
        return self.runtime.run(
            self.tool, job, folder.absolute(), lambda event: self.context.listen(self.spec, event)
        )

    def _checked(self, last: StepOutcome, opened: OpenAttempt) -> StepOutcome:
        """The last step's outcome, or ``bad_output`` when the video it left cannot be used."""
        if last.status is not Status.OK:
            return last
        fault = video_fault(self._swapped(opened), self._original())
        if fault is None:
            return last
        return last.model_copy(
            update={"status": Status.BAD_OUTPUT, "reason": fault, "report": None}
        )

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
            result = self.store.publish(self.spec, attempt, swapped, attempt.steps)
        else:
            self.store.finish(self.spec, attempt)
        return CellOutcome(
            cell_id=self.spec.id, status=attempt.status, attempt=attempt, result=result
        )

    def _record(
        self, opened: OpenAttempt, done: Sequence[StepOutcome], final: StepOutcome
    ) -> Attempt:
        used = [one.resources for one in done]
        reports: list[StepReport] = [one.report for one in done if one.report is not None]
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
                wall_s=sum(one.wall_s for one in used),
                cpu_s=sum(one.cpu_s for one in used),
                peak_memory_bytes=max(one.peak_memory_bytes for one in used),
            ),
            host=host(),
            steps=tuple(reports),
        )


def video_fault(path: Path, original: VideoInfo) -> str | None:
    """Why ``path`` cannot stand beside the original, as a sentence; None when it can.

    It must be decodable with the original's frame count, size and frame rate (within 1e-4, as
    29.97 and 30000/1001 are the same rate).
    """
    from harness.media.probe import probe

    if not path.is_file():
        return "The driver exited with 0 but wrote no swapped.mp4."
    try:
        found = probe(path)
    except BenchError as error:
        return f"The driver exited with 0, but its video cannot be read. {error.message}"
    if found.frames != original.frames:
        return f"The swapped video has {found.frames} frames, the original {original.frames}."
    if (found.width, found.height) != (original.width, original.height):
        return (
            f"The swapped video is {found.width}x{found.height}, "
            f"the original {original.width}x{original.height}."
        )
    if abs(Fraction(found.fps) / Fraction(original.fps) - 1) > Fraction(1, 10_000):
        return f"The swapped video has {found.fps} frames per second, the original {original.fps}."
    return None


def _cancelled(opened: OpenAttempt, wall_s: float) -> StepOutcome:
    """What to store of an attempt that the user stopped; CPU and memory are not known."""
    logs = sorted(opened.folder.glob(f"*/{LOG_NAME}"))
    text = logs[-1].read_text("utf-8", "replace") if logs else ""
    tail = tuple(line[:TAIL_LINE_CHARS] for line in text.splitlines()[-TAIL_LINES:])
    return StepOutcome(
        status=Status.CANCELLED,
        reason="Stopped by the user; the same command continues.",
        exit_code=None,
        resources=Resources(wall_s=wall_s, cpu_s=0.0, peak_memory_bytes=0),
        log_tail=tail,
    )


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """Within the block SIGTERM raises KeyboardInterrupt, so the attempt is stored as cancelled.

    Python allows handlers in the main thread only; elsewhere nothing changes.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
