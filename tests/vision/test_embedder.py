"""dlib's embedding network in ONNX Runtime: the same numbers, kept; refused when they differ."""

from __future__ import annotations

from pathlib import Path

import dlib
import face_recognition_models
import numpy as np
import pytest

from harness.core.errors import UnfitMachineError
from harness.vision import dlib_onnx, embedder
from harness.vision.dlib_weights import BLOCKS, read_network
from harness.vision.embedder import open_embedder, synthetic_chips

WEIGHTS = Path(face_recognition_models.face_recognition_model_location())


def test_embeddings_are_dlibs_own_to_a_ten_thousandth(tmp_path: Path) -> None:
    chips = np.random.default_rng(3).integers(0, 256, (5, 150, 150, 3)).astype(np.uint8)
    model = dlib.face_recognition_model_v1(str(WEIGHTS))
    expected = np.array([model.compute_face_descriptor(chip) for chip in chips])
    found = open_embedder(tmp_path).embed(chips)
    assert found.shape == (5, 128)
    assert np.linalg.norm(found - expected, axis=1).max() < 1e-4
    assert open_embedder(tmp_path).embed(chips[:0]).shape == (0, 128)


def test_the_conversion_is_kept_and_a_damaged_one_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chips = synthetic_chips(2)
    first = open_embedder(tmp_path).embed(chips)
    (kept,) = (tmp_path / "models").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(embedder, "to_onnx", lambda _: pytest.fail("converted again"))
        assert np.array_equal(open_embedder(tmp_path).embed(chips), first)
    kept.write_bytes(kept.read_bytes()[:1000])
    assert np.array_equal(open_embedder(tmp_path).embed(chips), first)
    assert kept.stat().st_size > 20_000_000


def test_a_network_that_gives_other_numbers_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dlib_onnx, "_MEAN_RGB", (122.0, 117.0, 104.0))
    with pytest.raises(UnfitMachineError, match="gives other numbers"):
        open_embedder(tmp_path)
    assert not (tmp_path / "models").exists()


def test_weights_that_are_cut_short_or_not_finite_are_refused(tmp_path: Path) -> None:
    data = bytearray(WEIGHTS.read_bytes())
    short, wild = tmp_path / "short.dat", tmp_path / "wild.dat"
    short.write_bytes(data[:-9000])
    with pytest.raises(UnfitMachineError, match="is not the face recognition network"):
        read_network(short)
    data[5000:9000] = b"\xff" * 4000
    wild.write_bytes(data)
    with pytest.raises(UnfitMachineError, match="damaged"):
        read_network(wild)


def test_the_network_has_dlibs_shape() -> None:
    network = read_network(WEIGHTS)
    assert len(network.convolutions) == 1 + 2 * len(BLOCKS) == 29
    assert network.matrix.shape == (256, 128)
    numbers = sum(c.weights.size + c.biases.size for c in network.convolutions)
    assert 5_500_000 < numbers + network.matrix.size < 5_700_000
