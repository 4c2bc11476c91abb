"""Observations on disk: nothing measured is lost, nothing broken is believed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pyarrow as pa
import pytest

from harness.core.errors import BenchWarning, StoreError, UnfitMachineError, UnusableInputError
from harness.observe.identity import embed_photo
from harness.store.observations import ObservationKey, ObservationStore
from harness.vision.boxes import main_face
from harness.vision.recognition import load_face_recognition

KEY = ObservationKey("ab", "x", "1")


def test_a_damaged_file_is_set_aside_and_counts_as_missing(tmp_path: Path) -> None:
    store = ObservationStore(tmp_path)
    path = store.path(KEY)
    store.write(KEY, pa.table({"frame": [1, 2]}))
    path.write_bytes(path.read_bytes()[:40])
    with pytest.warns(BenchWarning, match="is no Parquet file"):
        assert store.read(KEY) is None
    assert not path.exists()
    assert path.with_name(f"{path.name}.corrupt-1").exists()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    from pyarrow import parquet

    store = ObservationStore(tmp_path)
    store.path(KEY).parent.mkdir(parents=True)
    table = pa.table({"frame": [1]}).replace_schema_metadata({"bench_schema_version": "99"})
    parquet.write_table(table, store.path(KEY))
    with pytest.raises(StoreError, match="newer version"):
        store.read(KEY)


def test_a_store_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "observations").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be read or written"):
        ObservationStore(tmp_path).write(KEY, pa.table({"frame": [1]}))


def test_missing_models_are_an_error_and_never_a_silent_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "face_recognition_models" else real(name, *rest),
    )
    with pytest.raises(UnfitMachineError, match="face_recognition_models") as caught:
        load_face_recognition()
    assert "pip install" in str(caught.value)


def test_the_main_face_is_the_tracked_one_and_else_the_largest() -> None:
    small, large = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 90.0, 90.0)
    assert main_face([small, large], None) == 1
    assert main_face([small, large], (1.0, 1.0, 11.0, 11.0)) == 0
    assert main_face([small, large], (12.0, 12.0, 20.0, 20.0)) == 0
    assert main_face([], None) is None


def test_a_photo_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_text("no picture")
    with pytest.raises(UnusableInputError, match=r"photo\.png"):
        embed_photo(path)
