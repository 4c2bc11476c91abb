from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.model.cell import Status
from harness.model.job import Event, Job, Limits, Role, Setting, Step
from harness.model.tool import ChildProcess, Tool
from harness.tools.runtime import process, state_lock
from harness.tools.runtime.base import Control, StepOutcome
from harness.tools.runtime.ending import judge_exit
from harness.tools.runtime.environment import PASSED_ON, driver_environment, passed_on
from harness.tools.runtime.limits import StepLimits
from harness.tools.runtime.process import ProcessRuntime

HERE = Path(__file__).parent
HANGS_S = 300
"""Seconds the stand-in's ``hang`` takes when nobody ends it."""
TOOL = Tool(
    name="stand-in",
    summary="",
    homepage="",
    licence="",
    versions=("1",),
    runs_as=ChildProcess(module="stand_in_driver"),
)


class Bench:
    """Runs the stand-in in a folder of its own and remembers the events."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self.passed_on: tuple[str, ...] = ()
        self.video = folder / "in.mp4"
        self.video.write_bytes(b"video")

    def job(self, limits: Limits, **settings: Setting) -> Job:
        return Job(
            step=Step.CONVERT,
            tool="stand-in",
            version="1",
            inputs={Role.TEST_VIDEO: str(self.video)},
            state=str(self.folder / "state"),
            out=str(self.folder / "job" / "out"),
            settings=settings,
            limits=limits,
        )

    def run(
        self,
        mode: str,
        limits: Limits | None = None,
        listen: Callable[[Event], None] | None = None,
        **settings: Setting,
    ) -> StepOutcome:
        runtime = ProcessRuntime(extra_env={"PYTHONPATH": str(HERE)})
        job = self.job(limits or Limits(wall_s=30), mode=mode, **settings)
        control = Control(listen or self.events.append)
        outcome = runtime.run(TOOL, job, self.folder / "job", control)
        assert self.survivors() == []
        return outcome

    def pids(self) -> list[int]:
        path = self.folder / "state" / "pids"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def survivors(self) -> list[int]:
        return [pid for pid in self.pids() if is_alive(pid)]

    @property
    def log(self) -> bytes:
        return (self.folder / "job" / "log.txt").read_bytes()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until_gone(pids: list[int], seconds: float = 5) -> list[int]:
    end = time.monotonic() + seconds
    while (alive := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    return alive


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def time_is_up(monkeypatch: pytest.MonkeyPatch) -> Callable[[Event], None]:
    """Lets a step's time be over as soon as its driver says something."""
    return lambda event: monkeypatch.setattr(StepLimits, "wall_s", 31.0)


def test_a_good_driver_is_ok_and_its_events_and_log_lines_are_told_apart(bench: Bench) -> None:
    outcome = bench.run("good")
    assert (outcome.status, outcome.reason, outcome.exit_code) == (Status.OK, "done", 0)
    assert outcome.report is not None
    assert outcome.report.step is Step.CONVERT
    assert [(event.done, event.total) for event in bench.events] == [(1, 2)]
    assert bench.log == b"@bench {not json\nsecond\n"
    assert outcome.log_tail == ("@bench {not json", "second")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (64, Status.TOOL_ERROR),
        (65, Status.TOOL_ERROR),
        (70, Status.TOOL_ERROR),
        (75, Status.INFRA_ERROR),
        (3, Status.TOOL_ERROR),
    ],
)
def test_exit_codes_mean_what_the_contract_says(bench: Bench, code: int, status: Status) -> None:
    outcome = bench.run("exit", code=code)
    assert (outcome.status, outcome.exit_code) == (status, code)
    assert str(code) in outcome.reason
    assert "left no sentence" in outcome.reason


@pytest.mark.parametrize("code", [64, 65, 70, 75, 3])
def test_a_drivers_own_sentence_is_the_reason(bench: Bench, code: int) -> None:
    outcome = bench.run("exit", code=code, said="No swapped video: the donor's clip is black.")
    assert outcome.reason.endswith(": No swapped video: the donor's clip is black.")
    assert f"(exit {'code ' if code == 3 else ''}{code})" in outcome.reason


