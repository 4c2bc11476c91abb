"""dlib's face embedding network in ONNX Runtime: the same numbers, about twenty times as fast."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UnfitMachineError
from harness.core.paths import models_dir
from harness.store.atomic import find_kept, keep
from harness.vision.dlib_onnx import CHIP_PX, INPUT, to_onnx
from harness.vision.dlib_weights import EMBEDDING, read_network
from harness.vision.onnx_runtime import open_session, runtime_version

CONVERTER_VERSION = 1
"""Raised whenever the same weights would give another graph."""
TOLERANCE_L2 = 1e-4
"""Largest distance of an embedding from dlib's own of the same picture."""
_TEST_CHIPS = 4
_SUFFIX = ".onnx"

Chips = NDArray[np.uint8]
"""n x 150 x 150 x 3, RGB."""
Embeddings = NDArray[np.float32]
"""n x 128."""


class Embedder:
    """The network, ready to run; made by ``open_embedder``."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def embed(self, chips: Chips) -> Embeddings:
        """The embedding of each aligned face (``dlib.get_face_chip(image, points, 150, 0.25)``)."""
        if not len(chips):
            return np.empty((0, EMBEDDING), np.float32)
        found: Embeddings = self._session.run(None, {INPUT: np.ascontiguousarray(chips)})[0]
        return found


def open_embedder(home: Path) -> Embedder:
    """dlib's network, converted at the first call and kept in ``home``.

    A conversion is used only after it gave dlib's own embeddings of test pictures (within
    ``TOLERANCE_L2``); it is done again for other weights and for another ONNX Runtime. Raises
    UnfitMachineError when the weights are missing, unknown or the embeddings differ, StoreError
    when the disk refuses.
    """
    weights = _weights_path()
    stem = f"{weights.stem}-{_identity(weights)}"
    kept = find_kept(models_dir(home), stem, _SUFFIX)
    if kept is not None:
        return Embedder(open_session(kept.read_bytes()))
    return _convert(weights, models_dir(home), stem)


@lru_cache
def shared_embedder(home: Path) -> Embedder:
    """``open_embedder``, loaded once per process and not once per video. Raises as it does."""
    return open_embedder(home)


def _weights_path() -> Path:
    from harness.vision.recognition import load_models

    return Path(load_models().face_recognition_model_location())


@lru_cache
def _identity(weights: Path) -> str:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    return f"{digest[:12]}-c{CONVERTER_VERSION}-{runtime_version()}"


def _convert(weights: Path, folder: Path, stem: str) -> Embedder:
    data = to_onnx(read_network(weights))
    embedder = Embedder(open_session(data))
    check_against_dlib(embedder, weights)
    keep(folder, stem, _SUFFIX, data)
    return embedder


def check_against_dlib(embedder: Embedder, weights: Path) -> float:
    """The largest distance (L2) between an embedding and dlib's own, over synthetic test pictures.

    Raises UnfitMachineError above ``TOLERANCE_L2``.
    """
    import dlib

    chips = synthetic_chips(_TEST_CHIPS)
    model = dlib.face_recognition_model_v1(str(weights))
    expected = np.array([model.compute_face_descriptor(chip) for chip in chips])
    apart = float(np.linalg.norm(embedder.embed(chips) - expected, axis=1).max())
    if not apart <= TOLERANCE_L2:
        raise UnfitMachineError(
            f"The face recognition network gives other numbers in ONNX Runtime {runtime_version()} "
            f"than in dlib (apart by {apart:.2g}; {TOLERANCE_L2:g} is allowed).",
            hint="Use --identity reference, and report this with the output of `bench doctor`.",
        )
    return apart


def synthetic_chips(count: int) -> Chips:
    """Pictures of smooth noise, light and dark, with an edge here and there; always the same."""
    import cv2

    random = np.random.default_rng(5)
    chips = []
    for number in range(count):
        coarse = random.integers(0, 256, (4 + 5 * number, 6 + 5 * number, 3)).astype(np.uint8)
        chip = cv2.resize(coarse, (CHIP_PX, CHIP_PX), interpolation=cv2.INTER_CUBIC)
        chips.append(chip)
    stacked: Chips = np.stack(chips).astype(np.uint8)
    stacked[:, 60:90, 40:90] = 255 - stacked[:, 60:90, 40:90]
    return stacked
