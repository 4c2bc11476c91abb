"""An observer of another package brings its own reader: nothing here knows its name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.observe.readers import installed_readers, reader_of
from harness.store.observations import ObservationStore
from harness.tools.registry import find_observer

ADAPTER = """
from pathlib import Path

import pandas as pd

from harness.model.job import Role, Step
from harness.model.observed import UnitScale
from harness.model.tool import ChildProcess, ObserverTool
from harness.observe.readers import Imported, OutputReader


def bring_in(file, sha256, frames, home):
    raise NotImplementedError


def read(path):
    return pd.read_csv(path)


READER = OutputReader(
    source="frowns", title="Frowns", version="1", ending=".csv",
    scale=UnitScale(name="0-10", factor=10.0), units=("AU04",), bring_in=bring_in, read=read,
)
TOOL = dict(
    summary="Counts frowns.", homepage="https://example.org", licence="MIT", versions=("3",),
    steps=(Step.OBSERVE,), needs=(Role.VIDEO,), runs_as=ChildProcess(module="frowns.driver"),
)
FROWNS = ObserverTool(name="frowns", reader="frowns_adapter:READER", **TOOL)
LOST = ObserverTool(name="lost", reader="frowns_adapter:NOTHING", **TOOL)
"""
ENTRY_POINTS = "[bench.observers]\nfrowns = frowns_adapter:FROWNS\nlost = frowns_adapter:LOST\n"


@pytest.fixture
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The observers ``frowns``, and ``lost``, whose reader is not there."""
    (tmp_path / "frowns_adapter.py").write_text(ADAPTER)
    metadata = tmp_path / "frowns-3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: frowns\nVersion: 3\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    installed_readers.cache_clear()
    yield
    installed_readers.cache_clear()
    sys.modules.pop("frowns_adapter", None)


@pytest.mark.usefixtures("_package")
def test_a_third_partys_reader_is_found_through_its_observer(tmp_path: Path) -> None:
    reader = reader_of(find_observer("frowns"))
    assert [one.source for one in installed_readers()] == ["frowns", "openface"]
    assert (reader.scale.name, reader.units) == ("0-10", ("AU04",))
    path = reader.path(ObservationStore(tmp_path), "ab")
    assert path == tmp_path / "observations" / "ab" / "frowns@1.csv"


@pytest.mark.usefixtures("_package")
def test_an_observer_whose_reader_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="no reader for what lost measures"):
        reader_of(find_observer("lost"))
