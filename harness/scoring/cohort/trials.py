"""From actors' videos to comparisons of probes with a gallery; pure, for every attacker alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.model.video import WhichVideo

Array = NDArray[np.float64]

LEAST_FRAMES = 20
"""A shorter video is not divided into enrolment and probes."""
GUARD_S = 1.0
"""Left out between the two parts, but never more than a tenth of the video: neighbouring frames
are nearly copies."""


@dataclass(frozen=True)
class FrameVectors:
    """Measurements of the frames of a video that were looked at."""

    frames: NDArray[np.int64]
    """Ascending."""
    vectors: Array
    """Frames x numbers; a row of NaN where no face was found."""
    total: int
    """Frames in the video."""
    fps: float
    sources: NDArray[np.str_] | None = None
    """Detector of the face of each frame (a ``ProbeSource``); None where there is only one."""

    @property
    def usable(self) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(self.vectors).all(axis=1))

    def part(self, chosen: NDArray[np.bool_]) -> FrameVectors:
        """Measurements of some of the frames."""
        sources = None if self.sources is None else self.sources[chosen]
        return FrameVectors(
            self.frames[chosen], self.vectors[chosen], self.total, self.fps, sources
        )

    def faces(self) -> Array:
        """The vectors of the frames that have a face."""
        return self.vectors[self.usable]

    def seen_by(self) -> Counter[str]:
        """Number of the faces that each source sees; empty where only one thing looks."""
        return Counter() if self.sources is None else Counter(self.sources[self.usable].tolist())


@dataclass(frozen=True)
class Member:
    """One cell of a cohort. ``faces`` (of the sampled frames, as attackers see them), ``crops`` and
    ``motion`` are by video; the optional ones are empty where that was not observed. ``reference``
    is the embedding of the actor's photo. ``study`` has the faces of the sampled frames as the
    study finds them (those of ``faces`` where it is empty), ``watched`` those of all frames in
    which it looks for them.
    """

    cell_id: str
    actor: int
    donor: str | None
    reference: Array
    faces: Mapping[WhichVideo, FrameVectors]
    motion: Mapping[WhichVideo, FrameVectors] = field(default_factory=dict)
    crops: Mapping[WhichVideo, FrameVectors] = field(default_factory=dict)
    seen_elsewhere: Mapping[WhichVideo, Mapping[int, bool]] = field(default_factory=dict)
    """Frame to whether a second detector sees the face, for the frames that it looked at."""
    study: Mapping[WhichVideo, FrameVectors] = field(default_factory=dict)
    watched: Mapping[WhichVideo, FrameVectors] = field(default_factory=dict)


class Probe(NamedTuple):
    """One actor's probes (of all the actor's cells) against every face of the gallery."""

    actor: int
    distances: Array
    """Usable probes x gallery; NaN where the two are not compared."""
    asked: int
    sources: Mapping[str, int] = MappingProxyType({})
    """Number of the usable ones that each source sees; empty where only one thing looks."""


@dataclass(frozen=True)
class Trial:
    """Probes and gallery that an attacker compares on one kind of video."""

    gallery: tuple[int, ...]
    """Actor whose face each column is."""
    probes: tuple[Probe, ...]

    def scored(self) -> tuple[Probe, ...]:
        """The actors who have a probe that is compared with their own face."""
        scored = []
        for probe in self.probes:
            if probe.actor in self.gallery:
                own = probe.distances[:, self.gallery.index(probe.actor)]
                scored.append(probe._replace(distances=probe.distances[np.isfinite(own)]))
        return tuple(probe for probe in scored if len(probe.distances))

    def mated(self) -> list[Array]:
        """Distances of each actor's probes to the actor's own face."""
        return [p.distances[:, self.gallery.index(p.actor)] for p in self.scored()]

    def others(self, probe: Probe) -> list[Array]:
        """Distances of one actor's probes to every other face, a group for each person."""
        columns = [i for i, actor in enumerate(self.gallery) if actor != probe.actor]
        distances = [probe.distances[:, i] for i in columns]
        return [values[np.isfinite(values)] for values in distances]

    def non_mated(self) -> list[Array]:
        """Distances of each actor's probes to every other face, a group for each pair."""
        return [values for probe in self.scored() for values in self.others(probe)]

    def without(self, actor: int) -> Trial:
        """The trial as if ``actor`` had not taken part."""
        columns = [i for i, other in enumerate(self.gallery) if other != actor]
        return Trial(
            tuple(self.gallery[i] for i in columns),
            tuple(
                p._replace(distances=p.distances[:, columns])
                for p in self.probes
                if p.actor != actor
            ),
        )


