"""Measurements of a cell, as attackers take them; read from the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import FetchError, UnusableInputError
from harness.model.cell import CellSpec
from harness.model.protocol import Protocol
from harness.model.score import CellScore
from harness.observe.identity import photo_face
from harness.observe.info import video_info
from harness.observe.second_detector import SURE_SCORE
from harness.observe.video import (
    observe_crops,
    observe_probes,
    observe_second_detector,
    observe_video,
)
from harness.scoring.cohort.motion import motion_of
from harness.scoring.cohort.probes import attacked
from harness.scoring.cohort.trials import Looked, Member, Video
from harness.scoring.faces import identity_rows, sampled_of

if TYPE_CHECKING:
    import pandas as pd

    from harness.model.video import VideoInfo

EMBEDDING_SIZE = 128
_CROPS = 60
"""Aligned faces that are used of a video; each has 4096 pixels."""


def member_of(spec: CellSpec, score: CellScore, home: Path, protocol: Protocol) -> Member:
    """All observations of a cell that has ``score``; what is not in the store is measured again.

    Raises UnusableInputError and StoreError as the observers do.
    """
    from harness.store.cells import CellStore
    from harness.store.media import MediaStore

    media = MediaStore(home)
    paths = {
        Video.ORIGINAL: (media.path(spec.actor.test), score.inputs["original"]),
        Video.SWAPPED: (CellStore(home).swapped_path(spec), score.inputs["swapped"]),
    }
    photo = spec.actor.reference
    faces, study, watched, motion, crops, elsewhere = {}, {}, {}, {}, {}, {}
    for video, (path, sha256) in paths.items():
        info = video_info(path, sha256, home)
        sampled = sampled_of(protocol, score.identity.frames)
        wanted = tuple(frame for frame in sampled if frame < info.frames)
        rows = identity_rows(path, sha256, wanted, protocol, home)
        watched[video] = looked(rows, info)
        asked = rows[rows["frame"].isin(wanted)]
        study[video] = looked(asked, info)
        probes = observe_probes(path, sha256, home, protocol.identity)
        faces[video] = study[video] if probes is None else looked(attacked(asked, probes), info)
        motion[video] = motion_of(
            observe_video(path, sha256, home, info).expressions, float(info.rate)
        )
        crops[video] = cropped(*observe_crops(path, sha256, home), info)
        elsewhere[video] = _seen_elsewhere(path, sha256, home)
    return Member(
        cell_id=spec.id,
        actor=spec.actor.number,
        donor=spec.donor.name if spec.donor else None,
        reference=_photo(media.path(photo), photo.sha256, spec.actor.number, home),
        faces=faces,
        study=study,
        watched=watched,
        motion=motion,
        crops=crops,
        seen_elsewhere=elsewhere,
    )


def looked(rows: pd.DataFrame, info: VideoInfo) -> Looked:
    """Rows of recognised faces (frame, embedding or None, and source where there are several) as
    arrays."""
    nothing = np.full(EMBEDDING_SIZE, np.nan)
    vectors = [nothing if e is None else np.asarray(e, np.float64) for e in rows["embedding"]]
    return Looked(
        frames=rows["frame"].to_numpy(np.int64),
        vectors=np.stack(vectors) if vectors else np.empty((0, EMBEDDING_SIZE)),
        total=info.frames,
        fps=float(info.rate),
        sources=rows["source"].to_numpy(str) if "source" in rows else None,
    )


def cropped(frames: NDArray[np.int64], pictures: NDArray[np.uint8], info: VideoInfo) -> Looked:
    """Some of the aligned faces (n x size x size), spread over the video, as vectors of mean 0 and
    standard deviation 1: the light of a scene is nobody's face.
    """
    few = np.unique(np.linspace(0, max(0, len(frames) - 1), _CROPS).astype(int))[: len(frames)]
    size = int(np.prod(pictures.shape[1:]))
    pixels = pictures[few].reshape(len(few), size).astype(np.float64)
    centred = pixels - pixels.mean(axis=1, keepdims=True)
    spread = np.maximum(centred.std(axis=1, keepdims=True), 1.0)
    return Looked(frames[few], centred / spread, info.frames, float(info.rate))


def _seen_elsewhere(path: Path, sha256: str, home: Path) -> dict[int, bool]:
    """Frame to whether the second detector sees the face; empty where it is unavailable."""
    try:
        rows = observe_second_detector(path, sha256, home)
    except FetchError:
        return {}
    scores = zip(rows["frame"], rows["score"], strict=True)
    return {int(frame): bool(score >= SURE_SCORE) for frame, score in scores}


def _photo(path: Path, sha256: str, actor: int, home: Path) -> NDArray[np.float64]:
    """The embedding of an actor's reference."""
    embedding = photo_face(path, sha256, home)
    if embedding is None:
        raise UnusableInputError(f"No face was found in the reference photo of actor {actor}.")
    return embedding
