"""A user's ONNX file as a recogniser: used as it says, refused with a sentence when it is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.errors import UnusableInputError, UsageError
from harness.recognisers.base import Alignment, Distance, distances
from harness.recognisers.builtin import DLIB
from harness.recognisers.drawn_faces import drawn_face
from harness.recognisers.onnx_file import open_onnx_file
from harness.recognisers.registry import open_recogniser, recogniser_openers

SIZE = 32


def stand_in(path: Path, **changes: Any) -> Path:
    """A network that averages blocks of 8 x 8 and looks at what differs from a mean face: a
    stand-in for a face network, which tells drawn faces apart and little else.
    """
    says = {"shape": ["n", 3, SIZE, SIZE], "type": TensorProto.FLOAT, "scale": 1.0} | changes
    shape, given, made = says["shape"], "picture", "vector"
    nodes = []
    if says["type"] == TensorProto.UINT8:
        nodes.append(helper.make_node("Cast", [given], ["cast"], to=TensorProto.FLOAT))
        given = "cast"
    if shape[1] != 3:
        nodes.append(helper.make_node("Transpose", [given], ["turned"], perm=(0, 3, 1, 2)))
        given = "turned"
    mean = says.get("mean", np.zeros((1,), np.float32))
    constants = [
        numpy_helper.from_array(np.asarray(says["scale"], np.float32), "scale"),
        numpy_helper.from_array(np.asarray(mean, np.float32), "mean"),
    ]
    side = (says.get("block", 8),) * 2
    nodes += [
        helper.make_node("Mul", [given, "scale"], ["m"]),
        helper.make_node("AveragePool", ["m"], ["p"], kernel_shape=side, strides=side),
        helper.make_node("Sub", ["p", "mean"], ["s"]),
        helper.make_node(says.get("last", "Flatten"), ["s"], [made]),
    ]
    output = helper.make_tensor_value_info(made, TensorProto.FLOAT, says.get("output", ["n", None]))
    inputs = [helper.make_tensor_value_info("picture", says["type"], shape)]
    inputs += [helper.make_tensor_value_info("more", TensorProto.FLOAT, [1])] * says.get("more", 0)
    graph = helper.make_graph(nodes, "stand-in", inputs, [output], constants)
    opset = [helper.make_opsetid("", 17)]
    path.write_bytes(
        helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    )
    return path


def faces(count: int = 5) -> np.ndarray:
    return np.stack([drawn_face(number % 2, SIZE) for number in range(count)])


def test_a_stand_in_is_described_and_embeds_as_its_arithmetic_says(tmp_path: Path) -> None:
    recogniser = open_onnx_file(stand_in(tmp_path / "net.onnx"))
    info = recogniser.info
    assert (info.name, info.chip_px, info.alignment) == ("net", SIZE, Alignment.FIVE_POINTS)
    assert (info.distance, info.threshold) == (Distance.COSINE, None)
    chips = faces()
    pixels = (chips.astype(float) - 127.5) / 127.5
    blocks = pixels.reshape(5, 4, 8, 4, 8, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2).reshape(5, -1)
    assert recogniser.embed(chips) == pytest.approx(blocks, abs=1e-5)
    assert len(recogniser.embed(chips[:0])) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": [1, 3, SIZE, SIZE]},
        {"shape": ["n", SIZE, SIZE, 3]},
        {"shape": ["n", 3, SIZE, SIZE], "type": TensorProto.UINT8, "scale": 1 / 127.5, "mean": [1]},
    ],
    ids=["one at a time", "channels last", "bytes"],
)
def test_pictures_are_given_as_the_file_wants_them(tmp_path: Path, changes: dict[str, Any]) -> None:
    plain = open_onnx_file(stand_in(tmp_path / "plain.onnx")).embed(faces())
    other = open_onnx_file(stand_in(tmp_path / "other.onnx", **changes)).embed(faces())
    assert np.sort(other, axis=1) == pytest.approx(np.sort(plain, axis=1), abs=1e-5)


def test_the_version_is_the_files_content(tmp_path: Path) -> None:
    first, second = (
        open_onnx_file(stand_in(tmp_path / name, scale=scale)).info
        for name, scale in (("a.onnx", 1.0), ("b.onnx", 2.0))
    )
    assert first.version != second.version
    (tmp_path / "c.onnx").write_bytes((tmp_path / "a.onnx").read_bytes())
    assert open_onnx_file(tmp_path / "c.onnx").info.version == first.version


BAD: list[tuple[dict[str, Any], str]] = [
    ({"more": 1}, "it takes 2 inputs, not one picture"),
    ({"last": "Identity", "output": ["n", 3, 4, 4]}, "not one vector for each picture"),
    ({"shape": ["n", 1, SIZE, SIZE]}, "not pictures of 3 colours"),
    ({"shape": ["n", 3, "h", "w"]}, "not a known square"),
    ({"shape": ["n", 3, SIZE, 2 * SIZE]}, "not a known square"),
    ({"block": 16}, "12 numbers per face; 16 are the least"),
    ({"scale": np.nan}, "not finite"),
    ({"scale": 0.0, "mean": [1.0]}, "the same numbers for two different faces"),
]


@pytest.mark.parametrize(("changes", "why"), BAD, ids=[why for _, why in BAD])
def test_what_is_not_a_face_network_is_refused_and_told(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    path = stand_in(tmp_path / "no.onnx", **changes)
    with pytest.raises(UnusableInputError, match="is not a face network") as refused:
        open_onnx_file(path)
    assert why in refused.value.message


def test_a_network_to_which_a_moved_face_is_another_person_is_refused(tmp_path: Path) -> None:
    # It looks only at pixels that a shift changes more than another person does.
    pixels = faces(2).astype(float) / 127.5 - 1
    by_shift = np.abs(np.roll(pixels, 1, axis=2) - pixels).min(axis=0)
    by_person = np.abs(pixels[0] - pixels[1])
    seen = (by_shift > by_person + 0.05).transpose(2, 0, 1)[None]
    assert seen.any()
    path = stand_in(tmp_path / "edges.onnx", scale=seen, block=1)
    with pytest.raises(UnusableInputError, match="further from itself"):
        open_onnx_file(path)


@pytest.mark.parametrize("content", [b"", b"no network", None])
def test_a_file_that_cannot_be_loaded_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "odd 'name'.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnusableInputError, match="it cannot be loaded"):
        open_onnx_file(path)


def test_distances_are_euclids_and_one_minus_the_cosine() -> None:
    first, second = (
        np.array([[3.0, 4.0], [1.0, 0.0]], np.float32),
        np.array([[6.0, 8.0]], np.float32),
    )
    assert distances(first, second, Distance.L2) == pytest.approx([5, np.hypot(5, 8)])
    assert distances(first, second, Distance.COSINE) == pytest.approx([0, 0.4], abs=1e-6)


def test_the_studys_recogniser_is_built_in_and_unknown_ones_are_told(tmp_path: Path) -> None:
    assert open_recogniser("dlib", tmp_path).info == DLIB
    assert "dlib" in recogniser_openers()
    with pytest.raises(UsageError, match="Did you mean 'dlib'"):
        open_recogniser("dlip", tmp_path)
