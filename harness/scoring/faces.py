"""The recognised faces of a video, by the path that a protocol names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.model.identity import IdentityPath
from harness.model.protocol import Protocol
from harness.observe import faces as fast
from harness.observe import identity as reference
from harness.observe.video import observe_faces
from harness.scoring.frames import sample_frames
from harness.vision.recognition import RECOGNISER

if TYPE_CHECKING:
    import pandas as pd


def identity_rows(
    video: Path,
    sha256: str,
    sampled: tuple[int, ...],
    protocol: Protocol,
    home: Path,
    listen: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Rows of recognised faces, one per frame, ascending: frame, faces, top, right, bottom, left
    (pixels; -1 without a face) and embedding (128 numbers, or None without a face).

    The fast path has a row for EVERY frame of the video, the reference path for those of
    ``sampled`` that the video has: take the rows of sampled frames where a number is to be the same
    sample for both. Both follow the same main face, and both store what they measured under the
    video's content hash, so that a second call only reads. Raises UnusableInputError, StoreError,
    UnfitMachineError.
    """
    if protocol.identity is IdentityPath.FAST:
        return observe_faces(video, sha256, home, listen)
    return reference.observe_identity(video, sha256, sampled, home, listen)


def sampled_of(protocol: Protocol, total: int) -> tuple[int, ...]:
    """The frames that a protocol samples of an original of ``total`` frames."""
    return sample_frames(total, protocol.frames, protocol.seed)


def observer_of(protocol: Protocol) -> tuple[str, str]:
    """Name and version of the observation that ``identity_rows`` reads."""
    if protocol.identity is IdentityPath.FAST:
        return fast.OBSERVER, fast.fast_version()
    return reference.OBSERVER, reference.VERSION


def recogniser_of(protocol: Protocol) -> str:
    """Name of the recogniser in reports: which path made the numbers is part of it."""
    return f"{RECOGNISER}, {protocol.identity} path"
