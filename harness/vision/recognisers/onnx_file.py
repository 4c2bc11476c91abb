"""A user's own ONNX file as a recogniser, of the ArcFace class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import BenchError, UnusableInputError, UsageError
from harness.core.hashing import content_hash, file_sha256
from harness.vision.aligning import ARCFACE_PX
from harness.vision.onnx_runtime import keep_fed_inputs, open_session, run_session
from harness.vision.recognisers.base import (
    Alignment,
    Chips,
    Distance,
    Embeddings,
    Recogniser,
    RecogniserInfo,
)
from harness.vision.recognisers.convention import Convention, StatedConvention, stated_path

_LEAST_NUMBERS = 16
"""A vector of fewer numbers distinguishes no people: more likely a classifier or a regressor."""
_LEAST_PX = 16
_MOST_BYTES = 2 << 30


class _Shape(NamedTuple):
    """Shape of the network's input."""

    name: str
    size: int | None
    """None where the network leaves it open."""
    channels_first: bool
    whole: bool
    """Bytes, not floating-point numbers."""
    batched: bool


class OnnxFile:
    """A network that takes one picture and gives one vector; made by ``open_onnx_file``."""

    def __init__(
        self, path: Path, sha256: str, session: Any, shape: _Shape, stated: StatedConvention
    ) -> None:
        self.path, self.sha256, self.stated = path, sha256, stated
        self.size = shape.size or stated.size or ARCFACE_PX
        self._session, self._shape = session, shape

    def possible(self, conventions: Sequence[Convention]) -> tuple[Convention, ...]:
        """Conventions the network can be fed by: to one that takes bytes pixels go as they are.

        Raises UsageError where something else is stated.
        """
        if not self._shape.whole:
            return tuple(conventions)
        if self.stated.mean is not None:
            raise UsageError(
                f"{stated_path(self.path)} states mean and scale; {self.path.name} takes pixels as "
                "they are, in bytes.",
                hint="Take mean and scale out of that file.",
            )
        return tuple(convention for convention in conventions if convention.whole)

    def with_convention(self, convention: Convention) -> Recogniser:
        """The recogniser, described so that no two conventions are ever mixed."""
        used = {
            "sha256": self.sha256,
            "convention": convention.model_dump(mode="json"),
            "size": self.size,
            "alignment": self.stated.alignment,
        }
        info = RecogniserInfo(
            name=self.path.stem,
            version=f"onnx-{self.sha256[:16]}-{content_hash(used)[:8]}",
            licence="the user's own file",
            alignment=self.stated.alignment,
            chip_px=self.size,
            distance=Distance.COSINE,
            preprocessing=f"{convention}; {self.size} px, aligned by {_BY[self.stated.alignment]}",
        )
        return _Recogniser(self, convention, info)

    def run(self, numbers: NDArray[np.float32]) -> Embeddings:
        """One vector for each of n x size x size x 3."""
        shape = self._shape
        pixels: NDArray[Any] = numbers.astype(np.uint8) if shape.whole else numbers
        if shape.channels_first:
            pixels = pixels.transpose(0, 3, 1, 2)
        if not len(pixels):
            return np.empty((0, 0), np.float32)
        pixels = np.ascontiguousarray(pixels)
        parts = [pixels] if shape.batched else np.split(pixels, len(pixels))
        vectors = [run_session(self._session, {shape.name: part}) for part in parts]
        return np.concatenate(vectors).astype(np.float32)


_BY = {Alignment.FIVE_POINTS: "five points", Alignment.DLIB: "dlib's chip"}


class _Recogniser:
    """A network and its convention."""

    def __init__(self, network: OnnxFile, convention: Convention, info: RecogniserInfo) -> None:
        self._network, self._convention, self._info = network, convention, info

    @property
    def info(self) -> RecogniserInfo:
        return self._info

    def embed(self, chips: Chips) -> Embeddings:
        return self._network.run(self._convention.apply(chips))


