"""Measures how far the fast identity path is from the reference path, in the numbers of a score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.performance.clock import cost
from harness.core.hashing import file_sha256
from harness.media.probe import probe
from harness.model.score import Comparison, SwappedReading
from harness.model.video import VideoRef
from harness.observe.identity import find_faces, observe_identity
from harness.observe.video import observe_faces
from harness.scoring.identity import References, SwappedFace, frame_distances, summarise
from harness.store.observations import ObservationStore


class Apart(NamedTuple):
    """Largest differences between the paths over the four comparisons (L2)."""

    mean: float
    single_frame: float
    frames: int
    """Frames in which both find a face, in both videos."""
    fta_differs: int
    """Frames in which only one of the two finds a face."""


def apart(
    videos: tuple[Path, Path],
    photos: tuple[NDArray[np.float64], NDArray[np.float64]],
    frames: Sequence[int],
    home: Path,
) -> Apart:
    """``videos``: original and swapped; ``photos``: embeddings of the actor and of the donor."""
    asked = tuple(frames)
    store = ObservationStore(home)
    refs = [VideoRef(video, file_sha256(video)) for video in videos]
    reference = [observe_identity(ref, asked, store) for ref in refs]
    fast = [rows[rows["frame"].isin(asked)] for rows in (observe_faces(ref, store) for ref in refs)]
    tables = [_distances(asked, rows, photos) for rows in (reference, fast)]
    means = [_means(table) for table in tables]
    names = [one.value for one in Comparison]
    first, second = (table[names].to_numpy(float) for table in tables)
    both = np.isfinite(first) & np.isfinite(second)
    return Apart(
        mean=float(np.nanmax(np.abs(means[0] - means[1]))),
        single_frame=float(np.abs(first - second)[both].max()),
        frames=int(both[:, 0].sum() + both[:, names.index("sw_or")].sum()),
        fta_differs=sum(
            int((np.asarray(a["faces"] > 0) != np.asarray(b["faces"] > 0)).sum())
            for a, b in zip(reference, fast, strict=True)
        ),
    )


class Agreement(NamedTuple):
    """One video, seen by both paths in all of its frames."""

    frames: int
    reference: int
    """Frames in which the reference path finds a face."""
    reference_only: int
    fast_only: int
    mean_difference: float | None
    """Of the mean distance (L2) to a photo, over the frames in which both find a face."""
    frame_difference: float | None
    """The largest of these frames."""
    reference_ms: float
    fast_ms: float
    """Processor time per frame of the whole way: decoding, finding, embedding."""


def agreement(video: Path, photo: NDArray[np.float64], home: Path) -> Agreement:
    """``photo``: an embedding to take distances to."""
    ref, total = VideoRef(video, file_sha256(video)), probe(video).frames
    store = ObservationStore(home)
    tables: list[pd.DataFrame] = []
    costs = [
        cost(lambda: tables.append(observe_identity(ref, range(total), store))),
        cost(lambda: tables.append(observe_faces(ref, store))),
    ]
    reference, fast = tables
    first, second = (rows["faces"].to_numpy() > 0 for rows in (reference, fast))
    both = np.flatnonzero(first & second)
    near, far = (
        np.array([np.linalg.norm(np.asarray(rows["embedding"].iloc[i]) - photo) for i in both])
        for rows in (reference, fast)
    )
    return Agreement(
        frames=total,
        reference=int(first.sum()),
        reference_only=int((first & ~second).sum()),
        fast_only=int((second & ~first).sum()),
        mean_difference=abs(float(near.mean() - far.mean())) if len(both) else None,
        frame_difference=float(np.abs(near - far).max()) if len(both) else None,
        reference_ms=1000 * costs[0].cpu_s / total,
        fast_ms=1000 * costs[1].cpu_s / total,
    )


def _distances(
    frames: tuple[int, ...],
    rows: Sequence[pd.DataFrame],
    photos: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> pd.DataFrame:
    donor = SwappedFace(
        reading=SwappedReading.DONOR_PHOTO, note="", embedding=tuple(map(float, photos[1]))
    )
    references = References(original=tuple(map(float, photos[0])), swapped=donor)
    return frame_distances(frames, rows[0], rows[1], references)


def _means(table: pd.DataFrame) -> NDArray[np.float64]:
    found = summarise(table, 0.6, None)
    return np.array([found[one].mean or np.nan for one in Comparison])


def embedding_of(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """dlib's embedding of the first face in a BGR picture."""
    rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
    return find_faces(rgb)[1][0]
