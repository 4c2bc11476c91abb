"""Stored measurements of a recogniser that are shown, and those that are not."""

from __future__ import annotations

from pathlib import Path

from harness.observe.recognised import PREFIX, stored_recognisers, version_of
from harness.store.observations import ObservationKey, ObservationStore
from harness.vision.recognisers.builtin import DLIB


def test_measurements_of_an_older_way_of_measuring_are_not_shown(tmp_path: Path) -> None:
    store, today = ObservationStore(tmp_path), version_of(DLIB)
    unchecked = DLIB.model_copy(update={"version": "onnx-fb143eea07838aa5"})
    before = version_of(unchecked).rpartition("-m")[0] + "-m1"
    for name, version in ((DLIB.name, today), (DLIB.name, f"{today}0"), ("net", before)):
        path = store.path(ObservationKey("ab", f"{PREFIX}{name}", version))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert list(stored_recognisers("ab", store)) == [f"{PREFIX}dlib@{today}.parquet"]
