"""The parts of Faceswap's recipe that work while its image is built, against small trees."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.faceswap import FACESWAP
from containers.faceswap import fetch_models
from harness.tools.images.recipe import module_folder, read_recipe

RECIPE = module_folder("containers.faceswap")

_LOGGER = "def trace(): pass\n"
_UTILS = """import os, sys
class GetModel:
    def __init__(self, model_filename, {parameters}git_model_id):
        names = model_filename if isinstance(model_filename, list) else [model_filename]
        folder = {folder}
        self.model_path = [os.path.join(folder, name) for name in names]
        for path in self.model_path:
            with open(path, "w") as stream:
                stream.write("weights %d" % git_model_id)
"""
LAYOUTS = {
    "v1.0.0": ("cache_dir, ", "cache_dir"),
    "v3.0.0": ("", "os.path.join(os.path.dirname(sys.argv[0]), '.fs_cache')"),
}


def _upstream(folder: Path, version: str) -> Path:
    """A tree with plugins that name weights, and a downloader that invents them."""
    parameters, cache = LAYOUTS[version]
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "logger.py").write_text(_LOGGER)
    (folder / "lib" / "utils.py").write_text(_UTILS.format(parameters=parameters, folder=cache))
    for number, plugin in enumerate(fetch_models.PLUGINS, 1):
        path = folder / "plugins" / "extract" / f"{plugin}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        name = plugin.replace("/", "_")
        names = f'["{name}_v1.a", "{name}_v1.b"]' if number % 2 else f'"{name}_v2.h5"'
        path.write_text(
            "class Plugin:\n    def __init__(self):\n"
            f"        git_model_id = {number}\n        model_filename = {names}\n"
        )
    return folder


def _fetch(source: Path, record: Path, expected: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(RECIPE / "fetch_models.py"), str(source), str(record), expected],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("version", FACESWAP.versions)
def test_weights_lie_where_the_version_looks_and_their_checksums_are_recorded(
    version: str, tmp_path: Path
) -> None:
    source, record = _upstream(tmp_path / "faceswap", version), tmp_path / "weights.sha256"
    done = _fetch(source, record)
    assert done.returncode == 0, done.stderr
    where = "plugins/extract/detect/.cache" if version == "v1.0.0" else ".fs_cache"
    first = source / where / "detect_s3fd_v1.a"
    assert first.read_text() == "weights 1"
    lines = record.read_text().splitlines()
    assert len(lines) == 12, "four plugins have two files each"
    assert f"{hashlib.sha256(b'weights 1').hexdigest()}  {first}" in lines
    digest = hashlib.sha256(record.read_bytes()).hexdigest()
    assert digest in done.stdout, "what versions.yaml can record from now on"
    assert _fetch(source, record, digest).returncode == 0


def test_other_weights_than_the_recorded_ones_fail_the_build(tmp_path: Path) -> None:
    source, record = _upstream(tmp_path / "faceswap", "v3.0.0"), tmp_path / "weights.sha256"
    done = _fetch(source, record, "0" * 64)
    assert done.returncode == 1
    assert "0" * 64 in done.stderr
    assert not record.exists()


def test_a_plugin_that_names_its_weights_otherwise_fails_the_build(tmp_path: Path) -> None:
    source = _upstream(tmp_path / "faceswap", "v3.0.0")
    (source / "plugins" / "extract" / "align" / "fan.py").write_text("weights = 1\n")
    done = _fetch(source, tmp_path / "weights.sha256")
    assert done.returncode == 1
    assert "no longer says which weights it needs" in done.stderr


@pytest.mark.parametrize("version", FACESWAP.versions)
def test_the_recipe_of_each_version_is_whole(version: str) -> None:
    recipe = read_recipe(FACESWAP, version)
    generation = recipe.entry.args["GENERATION"]
    assert {f"expected-{generation}.txt", f"requirements-{generation}.txt"} <= set(recipe.files)
    lines = (RECIPE / f"expected-{generation}.txt").read_text().splitlines()
    assert len(lines) > 10
    assert all(": " in line and line.split(": ")[0].endswith(".py") for line in lines)
    pins = (RECIPE / f"requirements-{generation}.txt").read_text()
    assert pins.count("--hash=sha256:") >= pins.count("=="), "every package by its checksum"
    assert not recipe.entry.redistribute


def test_the_driver_names_no_module_that_the_image_lacks() -> None:
    copied = (RECIPE / "Dockerfile").read_text()
    modules = {path.name for path in RECIPE.glob("*.py")} - {"__init__.py"}
    assert all(name in copied for name in modules)
