"""A user's own ONNX file as a recogniser, of the ArcFace class; checked before it is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.canonical import file_sha256
from harness.errors import BenchError, UnusableInputError
from harness.recognisers.base import (
    Alignment,
    Chips,
    Distance,
    Embeddings,
    Recogniser,
    RecogniserInfo,
    distances,
)
from harness.recognisers.drawn_faces import drawn_face
from harness.vision.runtime import open_session

_LEAST_NUMBERS = 16
"""A vector of fewer numbers tells no people apart: more likely a classifier or a regressor."""
_LEAST_APART = 1e-4
_SHIFT_PX = 2


class _Shape(NamedTuple):
    """What the network takes."""

    name: str
    size: int
    channels_first: bool
    whole: bool
    """Bytes from 0 to 255, not numbers from -1 to 1."""
    batched: bool


class _OnnxFile:
    """A network in ONNX Runtime."""

    def __init__(self, session: Any, shape: _Shape, info: RecogniserInfo) -> None:
        self._session, self._shape, self._info = session, shape, info

    @property
    def info(self) -> RecogniserInfo:
        return self._info

    def embed(self, chips: Chips) -> Embeddings:
        shape = self._shape
        pixels: NDArray[Any] = chips
        if not shape.whole:
            pixels = ((chips.astype(np.float32) - 127.5) / 127.5).astype(np.float32)
        if shape.channels_first:
            pixels = pixels.transpose(0, 3, 1, 2)
        pixels = np.ascontiguousarray(pixels)
        parts = [pixels] if shape.batched and len(pixels) else np.split(pixels, len(pixels) or 1)
        found = [self._session.run(None, {shape.name: part})[0] for part in parts if len(part)]
        if not found:
            return np.empty((0, 0), np.float32)
        return np.concatenate(found).astype(np.float32)


def open_onnx_file(path: Path) -> Recogniser:
    """The recogniser in ``path``: one square picture of a known size (RGB, from -1 to 1 or bytes)
    to one vector per face; aligned by five points, compared by cosine.

    Raises UnusableInputError with a sentence for a file that is not a face network.
    """
    try:
        session = open_session(path.read_bytes())
    except (OSError, BenchError) as error:
        said = error.message if isinstance(error, BenchError) else error
        raise _not_a_face_network(path, f"it cannot be loaded ({said})") from error
    shape = _shape(session, path)
    sha256 = file_sha256(path)
    info = RecogniserInfo(
        name=path.stem,
        version=f"onnx-{sha256[:16]}",
        licence="the user's own file",
        alignment=Alignment.FIVE_POINTS,
        chip_px=shape.size,
        distance=Distance.COSINE,
    )
    recogniser = _OnnxFile(session, shape, info)
    _check(recogniser, path)
    return recogniser


def _shape(session: Any, path: Path) -> _Shape:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1:
        raise _not_a_face_network(path, f"it takes {len(inputs)} inputs, not one picture")
    if len(outputs) != 1 or len(outputs[0].shape) != 2:
        shapes = ", ".join(str(one.shape) for one in outputs)
        raise _not_a_face_network(path, f"it gives {shapes}, not one vector for each picture")
    taken, kind = inputs[0], inputs[0].type
    if len(taken.shape) != 4 or kind not in ("tensor(float)", "tensor(uint8)"):
        raise _not_a_face_network(path, f"it takes {kind} of shape {taken.shape}, not pictures")
    first = taken.shape[1] == 3
    if not first and taken.shape[3] != 3:
        raise _not_a_face_network(path, f"it takes {taken.shape}, not pictures of 3 colours")
    sides = taken.shape[2:4] if first else taken.shape[1:3]
    if sides[0] != sides[1] or not isinstance(sides[0], int) or sides[0] < 16:
        raise _not_a_face_network(path, f"the size of its picture is {sides}, not a known square")
    batched = not isinstance(taken.shape[0], int)
    return _Shape(taken.name, sides[0], first, kind == "tensor(uint8)", batched)


def _check(recogniser: _OnnxFile, path: Path) -> None:
    """Two drawn faces must be further apart than each is from itself moved by a little."""
    size = recogniser.info.chip_px
    faces = [drawn_face(kind, size) for kind in (0, 1)]
    moved = [np.roll(face, max(1, size * _SHIFT_PX // 112), axis=1) for face in faces]
    try:
        found = recogniser.embed(np.stack([*faces, *moved]))
    except Exception as error:  # ONNX Runtime's errors share no base of their own
        said = str(error).splitlines()[0]
        raise _not_a_face_network(path, f"it fails on a picture ({said})") from error
    if found.ndim != 2 or found.shape[0] != 4 or found.shape[1] < _LEAST_NUMBERS:
        raise _not_a_face_network(
            path, f"it gives {found.shape[-1]} numbers per face; {_LEAST_NUMBERS} are the least"
        )
    if not np.isfinite(found).all():
        raise _not_a_face_network(path, "some of the numbers it gives are not finite")
    apart = distances(found[:1], found[1:2], Distance.COSINE)[0]
    same = distances(found[:2], found[2:], Distance.COSINE).max()
    if apart < _LEAST_APART:
        raise _not_a_face_network(path, "it gives the same numbers for two different faces")
    if same >= apart:
        raise _not_a_face_network(
            path,
            f"a face moved by {_SHIFT_PX} pixels is further from itself ({same:.3g}) than from "
            f"another face ({apart:.3g})",
        )


def _not_a_face_network(path: Path, why: str) -> UnusableInputError:
    return UnusableInputError(
        f"{path} is not a face network: {why}.",
        hint="Give an ONNX file of the ArcFace class: one aligned RGB face of 112 x 112 in, one "
        "embedding out.",
    )
