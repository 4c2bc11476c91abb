"""The driver's half of the contract."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from containers.common import bench_driver
from containers.common.bench_driver import Job
from harness.model.job import CONTRACT_VERSION, Event, ExitCode, Limits, Role, Step, StepReport
from harness.model.job import Job as JobModel


@pytest.fixture
def job_path(tmp_path: Path) -> Path:
    """A job as the harness writes it."""
    video = tmp_path / "video.mp4"
    video.write_bytes(b"x")
    job = JobModel(
        step=Step.CONVERT,
        tool="t",
        version="1",
        inputs={Role.TEST_VIDEO: str(video)},
        state=str(tmp_path / "state"),
        out=str(tmp_path / "out"),
        settings={"strength": 0.5, "on": True},
        limits=Limits(),
    )
    path = tmp_path / "job.json"
    path.write_text(job.model_dump_json())
    return path


def test_the_driver_library_is_python_36_and_imports_only_the_standard_library() -> None:
    source = Path(bench_driver.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names)
    assert "__future__" not in imported


def test_the_harness_and_the_driver_agree_on_versions_and_codes() -> None:
    assert bench_driver.CONTRACT_VERSION == CONTRACT_VERSION
    assert tuple(step.value for step in Step) == bench_driver.STEPS
    assert (bench_driver.BAD_JOB, bench_driver.INPUT_UNUSABLE) == (
        ExitCode.BAD_JOB,
        ExitCode.INPUT_UNUSABLE,
    )
    assert (bench_driver.TOOL_FAILED, bench_driver.TRANSIENT) == (
        ExitCode.TOOL_FAILED,
        ExitCode.TRANSIENT,
    )


def _raise(error: BaseException) -> Callable[[Job], None]:
    def run(job: Job) -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (bench_driver.BadJobError("no"), 64),
        (bench_driver.InputUnusableError("no"), 65),
        (bench_driver.ToolFailedError("no"), 70),
        (bench_driver.TransientError("no"), 75),
        (LookupError("input"), 65),
        (ValueError("two\nlines"), 70),
        (MemoryError(), 70),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else type(value).__name__,
)
def test_every_exception_ends_in_one_line_and_its_code(
    error: BaseException, code: int, job_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        ended = bench_driver.main(_raise(error), [str(job_path)], unusable=(LookupError,))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended == code
    assert capsys.readouterr().err.count("\n") == 1


def test_step_json_is_a_step_report_and_leaves_no_partial_file(job_path: Path) -> None:
    job = bench_driver.load_job(str(job_path))
    bench_driver.write_step(job, frames=3, faces_found={"test_video": 2}, notes=["n"])
    out = Path(job.out)
    assert StepReport.model_validate_json((out / "step.json").read_text()).frames == 3
    assert [path.name for path in out.iterdir()] == ["step.json"]


def test_events_are_events_and_progress_is_throttled(capsys: pytest.CaptureFixture[str]) -> None:
    progress = bench_driver.Progress(100, "frames", every_s=60)
    for done in range(1, 101):
        progress.update(done)
    bench_driver.emit("loss", values={"a": 0.5})
    lines = capsys.readouterr().out.splitlines()
    events = [Event.model_validate_json(line.removeprefix("@bench ")) for line in lines]
    assert [event.done for event in events] == [1, 100, None]


@pytest.mark.parametrize(
    ("field", "value"),
    [("contract_version", 2), ("step", "dance"), ("out", ""), ("inputs", []), ("settings", None)],
)
def test_a_malformed_field_is_named(field: str, value: object, job_path: Path) -> None:
    fields = json.loads(job_path.read_text())
    fields[field] = value
    job_path.write_text(json.dumps(fields))
    with pytest.raises(bench_driver.BadJobError, match=field.split("_")[0]):
        bench_driver.load_job(str(job_path))


def test_a_job_that_is_not_json_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("not json")
    for name in ("job.json", "absent.json"):
        with pytest.raises(bench_driver.BadJobError):
            bench_driver.load_job(str(tmp_path / name))


def test_settings_are_checked_again_by_the_driver(job_path: Path) -> None:
    job = bench_driver.load_job(str(job_path))
    assert job.number("strength", 0, 1) == 0.5
    for ask in (
        lambda: job.number("strength", 0, 0.1),
        lambda: job.number("on", 0, 1),
        lambda: job.choice("strength", ("a",)),
        lambda: job.flag("strength"),
        lambda: job.input("donor_training"),
    ):
        with pytest.raises(bench_driver.BadJobError):
            ask()


def test_sigterm_ends_a_driver_at_once(job_path: Path) -> None:
    code = (
        "import sys, time\nfrom containers.common import bench_driver\n"
        "def run(job):\n    bench_driver.emit('note', text='here')\n    time.sleep(60)\n"
        "sys.exit(bench_driver.main(run))\n"
    )
    command = [sys.executable, "-c", code, str(job_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(timeout=5) == -signal.SIGTERM
