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

RUN = ("run", "--tool", "noop,reencode", "--actor", "3", "--frames", "4")


@dataclass(frozen=True)
class Home:
    """A $BENCH_HOME and the command that fills it."""

    path: Path

    def start(self, *args: str) -> subprocess.Popen[str]:
        """``bench`` with ``args`` (by default the run), in the background."""
        return subprocess.Popen(
            [sys.executable, "-m", "harness.cli.main", *(args or RUN)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "BENCH_HOME": str(self.path), "BENCH_JOBS": "2"},
        )

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
            for path in sorted(self.path.glob(f"{folder}/*/*")):
                if not path.name.startswith("."):
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


def _empty(folder: Path, cache: Path, media: Path) -> Home:
    folder.mkdir(exist_ok=True)
    (folder / "downloads").symlink_to(cache / "downloads")
    (folder / "media").symlink_to(media)
    return Home(folder)


@pytest.fixture
def empty_home(tmp_path: Path, sample_cache: Path, shared_media: Path) -> Home:
    """A home with nothing but the sample."""
    return _empty(tmp_path / "home", sample_cache, shared_media)


@pytest.fixture(scope="session")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, sample_cache: Path, shared_media: Path
) -> Home:
    """A home in which the run ended by itself. Only to be read."""
    home = _empty(tmp_path_factory.mktemp("undisturbed") / "home", sample_cache, shared_media)
    code, _, errors = home.bench()
    assert code == 0, errors
    return home


@pytest.fixture
def finished_home(undisturbed: Home, tmp_path: Path) -> Home:
    """A copy of the finished home."""
    shutil.copytree(undisturbed.path, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")