def open_onnx_file(path: Path, stated: StatedConvention) -> OnnxFile:
    """The network in ``path``, from a square picture to one vector; compared by cosine.

    Whether it distinguishes faces is not known yet. Raises UnusableInputError with a sentence for a
    file that cannot be read or is no such network, UsageError for a stated size that it does not
    take.
    """
    try:
        if path.exists() and not path.is_file():
            raise OSError(0, "it is no file")
        if path.stat().st_size > _MOST_BYTES:
            raise OSError(0, "no ONNX file has more than 2 GiB: weights lie in others")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else "cannot be read"
        reason = error.strerror if isinstance(error, OSError) else error
        more = "" if isinstance(error, FileNotFoundError) else f" ({reason})"
        raise UnusableInputError(
            f"The recogniser's file {path} {why}{more}.", hint="Check the path and its rights."
        ) from error
    model = _model(content, path)
    weights = _load_weights(model, path)
    session = _session(model, path)
    shape = _shape(session, path)
    if stated.size is not None and shape.size not in (None, stated.size):
        raise UsageError(
            f"{stated_path(path)} states a size of {stated.size} pixels; {path.name} takes "
            f"{shape.size}.",
            hint="Take size out of that file: it is for networks that leave it open.",
        )
    sha256 = file_sha256(path)
    if weights:
        sha256 = content_hash([sha256, *map(file_sha256, weights)])
    network = OnnxFile(path, sha256, session, shape, stated)
    _check_output(network)
    return network


def _model(content: bytes, path: Path) -> Any:
    """An ``onnx.ModelProto``."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        return onnx.load_model_from_string(content)
    except DecodeError as error:
        raise _not_a_face_network(path, "it is no ONNX file") from error


def _load_weights(model: Any, path: Path) -> list[Path]:
    """Put the weights into the model that it keeps in files of their own (external data), as large
    exports do. Returns these files; raises UnusableInputError for one that is not there.
    """
    from onnx.checker import ValidationError
    from onnx.external_data_helper import (
        ExternalDataInfo,
        load_external_data_for_model,
        uses_external_data,
    )

    outside = filter(uses_external_data, model.graph.initializer)
    names = sorted({ExternalDataInfo(tensor).location for tensor in outside})
    files = [path.parent / name for name in names]
    for file in files:
        if not file.is_file():
            raise UnusableInputError(
                f"{path} keeps its weights in another file, {file}, which does not exist.",
                hint=f"Put {file.name} next to it under the name it had when it was exported, or "
                "export the network into one file.",
            )
    try:
        load_external_data_for_model(model, str(path.parent))
    except (OSError, ValueError, ValidationError) as error:
        raise UnusableInputError(
            f"The weights of {path} cannot be read: {error}.",
            hint="Export the network again, best into one file.",
        ) from error
    return files


def _session(model: Any, path: Path) -> Any:
    try:
        keep_fed_inputs(model)
        return open_session(model.SerializeToString())
    except BenchError as error:
        raise _not_a_face_network(path, f"it cannot be loaded ({error.message})") from error


def _shape(session: Any, path: Path) -> _Shape:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1:
        raise _not_a_face_network(path, f"it takes {len(inputs)} inputs, not one picture")
    if len(outputs) != 1 or len(outputs[0].shape) != 2:
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise _not_a_face_network(path, f"it gives {shapes}, not one vector for each picture")
    taken, kind = inputs[0], inputs[0].type
    if len(taken.shape) != 4 or kind not in ("tensor(float)", "tensor(uint8)"):
        raise _not_a_face_network(path, f"it takes {kind} of shape {taken.shape}, not pictures")
    first = taken.shape[1] == 3
    if not first and taken.shape[3] != 3:
        raise _not_a_face_network(path, f"it takes {taken.shape}, not pictures of 3 colours")
    count, sides = taken.shape[0], taken.shape[2:4] if first else taken.shape[1:3]
    known = [side for side in sides if isinstance(side, int)]
    if len(set(known)) > 1 or any(side < _LEAST_PX for side in known):
        raise _not_a_face_network(path, f"the size of its picture is {sides}, not a square")
    if isinstance(count, int) and count != 1:
        raise _not_a_face_network(path, f"it takes {count} pictures at once, not any number")
    size = known[0] if known else None
    return _Shape(taken.name, size, first, kind == "tensor(uint8)", not isinstance(count, int))


def _check_output(network: OnnxFile) -> None:
    """True when it runs, and gives enough numbers."""
    size = network.size
    try:
        vectors = network.run(np.zeros((1, size, size, 3), np.float32))
    except Exception as error:  # ONNX Runtime's errors share no base of their own
        said = str(error).splitlines()[0]
        raise _not_a_face_network(
            network.path, f"it fails on a picture of {size} x {size} pixels ({said})"
        ) from error
    if vectors.ndim != 2 or len(vectors) != 1 or vectors.shape[1] < _LEAST_NUMBERS:
        raise _not_a_face_network(
            network.path,
            f"it gives {vectors.shape[-1]} numbers per face; {_LEAST_NUMBERS} are the least",
        )


def _not_a_face_network(path: Path, why: str) -> UnusableInputError:
    return UnusableInputError(
        f"{path} is not a face network: {why}.",
        hint="Give an ONNX file of the ArcFace class: one aligned face in, one embedding out.",
    )
