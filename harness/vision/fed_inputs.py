"""Inputs that a network must be fed: exporters also list weights, and things that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def keep_fed_inputs(network: Any) -> None:
    """Remove the inputs of an ``onnx.ModelProto`` that have a value already, or that no node reads.

    ONNX Runtime asks for the latter, and optimises less where a caller could replace the former.
    """
    graph = network.graph
    weights = {tensor.name for tensor in (*graph.initializer, *graph.sparse_initializer)}
    read = set(_read_names(graph))
    fed = [tensor for tensor in graph.input if tensor.name in read and tensor.name not in weights]
    del graph.input[:]
    graph.input.extend(fed)


def _read_names(graph: Any) -> Iterator[str]:
    """Names that nodes read, those within loops and branches too."""
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _read_names(inner)
