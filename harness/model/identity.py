"""The two ways in which faces are found and embedded. Light: the command line's help needs it."""

from __future__ import annotations

from enum import StrEnum

RECOGNISER = "face_recognition-1.3.0"
"""The package whose network embeds faces, on both paths."""


class IdentityPath(StrEnum):
    """Both embed with dlib's network."""

    FAST = "fast"
    """In every frame, where the landmark tracker sees a face; the network in ONNX Runtime."""
    REFERENCE = "reference"
    """In the sampled frames, by the ``face_recognition`` package itself."""