def enrolment_end(total: int, fps: float) -> tuple[int, int] | None:
    """(first frame after the enrolment, first frame of the probes) of a video; None for one that
    is too short to be divided.
    """
    if total < LEAST_FRAMES:
        return None
    guard = max(1, min(round(GUARD_S * fps), total // 10))
    end = (total - guard) // 2
    return end, end + guard


def halves(seen: FrameVectors) -> tuple[FrameVectors, FrameVectors]:
    """The enrolment and the probes of a video; both empty for one that is too short."""
    where = enrolment_end(seen.total, seen.fps)
    end, start = where or (0, seen.total)
    return seen.part(seen.frames < end), seen.part(seen.frames >= start)


def euclidean(probes: Array, gallery: Array) -> Array:
    """Distances, probes x gallery, to nine decimals: what is equal but for rounding must tie."""
    columns = [np.linalg.norm(probes - face, axis=1) for face in gallery]
    return np.round(np.stack(columns, axis=1), 9)


def naive_trial(members: Sequence[Member], video: WhichVideo) -> Trial:
    """A0: all frames of the video against the actors' reference photos."""
    photos = {member.actor: member.reference for member in members}
    probes = {actor: [m.faces[video] for m in own] for actor, own in by_actor(members).items()}
    return _against(photos, probes)


Faces = Callable[[Member], FrameVectors | None]
"""Faces of a member to compare; None where they were not observed."""


@dataclass(frozen=True)
class Halves:
    """Choice of the earlier parts to enrol and the later parts to probe."""

    enrolled: Faces
    probed: Faces
    same_donor: bool
    """True when a probe is compared only with faces that were given the same donor: what differs
    between donors says nothing of the actors."""


Compare = Callable[[Array, Array], Array]
"""Probes (n x d) and the gallery's faces (m x d) to distances (n x m)."""


def split_trial(members: Sequence[Member], parts: Halves, compare: Compare = euclidean) -> Trial:
    """The later part of each video against the earlier ones; of several frames of one person the
    mean is enrolled. A probe that is comparable with nobody but its own actor is left out.
    """
    enrolled = enrolments(members, parts)
    return Trial(
        tuple(enrolled),
        tuple(_probe_of(own, enrolled, parts, compare) for own in by_actor(members).values()),
    )


Enrolled = dict[int, dict[str | None, Array]]
"""Actor to donor to the vectors of the enrolled frames."""


def enrolments(members: Sequence[Member], parts: Halves) -> Enrolled:
    """The first parts; without actors whose face is not seen in theirs. Under one donor, None,
    where donors make no difference."""
    enrolled: Enrolled = {}
    for actor, own in by_actor(members).items():
        faces: dict[str | None, Array] = {}
        for member in own:
            seen = parts.enrolled(member)
            early = halves(seen)[0].faces() if seen else np.empty((0, 0))
            if len(early):
                faces[member.donor if parts.same_donor else None] = early
        if faces:
            enrolled[actor] = faces
    return enrolled


def _probe_of(own: Sequence[Member], enrolled: Enrolled, parts: Halves, compare: Compare) -> Probe:
    """The probes of one actor's cells against the gallery."""
    rows, asked, sources = [], 0, Counter[str]()
    for member in own:
        seen = parts.probed(member)
        if seen is None:
            continue
        later = halves(seen)[1]
        asked += len(later.frames)
        donor = member.donor if parts.same_donor else None
        known = {actor: faces[donor] for actor, faces in enrolled.items() if donor in faces}
        if len(known) < 2 or not len(later.faces()):
            continue
        means = np.stack([faces.mean(axis=0) for faces in known.values()])
        block = np.full((len(later.faces()), len(enrolled)), np.nan)
        block[:, [actor in known for actor in enrolled]] = compare(later.faces(), means)
        rows.append(block)
        sources += later.seen_by()
    return Probe(own[0].actor, _stacked(rows, len(enrolled)), asked, sources)


def by_actor(members: Iterable[Member]) -> dict[int, list[Member]]:
    """Members of each actor, actors ascending."""
    grouped: dict[int, list[Member]] = {}
    for member in sorted(members, key=lambda m: (m.actor, m.donor or "")):
        grouped.setdefault(member.actor, []).append(member)
    return grouped


def _against(photos: Mapping[int, Array], probes: Mapping[int, Sequence[FrameVectors]]) -> Trial:
    gallery = np.stack(list(photos.values()))
    return Trial(
        tuple(photos),
        tuple(
            Probe(
                actor,
                _stacked([euclidean(part.faces(), gallery) for part in seen], len(photos)),
                sum(len(part.frames) for part in seen),
                sum((part.seen_by() for part in seen), Counter()),
            )
            for actor, seen in probes.items()
        ),
    )


def _stacked(rows: Sequence[Array], width: int) -> Array:
    return np.concatenate([np.empty((0, width)), *rows])
