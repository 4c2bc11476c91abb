"""OpenFace's driver run as the harness does, with a stand-in of its program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The stand-in as a program that needs no PATH."""
    script = Path(__file__).with_name("feature_extraction.py")
    path = tmp_path / "FeatureExtraction"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{script}" "$@"\n')
    os.chmod(path, 0o755)  # noqa: PTH101
    return path
