"""The interface of recognisers, under the name that packages outside this project import.

New packages import ``harness.vision.recognisers.base`` (docs/decisions/0004-public-names-stay.md).
"""

from harness.vision.recognisers.base import (
    Alignment,
    Chips,
    Distance,
    Embeddings,
    Recogniser,
    RecogniserInfo,
)

__all__ = ["Alignment", "Chips", "Distance", "Embeddings", "Recogniser", "RecogniserInfo"]
