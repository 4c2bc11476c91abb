"""Processes import nothing from the current folder, and their ends are named for what they are."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from harness.core.interpreters import absolute_entries, ended_by_itself, importing_safely


def test_empty_entries_of_a_path_which_mean_the_current_folder_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir("/usr")
    assert absolute_entries(":/opt/a::lib:") == "/opt/a:/usr/lib"
    assert absolute_entries("") == ""


def test_the_environment_is_as_it_was_after_a_process_was_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", f":{tmp_path}")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    before = dict(os.environ)
    with importing_safely():
        assert (os.environ["PYTHONSAFEPATH"], os.environ["PYTHONPATH"]) == ("1", str(tmp_path))
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("code", "memory", "said"),
    [
        (-signal.SIGKILL, True, "SIGKILL"),
        (1, False, "exit code 1"),
        (0, False, "exit code 0"),
        (-signal.SIGSEGV, False, "SIGSEGV"),
        (None, False, "unexpectedly; its last words"),
    ],
)
def test_only_the_kernels_kill_speaks_for_a_lack_of_memory(
    code: int | None, memory: bool, said: str
) -> None:
    error = ended_by_itself("A worker", code)
    assert ("memory" in str(error)) is memory
    assert said in error.message
    assert error.exit_code == 4
