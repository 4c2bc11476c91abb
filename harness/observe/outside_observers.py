"""Observers that are programs of their own: run once for each video's content.

Their adapters are found under the entry point group ``bench.observers`` and have the step
``observe``. What such a tool leaves is brought in by the reader that its description names, as a
file that a user made by hand would be.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.core.errors import UnusableInputError
from harness.core.signals import StoppedError
from harness.core.trees import remove_tree
from harness.model.cell import Status
from harness.model.job import OBSERVATION_NAME, Job, Limits, Role, Step
from harness.model.video import VideoRef
from harness.observe.readers import OutputReader, reader_of
from harness.store.atomic import write_bytes
from harness.store.observations import ObservationStore
from harness.store.records import DamagedError, read_record, set_aside, write_record
from harness.store.tables import store_sentences
from harness.tools.registry import resolve_settings
from harness.tools.runtime.base import LOG_NAME, Control, Runtime, StepOutcome

if TYPE_CHECKING:
    from harness.model.tool import Tool

LIMITS = Limits(wall_s=4 * 3600.0)
"""An observer takes about as long as the video lasts, and several times that on a slow machine."""

_POLL_S = 0.2
_SETTLED = {Status.TOOL_ERROR, Status.BAD_OUTPUT, Status.TIMEOUT, Status.OOM}
"""Failures that the same image would repeat; others are tried again at the next call."""


class Failure(Frozen):
    """A measurement that failed, kept so that it is not repeated for every score."""

    schema_version: int = SCHEMA_VERSION
    observer: str
    version: str
    image_digest: str | None
    status: Status
    reason: str
    """A sentence."""
    log_tail: tuple[str, ...]


class ObserverOutcome(Frozen):
    """Result of measuring one video."""

    status: Status
    reason: str
    """A sentence; for ``ok``, ``done``."""
    path: Path | None = None
    """The stored observation; present exactly when ``status`` is ``ok``."""
    log: Path | None = None
    """The whole log of a failure."""
    log_tail: tuple[str, ...] = ()
    reused: bool = False
    """True when nothing was run: it was there, or had failed with the same image before."""


@dataclass(frozen=True)
class ObserverPlace:
    """Place and manner in which an observer runs."""

    home: Path
    runtime: Runtime
    image_digest: str | None = None
    limits: Limits = LIMITS
    control: Control = field(default_factory=Control)


def earlier_outcome(
    observer: Tool, sha256: str, home: Path, image_digest: str | None
) -> ObserverOutcome | None:
    """Earlier result of ``observer`` on a video, or failure of the same image; None when it is to
    be run.

    Raises as ``run_observer`` for an observer that nothing here reads.
    """
    return _kept(observer, sha256, home).outcome(image_digest)


def run_observer(observer: Tool, video: VideoRef, place: ObserverPlace) -> ObserverOutcome:
    """Measure a video with ``observer`` and store what it found, unless it is there already.

    Of two processes that want the same video one runs the observer, the other waits. What goes
    wrong in the tool is reported in what is returned, and kept. Raises UsageError for an observer
    whose output nothing here reads, StoppedError when ``place.control.stop`` is set,
    UnusableInputError for a video that cannot be probed, StoreError when the disk refuses, and as
    the runtime does.
    """
    kept = _kept(observer, video.sha256, place.home)
    if earlier := kept.outcome(place.image_digest):
        return earlier
    with _locked(kept.path, place.control.stop):
        return kept.outcome(place.image_digest) or _Work(observer, video, place, kept).run()


def _kept(observer: Tool, sha256: str, home: Path) -> _Kept:
    reader = reader_of(observer)
    return _Kept(reader, reader.path(ObservationStore(home), sha256))


@dataclass(frozen=True)
class _Kept:
    """Content of the store about one video by one observer: its observation, or a failure."""

    reader: OutputReader
    path: Path
    """The observation's file."""

    def outcome(self, image_digest: str | None) -> ObserverOutcome | None:
        """The stored observation, or a failure of the same image."""
        if self.path.exists():
            return ObserverOutcome(status=Status.OK, reason="done", path=self.path, reused=True)
        failure = self._failure()
        if failure is None or failure.image_digest != image_digest:
            return None
        return self.failed(failure, reused=True)

    def failed(self, failure: Failure, *, reused: bool) -> ObserverOutcome:
        """The outcome that a failure is."""
        log = self.sibling(".log")
        return ObserverOutcome(
            status=failure.status,
            reason=failure.reason,
            log=log if log.exists() else None,
            log_tail=failure.log_tail,
            reused=reused,
        )

    def _failure(self) -> Failure | None:
        """The stored failure; one that cannot be read counts as none."""
        path = self.sibling(".failed.json")
        try:
            return read_record(path, Failure)
        except FileNotFoundError:
            return None
        except DamagedError as error:
            set_aside(path, str(error))
            return None

    def sibling(self, ending: str) -> Path:
        """A path alongside the observation: hidden when it is unfinished work."""
        hidden = "." if ending.endswith(".part") else ""
        return self.path.with_name(f"{hidden}{self.path.stem}{ending}")


