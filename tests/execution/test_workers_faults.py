"""A fault in a worker process is reported as what it is, not as a lack of memory."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from threading import Event, Lock

import pytest

from harness.core.errors import BenchWarning, UnfitMachineError
from harness.execution.workers import Worker


def _divide(by: int, tell: object) -> float:
    return 1 / by


def _open_nothing(tell: object) -> None:
    open("/nonexistent/file")  # noqa: PTH123, SIM115


def test_a_fault_in_a_worker_names_its_kind_and_place() -> None:
    worker = Worker(1)
    try:
        with pytest.raises(RuntimeError, match="ZeroDivisionError") as told:
            worker.call(_divide, 0, stop=Event())
        assert "in _divide" in told.value.__notes__[0]
        assert worker.call(_divide, 2, stop=Event()) == 0.5
    finally:
        worker.end()


def test_a_refusal_of_the_disk_stays_what_it_is() -> None:
    worker = Worker(1)
    try:
        with pytest.raises(FileNotFoundError, match="nonexistent"):
            worker.call(_open_nothing, stop=Event())
    finally:
        worker.end()


def _warn(text: str, tell: object) -> str:
    warnings.warn(text, BenchWarning, stacklevel=1)
    return text


def test_a_warning_of_a_worker_is_raised_where_it_is_shown() -> None:
    worker = Worker(1)
    try:
        with pytest.warns(BenchWarning, match="a table is damaged"):
            assert worker.call(_warn, "a table is damaged", stop=Event()) == "a table is damaged"
    finally:
        worker.end()


def _exhaust(tell: object) -> None:
    raise MemoryError


def _leave(code: int, tell: object) -> None:
    os._exit(code)


def _open_a_lock(tell: object) -> object:
    return Lock()


def _end_of_file(tell: object) -> None:
    raise EOFError("the file is cut off")


class _Gone:
    """Its class is not where a worker process looks for it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return __import__, ("no_such_module_anywhere",)


def test_a_lack_of_memory_within_a_call_is_named_and_ends_no_process() -> None:
    worker = Worker(1)
    try:
        with pytest.raises(UnfitMachineError, match="memory"):
            worker.call(_exhaust, stop=Event())
        assert worker.call(_divide, 2, stop=Event()) == 0.5
    finally:
        worker.end()


def test_a_call_that_cannot_be_imported_there_is_a_fault_that_names_the_import() -> None:
    worker = Worker(1)
    try:
        with pytest.raises(RuntimeError, match=r"ModuleNotFoundError.*no_such_module_anywhere"):
            worker.call(_divide, _Gone(), stop=Event())
        assert worker.call(_divide, 2, stop=Event()) == 0.5
    finally:
        worker.end()


def test_an_answer_that_cannot_be_sent_is_a_fault() -> None:
    worker = Worker(1)
    try:
        with pytest.raises(RuntimeError, match="pickle"):
            worker.call(_open_a_lock, stop=Event())
        with pytest.raises(RuntimeError, match="EOFError: the file is cut off"):
            worker.call(_end_of_file, stop=Event())
    finally:
        worker.end()


def test_a_process_that_leaves_by_itself_did_not_lack_memory() -> None:
    worker = Worker(1)
    try:
        with pytest.raises(UnfitMachineError, match="exit code 1") as ended:
            worker.call(_leave, 1, stop=Event())
        assert "memory" not in str(ended.value)
    finally:
        worker.end()


PROGRAM = """
from threading import Event
from concurrent.futures import ThreadPoolExecutor
from harness.execution.workers import Worker
from tests.execution.test_workers_faults import _divide

def ask(number):
    worker = Worker(1)
    try:
        return worker.call(_divide, number, stop=Event())
    finally:
        worker.end()

if __name__ == "__main__":
    with ThreadPoolExecutor(2) as pool:
        print(list(pool.map(ask, (2, 4))))
"""
_MODULES = ("signal", "types", "random", "multiprocessing", "statistics", "cv2", "numpy")


def test_a_worker_imports_nothing_from_the_folder_it_is_started_in(tmp_path: Path) -> None:
    for name in _MODULES:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the folder')")
    script = tmp_path / "elsewhere" / "program.py"
    script.parent.mkdir()
    script.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout.strip() == "[0.5, 0.25]", done.stderr
