"""The parameters of dlib's face embedding network, read from dlib's own file format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UnfitMachineError

Weights = NDArray[np.float32]


class Convolution(NamedTuple):
    """A convolution with the affine layer behind it folded in."""

    weights: Weights
    """Channels out x channels in x rows x columns."""
    biases: Weights
    """Channels out."""


class Network(NamedTuple):
    """The 29 convolutions from input to output, and the last matrix (256 x 128)."""

    convolutions: tuple[Convolution, ...]
    matrix: Weights


class Block(NamedTuple):
    """A residual block of two 3 x 3 convolutions; ``down`` halves the picture."""

    channels: int
    down: bool


STEM_CHANNELS, STEM_SIZE = 32, 7
BLOCKS: tuple[Block, ...] = (
    *[Block(32, down=False)] * 3,
    *(Block(64, down=True), *[Block(64, down=False)] * 3),
    *(Block(128, down=True), *[Block(128, down=False)] * 2),
    *(Block(256, down=True), *[Block(256, down=False)] * 2),
    Block(256, down=True),
)
EMBEDDING = 128
_TENSOR_VERSION = 2
_REPAIR = "Reinstall it: pip install --force-reinstall face-recognition-models==0.3.0"


def read_network(path: Path) -> Network:
    """The network of ``dlib_face_recognition_resnet_model_v1.dat``.

    A tensor is five compressed integers (version 2, then its four extents) and its numbers as
    little-endian float32. All 59 are looked for in their order, by the header that each must have;
    what lies between them (the optimiser's settings) is passed over. Raises UnfitMachineError for
    a file in which one is missing.
    """
    tensors = _Tensors(path)
    convolutions = []
    for shape in _shapes():
        count = int(np.prod(shape))
        both = tensors.next(count + shape[0], 1, 1, 1)
        gamma, beta = np.split(tensors.next(2 * shape[0], 1, 1, 1), 2)
        weights = both[:count].reshape(shape) * gamma[:, None, None, None]
        convolutions.append(Convolution(weights, both[count:] * gamma + beta))
    channels = BLOCKS[-1].channels
    matrix = tensors.next(channels, EMBEDDING, 1, 1).reshape(channels, EMBEDDING)
    return Network(tuple(convolutions), matrix)


def _shapes() -> Iterator[tuple[int, int, int, int]]:
    """The shape of each convolution's weights, from input to output."""
    yield STEM_CHANNELS, 3, STEM_SIZE, STEM_SIZE
    before = STEM_CHANNELS
    for block in BLOCKS:
        yield block.channels, before, 3, 3
        yield block.channels, block.channels, 3, 3
        before = block.channels


class _Tensors:
    """The tensors of a file, one after another."""

    def __init__(self, path: Path) -> None:
        self._path, self._data, self._at = path, path.read_bytes(), 0

    def next(self, *extents: int) -> Weights:
        """The numbers of the next tensor of these extents, flat."""
        header = b"".join(map(_compressed, (_TENSOR_VERSION, *extents)))
        found = self._data.find(header, self._at)
        start, count = found + len(header), int(np.prod(extents))
        self._at = start + 4 * count
        if found < 0 or self._at > len(self._data):
            raise UnfitMachineError(
                f"{self._path} is not the face recognition network that this program knows.",
                hint=_REPAIR,
            )
        values = np.frombuffer(self._data, "<f4", count, start).astype(np.float32)
        if not np.isfinite(values).all():
            raise UnfitMachineError(
                f"{self._path} is damaged: some of its numbers are not finite.",
                hint=_REPAIR,
            )
        return values


def _compressed(value: int) -> bytes:
    """A whole number as dlib writes it: how many bytes, then those, the least first."""
    size = max(1, (value.bit_length() + 7) // 8)
    return bytes([size]) + value.to_bytes(size, "little")
