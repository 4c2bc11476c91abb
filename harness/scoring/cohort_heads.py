"""Light recognisers that learn from other people than the probed one; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from harness.scoring.cohort_trials import (
    Array,
    Faces,
    Halves,
    Member,
    Probe,
    Trial,
    by_actor,
    enrolments,
    probe_of,
)

LEAST_TEACHERS = 2
"""Fewer people cannot show what is the same in one person and differs between persons."""
FEW_TEACHERS = 10
_COMPONENTS = 100


class Head(NamedTuple):
    """A linear map; compared are the directions of what it gives."""

    centre: Array
    matrix: Array

    def look(self, vectors: Array) -> Array:
        """Vectors as unit vectors, n x d."""
        mapped = (vectors - self.centre) @ self.matrix
        norms = np.linalg.norm(mapped, axis=1, keepdims=True)
        unit: Array = mapped / np.where(norms > 0, norms, 1.0)
        return unit


def within_head(people: Sequence[Array]) -> Head:
    """Linear discriminant analysis without its cut to classes - 1 directions: vectors are whitened
    by the covariance within persons, so that what varies within a person counts little.
    """
    means = [person.mean(axis=0) for person in people]
    within = np.concatenate([p - mean for p, mean in zip(people, means, strict=True)])
    values, vectors = np.linalg.eigh(shrunk_covariance(within))
    floor = max(float(values[-1]), 1e-12) * 1e-6
    return Head(np.mean(means, axis=0), vectors / np.sqrt(np.maximum(values, floor)))


def shrunk_covariance(centred: Array) -> Array:
    """Covariance of rows with mean 0, drawn towards a multiple of the identity as far as its own
    error says (Ledoit and Wolf, J. Multivariate Analysis 88, 2004).
    """
    n, size = centred.shape
    sample = centred.T @ centred / n
    target = float(np.trace(sample)) / size * np.eye(size)
    distance = float(((sample - target) ** 2).sum())
    lengths = (centred**2).sum(axis=1)
    error = (float((lengths**2).mean()) - float((sample**2).sum())) / n
    share = min(error / distance, 1.0) if distance > 0 else 1.0
    shrunk: Array = share * target + (1 - share) * sample
    return shrunk


def whitened_pca(people: Sequence[Array]) -> Head:
    """Principal components of all faces, each scaled to variance 1 (as the recogniser of Gross et
    al. 2009); as many as explain 95 % of the variance, at most 100.
    """
    faces = np.concatenate(people)
    centre = faces.mean(axis=0)
    centred = faces - centre
    # Of the inner products: there are far fewer faces than pixels.
    values, vectors = np.linalg.eigh(centred @ centred.T)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    shares = np.cumsum(values) / max(float(values.sum()), 1e-12)
    kept = min(int(np.searchsorted(shares, 0.95)) + 1, _COMPONENTS, len(faces) - 1)
    # A component is centred.T @ v / sqrt(value), its deviation sqrt(value / (n - 1)).
    scale = np.sqrt(len(faces) - 1) / np.maximum(values[:kept], 1e-12)
    return Head(centre, (centred.T @ vectors[:, :kept]) * scale)


class Lesson(NamedTuple):
    """What is taught, and by which method."""

    taught: Faces
    method: Callable[[Sequence[Array]], Head]
    """``within_head`` or ``whitened_pca``."""
    frames: int = 60
    """Of each teacher at most, spread over the videos."""


def taught_trial(members: Sequence[Member], parts: Halves, lesson: Lesson) -> Trial:
    """As ``split_trial``, each actor's probes looked at by a head that all *other* actors taught.

    Without probes where fewer than ``LEAST_TEACHERS`` others can teach.
    """
    material = _material(members, lesson)
    enrolled = enrolments(members, parts)
    probes = []
    for actor, own in by_actor(members).items():
        others = [faces for teacher, faces in material.items() if teacher != actor]
        if len(others) < LEAST_TEACHERS:
            probes.append(Probe(actor, np.empty((0, len(enrolled))), 0))
            continue
        probes.append(probe_of(own, enrolled, parts, lesson.method(others).look))
    return Trial(tuple(enrolled), tuple(probes))


def _material(members: Sequence[Member], lesson: Lesson) -> dict[int, Array]:
    """Actor to some of the faces that may be learned from, spread over the videos."""
    found = {}
    for actor, own in by_actor(members).items():
        seen = [one.faces() for member in own if (one := lesson.taught(member)) is not None]
        faces = np.concatenate(seen) if seen else np.empty((0, 0))
        if len(faces) > 1:
            few = np.unique(np.linspace(0, len(faces) - 1, lesson.frames).astype(int))
            found[actor] = faces[few]
    return found
