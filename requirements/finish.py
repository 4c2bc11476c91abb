"""Ends an installation of the locks: deletes what nothing here loads, compiles what is loaded.

Run by the environment's own interpreter. The packages' own test suites and pyarrow's clients of
remote stores are a tenth of what the locks bring. `make test` runs in the environment that this
leaves, so each part deleted is known not to be missed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

UNUSED = (
    "*/**/tests",
    "onnx/backend/test",
    "pyarrow/*_flight.*",
    "pyarrow/*s3*.so*",
    "pyarrow/include",
)
"""Patterns of what is deleted, in the environment's folder of packages."""

LOADED = """
import docker, duckdb, jinja2, onnx, onnxruntime, pandas, psutil, pyarrow.parquet, pydantic
import requests, scipy.spatial, scipy.stats, typer.rich_utils, yaml
from harness.vision.landmarker import load_mediapipe
from harness.vision.recognition import load_face_recognition
load_mediapipe(), load_face_recognition()
"""
"""Imports of the commands. They leave compiled modules beside the sources, for environments that
are read-only later; pip would compile all modules, three times as many."""


def delete_unused(packages: Path) -> None:
    """Delete what ``UNUSED`` names below ``packages``."""
    for pattern in UNUSED:
        for path in sorted(packages.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


if __name__ == "__main__":
    delete_unused(Path(sysconfig.get_path("purelib")))
    # A machine that lacks a system library cannot import everything; `bench doctor` says which.
    subprocess.run([sys.executable, "-W", "ignore", "-c", LOADED], stderr=subprocess.DEVNULL)
