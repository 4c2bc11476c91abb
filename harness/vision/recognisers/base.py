"""A recogniser's description of itself, and its work."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.core.base import Frozen

Chips = NDArray[np.uint8]
"""n x size x size x 3, RGB, aligned as the description says."""
Embeddings = NDArray[np.float32]
"""n x dimension."""


class Alignment(StrEnum):
    """Ways to cut out a face before it is embedded."""

    DLIB = "dlib"
    """dlib's chip by its five-point predictor, a quarter of its size around the face."""
    FIVE_POINTS = "five-points"
    """Eyes, nose and mouth corners (MediaPipe's) brought to where ArcFace's training had them."""


class Distance(StrEnum):
    L2 = "l2"
    COSINE = "cosine"
    """1 - cosine of the angle: 0 to 2."""


class RecogniserInfo(Frozen):
    """Label of results, and the facts that the embeddings depend on."""

    name: str
    version: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Changes whenever the embeddings do; for a user's file, its hash."""
    licence: str
    alignment: Alignment
    chip_px: int = Field(ge=16)
    distance: Distance
    threshold: float | None = None
    """At or under this distance two faces count as one person; None when nobody calibrated it."""
    preprocessing: str = ""
    """For people: the convention of a user's file, ``RGB, -1 to 1; 112 px, ...``; its version
    depends on it."""


class Recogniser(Protocol):
    """A recogniser that is ready to run."""

    @property
    def info(self) -> RecogniserInfo:
        """The recogniser's description of itself."""

    def embed(self, chips: Chips) -> Embeddings:
        """One vector per face; none for none."""


def distances(first: Embeddings, second: Embeddings, kind: Distance) -> NDArray[np.float64]:
    """Distance of each row of ``first`` to the row of ``second`` of the same number (or to its only
    one).
    """
    left, right = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if kind is Distance.L2:
        apart: NDArray[np.float64] = np.linalg.norm(left - right, axis=1)
        return apart
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosine: NDArray[np.float64] = (left * right).sum(axis=1) / np.maximum(norms, 1e-12)
    return 1 - cosine
