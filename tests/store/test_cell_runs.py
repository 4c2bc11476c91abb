from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import BenchWarning, StoreError, UsageError
from harness.core.signals import StoppedError, stop_on_signals
from harness.execution.lanes import Lanes
from harness.execution.outcomes import CellOutcome
from harness.execution.perform import perform
from harness.execution.pipeline import run_cells
from harness.execution.requests import RunCell, WorkContext
from harness.media.ffmpeg import run_ffmpeg
from harness.media.probe import probe
from harness.model.cell import CellSpec, Status
from harness.model.dataset import PreparedActor, Sex, Split
from harness.model.job import SWAPPED_NAME, Event, Job, Limits, Role, Setting
from harness.model.tool import ChildProcess, Tool
from harness.store.cells import CellStore
from harness.store.history import read_history
from harness.store.media import MediaStore
from harness.tools.runtime.base import Control, StepOutcome
from harness.tools.runtime.process import ProcessRuntime

DRIVERS = Path(__file__).parent.parent / "tools" / "runtime"
TOOL = Tool(
    name="stand-in",
    summary="",
    homepage="",
    licence="",
    versions=("1",),
    runs_as=ChildProcess(module="stand_in_driver"),
)


def make_video(path: Path, frames: int = 10, size: str = "64x48", rate: int = 10) -> Path:
    source = f"testsrc=size={size}:rate={rate}"
    made = ["-f", "lavfi", "-i", source, "-frames:v", str(frames), "-pix_fmt", "yuv420p"]
    run_ffmpeg(["-y", *made, str(path)])
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "test.mp4")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "hôme 'x'"


@pytest.fixture
def actor(home: Path, video: Path, tmp_path: Path) -> PreparedActor:
    media = MediaStore(home)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(video.read_bytes())
    test = media.add(copy, ".mp4", probe(video))
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"png")
    reference = media.add(photo, ".png", None)
    return PreparedActor(
        number=3,
        sex=Sex.MALE,
        split=Split.HELD_OUT,
        training=None,
        test=test,
        reference=reference,
        reference_note="",
    )


def make_spec(actor: PreparedActor, mode: str, seed: int = 0, **settings: Setting) -> CellSpec:
    return CellSpec(
        tool="stand-in",
        version="1",
        config="default",
        settings={"mode": mode, **settings},
        dataset="test",
        split=Split.HELD_OUT,
        actor=actor,
        seed=seed,
        limits=Limits(wall_s=30),
    )


@pytest.fixture
def context(home: Path) -> WorkContext:
    runtime = ProcessRuntime(extra_env={"PYTHONPATH": str(DRIVERS)})
    return WorkContext(home=home, runtimes={"process": runtime}, backoff_s=0.01)


def run_cell(spec: CellSpec, tool: Tool, context: WorkContext) -> CellOutcome:
    """The cell run in this thread, and ended by a signal as in a lane."""
    with stop_on_signals(context.stop.set):
        try:
            outcome = perform(RunCell(spec=spec, tool=tool), context)
        except StoppedError as error:
            raise KeyboardInterrupt from error
    assert isinstance(outcome, CellOutcome)
    return outcome