@pytest.mark.parametrize(
    "ending",
    [
        'The donor blinks.\n@bench {"note": "stopping"}\n',
        "\x1b[31mThe donor blinks.\x1b[0m\r\n\x1b[?25h\n",
        "The donor \x1b]0;title\x07blinks.\n\n",
    ],
)
def test_neither_an_event_nor_a_terminals_colours_are_the_reason(ending: str) -> None:
    assert judge_exit(70, ending) == (
        Status.TOOL_ERROR,
        "The tool failed (exit 70): The donor blinks.",
    )


def test_a_crash_is_a_tool_error_with_its_traceback(bench: Bench) -> None:
    outcome = bench.run("crash")
    assert outcome.status is Status.TOOL_ERROR
    assert outcome.log_tail[-1] == "RuntimeError: the stand-in crashed"


def test_a_driver_ended_by_a_signal_names_the_signal(bench: Bench) -> None:
    outcome = bench.run("abort")
    assert outcome.status is Status.TOOL_ERROR
    assert outcome.exit_code == -signal.SIGSEGV
    assert "SIGSEGV" in outcome.reason


@pytest.mark.parametrize("mode", ["nothing", "bad_report", "other_step"])
def test_exit_0_without_a_sound_report_is_bad_output(bench: Bench, mode: str) -> None:
    outcome = bench.run(mode)
    assert outcome.status is Status.BAD_OUTPUT
    assert "step.json" in outcome.reason
    assert outcome.report is None


@pytest.mark.parametrize(
    "report",
    [
        '{"frames": -1}',
        f'{{"frames": {10**40}}}',
        '{"faces_found": {"a": -1}}',
        '{"frames": 12, "frames_without_face": 13}',
        '{"frames": 12, "frames_with_several_faces": 13}',
    ],
)
def test_counts_that_cannot_be_are_bad_output(bench: Bench, report: str) -> None:
    outcome = bench.run("odd_report", report=report)
    assert outcome.status is Status.BAD_OUTPUT
    assert "step.json is not valid" in outcome.reason


def test_a_driver_that_removes_its_own_folder_is_bad_output(bench: Bench) -> None:
    assert bench.run("raze").status is Status.BAD_OUTPUT


def test_a_hanging_driver_is_stopped_at_its_wall_limit(bench: Bench) -> None:
    outcome = bench.run("hang", Limits(wall_s=0.5))
    assert outcome.status is Status.TIMEOUT
    assert 0.5 <= outcome.resources.wall_s < HANGS_S / 2


