"""Chooses the face an attacker compares in each frame: the study's, or what anything else sees."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from harness.model.cohort import ProbeSource
from harness.model.observed import SAME_FACE_IOU
from harness.vision.boxes import box_of, iou

if TYPE_CHECKING:
    import pandas as pd


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
