"""The console script: a Ctrl-C during its imports, and too little memory for them."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Bench

_SCRIPT = "from harness.cli.entry import main; main()"
_INTERRUPTED_AT = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, *rest):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
"""


def run(home: Path, script: str, *args: str, memory_mib: int | None = None) -> tuple[int, str]:
    """Exit code and stderr of the console script."""

    def limit() -> None:
        if memory_mib is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory_mib << 20, memory_mib << 20))

    done = subprocess.run(
        [sys.executable, "-c", script, *args],
        env={**os.environ, "BENCH_HOME": str(home)},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", ["typer", "harness.cli.main", "harness.core.errors", "pydantic"])
def test_a_ctrl_c_during_the_imports_ends_with_130_and_without_a_traceback(
    tmp_path: Path, name: str
) -> None:
    script = _INTERRUPTED_AT.format(name=name) + _SCRIPT
    code, said = run(tmp_path, script, "status")
    assert code == 130
    assert "Interrupted" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("memory_mib", [60, 300, 1000, 2000, 4000])
def test_too_little_memory_ends_with_4_and_a_sentence(tmp_path: Path, memory_mib: int) -> None:
    code, said = run(tmp_path, _SCRIPT, "status", memory_mib=memory_mib)
    assert code == 4
    assert said.startswith("Error: `ulimit -v`")
    assert f"address {memory_mib:,} MiB" in said


def test_help_needs_little_memory(tmp_path: Path) -> None:
    assert run(tmp_path, _SCRIPT, "--help", memory_mib=200)[0] == 0


def test_a_limit_that_is_wide_enough_changes_no_exit_code(tmp_path: Path) -> None:
    assert run(tmp_path, _SCRIPT, "status", memory_mib=5000)[0] == 0
    assert run(tmp_path, _SCRIPT, "logs", "nothing", memory_mib=5000)[0] == 2


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libarrow.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
        OSError("libmediapipe.so: failed to map segment from shared object"),
        RuntimeError("Unable to map file to memory buffer, errno=12"),
    ],
    ids=str,
)
def test_a_command_that_gets_no_more_memory_ends_with_4_and_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(home: Path) -> object:
        raise error

    monkeypatch.setattr("harness.store.cells.CellStore", refuse)
    said = Bench(tmp_path)("status", code=4).stderr
    assert said.startswith("Error: This command got no more memory")


def test_a_ctrl_c_while_a_fault_is_reported_ends_without_a_traceback(tmp_path: Path) -> None:
    script = (
        "import os, signal, traceback, harness.core.paths\n"
        "def broken(): raise ZeroDivisionError\n"
        "harness.core.paths.bench_home = broken\n"
        "traceback.format_exception = lambda error: os.kill(os.getpid(), signal.SIGINT)\n"
    )
    code, said = run(tmp_path, script + _SCRIPT, "status")
    assert code == 130
    assert "Traceback" not in said