def test_a_driver_that_ignores_sigterm_is_killed(
    bench: Bench, time_is_up: Callable[[Event], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_S", 0.3)
    outcome = bench.run("stubborn", listen=time_is_up)
    assert outcome.status is Status.TIMEOUT
    assert outcome.exit_code == -signal.SIGKILL


def test_a_daemonised_grandchild_does_not_survive_a_good_end(bench: Bench) -> None:
    assert bench.run("grandchild").status is Status.OK
    assert len(bench.pids()) == 2


def test_a_daemonised_grandchild_does_not_survive_a_timeout(
    bench: Bench, time_is_up: Callable[[Event], None]
) -> None:
    assert bench.run("hang_with_grandchild", listen=time_is_up).status is Status.TIMEOUT
    assert len(bench.pids()) == 2


def test_a_flood_keeps_the_head_and_the_tail_of_the_log(bench: Bench) -> None:
    limit = 1 << 20
    outcome = bench.run("flood", Limits(wall_s=30, log_bytes=limit))
    assert outcome.status is Status.OK
    assert len(bench.log) <= limit + 100
    assert bench.log.startswith(b"first line\n")
    assert bench.log.endswith(b"last line\n")
    assert b"bytes left out here" in bench.log
    assert [path.name for path in (bench.folder / "job").glob("log*")] == ["log.txt"]


def test_a_driver_that_eats_memory_is_oom(bench: Bench) -> None:
    outcome = bench.run("eat", Limits(wall_s=30, memory_bytes=100 << 20))
    assert outcome.status is Status.OOM
    assert "100.0 MiB" in outcome.reason
    assert outcome.resources.peak_memory_bytes > 100 << 20


def test_a_driver_that_fills_the_disk_is_stopped(bench: Bench) -> None:
    outcome = bench.run("fill", Limits(wall_s=30, output_bytes=1 << 20))
    assert outcome.status is Status.BAD_OUTPUT
    # As much as it had written when it was looked at.
    assert re.search(r"wrote [1-4]\.\d MiB .*; 1\.0 MiB are allowed", outcome.reason)


@pytest.mark.parametrize("mode", ["fill_state", "fill_tmp"])
def test_state_and_temporary_files_count_as_output(bench: Bench, mode: str) -> None:
    outcome = bench.run(mode, Limits(wall_s=30, output_bytes=1 << 20))
    assert outcome.status is Status.BAD_OUTPUT
    assert re.search(r"wrote [12]\.\d MiB", outcome.reason)


def test_what_an_earlier_step_left_in_the_state_is_not_counted_again(bench: Bench) -> None:
    (bench.folder / "state").mkdir()
    (bench.folder / "state" / "faces").write_bytes(b"x" * (2 << 20))
    assert bench.run("good", Limits(wall_s=30, output_bytes=1 << 20)).status is Status.OK


def test_a_stop_from_another_thread_ends_the_step_and_what_it_used_is_known(bench: Bench) -> None:
    stop = threading.Event()
    runtime = ProcessRuntime(extra_env={"PYTHONPATH": str(HERE)})
    job = bench.job(Limits(wall_s=30), mode="burn_and_hang")
    control = Control(lambda event: stop.set(), stop)
    outcome = runtime.run(TOOL, job, bench.folder / "job", control)
    assert outcome.status is Status.CANCELLED
    assert bench.survivors() == []
    assert 0.2 <= outcome.resources.cpu_s < 5
    assert outcome.resources.peak_memory_bytes > 1 << 20


def test_a_timeout_stores_what_was_used_until_then(
    bench: Bench, time_is_up: Callable[[Event], None]
) -> None:
    outcome = bench.run("burn_and_hang", listen=time_is_up)
    assert outcome.status is Status.TIMEOUT
    assert 0.2 <= outcome.resources.cpu_s < 5
    assert outcome.resources.peak_memory_bytes > 1 << 20


def test_the_log_can_be_read_while_the_driver_runs(bench: Bench) -> None:
    seen: list[bytes] = []
    stop = threading.Event()

    def look(event: Event) -> None:
        seen.append(bench.log)
        stop.set()

    job = bench.job(Limits(wall_s=30), mode="burn_and_hang")
    runtime = ProcessRuntime(extra_env={"PYTHONPATH": str(HERE)})
    runtime.run(TOOL, job, bench.folder / "job", Control(look, stop))
    assert seen == [b"burnt\n"]


def test_cpu_time_of_ended_children_counts(bench: Bench) -> None:
    outcome = bench.run("burn")
    assert 0.3 <= outcome.resources.cpu_s < 5
    assert outcome.resources.peak_memory_bytes > 1 << 20


def test_the_environment_is_minimal_and_threads_are_limited(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_PRIVATE_TOKEN", "secret")
    env = environment_of(bench, TOOL)
    assert "A_PRIVATE_TOKEN" not in env
    assert (env["OMP_NUM_THREADS"], env["PYTHONUNBUFFERED"]) == ("2", "1")


def environment_of(bench: Bench, tool: Tool) -> dict[str, str]:
    """The environment that a driver finds, by its own account; the outcome is in ``bench``."""
    runtime = ProcessRuntime(extra_env={"PYTHONPATH": str(HERE)})
    job = bench.job(Limits(wall_s=30), mode="environment")
    outcome = runtime.run(tool, job, bench.folder / "job", Control())
    assert outcome.status is Status.OK, outcome.reason
    bench.passed_on = outcome.environment
    found: dict[str, str] = json.loads((bench.folder / "state" / "environment").read_text())
    return found


def test_devices_caches_proxies_and_certificates_reach_a_driver_and_their_names_are_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "CUDA_VISIBLE_DEVICES": "",
        "HF_HOME": "/caches/hf",
        "XDG_CACHE_HOME": "caches",
        "https_proxy": "http://user:word@proxy:3128",
        "SSL_CERT_FILE": "/etc/ours.pem",
        "MY_OWN": "mine",
        "MY_OTHER": "other",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    names = ("MY_OWN", "NOT_SET_ANYWHERE")
    tool = TOOL.model_copy(
        update={"runs_as": ChildProcess(module="stand_in_driver", environment=names)}
    )
    env = environment_of(bench, tool)
    for name in ("CUDA_VISIBLE_DEVICES", "HF_HOME", "https_proxy", "SSL_CERT_FILE", "MY_OWN"):
        assert env[name] == given[name]
    # A driver works in another folder than its caller.
    assert env["XDG_CACHE_HOME"] == str(Path("caches").absolute())
    assert "MY_OTHER" not in env
    assert {"HF_HOME", "https_proxy", "MY_OWN"} <= set(bench.passed_on)
    assert not {"MY_OTHER", "NOT_SET_ANYWHERE"} & set(bench.passed_on)
    assert "user:word" not in "".join(bench.passed_on)


def test_folders_of_the_python_path_mean_the_same_to_a_driver_and_the_current_one_is_not_among_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir("/usr")
    found = passed_on(ChildProcess(module="m"), {"PYTHONPATH": ":lib::/opt/x", "PATH": "/bin:"})
    assert found == {"PYTHONPATH": "/usr/lib:/opt/x", "PATH": "/bin"}
    assert driver_environment(found, Path("/t"), {})["PYTHONSAFEPATH"] == "1"


def test_the_contract_lists_every_variable_that_is_passed_on() -> None:
    contract = Path(__file__).parents[3] / "containers" / "CONTRACT.md"
    (section,) = re.findall(r"\n## As a child process\n(.*?)\n## ", contract.read_text(), re.DOTALL)
    assert set(re.findall(r"`([A-Za-z_]+)`", section)) >= PASSED_ON


def test_an_interrupted_listener_leaves_no_process(bench: Bench) -> None:
    def interrupt(event: Event) -> None:
        raise KeyboardInterrupt

    runtime = ProcessRuntime(extra_env={"PYTHONPATH": str(HERE)})
    job = bench.job(Limits(wall_s=30), mode="good")
    with pytest.raises(KeyboardInterrupt):
        runtime.run(TOOL, job, bench.folder / "job", Control(interrupt))
    assert bench.survivors() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_survives_bench_itself(bench: Bench, number: signal.Signals) -> None:
    job = bench.job(Limits(wall_s=60), mode="hang_with_grandchild")
    program = f"""
        from pathlib import Path
        from harness.model.job import Job
        from harness.model.tool import Tool
        from harness.tools.runtime.base import Control
        from harness.tools.runtime.process import ProcessRuntime
        ProcessRuntime(extra_env={{"PYTHONPATH": {str(HERE)!r}}}).run(
            Tool.model_validate_json({TOOL.model_dump_json()!r}),
            Job.model_validate_json({job.model_dump_json()!r}),
            Path({str(bench.folder / "job")!r}),
            Control(print),
        )
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stderr=subprocess.DEVNULL
    ) as parent:
        end = time.monotonic() + 20
        while len(bench.pids()) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(bench.pids()) == 2
        os.kill(parent.pid, number)
    assert wait_until_gone(bench.pids()) == []


def test_a_state_still_held_by_a_dying_driver_is_waited_for(bench: Bench) -> None:
    lock = bench.folder / "state.lock"
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        release = threading.Timer(0.3, fcntl.flock, (stream, fcntl.LOCK_UN))
        release.start()
        started = time.monotonic()
        assert bench.run("good").status is Status.OK
        assert time.monotonic() - started >= 0.3
        release.join()


def test_a_state_that_stays_held_is_an_error_that_names_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_lock, "STATE_WAIT_S", 0.1)
    with (bench.folder / "state.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="still used"):
            bench.run("good")


def test_a_driver_works_in_its_own_temporary_folder_which_goes_with_it(bench: Bench) -> None:
    assert bench.run("litter").status is Status.OK
    where = Path((bench.folder / "state" / "where").read_text())
    assert where == bench.folder / "job" / "tmp"
    assert not where.exists()
    assert list(bench.folder.rglob("model.cache")) == []
