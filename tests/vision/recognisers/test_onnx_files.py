"""A user's ONNX file as a recogniser: used as stated, refused with a sentence when it is none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save_model

from harness.core.errors import UnusableInputError, UsageError
from harness.vision.recognisers.base import Alignment, Distance, Recogniser, distances
from harness.vision.recognisers.builtin import DLIB
from harness.vision.recognisers.convention import StatedConvention
from harness.vision.recognisers.onnx_file import open_onnx_file
from harness.vision.recognisers.registry import open_named, recogniser_openers

SIZE = 32


def stand_in(path: Path, **changes: Any) -> Path:
    """A network that averages blocks of 8 x 8: shaped as a face network is, and no more."""
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
        _last(says.get("last", "Flatten"), made),
    ]
    output = helper.make_tensor_value_info(made, TensorProto.FLOAT, says.get("output", ["n", None]))
    inputs = [helper.make_tensor_value_info("picture", says["type"], shape)]
    inputs += [
        helper.make_tensor_value_info(f"more {number}", TensorProto.FLOAT, ["n", 48])
        for number in range(says.get("more", 0))
    ]
    if "weights" in says:
        inputs.append(helper.make_tensor_value_info("scale", TensorProto.FLOAT, []))
    graph = helper.make_graph(nodes, "stand-in", inputs, [output], constants)
    opset = [helper.make_opsetid("", 17)]
    path.write_bytes(
        helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    )
    return path


def with_weights_outside(folder: Path, seed: int = 1) -> Path:
    """A network whose weights are in a file of their own, as large exports have them."""
    numbers = np.random.default_rng(seed).normal(size=(3 * SIZE * SIZE, 24)).astype(np.float32)
    constants = [
        numpy_helper.from_array(numbers, "weights"),
        numpy_helper.from_array(np.array([-1, 3 * SIZE * SIZE]), "flat"),
    ]
    nodes = [
        helper.make_node("Reshape", ["picture", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "weights"], ["vector"]),
    ]
    info = helper.make_tensor_value_info
    picture = info("picture", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])
    vector = info("vector", TensorProto.FLOAT, ["n", 24])
    graph = helper.make_graph(nodes, "outside", [picture], [vector], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "face.onnx"
    (folder / "face.onnx.data").unlink(missing_ok=True)
    save_model(model, path, save_as_external_data=True, location="face.onnx.data")
    return path


def test_weights_in_a_file_of_their_own_are_read_and_are_part_of_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    first = open_onnx_file(with_weights_outside(tmp_path), StatedConvention())
    vectors = first.run(faces().astype(np.float32))
    assert vectors.shape == (5, 24)
    other = open_onnx_file(with_weights_outside(tmp_path, seed=2), StatedConvention())
    assert other.sha256 != first.sha256, "the same graph with other weights is another network"


def test_a_missing_file_of_weights_is_named_and_the_network_is_not_blamed(tmp_path: Path) -> None:
    path = with_weights_outside(tmp_path)
    (tmp_path / "face.onnx.data").unlink()
    with pytest.raises(UnusableInputError, match=r"face\.onnx\.data, which does not exist") as said:
        open_onnx_file(path, StatedConvention())
    assert "not a face network" not in str(said.value)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="does not exist"):
        open_onnx_file(tmp_path / "none.onnx", StatedConvention())


@pytest.mark.parametrize("name", ["weights/net.pt", "/x/net.pth", "./net.h5"])
def test_a_path_of_something_else_is_not_taken_for_a_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a path, but of no ONNX file"):
        open_named(name, tmp_path)


def _last(kind: str, made: str) -> Any:
    if kind == "Concat":
        return helper.make_node(kind, ["more 0", "more 0"], [made], axis=1)
    return helper.make_node(kind, ["s"], [made])


def faces(count: int = 5) -> np.ndarray:
    """Pictures of noise, which are not looked at as faces here."""
    return np.random.default_rng(3).integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)


def opened(path: Path, **states: Any) -> Recogniser:
    """By the first convention that agrees with what is stated."""
    network = open_onnx_file(path, StatedConvention.model_validate(states))
    return network.with_convention(network.possible(network.stated.candidates())[0])


def test_a_stand_in_is_described_and_embeds_as_its_arithmetic_says(tmp_path: Path) -> None:
    recogniser = opened(stand_in(tmp_path / "net.onnx"))
    info = recogniser.info
    assert (info.name, info.chip_px, info.alignment) == ("net", SIZE, Alignment.FIVE_POINTS)
    assert (info.distance, info.threshold) == (Distance.COSINE, None)
    assert info.preprocessing == "RGB, -1 to 1; 32 px, aligned by five points"
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
        {"more": 2, "weights": 1},
    ],
    ids=["one at a time", "channels last", "bytes", "inputs that need not be fed"],
)
def test_pictures_are_given_as_the_file_wants_them(tmp_path: Path, changes: dict[str, Any]) -> None:
    plain = opened(stand_in(tmp_path / "plain.onnx")).embed(faces())
    other = opened(stand_in(tmp_path / "other.onnx", **changes)).embed(faces())
    assert np.sort(other, axis=1) == pytest.approx(np.sort(plain, axis=1), abs=1e-5)


def test_pixels_are_as_stated(tmp_path: Path) -> None:
    path = stand_in(tmp_path / "net.onnx")
    chips = faces()
    stated = opened(path, order="bgr", mean=[10, 20, 30], scale=[1, 2, 4]).embed(chips)
    pixels = ((chips.astype(float) - [10, 20, 30]) / [1, 2, 4])[..., ::-1]
    blocks = pixels.reshape(5, 4, 8, 4, 8, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2).reshape(5, -1)
    assert stated == pytest.approx(blocks, abs=1e-3)


def test_the_version_is_the_files_content_and_how_it_is_used(tmp_path: Path) -> None:
    for name, scale in (("a.onnx", 1.0), ("b.onnx", 2.0)):
        stand_in(tmp_path / name, scale=scale)
    (tmp_path / "c.onnx").write_bytes((tmp_path / "a.onnx").read_bytes())
    first, second, same = (
        opened(tmp_path / name).info.version for name in ("a.onnx", "b.onnx", "c.onnx")
    )
    others = {
        opened(tmp_path / "a.onnx", **states).info.version
        for states in ({"order": "bgr"}, {"mean": 0, "scale": 1}, {"alignment": "dlib"})
    }
    assert first == same
    assert len({first, second, *others}) == 5


def test_an_open_size_is_112_pixels_unless_stated(tmp_path: Path) -> None:
    path = stand_in(tmp_path / "open.onnx", shape=["n", 3, "h", "w"])
    assert opened(path).info.chip_px == 112
    assert opened(path, size=160).info.chip_px == 160
    fixed = stand_in(tmp_path / "fixed.onnx")
    assert opened(fixed, size=SIZE).info.chip_px == SIZE
    with pytest.raises(UsageError, match=r"fixed.yaml states a size of 160 pixels; .* takes 32"):
        opened(fixed, size=160)


def test_mean_and_scale_are_refused_for_a_network_that_takes_bytes(tmp_path: Path) -> None:
    path = stand_in(tmp_path / "net.onnx", type=TensorProto.UINT8)
    assert opened(path, order="bgr").info.preprocessing.startswith("BGR, 0 to 255")
    with pytest.raises(UsageError, match="takes pixels as they are"):
        opened(path, mean=127.5, scale=127.5)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"last": "Concat", "more": 1}, "it takes 2 inputs, not one picture"),
    ({"last": "Identity", "output": ["n", 3, 4, 4]}, "not one vector for each picture"),
    ({"shape": ["n", 1, SIZE, SIZE]}, "not pictures of 3 colours"),
    ({"shape": ["n", 3, SIZE, 2 * SIZE]}, "not a square"),
    ({"shape": [2, 3, SIZE, SIZE]}, "it takes 2 pictures at once"),
    ({"block": 16}, "12 numbers per face; 16 are the least"),
    (
        {"shape": ["n", 3, "h", "w"], "mean": np.zeros((5, 5))},
        "it fails on a picture of 112 x 112 pixels",
    ),
]


@pytest.mark.parametrize(("changes", "why"), BAD, ids=[why for _, why in BAD])
def test_what_is_not_a_face_network_is_refused_with_the_reason(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    path = stand_in(tmp_path / "no.onnx", **changes)
    with pytest.raises(UnusableInputError, match="is not a face network") as refused:
        opened(path)
    assert why in refused.value.message


@pytest.mark.parametrize("content", [b"", b"no network"])
def test_a_file_that_cannot_be_loaded_is_not_a_face_network(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd 'name'.onnx"
    path.write_bytes(content)
    with pytest.raises(UnusableInputError, match=r"is not a face network: it (is no|cannot be)"):
        opened(path)


def test_a_missing_or_unreadable_file_is_called_that(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match=r"none\.onnx does not exist"):
        opened(tmp_path / "none.onnx")
    folder = tmp_path / "folder.onnx"
    folder.mkdir()
    with pytest.raises(UnusableInputError, match=r"folder\.onnx cannot be read"):
        opened(folder)


def test_distances_are_euclids_and_one_minus_the_cosine() -> None:
    first, second = (
        np.array([[3.0, 4.0], [1.0, 0.0]], np.float32),
        np.array([[6.0, 8.0]], np.float32),
    )
    assert distances(first, second, Distance.L2) == pytest.approx([5, np.hypot(5, 8)])
    assert distances(first, second, Distance.COSINE) == pytest.approx([0, 0.4], abs=1e-6)


def test_the_studys_recogniser_is_built_in_and_unknown_names_are_refused(tmp_path: Path) -> None:
    assert open_named("dlib", tmp_path).info == DLIB
    assert "dlib" in recogniser_openers()
    with pytest.raises(UsageError, match="Did you mean 'dlib'"):
        open_named("dlip", tmp_path)


def _endless(path: Path) -> Path:
    """A network that turns the same sixteen numbers over and over."""
    again = helper.make_graph(
        [
            helper.make_node("Identity", ["so_far"], ["turned"]),
            helper.make_node("Identity", ["going"], ["goes_on"]),
        ],
        "turn",
        [
            helper.make_tensor_value_info("count", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("so_far", TensorProto.FLOAT, ["n", 48]),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("turned", TensorProto.FLOAT, ["n", 48]),
        ],
    )
    nodes = [
        helper.make_node(
            "AveragePool", ["picture"], ["p"], kernel_shape=[28, 28], strides=[28, 28]
        ),
        helper.make_node("Flatten", ["p"], ["flat"]),
        helper.make_node("Loop", ["", "true", "flat"], ["vector"], body=again),
    ]
    graph = helper.make_graph(
        nodes,
        "endless",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["n", 48])],
        [numpy_helper.from_array(np.asarray(True), "true")],
    )
    opset = [helper.make_opsetid("", 17)]
    path.write_bytes(
        helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    )
    return path


def test_a_network_with_an_endless_loop_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.vision.onnx_runtime.RUN_LIMIT_S", 0.5)
    with pytest.raises(UnusableInputError, match="ran for more than"):
        open_onnx_file(_endless(tmp_path / "endless.onnx"), StatedConvention())


def test_a_pipe_is_no_network(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(UnusableInputError, match="it is no file"):
        open_onnx_file(tmp_path / "pipe.onnx", StatedConvention())
