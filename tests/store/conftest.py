"""A small store made by the command line, and ways to look at what a command left behind."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

RUN = ("run", "--tool", "noop,reencode", "--frames", "4")
MANIFEST = """
name: second
actors:
  - number: 3
    sex: male
    photo: {folder}/single_face.jpg
    clips: [{{path: {folder}/single_face.mp4, part: test, span: {{start_s: 0, end_s: 0.5}}}}]
"""
"""One actor, half a second of video: enough for every step, and soon done."""


@dataclass(frozen=True)
class Home:
    """A $BENCH_HOME and the command that fills it."""

    path: Path
    dataset: Path

    def start(self, *args: str) -> subprocess.Popen[str]:
        """``bench`` with ``args`` (by default the run), in the background."""
        return subprocess.Popen(
            [sys.executable, "-m", "harness.cli.main", *(args or RUN)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Environment that the command is given."""
        own = {"BENCH_HOME": str(self.path), "BENCH_DATASET": str(self.dataset), "BENCH_JOBS": "2"}
        return {**os.environ, **own}

    def bench(self, *args: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of the finished command."""
        with self.start(*args) as process:
            out, errors = process.communicate(timeout=200)
        return process.returncode, out, errors

    def artifacts(self) -> dict[str, str]:
        """Hashes of all that a finished study publishes, by place; attempts' names left out."""
        found = {}
        for path in sorted(self.path.glob("cells/*/attempts/*/out/swapped.mp4")):
            found[f"{path.parents[3].name}/swapped.mp4"] = _hash(path)
        for folder in ("scores", "observations"):
            for path in sorted(self.path.glob(f"{folder}/**/*")):
                if path.is_file() and not path.name.startswith("."):
                    found[str(path.relative_to(self.path))] = _hash(path)
        return found

    def leftovers(self) -> list[Path]:
        """Half-written files."""
        return [path for path in self.path.rglob(".*") if not path.name.endswith(".lock")]

    def processes(self, wait_s: float = 8) -> list[str]:
        """Command lines of processes that still work on this home after ``wait_s`` seconds."""
        end = time.monotonic() + wait_s
        while (found := self._processes()) and time.monotonic() < end:
            time.sleep(0.1)
        return found

    def _processes(self) -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                environment = process.environ().get("BENCH_HOME")
                command = " ".join(process.cmdline())
            except psutil.Error:
                continue
            mine = environment == str(self.path) or f"{self.path}/" in command
            if mine and process.pid != os.getpid():
                found.append(command)
        return found


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _empty(folder: Path, cache: Path, dataset: Path) -> Home:
    folder.mkdir()
    for name in ("downloads", "models"):
        (folder / name).symlink_to(cache / name)
    return Home(folder, dataset)


@pytest.fixture(scope="session")
def short_dataset(tmp_path_factory: pytest.TempPathFactory, sample_dir: Path) -> Path:
    """A manifest of one actor with half a second of video."""
    path = tmp_path_factory.mktemp("short") / "short.yaml"
    path.write_text(MANIFEST.format(folder=sample_dir))
    return path


@pytest.fixture
def empty_home(tmp_path: Path, sample_cache: Path, short_dataset: Path) -> Home:
    """A home with nothing in it but downloads."""
    return _empty(tmp_path / "home", sample_cache, short_dataset)


@pytest.fixture(scope="session")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, sample_cache: Path, short_dataset: Path
) -> Home:
    """A home in which the run ended by itself. Only to be read."""
    folder = tmp_path_factory.mktemp("undisturbed") / "home"
    home = _empty(folder, sample_cache, short_dataset)
    code, _, errors = home.bench()
    assert code == 0, errors
    return home


@pytest.fixture
def finished_home(undisturbed: Home, tmp_path: Path) -> Home:
    """A copy of the finished home."""
    shutil.copytree(undisturbed.path, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home", undisturbed.dataset)