def start_bench(home: Path, *specs: CellSpec, patch: str = "") -> subprocess.Popen[str]:
    """Another bench process that runs the cells and prints each outcome's status.

    ``patch`` is code that it runs first.
    """
    program = f"""
        import json, sys
        from pathlib import Path
        from harness.model.cell import CellSpec
        from harness.model.tool import Tool
        from harness.execution.lanes import Lanes
        from harness.execution.pipeline import run_cells
        from harness.execution.requests import WorkContext
        from harness.tools.runtime.process import ProcessRuntime
        specs = [CellSpec.model_validate(one) for one in json.load(sys.stdin)]
        runtime = ProcessRuntime(extra_env={{"PYTHONPATH": {str(DRIVERS)!r}}})
        context = WorkContext(home=Path({str(home)!r}), runtimes={{"process": runtime}})
        tool = Tool.model_validate_json({TOOL.model_dump_json()!r})
        with Lanes(1, context) as lanes:
            for outcome in run_cells(specs, {{tool.name: tool}}, lanes):
                print(outcome.status.value)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(patch) + textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps([spec.model_dump(mode="json") for spec in specs]))
    process.stdin.close()
    process.stdin = None
    return process


def test_a_good_cell_is_published_once_and_reused(
    actor: PreparedActor, context: WorkContext, video: Path
) -> None:
    spec = make_spec(actor, "good")
    first = run_cell(spec, TOOL, context)
    assert (first.status, first.reused) == (Status.OK, False)
    store = CellStore(context.home)
    assert store.swapped_path(spec).read_bytes() == video.read_bytes()
    assert store.verify(spec)
    again = run_cell(spec, TOOL, context)
    assert (again.reused, again.result) == (True, first.result)
    assert again.attempt is not None
    assert again.attempt.artifacts == (first.result.swapped,) if first.result else ()
    assert again.attempt.model_copy(update={"artifacts": ()}) == first.attempt
    assert len(store.attempts(spec)) == 1
    assert store.list() == [spec]
    assert store.list()[0].id == spec.id


def test_an_attempt_names_the_variables_that_its_driver_got(
    actor: PreparedActor, context: WorkContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:word@proxy")
    monkeypatch.setenv("A_PRIVATE_TOKEN", "secret")
    spec = make_spec(actor, "good")
    run_cell(spec, TOOL, context)
    (attempt,) = CellStore(context.home).attempts(spec)
    assert {"HTTPS_PROXY", "PATH"} <= set(attempt.environment)
    assert "A_PRIVATE_TOKEN" not in attempt.environment
    assert "user:word" not in attempt.model_dump_json()


@pytest.mark.parametrize(
    ("mode", "status"),
    [("crash", Status.TOOL_ERROR), ("nothing", Status.BAD_OUTPUT), ("broken", Status.BAD_OUTPUT)],
)
def test_a_failed_attempt_is_never_a_result(
    actor: PreparedActor, context: WorkContext, mode: str, status: Status
) -> None:
    spec = make_spec(actor, mode)
    for number in (1, 2):
        outcome = run_cell(spec, TOOL, context)
        assert (outcome.status, outcome.result, outcome.reused) == (status, None, False)
        attempts = CellStore(context.home).attempts(spec)
        assert [one.number for one in attempts] == list(range(1, number + 1))
    assert CellStore(context.home).result(spec) is None
    with pytest.raises(StoreError, match="no result"):
        CellStore(context.home).swapped_path(spec)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"frames": 9}, "9 frames, the original 10"),
        ({"size": "62x48"}, "62x48, the original 64x48"),
        ({"rate": 20}, "20/1 frames per second, the original 10/1"),
    ],
)
def test_a_video_of_another_shape_is_bad_output_with_both_values(
    actor: PreparedActor, context: WorkContext, tmp_path: Path, made: dict[str, int], words: str
) -> None:
    path = make_video(tmp_path / "other.mp4", **made)  # type: ignore[arg-type]
    outcome = run_cell(make_spec(actor, "other", file=str(path)), TOOL, context)
    assert outcome.status is Status.BAD_OUTPUT
    assert outcome.attempt is not None
    assert words in outcome.attempt.reason


def test_only_a_transient_fault_is_retried_by_itself(
    actor: PreparedActor, context: WorkContext
) -> None:
    spec = make_spec(actor, "transient_once")
    assert run_cell(spec, TOOL, context).status is Status.OK
    statuses = [one.status for one in CellStore(context.home).attempts(spec)]
    assert statuses == [Status.INFRA_ERROR, Status.OK]
    lasting = make_spec(actor, "exit", code=75)
    assert run_cell(lasting, TOOL, context).status is Status.INFRA_ERROR
    assert len(CellStore(context.home).attempts(lasting)) == 1 + context.infra_retries


def test_an_interrupt_stores_a_cancelled_attempt_with_its_log_and_what_it_used(
    actor: PreparedActor, context: WorkContext
) -> None:
    def interrupt(event: Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    spec = make_spec(actor, "burn_and_hang")
    with pytest.raises(KeyboardInterrupt):
        run_cell(spec, TOOL, replace(context, listen=interrupt))
    (attempt,) = CellStore(context.home).attempts(spec)
    assert attempt.status is Status.CANCELLED
    assert attempt.log_tail == ("burnt",)
    assert 0.2 <= attempt.resources.cpu_s < 5
    assert attempt.resources.peak_memory_bytes > 1 << 20


def test_sigterm_stores_a_cancelled_attempt(actor: PreparedActor, context: WorkContext) -> None:
    spec = make_spec(actor, "hang")
    with start_bench(context.home, spec) as process:
        wait_for(CellStore(context.home).state(spec) / "pids")
        process.terminate()
        process.wait(timeout=10)
    attempts = CellStore(context.home).attempts(spec)
    assert [one.status for one in attempts] == [Status.CANCELLED]


def wait_for(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert path.exists()


@pytest.mark.parametrize("delay_s", [0.0, 0.2, 0.45, 0.7])
def test_kill_9_at_any_moment_then_the_same_command_gives_the_same_result(
    actor: PreparedActor, context: WorkContext, video: Path, delay_s: float
) -> None:
    spec = make_spec(actor, "slow")
    store = CellStore(context.home)
    with start_bench(context.home, spec) as process:
        wait_for(store.folder(spec) / "spec.json")
        time.sleep(delay_s)
        os.kill(process.pid, signal.SIGKILL)
    # As a command does, it waits for a child that was about to start and holds the cell still.
    with Lanes(1, context) as lanes:
        (outcome,) = run_cells([spec], {TOOL.name: TOOL}, lanes)
    assert outcome.status is Status.OK
    assert store.verify(spec)
    assert store.swapped_path(spec).read_bytes() == video.read_bytes()
    folders = list((store.folder(spec) / "attempts").iterdir())
    assert [folder.name for folder in folders] == [outcome.result.attempt]  # type: ignore[union-attr]


@pytest.mark.parametrize("file", ["swapped.mp4", "attempt.json", "result.json"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_kill_9_inside_publish_then_the_same_command_gives_the_same_result(
    actor: PreparedActor, context: WorkContext, video: Path, file: str, moment: str
) -> None:
    spec = make_spec(actor, "good")
    patch = f"""
        import os, signal
        import harness.store.cells as cells

        def deadly(real, place):
            def write(*args):
                if {moment!r} == "after":
                    real(*args)
                if args[place].name == {file!r}:
                    os.kill(os.getpid(), signal.SIGKILL)
                if {moment!r} == "before":
                    real(*args)
            return write

        cells.write_record = deadly(cells.write_record, 0)
        cells.publish_file = deadly(cells.publish_file, 1)
    """
    with start_bench(context.home, spec, patch=patch) as process:
        process.wait(timeout=60)
    assert process.returncode == -signal.SIGKILL
    store = CellStore(context.home)
    published = (file, moment) == ("result.json", "after")
    assert (store.result(spec) is not None) == published
    outcome = run_cell(spec, TOOL, context)
    assert (outcome.status, outcome.reused) == (Status.OK, published)
    assert store.verify(spec)
    assert store.swapped_path(spec).read_bytes() == video.read_bytes()
    assert len(list((store.folder(spec) / "attempts").iterdir())) == 1


def test_two_commands_at_once_do_each_cell_once_and_both_end_with_all(
    actor: PreparedActor, context: WorkContext
) -> None:
    specs = [make_spec(actor, "count", seed=number) for number in range(4)]
    failing = make_spec(actor, "exit", code=70)
    everything, home = [failing, *specs], context.home
    with (
        start_bench(home, *everything) as one,
        start_bench(home, *everything) as two,
    ):
        said = [process.communicate(timeout=60)[0].split() for process in (one, two)]
    assert said[0][1:] == said[1][1:] == ["ok"] * 4
    store = CellStore(context.home)
    for spec in specs:
        assert len(store.attempts(spec)) == 1
        runs = (store.state(spec) / "pids").read_text().split()
        assert len(set(runs)) == 1


def test_a_busy_cell_is_said_to_be_busy(actor: PreparedActor, context: WorkContext) -> None:
    spec = make_spec(actor, "good")
    with CellStore(context.home).lock(spec) as held:
        assert held
        outcome = run_cell(spec, TOOL, context)
    assert outcome.busy
    assert outcome.result is None


def test_a_failure_of_another_command_meanwhile_is_taken_over(
    actor: PreparedActor, context: WorkContext
) -> None:
    spec = make_spec(actor, "exit", code=70)
    first = make_spec(actor, "good")
    taken: list[CellOutcome] = []

    def other_command(ended: CellSpec, outcome: CellOutcome) -> None:
        if ended == first:
            taken.append(run_cell(spec, TOOL, context))

    with Lanes(1, context) as lanes:
        outcomes = run_cells([first, spec], {TOOL.name: TOOL}, lanes, other_command)
    assert outcomes[1].attempt == taken[0].attempt
    assert outcomes[1].reused
    assert len(CellStore(context.home).attempts(spec)) == 1


def test_a_newer_store_is_refused_by_name(home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "store.json").write_text('{"schema_version": 99, "written_by": "7.5.0"}')
    with pytest.raises(StoreError, match=r"written by deid-bench 7\.5\.0") as caught:
        CellStore(home)
    assert caught.value.exit_code == 4


def test_a_result_whose_video_is_gone_or_cut_short_is_no_result(
    actor: PreparedActor, context: WorkContext
) -> None:
    spec = make_spec(actor, "good")
    run_cell(spec, TOOL, context)
    store = CellStore(context.home)
    path = store.swapped_path(spec)
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    assert not store.verify(spec)
    with pytest.warns(BenchWarning, match="its SHA-256 is another one"):
        again = run_cell(spec, TOOL, context)
    assert (again.status, again.reused) == (Status.OK, False)
    assert store.verify(spec)
    store.swapped_path(spec).write_bytes(b"short")
    assert store.result(spec) is None
    assert not run_cell(spec, TOOL, context).reused
    assert store.verify(spec)


def test_a_store_that_cannot_be_written_is_a_sentence_and_loses_nothing(
    actor: PreparedActor, context: WorkContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, planned = make_spec(actor, "good"), make_spec(actor, "good", seed=1)
    run_cell(done, TOOL, context)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "some/file")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", full)
        with pytest.raises(StoreError, match=r"disk is full|No space left"):
            run_cell(planned, TOOL, context)
        assert run_cell(done, TOOL, context).reused
    assert run_cell(planned, TOOL, context).status is Status.OK


def test_a_tool_that_needs_a_donor_says_so_before_anything_runs(
    actor: PreparedActor, context: WorkContext
) -> None:
    tool = TOOL.model_copy(update={"needs": (Role.TEST_VIDEO, Role.DONOR_REFERENCE)})
    with pytest.raises(UsageError, match="names no donor"):
        run_cell(make_spec(actor, "good"), tool, context)
    assert CellStore(context.home).list() == []


@pytest.mark.parametrize("text", ["{", "", '{"cell_id": "another kind of file"}'])
def test_a_damaged_result_is_set_aside_and_made_again_from_its_attempt(
    actor: PreparedActor, context: WorkContext, text: str
) -> None:
    spec = make_spec(actor, "good")
    first = run_cell(spec, TOOL, context)
    store = CellStore(context.home)
    record = store.folder(spec) / "result.json"
    record.write_text(text)
    with pytest.warns(BenchWarning, match=r"result\.json"):
        again = run_cell(spec, TOOL, context)
    assert (again.reused, again.result) == (True, first.result)
    assert record.with_name("result.json.corrupt-1").read_text() == text
    assert store.result(spec) == first.result


def test_a_damaged_result_whose_attempt_is_damaged_too_is_kept_and_its_cell_done_again(
    actor: PreparedActor, context: WorkContext
) -> None:
    damaged, sound = make_spec(actor, "good"), make_spec(actor, "good", seed=1)
    first, other = (run_cell(spec, TOOL, context) for spec in (damaged, sound))
    store = CellStore(context.home)
    folder = store.folder(damaged)
    (folder / "result.json").write_text("{")
    (attempt,) = (folder / "attempts").glob("*/attempt.json")
    attempt.write_text(attempt.read_text().replace('"number": 1', '"number": 9'))
    with Lanes(1, context) as lanes, pytest.warns(BenchWarning, match="is damaged|is no|is not"):
        outcomes = run_cells([damaged, sound], {TOOL.name: TOOL}, lanes)
    assert [outcome.reused for outcome in outcomes] == [False, True]
    assert outcomes[1].result == other.result
    assert outcomes[0].result is not None
    assert first.result is not None
    assert outcomes[0].result.swapped.sha256 == first.result.swapped.sha256
    assert attempt.with_name("attempt.json.corrupt-1").exists()
    assert (folder / first.result.swapped.path).exists()


def test_a_damaged_record_of_an_attempt_is_passed_over_and_its_folder_kept(
    actor: PreparedActor, context: WorkContext
) -> None:
    spec = make_spec(actor, "crash")
    run_cell(spec, TOOL, context)
    store = CellStore(context.home)
    (record,) = (store.folder(spec) / "attempts").glob("*/attempt.json")
    record.write_text("{")
    with pytest.warns(BenchWarning, match="is no JSON"):
        assert store.attempts(spec) == []
    run_cell(spec, TOOL, context)
    assert record.with_name("attempt.json.corrupt-1").read_text() == "{"
    assert [one.number for one in store.attempts(spec)] == [2]


class _Overwritten(ProcessRuntime):
    """Leaves behind a process that writes another whole video once the driver has ended."""

    def __init__(self, other: Path) -> None:
        super().__init__(extra_env={"PYTHONPATH": str(DRIVERS)})
        self._other = other

    def run(self, tool: Tool, job: Job, folder: Path, control: Control) -> StepOutcome:
        outcome = super().run(tool, job, folder, control)
        (Path(job.out) / SWAPPED_NAME).write_bytes(self._other.read_bytes())
        return outcome


def test_a_video_that_changes_after_it_was_taken_over_is_no_result(
    actor: PreparedActor, context: WorkContext, tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    run_ffmpeg(["-i", str(MediaStore(context.home).path(actor.test)), "-vf", "negate", str(other)])
    overwriting = replace(context, runtimes={"process": _Overwritten(other)})
    spec = make_spec(actor, "good")
    outcome = run_cell(spec, TOOL, overwriting)
    assert outcome.status is Status.BAD_OUTPUT
    assert outcome.attempt is not None
    assert "changed after the driver had ended" in outcome.attempt.reason
    assert CellStore(context.home).result(spec) is None


def test_a_deep_state_neither_blocks_the_history_nor_the_next_try(
    actor: PreparedActor, context: WorkContext
) -> None:
    spec = make_spec(actor, "good")
    store = CellStore(context.home)
    assert run_cell(spec, TOOL, context).status is Status.OK
    handle = os.open(store.state(spec), os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("inner" * 40, dir_fd=handle)
        inner = os.open("inner" * 40, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)
    assert [past.like for past in read_history(context.home)]
    store.swapped_path(spec).unlink()
    assert run_cell(spec, TOOL, context).status is Status.BAD_OUTPUT
    assert run_cell(spec, TOOL, context).status is Status.OK
