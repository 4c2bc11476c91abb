"""ONNX Runtime with bounded threads, quiet, on a GPU where it offers one, and what it is given."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from harness.core.errors import UnfitMachineError, UnusableInputError
from harness.core.threads import default_jobs

_GPU = ("CUDAExecutionProvider", {"use_tf32": "0"})
"""TF32 keeps ten bits of each factor, which moves an embedding by more than is allowed here."""
_ONLY_ERRORS = 3
RUN_LIMIT_S = 120.0
"""For the faces of one batch; a second each is much."""


def open_session(model: bytes) -> Any:
    """An InferenceSession of a serialised model, with as many threads as this process's share of
    the machine (``BENCH_JOBS``). Raises UnfitMachineError for a model that cannot be loaded.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = default_jobs()
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the processor from those that others work with.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ONLY_ERRORS
    offered = onnxruntime.get_available_providers()
    gpu = [_GPU] if _GPU[0] in offered else []
    try:
        return onnxruntime.InferenceSession(
            model, options, providers=[*gpu, "CPUExecutionProvider"]
        )
    except Exception as error:
        raise UnfitMachineError(
            f"ONNX Runtime cannot load a model: {str(error).splitlines()[0]}",
            hint="Run `bench doctor` to see what this machine has.",
        ) from error


def run_session(session: Any, inputs: dict[str, Any]) -> Any:
    """The first output of a session. A network that runs for longer than ``RUN_LIMIT_S`` is ended,
    as one with an endless loop would never be. Raises ONNX Runtime's errors, and
    UnusableInputError for such an end.
    """
    import onnxruntime

    options = onnxruntime.RunOptions()
    ended = threading.Event()

    def end() -> None:
        ended.set()
        options.terminate = True

    timer = threading.Timer(RUN_LIMIT_S, end)
    timer.daemon = True
    timer.start()
    try:
        return session.run(None, inputs, options)[0]
    except Exception as error:
        if not ended.is_set():
            raise
        raise UnusableInputError(
            f"A network ran for more than {RUN_LIMIT_S:g} s on a few faces and was ended.",
            hint="Does it hold a loop that never ends? Export it again, or use another.",
        ) from error
    finally:
        timer.cancel()


def runtime_version() -> str:
    """``ort<version>`` of the installed package, the one for GPUs included."""
    for package in ("onnxruntime", "onnxruntime-gpu"):
        try:
            return f"ort{version(package)}"
        except PackageNotFoundError:
            continue
    return "ort"


def keep_fed_inputs(network: Any) -> None:
    """Remove the inputs of an ``onnx.ModelProto`` that have a value already, or that no node reads.

    Exporters list both. ONNX Runtime asks for the latter, and optimises less where a caller could
    replace the former.
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