@dataclass(frozen=True)
class _Work:
    """One video that one observer measures now."""

    observer: Tool
    video: VideoRef
    place: ObserverPlace
    kept: _Kept

    def run(self) -> ObserverOutcome:
        """Run the observer and bring in what it left. Call it with the lock held."""
        from harness.media.probe import probe

        frames = probe(self.video.path).frames
        folder = self.kept.sibling(".run.part")
        with suppress(OSError):
            remove_tree(folder)
        try:
            with store_sentences(folder):
                folder.mkdir(parents=True)
            outcome = self._step(folder)
            if outcome.status is Status.OK:
                outcome = self._bring_in(outcome, folder / "out" / OBSERVATION_NAME, frames)
            return self._keep(outcome, folder / LOG_NAME)
        finally:
            with suppress(OSError):
                remove_tree(folder)

    def _step(self, folder: Path) -> StepOutcome:
        job = Job(
            step=Step.OBSERVE,
            tool=self.observer.name,
            version=self.observer.versions[-1],
            image_digest=self.place.image_digest,
            inputs={Role.VIDEO: str(self.video.path.absolute())},
            state=str((folder / "state").absolute()),
            out=str((folder / "out").absolute()),
            settings=resolve_settings(self.observer, "default", {}),
            limits=self.place.limits,
        )
        runtime, control = self.place.runtime, self.place.control
        with store_sentences(folder):
            return runtime.run(self.observer, job, folder.absolute(), control)

    def _bring_in(self, outcome: StepOutcome, csv: Path, frames: int) -> StepOutcome:
        """The outcome, or ``bad_output`` when the file is not what it should be."""
        try:
            self.kept.reader.bring_in(csv, self.video.sha256, frames, self.place.home)
        except UnusableInputError as error:
            change = {"status": Status.BAD_OUTPUT, "reason": error.message, "report": None}
            return outcome.model_copy(update=change)
        return outcome

    def _keep(self, outcome: StepOutcome, log: Path) -> ObserverOutcome:
        """Store a failure with its log, or remove an older one."""
        kept = self.kept.sibling(".failed.json"), self.kept.sibling(".log")
        if outcome.status is Status.OK:
            for path in kept:
                path.unlink(missing_ok=True)
            return ObserverOutcome(status=Status.OK, reason="done", path=self.kept.path)
        if outcome.status is Status.CANCELLED:
            raise StoppedError
        failure = Failure(
            observer=self.observer.name,
            version=self.observer.versions[-1],
            image_digest=self.place.image_digest,
            status=outcome.status,
            reason=outcome.reason,
            log_tail=outcome.log_tail,
        )
        with suppress(FileNotFoundError), store_sentences(log):
            write_bytes(kept[1], log.read_bytes())
        if outcome.status in _SETTLED:
            write_record(kept[0], failure)
        return self.kept.failed(failure, reused=False)


@contextmanager
def _locked(path: Path, stop: threading.Event) -> Iterator[None]:
    """Hold an exclusive lock alongside ``path``; another process's measurement may take long, so
    waiting for it can be stopped. Raises StoppedError.
    """
    with store_sentences(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = (path.parent / f".{path.name}.lock").open("w")
    with stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if stop.wait(_POLL_S):
                    raise StoppedError from None
        yield
