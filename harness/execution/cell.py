"""Runs one cell: at most once, every try stored, a result published only when it is sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UnusableInputError, UsageError
from harness.core.hashing import file_sha256
from harness.core.host import host
from harness.core.signals import StoppedError
from harness.execution.outcomes import CellOutcome
from harness.execution.requests import RunCell, WorkContext
from harness.model.cell import Attempt, CellSpec, Resources, Status
from harness.model.dataset import MediaRef
from harness.model.job import PREVIEWS_NAME, SWAPPED_NAME, Job, Role, Step, StepReport
from harness.model.tool import Tool
from harness.model.video import VideoInfo
from harness.store.cells import CellStore, OpenAttempt, disk_errors, utc_now
from harness.store.media import MediaStore
from harness.tools.runtime.base import CANCELLED_REASON, Control, Runtime, StepOutcome
from harness.tools.runtime.swapped import video_fault

_SIGNAL_S = 0.3
"""Within this time a signal to the whole process group has reached this process."""


def run_cell(request: RunCell, context: WorkContext) -> CellOutcome:
    """Run one cell unless it has a result already.

    A cell that another process holds is ``busy``, unless ``request.wait``. What goes wrong in the
    tool is an outcome and a stored attempt. Raises StoppedError once the attempt that
    ``context.stop`` ended is stored as ``cancelled``, UsageError or UnusableInputError when the
    cell lacks an input that the tool needs, UnfitMachineError when nothing here runs the tool,
    StoreError when the disk refuses.
    """
    spec, tool = request.spec, request.tool
    store = CellStore(context.home)
    if done := _reusable(store, spec, request.known):
        return done
    runtime = context.select_runtime(tool)
    inputs = collect_inputs(spec, tool, MediaStore(context.home))
    with store.lock(spec, wait=context.stop if request.wait else None) as held:
        if not held:
            if context.stop.is_set():
                raise StoppedError
            return CellOutcome(cell_id=spec.id, status=Status.INFRA_ERROR, busy=True)
        if done := _reusable(store, spec, request.known):
            return done
        with disk_errors(store.folder(spec)):
            return _HeldCell(store, spec, tool, context, runtime, inputs).until_settled()


def previews_in(attempt: Path) -> list[Path]:
    """The pictures that a training left in an attempt's folder, by iteration."""
    found = attempt.glob(f"*-{Step.TRAIN}/out/{PREVIEWS_NAME}/*.jpg")
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def _reusable(store: CellStore, spec: CellSpec, known: int | None) -> CellOutcome | None:
    """The outcome that is there already: a result, or another process's try of just now."""
    store.mend(spec)
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
class _HeldCell:
    """A cell being run, with its lock held."""

    store: CellStore
    spec: CellSpec
    tool: Tool
    context: WorkContext
    runtime: Runtime
    inputs: Mapping[Role, str]

    def until_settled(self) -> CellOutcome:
        """Try until something other than ``infra_error`` comes of it, or retries are used up."""
        outcome = self._attempt()
        for retry in range(self.context.infra_retries):
            if outcome.status is not Status.INFRA_ERROR:
                break
            if self.context.stop.wait(self.context.backoff_s * 2**retry):
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
        control = Control(self.context.listen, self.context.stop)
        return self.runtime.run(self.tool, job, folder.absolute(), control)

    def _checked(self, last: StepOutcome, opened: OpenAttempt) -> StepOutcome:
        """The last step's outcome, or ``bad_output`` when the video it left cannot be used."""
        if last.status is not Status.OK:
            return last
        swapped = self._swapped(opened)
        fault = video_fault(swapped, self._original())
        if fault is None and last.video_sha256 not in (None, file_sha256(swapped)):
            fault = (
                f"The driver's {SWAPPED_NAME} changed after the driver had ended: a process that "
                "it left behind still writes."
            )
        if fault is None:
            return last
        status = Status.BAD_OUTPUT
        # Ctrl-C reaches the FFmpeg that looks at the video as well, and may end it first.
        if self.context.stop.wait(_SIGNAL_S):
            status, fault = Status.CANCELLED, CANCELLED_REASON
        return last.model_copy(update={"status": status, "reason": fault, "report": None})

    def _swapped(self, opened: OpenAttempt) -> Path:
        steps = self.tool.steps
        return opened.folder / f"{len(steps)}-{steps[-1]}" / "out" / SWAPPED_NAME

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
                self.spec,
                attempt,
                swapped,
                attempt.steps,
                previews_in(opened.folder),
                sha256=final.video_sha256,
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
            environment=tuple(sorted({name for step in done for name in step.environment})),
            deleted=tuple(
                f"{step}/{name}"
                for step, outcome in zip(self.tool.steps, done, strict=False)
                for name in outcome.deleted
            ),
        )


def collect_inputs(spec: CellSpec, tool: Tool, media: MediaStore) -> dict[Role, str]:
    """The paths of what the tool needs.

    Raises UsageError for a missing donor, UnusableInputError for missing training material,
    StoreError for a media file that is gone.
    """
    return {role: str(_input_path(role, spec, tool, media)) for role in tool.needs}


_OF_DONOR = {Role.DONOR_REFERENCE, Role.DONOR_TRAINING, Role.DONOR_TEST}


def _input_path(role: Role, spec: CellSpec, tool: Tool, media: MediaStore) -> Path:
    if role is Role.FACE_LANDMARKER:
        from harness.vision.assets import face_landmarker_path

        return face_landmarker_path(media.home)
    if role is Role.GALLERY:
        if not spec.gallery:
            raise UsageError(f"{tool.name} needs a gallery, but the cell {spec.slug} names none.")
        return media.gallery(spec.gallery)
    donor = spec.donor
    if donor is None and role in _OF_DONOR:
        raise UsageError(
            f"{tool.name} puts on a donor's face, but the cell {spec.slug} names no donor.",
            hint="Add --donor NAME; `bench data list` shows the donors.",
        )
    inputs: dict[Role, MediaRef | None] = {
        Role.TEST_VIDEO: spec.actor.test,
        Role.ACTOR_REFERENCE: spec.actor.reference,
        Role.ACTOR_TRAINING: spec.actor.training,
        Role.DONOR_REFERENCE: donor.reference if donor else None,
        Role.DONOR_TRAINING: donor.training if donor else None,
        Role.DONOR_TEST: donor.test if donor else None,
    }
    reference = inputs[role]
    if reference is None:
        whose = f"donor {donor.name}" if donor and role in _OF_DONOR else "actor"
        part = "test" if role is Role.DONOR_TEST else "training"
        raise UnusableInputError(
            f"{tool.name} needs {part} video of the {whose}, and dataset {spec.dataset} has none "
            f"for the cell {spec.slug}.",
            hint=f"Add clips with `part: {part}` to the dataset's manifest.",
        )
    return media.path(reference)
