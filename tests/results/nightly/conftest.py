"""A store to fill by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.results.compare.made_up import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "store")
