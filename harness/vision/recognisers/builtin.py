"""dlib's recogniser, the one of the study, as a plug-in like any other."""

from __future__ import annotations

from pathlib import Path

from harness.model.identity import RECOGNISER
from harness.vision.dlib_onnx import CHIP_PX
from harness.vision.embedder import CONVERTER_VERSION, Embedder, open_embedder
from harness.vision.recognisers.base import (
    Alignment,
    Chips,
    Distance,
    Embeddings,
    Recogniser,
    RecogniserInfo,
)

DLIB = RecogniserInfo(
    name="dlib",
    version=f"{RECOGNISER}-c{CONVERTER_VERSION}",
    licence="CC0 (weights), Boost (dlib)",
    alignment=Alignment.DLIB,
    chip_px=CHIP_PX,
    distance=Distance.L2,
    threshold=0.6,
)


class _Dlib:
    """The converted network."""

    info = DLIB

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed(self, chips: Chips) -> Embeddings:
        return self._embedder.embed(chips)


def open_dlib(home: Path) -> Recogniser:
    """Raises as ``open_embedder``."""
    return _Dlib(open_embedder(home))
