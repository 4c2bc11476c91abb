"""The container runtime on a real engine, with an image that misbehaves on request."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from harness.core.errors import UnfitMachineError
from harness.model.cell import Status
from harness.model.job import Event, Limits, Step
from harness.tools.engine import Engine, connect
from harness.tools.runtime import container_watch
from harness.tools.runtime.base import Control
from harness.tools.runtime.container import ContainerRuntime
from tests.tools.runtime.containers.containers_bench import (
    ALLOWANCE,
    HANGS_S,
    LIMITS,
    MIB,
    TOOL,
    Bench,
    wait_for,
    with_container,
)

pytestmark = pytest.mark.engine


def test_a_good_step_is_ok_and_its_events_and_log_lines_are_told_apart(bench: Bench) -> None:
    outcome = bench.run("good")
    assert (outcome.status, outcome.reason, outcome.exit_code) == (Status.OK, "done", 0)
    assert outcome.report is not None
    assert outcome.report.frames == 1
    assert (bench.folder() / "out" / "swapped.mp4").read_bytes() == b"video"
    assert [(event.done, event.total) for event in bench.events] == [(1, 2)]
    assert sorted(bench.log.split()) == [b"first", b"second", b"third"]
    assert sorted(outcome.log_tail) == ["first", "second", "third"]
    assert outcome.resources.wall_s > 0


def test_what_ran_is_recorded_beside_the_log(bench: Bench) -> None:
    bench.run("good")
    record = json.loads((bench.folder() / "container.json").read_text())
    assert record["engine"].startswith(("docker ", "podman "))
    assert record["plan"]["image"] == bench.digest
    assert record["plan"]["network"] is False
    assert (record["ended"]["exit_code"], record["removed"]) == (0, True)


def test_a_driver_can_touch_nothing_but_its_own(bench: Bench) -> None:
    outcome = bench.run("facts", limits=LIMITS)
    assert outcome.status is Status.OK, outcome.log_tail
    found = json.loads((bench.state / "facts.json").read_text())
    refused = {
        "root",
        "etc",
        "run",
        "run_lock",
        "run_mode",
        "var_tmp",
        "input",
        "input_mode",
        "input_gone",
        "beside_input",
        "job",
    }
    refused |= {"setuid", "chown", "mknod", "reach"}
    assert [name for name in refused if found[name] == "done"] == []
    assert set(found["capabilities"]) == {"0"}
    assert found["no_new_privileges"] == "1"
    assert found["init"] != "python3"
    assert found["interfaces"] == ["lo"]
    assert not found["docker_socket"]
    assert not found["terminal"]
    assert found["shm_bytes"] == 64 * MIB
    assert (found["tmp"], found["scratch"], found["volume"]) == ("done", "done", "done")
    assert found["volume_type"] == ["tmpfs"]
    assert found["environment"]["NVIDIA_VISIBLE_DEVICES"] == "void"
    assert found["environment"]["HOME"] == "/tmp"
    assert bench.video.read_bytes() == b"video"


def test_the_proxies_of_the_users_docker_configuration_stay_outside(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxies = {"default": {"httpProxy": "http://proxy.invalid:3128"}}
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    with connect() as engine:
        outcome = Bench(bench.home, engine, bench.digest).run("facts")
    assert outcome.status is Status.OK, outcome.log_tail
    environment = json.loads((bench.state / "facts.json").read_text())["environment"]
    assert [name for name in environment if "proxy" in name.lower()] == []


def test_what_a_hostile_container_leaves_ends_with_its_step(bench: Bench) -> None:
    outcome = bench.run("hostile", limits=LIMITS)
    assert outcome.status is Status.BAD_OUTPUT
    assert any(name.startswith("swapped.mp4 (a symbolic link)") for name in outcome.deleted)
    assert {name.split()[0] for name in outcome.deleted} >= {"observation.csv", "deep", "tool"}
    assert {path.name for path in (bench.folder() / "out").iterdir()} == {"step.json"}
    assert (bench.state / "tool").stat().st_mode & 0o7777 == 0o755
    assert bench.state.stat().st_mode & 0o777 == 0o700


def test_a_step_that_may_use_the_network_has_one_and_says_so(bench: Bench) -> None:
    outcome = bench.run("facts", tool=with_container(network_steps=(Step.CONVERT,)))
    found = json.loads((bench.state / "facts.json").read_text())
    # An engine that was started without a bridge has no network to give.
    bridges = bench.engine.client.networks.list(names=["bridge"])
    assert len(found["interfaces"]) == (2 if bridges else 1)
    record = json.loads((bench.folder() / "container.json").read_text())
    assert record["plan"]["network"] is True
    assert outcome.report is not None
    assert outcome.report.notes == ("This step was allowed to use the network.",)


def test_a_tool_that_insists_on_a_terminal_gets_one(bench: Bench) -> None:
    tool = with_container(terminal=True)
    bench.run("facts", tool=tool)
    assert json.loads((bench.state / "facts.json").read_text())["terminal"]


def test_a_terminals_colours_are_not_in_the_log(bench: Bench) -> None:
    text = "\x1b[1;31mred\x1b[0m\r\x1b[Kplain\x1b]0;title\x07\nlast"
    outcome = bench.run("lines", tool=with_container(terminal=True), text=text)
    assert outcome.log_tail == ("red", "plain", "last")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (64, Status.TOOL_ERROR),
        (65, Status.TOOL_ERROR),
        (75, Status.INFRA_ERROR),
        (3, Status.TOOL_ERROR),
    ],
)
def test_exit_codes_mean_what_the_contract_says(bench: Bench, code: int, status: Status) -> None:
    outcome = bench.run("lines", text="hello\n", code=code)
    assert (outcome.status, outcome.exit_code) == (status, code)
    assert str(code) in outcome.reason


def test_a_tool_that_prints_an_error_and_exits_with_0_is_explained(bench: Bench) -> None:
    outcome = bench.run("lies")
    assert (outcome.status, outcome.exit_code) == (Status.OOM, 0)
    assert outcome.reason == "The GPU ran out of memory; choose a smaller batch."
    assert outcome.report is None


def test_exit_0_without_a_report_is_bad_output(bench: Bench) -> None:
    job = bench.job("lines", LIMITS, text="")
    bench.folder().mkdir(parents=True)
    (bench.folder() / "out").mkdir()
    (bench.folder() / "out" / "step.json").mkdir()
    outcome = bench.runtime.run(TOOL, job, bench.folder(), Control())
    assert outcome.status is Status.TOOL_ERROR
    bench.cell = bench.cell.with_name("second")
    outcome = bench.run("lies", tool=TOOL.model_copy(update={"failures": ()}))
    assert outcome.status is Status.BAD_OUTPUT


def test_a_hanging_container_is_stopped_at_its_wall_limit(bench: Bench) -> None:
    outcome = bench.run("hang", LIMITS.model_copy(update={"wall_s": 1}))
    assert outcome.status is Status.TIMEOUT
    assert 1 <= outcome.resources.wall_s < HANGS_S / 2
    assert outcome.resources.cpu_s > 0
    assert outcome.resources.peak_memory_bytes > 1 << 18


def test_a_driver_that_ignores_sigterm_is_killed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_watch, "GRACE_S", 0.2)
    outcome = bench.run("stubborn", LIMITS.model_copy(update={"wall_s": 2}))
    assert outcome.status is Status.TIMEOUT
    assert outcome.exit_code == -9
    assert outcome.resources.wall_s < HANGS_S / 2


def test_the_user_can_end_a_step(bench: Bench) -> None:
    def end() -> None:
        wait_for((bench.state / "started").exists)
        bench.stop.set()

    threading.Thread(target=end).start()
    outcome = bench.run("hang")
    assert outcome.status is Status.CANCELLED
    assert outcome.resources.wall_s < HANGS_S / 2


def test_an_error_of_the_listener_passes_through_after_the_container_is_gone(bench: Bench) -> None:
    def refuse(event: Event) -> None:
        raise RuntimeError("no")

    job = bench.job("good", LIMITS)
    with pytest.raises(RuntimeError, match="no"):
        bench.runtime.run(TOOL, job, bench.folder(), Control(refuse))
    assert bench.containers() == []


def test_a_driver_that_leaves_a_daemon_behind_ends_with_it(bench: Bench) -> None:
    assert bench.run("orphan").status is Status.OK


def test_a_driver_that_closes_its_output_is_waited_for(bench: Bench) -> None:
    assert bench.run("silent").status is Status.OK


def test_a_flood_keeps_the_head_and_the_tail_of_the_log(bench: Bench) -> None:
    outcome = bench.run("flood", LIMITS.model_copy(update={"log_bytes": MIB}))
    assert outcome.status is Status.OK
    assert len(bench.log) <= MIB + 100
    assert bench.log.startswith(b"first line\n")
    assert b"last line\n" in bench.log[-100:]
    assert b"bytes left out here" in bench.log


@pytest.mark.parametrize("mode", ["eat", "eat_in_child"])
def test_running_out_of_memory_is_told_from_a_kill(bench: Bench, mode: str) -> None:
    outcome = bench.run(mode)
    assert outcome.status is Status.OOM
    assert "128.0 MiB" in outcome.reason
    assert outcome.resources.peak_memory_bytes >= 128 * MIB


def test_a_kill_from_outside_is_not_taken_for_want_of_memory(bench: Bench) -> None:
    def kill() -> None:
        wait_for(lambda: (bench.state / "started").exists())
        bench.engine.api.kill(bench.containers()[0].lstrip("/"))

    threading.Thread(target=kill).start()
    outcome = bench.run("hang")
    assert (outcome.status, outcome.exit_code) == (Status.TOOL_ERROR, -9)


def test_a_container_that_somebody_removes_is_tried_again(bench: Bench) -> None:
    def remove() -> None:
        wait_for(lambda: (bench.state / "started").exists())
        bench.engine.api.remove_container(bench.containers()[0].lstrip("/"), force=True)

    threading.Thread(target=remove).start()
    assert bench.run("hang").status is Status.INFRA_ERROR


def test_forking_without_end_ends_at_the_limit_of_processes(bench: Bench) -> None:
    started = time.monotonic()
    limits = LIMITS.model_copy(update={"memory_bytes": 2048 * MIB, "wall_s": 20})
    outcome = bench.run("fork", limits)
    assert outcome.status is Status.TOOL_ERROR
    assert "unavailable" in "".join(outcome.log_tail)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("where", ["/out", "/state"])
def test_a_driver_that_fills_the_disk_is_stopped(bench: Bench, where: str) -> None:
    limits = LIMITS.model_copy(update={"output_bytes": MIB})
    outcome = bench.run("fill", limits, where=where)
    assert outcome.status is Status.BAD_OUTPUT
    assert "output and state together" in outcome.reason


def test_scratch_in_memory_has_a_limit_too(bench: Bench) -> None:
    outcome = bench.run("fill", LIMITS.model_copy(update={"output_bytes": MIB}), where="/scratch")
    assert outcome.status is Status.TOOL_ERROR
    assert "No space left" in outcome.log_tail[-1]


def test_a_training_that_dies_halfway_goes_on_from_its_state(bench: Bench) -> None:
    first = bench.run("train", step=Step.TRAIN, die=True)
    assert (first.status, first.exit_code) == (Status.TOOL_ERROR, -9)
    assert (bench.state / "iteration").read_text() == "4"
    bench.events.clear()
    second = bench.run("train", step=Step.TRAIN, die=True)
    assert second.status is Status.OK
    assert second.report is not None
    assert second.report.iterations == 10
    assert "#000005" in (bench.folder(Step.TRAIN) / "log.txt").read_text()


def test_a_tools_own_lines_become_progress_and_losses(bench: Bench) -> None:
    limits = Limits(wall_s=60, memory_bytes=128 * MIB, iterations=10)
    bench.run("train", limits, step=Step.TRAIN, pace_s=0.0)
    last = {event.kind: event for event in bench.events}
    assert (last["progress"].done, last["progress"].total) == (10, 10)
    assert last["progress"].unit == "iterations"
    assert last["loss"].values == {"a": 0.001, "b": 0.5}


def test_two_steps_run_at_once(bench: Bench, engine: Engine, digest: str) -> None:
    other = Bench(bench.home, engine, digest, cell="other")
    outcomes = []

    def run(one: Bench) -> None:
        job = one.job("train", LIMITS, Step.TRAIN, pace_s=0.1)
        outcomes.append(one.runtime.run(TOOL, job, one.folder(Step.TRAIN), Control()))

    threads = [threading.Thread(target=run, args=(one,)) for one in (bench, other)]
    for thread in threads:
        thread.start()
    assert wait_for(lambda: len(bench.containers()) == 2)
    for thread in threads:
        thread.join()
    assert [outcome.status for outcome in outcomes] == [Status.OK, Status.OK]
    assert bench.containers() == []


def test_an_image_that_cannot_be_started_is_blamed(bench: Bench, engine: Engine) -> None:
    broken = engine.api.import_image_from_data(
        b"\0" * 10240, changes=['ENTRYPOINT ["/there/is/none"]']
    )
    bench.digest = json.loads(broken.splitlines()[-1])["status"]
    outcome = bench.run("good")
    engine.client.images.remove(bench.digest, force=True)
    assert outcome.status is Status.TOOL_ERROR
    assert "bench images build" in outcome.reason


def test_a_missing_image_names_the_command_that_builds_it(bench: Bench) -> None:
    bench.digest = "sha256:" + "0" * 64
    with pytest.raises(UnfitMachineError, match="bench images build stand-in@1"):
        bench.run("good")
    with pytest.raises(UnfitMachineError, match="bench images build stand-in@1"):
        bench.runtime.check(TOOL, "1", bench.digest)


def test_a_machine_is_checked_before_hours_are_spent(bench: Bench) -> None:
    assert bench.runtime.check(TOOL, "1", bench.digest, disk_bytes=1).cpus >= 1
    with pytest.raises(UnfitMachineError, match="too full for this run of stand-in"):
        bench.runtime.check(TOOL, "1", bench.digest, disk_bytes=1 << 60)
    with pytest.raises(UnfitMachineError, match="needs an NVIDIA GPU"):
        bench.runtime.check(with_container(gpu="required"), "1", bench.digest)
    assert bench.runtime.device(with_container(gpu="optional")) is None


@pytest.mark.parametrize(
    ("step", "free_mib", "begins"), [(Step.TRAIN, 4096, False), (Step.CONVERT, 4096, True)]
)
def test_a_gpu_that_another_program_fills_is_refused_before_a_container_is_made(
    step: Step, free_mib: int, begins: bool, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = bench.home / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho 'GPU-1, NVIDIA A, 24576, {free_mib}, 550'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bench.home}:/usr/bin:/bin")
    monkeypatch.setattr("tempfile.tempdir", str(bench.home))
    tool = with_container(gpu="required", gpu_memory_bytes=6 << 30)
    job = bench.job("good", LIMITS, step).model_copy(update={"gpu": True})
    runtime = ContainerRuntime(bench.home, allowance=ALLOWANCE, environ=bench.environ)
    outcome = runtime.run(tool, job, bench.folder(step), Control())
    assert outcome.status is Status.INFRA_ERROR, "this engine has no GPU to hand out"
    # What is enough to convert is too little to train.
    assert ("Another program uses the GPU" not in outcome.reason) is begins
    assert ("only 4096 of 24576 MiB on NVIDIA A are free" in outcome.reason) is not begins
    assert bench.containers() == []


def test_an_engine_that_was_never_there_is_said_at_once(tmp_path: Path, bench: Bench) -> None:
    environ = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    runtime = ContainerRuntime(bench.home, allowance=ALLOWANCE, environ=environ)
    started = time.monotonic()
    with pytest.raises(UnfitMachineError, match="engine"):
        runtime.run(TOOL, bench.job("good", LIMITS), bench.folder(), Control())
    assert time.monotonic() - started < 5


def test_an_engine_that_was_there_is_waited_for_when_it_is_restarted(
    tmp_path: Path, bench: Bench
) -> None:
    link = tmp_path / "engine.sock"
    link.symlink_to(bench.engine.info.socket)
    environ = {"DOCKER_HOST": f"unix://{link}"}
    runtime = ContainerRuntime(bench.home, allowance=ALLOWANCE, environ=environ)
    runtime.check(TOOL, "1", bench.digest)
    link.unlink()
    threading.Timer(0.3, link.symlink_to, (bench.engine.info.socket,)).start()
    outcome = runtime.run(TOOL, bench.job("good", LIMITS), bench.folder(), Control())
    assert outcome.status is Status.OK
