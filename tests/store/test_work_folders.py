"""Leftovers of a killed process are gone with the next, and what is in use stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from harness.core.errors import StoreError
from harness.model.cell import Status
from harness.store.work_folders import work_folder
from tests.cli.conftest import Bench

PROGRAM = """
import os, signal, sys
from pathlib import Path
from harness.store.work_folders import work_folder

with work_folder(Path(sys.argv[1])) as folder:
    (folder / ".half.mp4.part").write_text("half")
    print(folder, flush=True)
    sys.stdin.readline()
"""


def start(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_is_used_stays(
    tmp_path: Path,
) -> None:
    killed, left = start(tmp_path)
    used, kept = start(tmp_path)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert {path.name for path in tmp_path.iterdir()} == {left.name, kept.name}
    with work_folder(tmp_path) as mine:
        assert {path.name for path in tmp_path.iterdir()} == {mine.name, kept.name}
        assert (kept / ".half.mp4.part").read_text() == "half"
    used.communicate("\n")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_removed_when_the_work_fails(tmp_path: Path) -> None:
    with suppress(RuntimeError), work_folder(tmp_path) as folder:
        (folder / "inner").mkdir()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError), work_folder(tmp_path / "file"):
        pass


def test_what_a_killed_writer_left_in_a_cells_folder_is_removed_by_the_next_attempt(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path / "home")
    spec = bench.add(status=Status.TOOL_ERROR)
    left = bench.store.folder(spec) / ".result.json.urdelc7o"
    left.write_text("{")
    with bench.store.lock(spec):
        bench.store.begin(spec)
    assert not left.exists()
