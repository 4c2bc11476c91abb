"""dlib's face embedding network as an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.vision.dlib_weights import BLOCKS, EMBEDDING, Block, Convolution, Network

CHIP_PX = 150
INPUT, OUTPUT = "chips", "embeddings"
_MEAN_RGB = (122.782, 117.001, 104.298)
_OPSET = 17


def to_onnx(network: Network) -> bytes:
    """The serialised model: ``chips`` (uint8, n x 150 x 150 x 3, RGB) to ``embeddings`` (float32,
    n x 128).
    """
    from onnx import TensorProto, checker, helper

    graph = _Graph()
    pictures = graph.add("Cast", INPUT, to=TensorProto.FLOAT)
    pictures = graph.add("Transpose", pictures, perm=(0, 3, 1, 2))
    mean = np.array(_MEAN_RGB, np.float32).reshape(1, 3, 1, 1)
    pictures = graph.add("Sub", pictures, graph.constant(mean))
    pictures = graph.add("Mul", pictures, graph.constant(np.array(1 / 256, np.float32)))
    left = list(network.convolutions)
    now = graph.add("Relu", graph.convolve(pictures, left.pop(0), stride=2, pad=0))
    now = graph.add("MaxPool", now, kernel_shape=(3, 3), strides=(2, 2))
    before = BLOCKS[0].channels
    for block, size in zip(BLOCKS, _sizes(), strict=True):
        now = _block(graph, now, (left.pop(0), left.pop(0)), block, (before, size))
        before = block.channels
    pooled = graph.add("Flatten", graph.add("GlobalAveragePool", now), axis=1)
    graph.add("MatMul", pooled, graph.constant(network.matrix), output=OUTPUT)
    shape_in, shape_out = ("n", CHIP_PX, CHIP_PX, 3), ("n", EMBEDDING)
    whole = helper.make_graph(
        graph.nodes,
        "dlib_face_recognition_resnet_model_v1",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, shape_in)],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape_out)],
        graph.constants,
    )
    model = helper.make_model(
        whole, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8, producer_name="bench"
    )
    checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString()
    return data


def _sizes() -> list[int]:
    """Side of the picture (pixels) that goes into each block."""
    size = ((CHIP_PX - 7) // 2 + 1 - 3) // 2 + 1
    sizes = []
    for block in BLOCKS:
        sizes.append(size)
        if block.down:
            size = max((size - 3) // 2 + 1, size // 2)
    return sizes


def _block(
    graph: _Graph,
    entry: str,
    pair: tuple[Convolution, Convolution],
    block: Block,
    into: tuple[int, int],
) -> str:
    """convolve, ReLU, convolve, plus the entry, ReLU; ``into`` is the entry's channels and size.

    When the block halves the picture, the entry is averaged over 2 x 2, and whichever of the two
    is smaller is filled up with zeros at its end: that is how dlib adds tensors of unequal shape.
    """
    channels, size = into
    stride, pad = (2, 0) if block.down else (1, 1)
    first = graph.add("Relu", graph.convolve(entry, pair[0], stride=stride, pad=pad))
    second = graph.convolve(first, pair[1], stride=1, pad=1)
    if block.down:
        entry = graph.add("AveragePool", entry, kernel_shape=(2, 2), strides=(2, 2))
        made, kept = (size - 3) // 2 + 1, size // 2
        side = max(made, kept)
        entry = graph.fill(entry, block.channels - channels, side - kept)
        second = graph.fill(second, 0, side - made)
    return graph.add("Relu", graph.add("Add", second, entry))


class _Graph:
    """Nodes and constants, as they are added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """A node; returns the name of its output."""
        from onnx import helper

        name = output or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: NDArray[Any]) -> str:
        """A constant; returns its name."""
        from onnx import numpy_helper

        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolve(self, entry: str, kernel: Convolution, *, stride: int, pad: int) -> str:
        weights, biases = self.constant(kernel.weights), self.constant(kernel.biases)
        size = kernel.weights.shape[2:]
        return self.add(
            "Conv", entry, weights, biases,
            kernel_shape=size, strides=(stride, stride), pads=(pad,) * 4,
        )  # fmt: skip

    def fill(self, entry: str, channels: int, side: int) -> str:
        """Zeros at the end of the channels, rows and columns."""
        if not channels and not side:
            return entry
        ends = np.array([0, 0, 0, 0, 0, channels, side, side], np.int64)
        return self.add("Pad", entry, self.constant(ends))
