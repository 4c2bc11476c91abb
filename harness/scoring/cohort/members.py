"""Turns what was measured of a cell into what attackers take, and chooses the face that counts in
each frame; pure.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.model.cell import CellSpec
from harness.model.cohort import ProbeSource
from harness.model.observed import SAME_FACE_IOU, SURE_SCORE
from harness.model.video import VideoInfo, WhichVideo
from harness.scoring.cohort.motion import motion_of
from harness.scoring.cohort.trials import Array, FrameVectors, Member
from harness.vision.boxes import box_of, iou

if TYPE_CHECKING:
    import pandas as pd


EMBEDDING_SIZE = 128
_CROPS = 60
"""Aligned faces that are used of a video; each has 4096 pixels."""


@dataclass(frozen=True)
class AttackedVideo:
    """Observations of one of a cell's two videos."""

    info: VideoInfo
    sampled: tuple[int, ...]
    """The frames that the protocol samples, those that the video has."""
    faces: pd.DataFrame
    """Rows of recognised faces, of the sampled frames or of all."""
    probes: pd.DataFrame | None
    """Faces that the study's detector does not find; None where none could be looked for."""
    expressions: pd.DataFrame
    """The expressions of ``FrameTables``."""
    crops: tuple[NDArray[np.int64], NDArray[np.uint8]]
    """Frames (n) and aligned grey faces (n x size x size)."""
    second_detector: pd.DataFrame | None
    """Frame and score; None where the detector is unavailable."""


def member_of(
    spec: CellSpec, reference: Array, videos: Mapping[WhichVideo, AttackedVideo]
) -> Member:
    """A cell as attackers take it; ``reference`` is the embedding of the actor's photo."""
    study, faces = {}, {}
    for which, video in videos.items():
        asked = video.faces[video.faces["frame"].isin(video.sampled)]
        study[which] = face_vectors(asked, video.info)
        faces[which] = study[which]
        if video.probes is not None:
            faces[which] = face_vectors(attacked_faces(asked, video.probes), video.info)
    return Member(
        cell_id=spec.id,
        actor=spec.actor.number,
        donor=spec.donor.name if spec.donor else None,
        reference=reference,
        faces=faces,
        study=study,
        watched={which: face_vectors(video.faces, video.info) for which, video in videos.items()},
        motion={
            which: motion_of(video.expressions, float(video.info.rate))
            for which, video in videos.items()
        },
        crops={which: crop_vectors(*video.crops, video.info) for which, video in videos.items()},
        seen_elsewhere={
            which: _seen_elsewhere(video.second_detector) for which, video in videos.items()
        },
    )


def face_vectors(rows: pd.DataFrame, info: VideoInfo) -> FrameVectors:
    """Rows of recognised faces (frame, embedding or None, and source where there are several) as
    arrays."""
    nothing = np.full(EMBEDDING_SIZE, np.nan)
    vectors = [nothing if e is None else np.asarray(e, np.float64) for e in rows["embedding"]]
    return FrameVectors(
        frames=rows["frame"].to_numpy(np.int64),
        vectors=np.stack(vectors) if vectors else np.empty((0, EMBEDDING_SIZE)),
        total=info.frames,
        fps=float(info.rate),
        sources=rows["source"].to_numpy(str) if "source" in rows else None,
    )


def crop_vectors(
    frames: NDArray[np.int64], pictures: NDArray[np.uint8], info: VideoInfo
) -> FrameVectors:
    """Some of the aligned faces (n x size x size), spread over the video, as vectors of mean 0 and
    standard deviation 1: the light of a scene is nobody's face.
    """
    few = np.unique(np.linspace(0, max(0, len(frames) - 1), _CROPS).astype(int))[: len(frames)]
    size = int(np.prod(pictures.shape[1:]))
    pixels = pictures[few].reshape(len(few), size).astype(np.float64)
    centred = pixels - pixels.mean(axis=1, keepdims=True)
    spread = np.maximum(centred.std(axis=1, keepdims=True), 1.0)
    return FrameVectors(frames[few], centred / spread, info.frames, float(info.rate))


def _seen_elsewhere(rows: pd.DataFrame | None) -> dict[int, bool]:
    """Frame to whether the second detector sees the face."""
    if rows is None:
        return {}
    detections = zip(rows["frame"], rows["score"], strict=True)
    return {int(frame): bool(score >= SURE_SCORE) for frame, score in detections}


def attacked_faces(study: pd.DataFrame, probes: pd.DataFrame) -> pd.DataFrame:
    """Frame, embedding (None without a face) and source (a ``ProbeSource``, or "") for each row of
    ``study``, an identity observation; ``probes`` are rows of ``FaceProbes`` of the same video.

    The study's face counts where it has one, but not where the tracker follows a face in another
    place: that is the main face, and the study's detector has found somebody else.
    """
    import pandas as pd

    others = {row["frame"]: row for row in probes.to_dict("records")}
    rows = []
    for own in study.to_dict("records"):
        other = others.get(own["frame"])
        chosen, source = own, ProbeSource.STUDY
        if other is not None and not _counts(own, other):
            chosen, source = other, ProbeSource(other["source"])
        embedding = chosen["embedding"]
        rows.append((own["frame"], embedding, "" if embedding is None else source.value))
    return pd.DataFrame(rows, columns=["frame", "embedding", "source"])


def _counts(own: Mapping[Hashable, Any], other: Mapping[Hashable, Any]) -> bool:
    """True when the study's row goes before another source's."""
    if own["embedding"] is None:
        return False
    if other["source"] != ProbeSource.TRACKER:
        return True
    box = box_of((own["top"], own["right"], own["bottom"], own["left"]))
    return iou(box, (other["x0"], other["y0"], other["x1"], other["y1"])) >= SAME_FACE_IOU
