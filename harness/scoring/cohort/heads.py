"""Light recognisers that learn from enrolled faces alone; pure.

Nothing is learned from probes, and every enrolled person teaches, the probed one like the others.
So no face of the gallery is special to a head: were some left out of the lesson, a comparison with
one of these would be of another kind than one with a face that the head has seen, and people who
share nothing would be distinguished (or confused) more often than by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from harness.scoring.cohort.trials import (
    Array,
    Enrolled,
    Halves,
    Member,
    Probe,
    Trial,
    by_actor,
    enrolments,
    euclidean,
    split_trial,
)

LEAST_TEACHERS = 3
"""Fewer people cannot show what is the same in one person and differs between persons."""
FEW_TEACHERS = 11
_COMPONENTS = 100


def within_head(people: Sequence[Array]) -> Array:
    """Linear discriminant analysis without its cut to classes - 1 directions: vectors are whitened
    by the covariance within persons, so that what varies within a person counts little. Of faces
    by person (each n x d) the matrix (d x d) that vectors are multiplied by.
    """
    within = np.concatenate([person - person.mean(axis=0) for person in people])
    values, vectors = np.linalg.eigh(shrunk_covariance(within))
    floor = max(float(values[-1]), 1e-12) * 1e-6
    matrix: Array = vectors / np.sqrt(np.maximum(values, floor))
    return matrix


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


def whitened_pca(people: Sequence[Array]) -> Array:
    """Principal components of all faces, each scaled to variance 1 (as the recogniser of Gross et
    al. 2009); as many as explain 95 % of the variance, at most 100. Of faces by person (each
    n x d) the matrix (d x components) that vectors are multiplied by.
    """
    faces = np.concatenate(people)
    centred = faces - faces.mean(axis=0)
    # Of the inner products: there are far fewer faces than pixels.
    values, vectors = np.linalg.eigh(centred @ centred.T)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    shares = np.cumsum(values) / max(float(values.sum()), 1e-12)
    kept = min(int(np.searchsorted(shares, 0.95)) + 1, _COMPONENTS, len(faces) - 1)
    # A component is centred.T @ v / sqrt(value), its deviation sqrt(value / (n - 1)).
    scale = np.sqrt(len(faces) - 1) / np.maximum(values[:kept], 1e-12)
    matrix: Array = (centred.T @ vectors[:, :kept]) * scale
    return matrix


class Lesson(NamedTuple):
    """The faces to learn from, and the method."""

    material: Enrolled
    method: Callable[[Sequence[Array]], Array]
    """``within_head`` or ``whitened_pca``."""
    frames: int = 60
    """Of each enrolled video at most, spread over it."""


def taught_trial(members: Sequence[Member], parts: Halves, lesson: Lesson) -> Trial:
    """Trial of ``split_trial``, by the angle between faces as seen from the middle of the gallery,
    after the map that the lesson comes to.

    Without probes where fewer than ``LEAST_TEACHERS`` actors can teach.
    """
    taught = [list(videos.values()) for videos in lesson.material.values()]
    classes = [_spread(faces, lesson.frames) for own in taught for faces in own if len(faces) > 1]
    if sum(any(len(faces) > 1 for faces in own) for own in taught) < LEAST_TEACHERS:
        gallery = tuple(enrolments(members, parts))
        nothing = np.empty((0, len(gallery)))
        return Trial(gallery, tuple(Probe(actor, nothing, 0) for actor in by_actor(members)))
    matrix = lesson.method(classes)

    def distances(probes: Array, gallery: Array) -> Array:
        # The middle of just the faces that are compared: what these share, such as a donor, says
        # nothing, and none of them is special.
        middle = gallery.mean(axis=0)
        return euclidean(*(_directions((faces - middle) @ matrix) for faces in (probes, gallery)))

    return split_trial(members, parts, distances)


def _spread(faces: Array, most: int) -> Array:
    few: Array = faces[np.unique(np.linspace(0, len(faces) - 1, most).astype(int))]
    return few


def _directions(vectors: Array) -> Array:
    """Unit vectors, n x d; 0 stays 0."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Array = vectors / np.where(norms > 0, norms, 1.0)
    return unit
