"""The Pythons of old images, where this machine has them, and what the recipes install in them.

What comes from PyPI is kept between runs, in the folder of the sample's downloads: about 1.3 GB,
and some minutes the first time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from harness.tools.images.recipe import module_folder

TENSORFLOW = "tensorflow==1.15.5"
"""The one in all three bases; PyPI has wheels of it for Python 3.6 and 3.7."""

_INSTALL_S = 600


@cache
def find_python(version: str) -> str:
    """The interpreter of a version such as ``3.6``; skips the test where there is none."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    built = map(str, sorted(root.glob(f"{version}.*/bin/python"), reverse=True))
    # What is on the path may be pyenv's own, which starts none unless one is chosen.
    for found in (*built, shutil.which(f"python{version}")):
        if found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
            return found
    pytest.skip(f"There is no Python {version} on this machine (python{version}, or pyenv's).")


def tensorflow_1(cache_folder: Path) -> str:
    """Python 3.6 with TensorFlow 1.15.5, which stands for a base image; skips without."""
    version = "3.6"
    python = find_python(version)
    folder = cache_folder / "old-pythons" / f"{TENSORFLOW.replace('==', '-')}-python{version}"
    mine = str(folder / "bin" / "python")
    with _made(folder) as is_new:
        if is_new:
            _call([python, "-m", "venv", str(folder)])
            # The one that comes with Python 3.6 does not know today's wheels.
            _pip(mine, "--upgrade", "pip<22")
            _pip(mine, TENSORFLOW)
    return mine


def packages(cache_folder: Path, recipe: str) -> Path:
    """Packages of a recipe, installed as its Dockerfile does, for Python 3.6; skips without."""
    python = tensorflow_1(cache_folder)
    pins = module_folder(f"containers.{recipe}") / "requirements.txt"
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    folder = cache_folder / "old-pythons" / f"{recipe}-{digest}"
    with _made(folder) as is_new:
        if is_new:
            _pip(python, "--no-deps", "--require-hashes", "--target", str(folder), "-r", str(pins))
    return folder


@contextmanager
def _made(folder: Path) -> Iterator[bool]:
    """True within the block when the folder is to be made; other processes wait for it."""
    ready = folder.with_name(folder.name + ".ready")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if ready.exists():
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        yield True
        ready.touch()


def _pip(python: str, *words: str) -> None:
    _call([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *words])


def _call(words: list[str]) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_INSTALL_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"An environment of Python 3.6 took more than {_INSTALL_S} s to make.")
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        pytest.skip(f"An environment of Python 3.6 cannot be made here: {said}")
