"""Identity: distances of face embeddings to reference faces (thesis 4.3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.model.base import Frozen
from harness.model.score import Comparison, Distances, EvidenceFrame

if TYPE_CHECKING:
    import pandas as pd

_OUTLIERS_KEPT = 50

Embeddings = Mapping[int, NDArray[np.float64]]
"""Frame to embedding, for the frames that have one."""


def distance_l2(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Euclidean distance, as face_recognition.face_distance."""
    return float(np.linalg.norm(first - second))


def embeddings_of(observed: pd.DataFrame) -> dict[int, NDArray[np.float64]]:
    """The frames of ``observe_identity`` that have a face, with their embeddings."""
    return {
        int(frame): np.asarray(vector, dtype=np.float64)
        for frame, vector in zip(observed["frame"], observed["embedding"], strict=True)
        if vector is not None
    }


def medoid_frame(embeddings: Embeddings) -> int | None:
    """The frame whose summed distance to all others is smallest (the first of equals)."""
    if not embeddings:
        return None
    frames = sorted(embeddings)
    matrix = np.stack([embeddings[frame] for frame in frames])
    sums = [float(np.linalg.norm(matrix - row, axis=1).sum()) for row in matrix]
    return frames[int(np.argmin(sums))]


def distances(
    values: NDArray[np.float64], asked: int, several_faces: int, threshold: float
) -> Distances:
    """Summary of the distances of the frames that had a face; ``asked`` counts all sampled."""
    if not len(values):
        return Distances(asked=asked, used=0, several_faces=several_faces)
    p01, q1, median, q3, p99 = (
        float(x) for x in np.quantile(values, (0.01, 0.25, 0.5, 0.75, 0.99))
    )
    reach = 1.5 * (q3 - q1)
    inside = values[(values >= q1 - reach) & (values <= q3 + reach)]
    outside = values[(values < q1 - reach) | (values > q3 + reach)]
    extreme = outside[np.argsort(-np.abs(outside - median), kind="stable")][:_OUTLIERS_KEPT]
    return Distances(
        asked=asked,
        used=len(values),
        several_faces=several_faces,
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)) if len(values) > 1 else None,
        median=median,
        q1=q1,
        q3=q3,
        whisker_low=float(inside.min()),
        whisker_high=float(inside.max()),
        p01=p01,
        p99=p99,
        minimum=float(values.min()),
        maximum=float(values.max()),
        outliers=tuple(float(x) for x in np.sort(extreme)),
        share_at_or_under_threshold=float((values <= threshold).mean()),
    )


def evidence(values: Mapping[int, float]) -> tuple[EvidenceFrame, ...]:
    """The frames worth looking at, from each frame's distance swapped-to-original: the worst leak
    (smallest), the median (lower of two) and the best hidden (largest). Empty without frames.
    """
    order = sorted(values, key=lambda frame: (values[frame], frame))
    if not order:
        return ()
    picks = (("worst", order[0]), ("median", order[(len(order) - 1) // 2]), ("best", order[-1]))
    return tuple(
        EvidenceFrame(kind=kind, frame=frame, distance_l2=values[frame]) for kind, frame in picks
    )


class References(Frozen):
    """The two faces every frame is compared with. ``excluded`` is the swapped frame that serves as
    a reference itself, and would be at distance 0 from itself.
    """

    original: tuple[float, ...]
    swapped: tuple[float, ...] | None
    reading: str
    excluded: int | None = None


def choose_references(
    original: NDArray[np.float64], donor: NDArray[np.float64] | None, swapped: Embeddings
) -> References:
    """ "ID swapped" is the donor's photo where there is one with a face, else the swapped video's
    medoid frame, marked so and left out of both comparisons with it.
    """
    base = tuple(float(x) for x in original)
    if donor is not None:
        return References(
            original=base, swapped=tuple(float(x) for x in donor), reading="donor photo"
        )
    medoid = medoid_frame(swapped)
    return References(
        original=base,
        swapped=None if medoid is None else tuple(float(x) for x in swapped[medoid]),
        reading="swapped frame",
        excluded=medoid,
    )


def frame_distances(
    frames: tuple[int, ...], original: pd.DataFrame, swapped: pd.DataFrame, references: References
) -> pd.DataFrame:
    """One row per sampled frame: frame, or_or, or_sw, sw_or, sw_sw (L2, NaN without a face or
    reference), faces_original and faces_swapped (-1 for a frame the video does not have).
    """
    import pandas as pd

    videos = {"or": embeddings_of(original), "sw": embeddings_of(swapped)}
    faces = {"or": _faces(original), "sw": _faces(swapped)}
    identities = {"or": references.original, "sw": references.swapped}
    columns: dict[str, Any] = {"frame": list(frames)}
    for comparison in Comparison:
        video, identity = comparison.value.split("_")
        skipped = references.excluded if identity == "sw" else None
        columns[comparison.value] = _to_reference(
            frames, videos[video], identities[identity], skipped
        )
    columns["faces_original"] = [faces["or"].get(frame, -1) for frame in frames]
    columns["faces_swapped"] = [faces["sw"].get(frame, -1) for frame in frames]
    return pd.DataFrame(columns)


def _to_reference(
    frames: tuple[int, ...],
    embeddings: Embeddings,
    reference: tuple[float, ...] | None,
    skipped: int | None,
) -> list[float]:
    if reference is None:
        return [float("nan")] * len(frames)
    face = np.asarray(reference)
    return [
        distance_l2(embeddings[frame], face)
        if frame in embeddings and frame != skipped
        else float("nan")
        for frame in frames
    ]


def _faces(observed: pd.DataFrame) -> dict[int, int]:
    return {
        int(frame): int(faces)
        for frame, faces in zip(observed["frame"], observed["faces"], strict=True)
    }


def summarise(
    table: pd.DataFrame, threshold: float, excluded: int | None
) -> dict[Comparison, Distances]:
    """The four comparisons from the rows of ``frame_distances``.

    A frame that a video does not have was not asked of it; the frame that serves as a reference
    (``excluded``) is asked in neither comparison with it, so that the two stay comparable.
    """
    result = {}
    for comparison in Comparison:
        video = "original" if comparison.value.startswith("or_") else "swapped"
        rows = table[table[f"faces_{video}"] >= 0]
        if comparison.value.endswith("_sw") and excluded is not None:
            rows = rows[rows["frame"] != excluded]
        values = rows[comparison.value].to_numpy(float)
        result[comparison] = distances(
            values[np.isfinite(values)],
            asked=len(rows),
            several_faces=int((rows[f"faces_{video}"] > 1).sum()),
            threshold=threshold,
        )
    return result
