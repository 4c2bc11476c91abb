"""Lanes, the worker processes in them, and what is said of the time left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Set
from pathlib import Path
from typing import ClassVar

import pytest

from harness.core.errors import StoreError, UnfitMachineError
from harness.core.threads import THREAD_VARIABLES
from harness.execution.lanes import Lanes, Task
from harness.execution.progress import TimeEstimate, WorkKind, spell_time
from harness.execution.requests import Request, WorkContext
from harness.execution.workers import Listen, Worker


class Watch(Request):
    """Performed in a thread of its own."""

    watches_tool: ClassVar[bool] = True
    what: str


class Sleep(Request):
    """Performed in a worker."""

    marker: Path


def sleep_there(request: Request, context: WorkContext) -> None:
    assert isinstance(request, Sleep)
    sleep_long(request.marker, context.listen)


def say_pid(listen: Listen) -> int:
    return os.getpid()


def threads_of_numpy(listen: Listen) -> int:
    tasks = Path("/proc/self/task")
    before = len(list(tasks.iterdir()))
    import numpy as np

    np.linalg.eigh(np.eye(300))
    return 1 + len(list(tasks.iterdir())) - before


def refuse(listen: Listen) -> None:
    raise StoreError("The disk refuses.", hint="Make room.")


def die(listen: Listen) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_long(marker: Path, listen: Listen) -> None:
    marker.write_text(str(os.getpid()))
    time.sleep(300)


def in_turn(tasks: list[Task]) -> Callable[[Set[str]], Task | None]:
    def choose(taken: Set[str]) -> Task | None:
        for place, task in enumerate(tasks):
            if task.device not in taken:
                return tasks.pop(place)
        return None

    return choose


def test_tasks_that_need_one_device_never_run_at_once_and_others_go_on_beside_them(
    tmp_path: Path,
) -> None:
    running: dict[str, int] = {"gpu": 0, "other": 0}
    most = {"gpu": 0, "other": 0, "both": 0}
    lock = threading.Lock()

    def work(request: Request, context: WorkContext) -> None:
        assert isinstance(request, Watch)
        kind = request.what
        with lock:
            running[kind] += 1
            most[kind] = max(most[kind], running[kind])
            most["both"] = max(most["both"], sum(running.values()))
        time.sleep(0.05)
        with lock:
            running[kind] -= 1

    def make(kind: str, device: str | None) -> Task:
        return Task(Watch(what=kind), lambda _: None, device=device)

    tasks = [make("gpu", "GPU-1") for _ in range(4)] + [make("other", None) for _ in range(6)]
    with Lanes(3, WorkContext(tmp_path), performer=work) as lanes:
        lanes.run(in_turn(tasks))
    assert most["gpu"] == 1
    assert most["other"] >= 2
    assert most["both"] == 3


def test_a_failed_task_ends_nothing_that_is_under_way_and_begins_nothing_new(
    tmp_path: Path,
) -> None:
    ended: list[str] = []

    def work(request: Request, context: WorkContext) -> None:
        assert isinstance(request, Watch)
        if request.what == "fail":
            raise StoreError("The disk refuses.")
        if request.what == "slow":
            time.sleep(0.3)
        ended.append(request.what)

    tasks = [Task(Watch(what=what), lambda _: None) for what in ("fail", "slow", "never")]
    lanes = Lanes(2, WorkContext(tmp_path), performer=work)
    with lanes, pytest.raises(StoreError, match="refuses"):
        lanes.run(in_turn(tasks))
    assert ended == ["slow"]


def test_a_signal_ends_the_worker_and_raises_keyboard_interrupt(tmp_path: Path) -> None:
    marker = tmp_path / "pid"

    def interrupt() -> None:
        end = time.monotonic() + 30
        while not marker.exists() and time.monotonic() < end:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt).start()
    lanes = Lanes(1, WorkContext(tmp_path), performer=sleep_there)
    with lanes, pytest.raises(KeyboardInterrupt):
        lanes.run(in_turn([Task(Sleep(marker=marker), lambda _: None)]))
    with pytest.raises(ProcessLookupError):
        os.kill(int(marker.read_text()), 0)


def test_a_worker_is_kept_and_one_that_dies_is_a_sentence_and_replaced() -> None:
    worker, stop = Worker(), threading.Event()
    try:
        first = worker.call(say_pid, stop=stop)
        assert worker.call(say_pid, stop=stop) == first != os.getpid()
        with pytest.raises(StoreError, match="refuses") as refused:
            worker.call(refuse, stop=stop)
        assert refused.value.hint == "Make room."
        with pytest.raises(UnfitMachineError, match=r"exit code -9.*memory"):
            worker.call(die, stop=stop)
        assert worker.call(say_pid, stop=stop) != first
    finally:
        worker.end()


@pytest.mark.parametrize("share", [1, 2])
def test_a_worker_s_numerical_libraries_start_as_many_threads_as_it_may_use(
    share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    worker = Worker(share)
    try:
        assert worker.call(threads_of_numpy, stop=threading.Event()) <= share
    finally:
        worker.end()


def test_nothing_is_said_of_the_time_left_before_enough_was_seen() -> None:
    estimate = TimeEstimate(lanes=2)
    estimate.expect(WorkKind.RUN, 12)
    estimate.expect(WorkKind.MEASURE, 12)
    for _ in range(2):
        estimate.took(WorkKind.MEASURE, 10.0)
    for _ in range(2):
        estimate.took(WorkKind.RUN, 4.0)
    assert estimate.left_s() is None
    estimate.took(WorkKind.RUN, 4.0)
    assert estimate.left_s() == pytest.approx((9 * 4 + 10 * 10) / 2)
    for _ in range(9):
        estimate.took(WorkKind.RUN, None)
    assert estimate.left_s() == pytest.approx(10 * 10 / 2)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "5 s"),
        (43, "45 s"),
        (58, "1 min"),
        (100, "1.5 min"),
        (1000, "17 min"),
        (9000, "2 h 30 min"),
        (4060800, "47 days"),
    ],
)
def test_times_are_rough(seconds: float, text: str) -> None:
    assert spell_time(seconds) == text
