"""Identity: distances of face embeddings to reference faces (thesis 4.3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.base import Frozen
from harness.model.score import (
    Comparison,
    Distances,
    EvidenceFrame,
    SwappedIdentity,
    SwappedReading,
)

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


class SwappedFace(Frozen):
    """One reading of "ID swapped". ``embedding`` is None where the face is unavailable; ``note``
    then says why. ``frame`` is the swapped frame that serves as the face: it would be at distance 0
    from itself.
    """

    reading: SwappedReading
    note: str
    embedding: tuple[float, ...] | None = None
    frame: int | None = None


def donor_face(embedding: NDArray[np.float64] | None, name: str | None) -> SwappedFace:
    """The donor's photo as "ID swapped"; ``name`` None for a tool that takes no donor."""
    if name is None:
        note = "The tool takes no donor, so there is no donor photo."
    elif embedding is None:
        note = f"The recogniser finds no face in the photo of donor {name}."
    else:
        note = f"The photo of donor {name}."
    return SwappedFace(reading=SwappedReading.DONOR_PHOTO, note=note, embedding=_numbers(embedding))


def medoid_face(swapped: Embeddings) -> SwappedFace:
    """The swapped video's medoid frame as "ID swapped"."""
    frame = medoid_frame(swapped)
    if frame is None:
        note = "The recogniser finds no face in any sampled frame of the swapped video."
        return SwappedFace(reading=SwappedReading.SWAPPED_FRAME, note=note)
    return SwappedFace(
        reading=SwappedReading.SWAPPED_FRAME,
        note=f"Frame {frame} of the swapped video, the one nearest to all other sampled frames.",
        embedding=_numbers(swapped[frame]),
        frame=frame,
    )


def choose_face(donor: SwappedFace, medoid: SwappedFace) -> SwappedFace:
    """The donor's photo where it can be used, else the swapped frame, else none; the note says why
    it is not the one before.
    """
    if donor.embedding is not None:
        return donor
    note = f"{donor.note} {medoid.note}"
    if medoid.embedding is None:
        return SwappedFace(reading=SwappedReading.NONE, note=note)
    return medoid.model_copy(update={"note": note})


class References(Frozen):
    """The two faces every frame is compared with."""

    original: tuple[float, ...]
    swapped: SwappedFace


def _numbers(embedding: NDArray[np.float64] | None) -> tuple[float, ...] | None:
    return None if embedding is None else tuple(float(x) for x in embedding)


def frame_distances(
    frames: tuple[int, ...], original: pd.DataFrame, swapped: pd.DataFrame, references: References
) -> pd.DataFrame:
    """One row per sampled frame: frame, or_or, or_sw, sw_or, sw_sw (L2, NaN without a face or
    reference), faces_original and faces_swapped (-1 for a frame the video does not have).
    """
    import pandas as pd

    videos = {"or": embeddings_of(original), "sw": embeddings_of(swapped)}
    faces = {"or": _faces(original), "sw": _faces(swapped)}
    identities = {"or": references.original, "sw": references.swapped.embedding}
    columns: dict[str, Any] = {"frame": list(frames)}
    for comparison in Comparison:
        video, identity = comparison.value.split("_")
        skipped = references.swapped.frame if identity == "sw" else None
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


def swapped_identity(
    face: SwappedFace, distances: Mapping[Comparison, Distances]
) -> SwappedIdentity:
    """One reading with its two comparisons; None where it has no face to compare with."""
    usable = face.embedding is not None
    return SwappedIdentity(
        reading=face.reading,
        note=face.note,
        frame=face.frame,
        or_sw=distances[Comparison.ORIGINAL_SWAPPED] if usable else None,
        sw_sw=distances[Comparison.SWAPPED_SWAPPED] if usable else None,
    )
