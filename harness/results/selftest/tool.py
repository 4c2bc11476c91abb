"""A short real run of one tool on the sample clips, on the user's own machine.

It has a store of its own below ``$BENCH_HOME/selftest``, so it neither finds nor leaves a result
among the user's. Training and test show the same take: the score proves that everything works,
and nothing about the tool.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.core.errors import BenchError, UsageError
from harness.core.host import Host, host
from harness.core.paths import make_guest
from harness.core.trees import remove_tree
from harness.datasets.sample import fetch_sample, load_sample
from harness.execution.lanes import local_runtimes
from harness.execution.outcomes import StudyOutcome
from harness.execution.pipeline import Goal, RunOptions, run_study
from harness.execution.resolve import find_images
from harness.model.cell import Status
from harness.model.dataset import Dataset, Part
from harness.model.job import Event, Limits, Role, Setting, Step
from harness.model.score import Comparison
from harness.model.suite import PlannedCell, Suite, SuiteProtocol, ToolEntry
from harness.model.tool import Tool
from harness.planning.plan import actor_as_donor
from harness.planning.study import Study
from harness.results.selftest.watched import StepSeen, WatchedRuntime
from harness.store.cells import CellStore, utc_now
from harness.store.media import MediaStore
from harness.tools.images.labels import BuiltImage
from harness.tools.registry import find_config, resolve_settings

ACTOR, OTHER_ACTOR = 3, 2
FRAMES = 24
"""Few frames are scored: that they can be is the question."""
INTERVAL = "train_interval"
"""The sample's clips are short, so training looks at every frame where it may be said."""


@dataclass(frozen=True)
class Ask:
    """The tool to test, and how."""

    tool: Tool
    version: str
    config: str
    cpu: bool = False
    """No GPU is used."""


@dataclass(frozen=True)
class Voice:
    """Receivers of what the self-test sees: lines of their own, or what moves within a step."""

    say: Callable[[str], None]
    tick: Callable[[str], None]


class Report(Frozen):
    """Observations of a self-test; a user can attach them to an issue."""

    schema_version: int = SCHEMA_VERSION
    tool: str
    version: str
    config: str
    settings: dict[str, Setting] = {}
    limits: Limits | None = None
    host: Host
    started_at: str
    ended_at: str
    status: str
    """A cell's status, or ``not_run`` when something was missing before the first step."""
    reason: str
    image: BuiltImage | None = None
    steps: tuple[StepSeen, ...] = ()
    frames_original: int | None = None
    frames_output: int | None = None
    previews: int = 0
    score: dict[str, float | None] | None = None
    score_reason: str = ""
    """Reason for the lack of a score; empty with one."""

    @property
    def passed(self) -> bool:
        return self.status == Status.OK and self.score is not None


@dataclass
class _Notes:
    """Facts known so far, in the report's own fields."""

    ask: Ask
    started_at: str = field(default_factory=utc_now)
    known: dict[str, Any] = field(default_factory=dict)

    def report(self, status: str, reason: str) -> Report:
        return Report(
            tool=self.ask.tool.name,
            version=self.ask.version,
            config=self.ask.config,
            host=host(),
            started_at=self.started_at,
            ended_at=utc_now(),
            status=status,
            reason=reason,
            **self.known,
        )


def choose(tool: Tool, version: str | None, config: str | None, *, cpu: bool = False) -> Ask:
    """The newest version, and the config ``smoke`` where one fits, unless stated otherwise.

    Raises UsageError for a version or config that the tool lacks, and for an observer.
    """
    if tool.steps == (Step.OBSERVE,):
        raise UsageError(
            f"{tool.name} is an observer: it makes no video that could be looked at here.",
            hint=f"`bench tools check {tool.name}` checks it; `bench observe --help` runs it.",
        )
    chosen = version or tool.versions[-1]
    if chosen not in tool.versions:
        raise UsageError(
            f"{tool.name} has no version '{chosen}'; it has {', '.join(tool.versions)}.",
            hint=f"See `bench tools show {tool.name}`.",
        )
    fitting = [
        config.name for config in tool.configs if not config.versions or chosen in config.versions
    ]
    name = config or ("smoke" if "smoke" in fitting else "default")
    find_config(tool, name, chosen)
    return Ask(tool, chosen, name, cpu)


def self_test(ask: Ask, home: Path, voice: Voice) -> tuple[Report, BenchError | None]:
    """Run the tool once and score its video. What is missing is said in the report, and returned.

    The run's store is kept below ``home`` when the tool failed, so that its log can be read.
    Raises KeyboardInterrupt after the run has been ended and its store removed.
    """
    notes = _Notes(ask)
    place = home / "selftest" / f"{ask.tool.name}-{uuid.uuid4().hex[:8]}"
    passed = interrupted = False
    try:
        report = _run(notes, home, place, voice)
        passed = report.passed
    except BenchError as error:
        return notes.report("not_run", str(error)), error
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        if passed or interrupted or not (place / "cells").is_dir():
            with suppress(OSError):
                remove_tree(place)
        else:
            voice.say(f"the logs are kept in {place / 'cells'}")
    return report, None


