"""The score of a cohort from what was measured of its cells; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.model.cohort import Attack, Attacker, CellLeaks, DetectionSplit, Verification
from harness.model.video import WhichVideo
from harness.scoring.cohort.heads import (
    FEW_TEACHERS,
    LEAST_TEACHERS,
    Lesson,
    taught_trial,
    whitened_pca,
    within_head,
)
from harness.scoring.cohort.motion import motion_trial
from harness.scoring.cohort.nulls import nulls_of
from harness.scoring.cohort.rates import (
    LEAST_FOR_LINKABILITY,
    Calibration,
    calibrate,
    verify,
)
from harness.scoring.cohort.trials import (
    Array,
    Faces,
    FrameVectors,
    Halves,
    Member,
    Trial,
    by_actor,
    enrolments,
    naive_trial,
    split_trial,
)
from harness.scoring.leaks import FrameDistances, leak_profile

CROPS_SOURCE = "whitened PCA of aligned grey faces, self-trained"
MOTION_SOURCE = "mediapipe-blendshapes and head pose"

_EMBEDDING_BINS = np.linspace(0.0, 1.5, 31)
_DIRECTION_BINS = np.linspace(0.0, 2.0, 41)
_MOTION_BINS = np.linspace(0.0, 4.0, 41)

METHODS = {
    Attacker.NAIVE: "Gallery: the actors' original reference photos. Probes: all sampled frames.",
    Attacker.PARROT: "Gallery: the first part of the videos, passed through the same tool, with "
    "the same donor. Probes: the rest of the videos, after a gap.",
    Attacker.INFORMED: "As the parrot, by a head that learned from the gallery what varies within "
    "one person.",
    Attacker.MOTION: "Gallery: how faces move in the first part of the original videos. Probes: "
    "two-second segments of the rest, by action units and head pose.",
}
NAIVE_BY_CROPS = (
    "Gallery: the first part of the original videos. Probes: the rest. The recogniser learned from "
    "the first parts of all originals."
)


@dataclass(frozen=True)
class _Plan:
    """One attack: how it is made on either video, and how its distances are binned."""

    attacker: Attacker
    source: str
    trial: Callable[[WhichVideo], Trial]
    calibration: Callable[[], Trial]
    """The attack on originals, of which thresholds are taken: whoever the donors are."""
    bins: Array
    method: str = ""
    threshold: float | None = None
    notes: tuple[str, ...] = ()


def attacks(members: Sequence[Member], recogniser: str, threshold: float) -> tuple[Attack, ...]:
    """All attackers in turn. ``members``: the cells of one cohort that have a score."""
    plans = [
        _naive(members, recogniser, threshold),
        _parrot(members, recogniser),
        _informed(members, recogniser),
        _motion(members),
    ]
    if any(member.crops for member in members):
        plans += _by_crops(members)
    swapped = [plan.trial(WhichVideo.SWAPPED) for plan in plans]
    results = [_carry_out(plan, trial, members) for plan, trial in zip(plans, swapped, strict=True)]
    return _with_nulls(plans, swapped, results, members)


def _naive(members: Sequence[Member], recogniser: str, threshold: float) -> _Plan:
    def trial(video: WhichVideo = WhichVideo.ORIGINAL) -> Trial:
        return naive_trial(members, video)

    return _Plan(Attacker.NAIVE, recogniser, trial, trial, _EMBEDDING_BINS, threshold=threshold)


def _parrot(members: Sequence[Member], recogniser: str) -> _Plan:
    def trial(video: WhichVideo = WhichVideo.ORIGINAL, *, same_donor: bool = True) -> Trial:
        return split_trial(members, Halves(_faces(video), _faces(video), same_donor))

    def calibration() -> Trial:
        return trial(same_donor=False)

    return _Plan(Attacker.PARROT, recogniser, trial, calibration, _EMBEDDING_BINS)


def _informed(members: Sequence[Member], recogniser: str) -> _Plan:
    def trial(video: WhichVideo = WhichVideo.ORIGINAL, *, same_donor: bool = True) -> Trial:
        parts = Halves(_faces(video), _faces(video), same_donor)
        return taught_trial(members, parts, Lesson(enrolments(members, parts), within_head))

    def calibration() -> Trial:
        return trial(same_donor=False)

    source = f"{recogniser}, whitened within persons"
    notes = _few_teachers(members)
    return _Plan(Attacker.INFORMED, source, trial, calibration, _DIRECTION_BINS, notes=notes)


def _motion(members: Sequence[Member]) -> _Plan:
    def trial(video: WhichVideo = WhichVideo.ORIGINAL) -> Trial:
        return motion_trial(members, video)

    return _Plan(Attacker.MOTION, MOTION_SOURCE, trial, trial, _MOTION_BINS)


def _by_crops(members: Sequence[Member]) -> list[_Plan]:
    """The naive attacker and the parrot, by the eyes of the self-trained recogniser."""
    originals = Halves(_crops(WhichVideo.ORIGINAL), _crops(WhichVideo.ORIGINAL), same_donor=False)
    lesson = Lesson(enrolments(members, originals), whitened_pca, frames=20)

    def naive(video: WhichVideo = WhichVideo.ORIGINAL) -> Trial:
        parts = Halves(_crops(WhichVideo.ORIGINAL), _crops(video), same_donor=False)
        return taught_trial(members, parts, lesson)

    def parrot(video: WhichVideo = WhichVideo.ORIGINAL, *, same_donor: bool = True) -> Trial:
        return taught_trial(members, Halves(_crops(video), _crops(video), same_donor), lesson)

    def calibration() -> Trial:
        return parrot(same_donor=False)

    notes = _few_teachers(members)
    bins, text = _DIRECTION_BINS, NAIVE_BY_CROPS
    return [
        _Plan(Attacker.NAIVE, CROPS_SOURCE, naive, naive, bins, method=text, notes=notes),
        _Plan(Attacker.PARROT, CROPS_SOURCE, parrot, calibration, bins, notes=notes),
    ]


def _few_teachers(members: Sequence[Member]) -> tuple[str, ...]:
    actors = len(by_actor(members))
    if not LEAST_TEACHERS <= actors < FEW_TEACHERS:
        return ()
    return (f"It learned from {actors} actors: too few to show what it could do.",)


def _faces(video: WhichVideo) -> Faces:
    return lambda member: member.faces.get(video)


def _crops(video: WhichVideo) -> Faces:
    return lambda member: member.crops.get(video)


def _with_nulls(
    plans: Sequence[_Plan],
    swapped: Sequence[Trial],
    results: Sequence[Attack],
    members: Sequence[Member],
) -> tuple[Attack, ...]:
    known = [k for k, attack in enumerate(results) if attack.advantage is not None]
    computed = nulls_of([(swapped[k], plans[k].bins) for k in known], members)
    nulls = dict(zip(known, computed, strict=True))
    return tuple(
        attack.model_copy(
            update={
                "null": nulls[k].own,
                "best_null": nulls[k].best,
                "linkability_null": nulls[k].linkability,
            }
        )
        if k in nulls
        else attack
        for k, attack in enumerate(results)
    )


def _carry_out(plan: _Plan, swapped: Trial, members: Sequence[Member]) -> Attack:
    control = plan.trial(WhichVideo.ORIGINAL)
    calibration = calibrate(plan.calibration())
    return Attack(
        attacker=plan.attacker,
        source=plan.source,
        method=plan.method or METHODS[plan.attacker],
        threshold=plan.threshold,
        notes=plan.notes,
        control=_verified(control, calibration, plan),
        swapped=_verified(swapped, calibration, plan),
        reason=_why_not(plan, swapped, control, members),
    )


def _verified(trial: Trial, calibration: Calibration, plan: _Plan) -> Verification | None:
    if not trial.scored():
        return None
    return verify(trial, plan.bins, fixed=plan.threshold, calibration=calibration)


def _why_not(plan: _Plan, swapped: Trial, control: Trial, members: Sequence[Member]) -> str:
    """Reason why nobody could be identified in swapped videos; empty when somebody could."""
    actors = len(by_actor(members))
    if swapped.scored() and len(swapped.gallery) > 1:
        return ""
    if actors < 2:
        return "There is one actor only, so nobody can be distinguished from anybody else."
    if (
        plan.attacker is Attacker.INFORMED or plan.source == CROPS_SOURCE
    ) and actors < LEAST_TEACHERS:
        return f"It needs {LEAST_TEACHERS} actors to learn from, and there are {actors}."
    if plan.attacker in (Attacker.PARROT, Attacker.INFORMED):
        donors = Counter(donor for donor, _ in {(m.donor, m.actor) for m in members})
        if max(donors.values()) < 2:
            return "No two actors were given the same donor, so only donors could be distinguished."
    if control.scored():
        return "Not detected: too few swapped frames show a face that could be compared."
    return "The videos are too short, or show a face for too short, to be compared."


def worst_of(results: Sequence[Attack]) -> int | None:
    """The attack with the largest advantage; of equals the larger area under the curve, then the
    simpler one. None where nobody could be identified."""
    ranked = [
        (attack.advantage, attack.swapped.auc.rate or 0.0, -place)
        for place, attack in enumerate(results)
        if attack.swapped is not None and attack.advantage is not None
    ]
    return -max(ranked)[2] if ranked else None


def detection_split(
    members: Sequence[Member], video: WhichVideo, threshold: float, detector: str
) -> DetectionSplit | None:
    """Matched, hidden and not detected, over the frames asked of each actor; None without any.

    ``detector`` names what ``seen_elsewhere`` comes from.
    """
    rows = []
    for own in by_actor(members).values():
        splits = [split for m in own if (split := _split(m, video, threshold)) is not None]
        if splits:
            rows.append(np.mean(splits, axis=0))
    if not rows:
        return None
    matched, hidden, lost, still = (float(x) for x in np.mean(rows, axis=0))
    looked = bool(np.isfinite(still))
    return DetectionSplit(
        actors=len(rows),
        matched=matched,
        hidden=hidden,
        not_detected=lost,
        detector=detector if looked else None,
        still_a_face=still if looked else None,
    )


def _split(member: Member, video: WhichVideo, threshold: float) -> Array | None:
    """Shares of a cell's frames: matched, hidden, not detected, and seen by the other detector
    only (NaN where it has not looked)."""
    seen = _study(member, video)
    if not len(seen.frames):
        return None
    usable = seen.usable
    near = np.linalg.norm(seen.faces() - member.reference, axis=1) <= threshold
    matched = float(near.sum()) / len(usable)
    used = float(usable.mean())
    return np.array([matched, used - matched, 1 - used, _still_seen(member, video)])


def _still_seen(member: Member, video: WhichVideo) -> float:
    """Of the frames that both looked at, the share where only the second detector sees a face;
    NaN where there are none."""
    seen = _watched(member, video)
    elsewhere = member.seen_elsewhere.get(video, {})
    still = [
        elsewhere[int(frame)] and not usable
        for frame, usable in zip(seen.frames, seen.usable, strict=True)
        if int(frame) in elsewhere
    ]
    return float(np.mean(still)) if still else float("nan")


def _study(member: Member, video: WhichVideo) -> FrameVectors:
    """The sampled frames, with the faces that the study finds."""
    return member.study.get(video, member.faces[video])


def _watched(member: Member, video: WhichVideo) -> FrameVectors:
    """All frames in which the study looks for faces."""
    return member.watched.get(video, _study(member, video))


def calibrated_leaks(members: Sequence[Member], results: Sequence[Attack]) -> tuple[CellLeaks, ...]:
    """Leaks of every cell at the smallest FAR that the cohort's impostor pairs resolve; faces are
    those that the study finds, for thresholds too."""
    far = smallest_far(results)
    if far is None:
        return ()
    as_found = [replace(member, faces=member.study or member.faces) for member in members]
    thresholds = calibrate(naive_trial(as_found, WhichVideo.ORIGINAL)).thresholds.get(far, {})
    return tuple(
        CellLeaks(
            cell_id=member.cell_id,
            actor=member.actor,
            far=far,
            leaks=leak_profile(
                frame_distances(_watched(member, WhichVideo.SWAPPED), member.reference),
                thresholds[member.actor],
            ),
        )
        for member in members
        if member.actor in thresholds
    )


def smallest_far(results: Sequence[Attack]) -> float | None:
    """The smallest FAR at which the first attacker, the naive one, has a threshold."""
    control = results[0].control if results else None
    known = [rate for rate in control.at_far if rate.threshold] if control else []
    return min((rate.far for rate in known), default=None)


def frame_distances(seen: FrameVectors, reference: Array) -> FrameDistances:
    """Of every frame that was looked at, as ``leak_profile`` takes them."""
    distances = np.linalg.norm(seen.vectors - reference, axis=1)
    return FrameDistances(
        frames=tuple(int(frame) for frame in seen.frames),
        distances=tuple(float(d) if np.isfinite(d) else None for d in distances),
        total=seen.total,
        fps=seen.fps,
    )


def remarks(members: Sequence[Member], results: Sequence[Attack]) -> tuple[str, ...]:
    """Remarks on what could not be computed, and why, as sentences."""
    actors = len(by_actor(members))
    notes = []
    if actors == 1:
        notes.append(
            "One actor: whether this person can be distinguished from others cannot be computed, "
            "and no threshold can be calibrated. Only the fixed threshold is left."
        )
    elif smallest_far(results) is None:
        control = results[0].control
        why = control.at_far[0].tar.reason if control and control.at_far else ""
        notes.append(f"No threshold can be calibrated. {why}".strip())
    if 1 < actors < LEAST_FOR_LINKABILITY:
        notes.append(
            f"Linkability (D_sys) needs {LEAST_FOR_LINKABILITY} actors, and there are {actors}."
        )
    compared = set(results[0].swapped.actors) if results and results[0].swapped else set()
    lost = [str(actor) for actor in by_actor(members) if actor not in compared]
    if lost:
        notes.append(
            f"Nothing sees a face in any swapped frame, so in no rate of recognition: actor"
            f"{'s' * (len(lost) > 1)} {', '.join(lost)}."
        )
    return tuple(notes)
