"""The console script: a Ctrl-C during its imports, and too little memory for them."""

from __future__ import annotations

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


@pytest.mark.parametrize("memory_mib", [60, 100, 200, 300, 500, 700])
@pytest.mark.parametrize("args", [("status",), ("query", "SELECT 1"), ("doctor",)], ids=" ".join)
def test_too_little_memory_ends_with_4_and_a_sentence(
    tmp_path: Path, args: tuple[str, ...], memory_mib: int
) -> None:
    Bench(tmp_path).add()
    code, said = run(tmp_path, _SCRIPT, *args, memory_mib=memory_mib)
    assert code in {0, 4}, said
    assert "Traceback" not in said
    if code and args != ("doctor",):
        assert f"{memory_mib} MiB" in said
        assert "that limit" in said
    if memory_mib <= 100:
        assert code == 4


def test_a_limit_that_is_wide_enough_changes_no_exit_code(tmp_path: Path) -> None:
    assert run(tmp_path, _SCRIPT, "status", memory_mib=4000)[0] == 0
    assert run(tmp_path, _SCRIPT, "logs", "nothing", memory_mib=4000)[0] == 2