def sample_of(home: Path) -> Dataset:
    """The sample, with all of actor 3's training clip: the last seconds are in the test too."""
    dataset = load_sample(home)
    actors = []
    for actor in dataset.actors:
        if actor.number == ACTOR:
            clips = [
                clip.model_copy(update={"span": None}) if clip.part is Part.TRAINING else clip
                for clip in actor.clips
            ]
            actor = actor.model_copy(update={"clips": tuple(clips)})
        actors.append(actor)
    return dataset.model_copy(update={"actors": tuple(actors)})


def _run(notes: _Notes, home: Path, place: Path, voice: Voice) -> Report:
    ask = notes.ask
    fetch_sample(home, False, lambda event: _hear(event, voice))
    study = _study(ask, home, place)
    planned = _planned(study, ask)
    notes.known |= {"settings": planned.settings, "limits": planned.limits}
    voice.say(f"{ask.tool.name}@{ask.version}, config {ask.config}, actor {planned.actor}")
    images = find_images([planned], study.tools, place, voice.say, cpu=ask.cpu)
    if images:
        notes.known["image"] = image = _image(ask.tool, images[ask.tool.name, ask.version])
        if image is not None:
            voice.say(f"image {image.id[:19]}, built of {image.source} at {image.revision}")
    kind = ask.tool.runs_as.kind
    watched = WatchedRuntime(
        local_runtimes(place, 1, cpu=ask.cpu)[kind], lambda step: voice.say(f"step {step} began")
    )
    options = RunOptions(
        voice.say,
        jobs=1,
        planned=[planned],
        goal=Goal.SCORES,
        images=images,
        runtimes={kind: watched},
        infra_retries=0,
        heard=lambda spec, event: _hear(event, voice),
    )
    try:
        outcome = run_study(study, options)
    finally:
        notes.known["steps"] = tuple(watched.seen)
    (cell,) = outcome.cells
    if cell.status is Status.OK:
        _look_at_output(notes, outcome, place)
    return notes.report(cell.status.value, cell.attempt.reason if cell.attempt else "")


def _study(ask: Ask, home: Path, place: Path) -> Study:
    make_guest(place, home)
    entry = ToolEntry(tool=ask.tool.name, version=ask.version, config=ask.config)
    protocol = SuiteProtocol(frames=FRAMES)
    suite = Suite(name="selftest", tools=(entry,), actors=str(ACTOR), protocol=protocol)
    return Study(suite, sample_of(place), {ask.tool.name: ask.tool}, place)


def _planned(study: Study, ask: Ask) -> PlannedCell:
    (planned,) = study.plan()
    change: dict[str, Any] = {}
    if Role.DONOR_TRAINING in ask.tool.needs:
        # The sample's donors are photos; the other actor's clips can be trained on.
        other = next(actor for actor in study.dataset.actors if actor.number == OTHER_ACTOR)
        change["donor"] = actor_as_donor(other).name
    if INTERVAL in planned.settings:
        change["settings"] = resolve_settings(ask.tool, ask.config, {INTERVAL: "1"})
    return planned.model_copy(update=change)


def _image(tool: Tool, digest: str) -> BuiltImage | None:
    from harness.tools.engine import connect
    from harness.tools.images.find import list_images

    with connect() as engine:
        return next((image for image in list_images(engine, tool.name) if image.id == digest), None)


def _look_at_output(notes: _Notes, outcome: StudyOutcome, place: Path) -> None:
    from harness.media.probe import probe

    (spec,), (cell,), (scored,) = outcome.resolved.specs, outcome.cells, outcome.scores
    assert cell.result is not None
    notes.known |= {
        "frames_original": probe(MediaStore(place).path(spec.actor.test)).frames,
        "frames_output": probe(CellStore(place).swapped_path(spec)).frames,
        "previews": len(cell.result.previews),
    }
    notes.known["score_reason"] = scored.reason
    if scored.score is None:
        return
    compared = scored.score.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    pccs: Sequence[float | None] = [source.mean_pcc for source in scored.score.attributes]
    notes.known["score"] = {
        "sw_or_mean": compared.mean,
        "fta": compared.fta,
        "mean_pcc": pccs[0] if pccs else None,
    }


def _hear(event: Event, voice: Voice) -> None:
    if event.text:
        voice.say(event.text)
    elif event.done is not None and event.total:
        voice.tick(f"{event.done:.0f} of {event.total:.0f} {event.unit or ''}")
    elif event.values:
        voice.tick(", ".join(f"{name} {value:z.4g}" for name, value in event.values.items()))
