"""A fault in a worker process is reported as what it is, not as a lack of memory."""

from __future__ import annotations

from threading import Event

import pytest

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
