"""Plans of a container, and how its output is read: no engine."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import Any

import pytest

from harness.model.cell import Status
from harness.model.job import Event, Job, Limits, Role, Step
from harness.model.tool import ChildProcess, Container, KnownFailure, LogPattern, Tool
from harness.tools.engine import EngineInfo
from harness.tools.runtime.container_end import (
    broken_entry_point,
    read_state,
    refused_start,
)
from harness.tools.runtime.container_log import Frames, PatternReader, ToolLog, line_events
from harness.tools.runtime.container_plan import (
    Allowance,
    Caller,
    ContainerPlan,
    container_name,
    create_arguments,
    job_inside,
    plan,
)
from harness.tools.runtime.container_use import find_cgroup
from harness.tools.runtime.container_watchdog import wait_for_end
from harness.tools.runtime.ending import explain

GIB = 1 << 30
DOCKER = EngineInfo(kind="docker", version="27.0", socket="/s", cpus=8, memory_bytes=32 * GIB)
CALLER = Caller(uid=1000, gid=1001, pid=7, boot="boot", home="/home/b")
UUID = "GPU-8f6b1c7e-0000-1111-2222-333344445555"


def a_tool(**container: Any) -> Tool:
    return Tool(
        name="tool",
        summary="",
        homepage="",
        licence="",
        versions=("1",),
        runs_as=Container(recipe="tests", **container),
    )


def a_job(folder: Path, **limits: Any) -> Job:
    return Job(
        step=Step.TRAIN,
        tool="tool",
        version="1",
        image_digest="sha256:1",
        inputs={Role.ACTOR_TRAINING: str(folder / "a b.v1.mp4")},
        state=str(folder / "tool-1-thesis-actor03-0123456789ab" / "state"),
        out=str(folder / "out"),
        settings={},
        limits=Limits(**limits),
        gpu=True,
    )


def planned(
    folder: Path,
    tool: Tool | None = None,
    engine: EngineInfo = DOCKER,
    gpu: str | None = None,
    **limits: Any,
) -> ContainerPlan:
    return plan(
        tool or a_tool(),
        a_job(folder, **limits),
        folder / "attempts" / "001-uuid" / "2-train",
        image={"Id": "sha256:1", "Config": {"Volumes": {"/data": {}, "/out": {}}}},
        engine=engine,
        caller=CALLER,
        allowance=Allowance(cpus=64),
        gpu=gpu,
    )


def test_the_driver_sees_paths_inside(tmp_path: Path) -> None:
    inside = job_inside(a_job(tmp_path))
    assert inside.inputs == {Role.ACTOR_TRAINING: "/in/actor_training.mp4"}
    assert (inside.state, inside.out) == ("/state", "/out")


def test_a_linked_input_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.mp4").write_bytes(b"")
    (tmp_path / "a b.v1.mp4").symlink_to("real.mp4")
    found = planned(tmp_path)
    assert found.read_only["/in/actor_training.mp4"] == str((tmp_path / "real.mp4").resolve())


def test_a_container_has_all_limits_and_no_rights(tmp_path: Path) -> None:
    found = create_arguments(planned(tmp_path, memory_bytes=4 * GIB), podman=False)
    host = found["host_config"]
    assert (host["Memory"], host["MemorySwap"], host["ShmSize"]) == (4 * GIB, 4 * GIB, GIB)
    assert (host["NanoCpus"], host["PidsLimit"]) == (8 * 10**9, 4096)
    assert (host["Init"], host["ReadonlyRootfs"], host["NetworkMode"]) == (True, True, "none")
    assert (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges"])
    assert (found["user"], found["command"]) == ("1000:1001", ["/job/job.json"])
    mounts = {mount["Target"]: mount["ReadOnly"] for mount in host["Mounts"]}
    assert mounts == {
        "/job/job.json": True,
        "/in/actor_training.mp4": True,
        "/state": False,
        "/out": False,
    }
    assert {mount["Type"] for mount in host["Mounts"]} == {"bind"}
    assert not {"DeviceRequests", "Binds", "Privileged", "UsernsMode"} & set(host)


def test_a_step_without_a_limit_leaves_the_machine_a_tenth_of_its_memory(tmp_path: Path) -> None:
    assert planned(tmp_path).memory_bytes == int(32 * GIB * 0.9)


def test_an_images_volumes_are_kept_in_memory_but_for_our_own_folders(tmp_path: Path) -> None:
    found = planned(tmp_path, a_tool(scratch=("/opt/cache",)), output_bytes=GIB)
    assert set(found.tmpfs) == {"/tmp", "/opt/cache", "/data"}
    host = create_arguments(found, podman=False)["host_config"]
    assert set(host["Tmpfs"]) == set(found.tmpfs)
    assert all(f"size={GIB}" in options for options in host["Tmpfs"].values())


@pytest.mark.parametrize(
    ("engine", "user", "userns"),
    [
        (DOCKER, "1000:1001", None),
        (DOCKER.model_copy(update={"rootless": True}), "0:0", None),
        (DOCKER.model_copy(update={"remapped": True}), "1000:1001", "host"),
        (DOCKER.model_copy(update={"kind": "podman"}), "1000:1001", None),
        (DOCKER.model_copy(update={"kind": "podman", "rootless": True}), "1000:1001", "keep-id"),
    ],
)
def test_what_is_written_belongs_to_the_caller_on_every_kind_of_engine(
    tmp_path: Path, engine: EngineInfo, user: str, userns: str | None
) -> None:
    found = planned(tmp_path, engine=engine)
    assert (found.user, found.userns) == (user, userns)
    host = create_arguments(found, podman=engine.kind == "podman")["host_config"]
    assert host.get("UsernsMode") == userns


def test_an_engine_is_not_asked_for_limits_that_it_cannot_keep(tmp_path: Path) -> None:
    weak = {"cpu_limits": False, "memory_limits": False, "pids_limits": False}
    engine = DOCKER.model_copy(update=weak)
    host = create_arguments(planned(tmp_path, engine=engine), podman=False)["host_config"]
    assert not {"NanoCpus", "Memory", "MemorySwap", "PidsLimit"} & set(host)


def test_a_gpu_is_asked_for_by_its_uuid_in_each_engines_way(tmp_path: Path) -> None:
    found = planned(tmp_path, gpu=UUID)
    (docker,) = create_arguments(found, podman=False)["host_config"]["DeviceRequests"]
    assert docker["DeviceIDs"] == [UUID]
    assert docker["Capabilities"] == [["gpu", "compute", "utility"]]
    (podman,) = create_arguments(found, podman=True)["host_config"]["DeviceRequests"]
    assert (podman["Driver"], podman["DeviceIDs"]) == ("cdi", [f"nvidia.com/gpu={UUID}"])
    assert found.environment["NVIDIA_VISIBLE_DEVICES"] == UUID
    assert planned(tmp_path).environment["NVIDIA_VISIBLE_DEVICES"] == "void"


def test_only_the_steps_that_the_adapter_names_have_a_network(tmp_path: Path) -> None:
    assert planned(tmp_path, a_tool(network_steps=(Step.TRAIN,))).network
    assert not planned(tmp_path, a_tool(network_steps=(Step.EXTRACT,))).network


def test_a_container_is_named_and_labelled_after_its_cell(tmp_path: Path) -> None:
    found = planned(tmp_path)
    assert re.fullmatch(
        r"deid-bench-tool-1-thesis-actor03-0123456789ab-[0-9a-f]{8}-train", found.name
    )
    assert found.labels["deid-bench.attempt"] == "001-uuid"
    assert found.labels["deid-bench.cell"] == "tool-1-thesis-actor03-0123456789ab"
    other = a_job(tmp_path / "elsewhere")
    assert container_name(other) != found.name


def test_a_child_process_has_no_container(tmp_path: Path) -> None:
    tool = a_tool().model_copy(update={"runs_as": ChildProcess(module="x")})
    with pytest.raises(TypeError, match="child process"):
        planned(tmp_path, tool)


def test_frames_are_put_together_however_they_are_cut() -> None:
    data = b"".join(
        struct.pack(">BxxxL", stream, len(text)) + text
        for stream, text in ((1, b"out"), (2, b"error"), (1, b""), (1, b"more\n"))
    )
    for size in (1, 3, 7, len(data)):
        frames = Frames()
        cut = [data[start : start + size] for start in range(0, len(data), size)]
        found = [frame for piece in cut for frame in frames.feed(piece)]
        assert found == [(1, b"out"), (2, b"error"), (1, b""), (1, b"more\n")]


def test_numbers_of_a_line_become_events() -> None:
    pattern = r"(?P<done>[\d,]+)/(?P<total>\d+) a=(?P<loss_a>\S+) b=(?P<loss_b>\S+)"
    match = re.search(pattern, "1,200/5000 a=0.25 b=nan")
    assert match is not None
    assert line_events(match, "iterations", None) == [
        Event(kind="progress", done=1200, total=5000, unit="iterations"),
        Event(kind="loss", values={"a": 0.25}),
    ]


def test_a_fast_log_says_its_first_and_its_last_number() -> None:
    heard: list[Event] = []
    pattern = LogPattern(step=Step.TRAIN, pattern=r"#(?P<done>\d+)", unit="iterations", example="")
    reader = PatternReader([pattern], Step.TRAIN, heard.append, total=1000.0)
    for number in range(1000):
        reader.read(f"#{number + 1}")
    reader.end()
    assert (heard[0].done, heard[-1].done) == (1, 1000)
    assert heard[0].total == 1000
    assert len(heard) < 20
    PatternReader([pattern], Step.CONVERT, heard.append).read("#7")
    assert heard[-1].done == 1000


def test_a_log_remembers_how_it_ended(tmp_path: Path) -> None:
    reader = PatternReader([], Step.TRAIN, print)
    with ToolLog(tmp_path / "log.txt", 1 << 20, reader) as log:
        log.write(b"lost")
        for _ in range(3000):
            log.write(b"\x1b[1mx\x1b[0m" * 40)
        log.write(b"\x1b[2K")
        log.write(b"the \x07end")
        assert log.ending.endswith("\nthe end")
        assert "lost" not in log.ending
        assert len(log.ending) < 70_000
    assert b"\x1b" not in (tmp_path / "log.txt").read_bytes()


@pytest.mark.parametrize(
    ("state", "code", "memory"),
    [
        ({"Status": "exited", "ExitCode": 0}, 0, False),
        ({"Status": "exited", "ExitCode": 70}, 70, False),
        ({"Status": "exited", "ExitCode": 137, "OOMKilled": True}, -9, True),
        ({"Status": "exited", "ExitCode": 143, "OOMKilled": False}, -15, False),
        ({"Status": "exited", "ExitCode": 255}, 255, False),
    ],
)
def test_an_engines_state_is_read(state: dict[str, Any], code: int, memory: bool) -> None:
    ended = read_state(state)
    assert ended is not None
    assert (ended.exit_code, ended.out_of_memory) == (code, memory)


@pytest.mark.parametrize("status", ["created", "running", "paused", "restarting", "removing"])
def test_a_container_that_has_not_ended_has_no_end(status: str) -> None:
    assert read_state({"Status": status, "Running": status == "running", "ExitCode": 0}) is None


FAILURES = (
    KnownFailure(pattern="no faces? found", status=Status.TOOL_ERROR, reason="None.", example=""),
    KnownFailure(pattern="^CUDA out of", status=Status.OOM, reason="Smaller.", example=""),
)


def test_the_first_known_failure_in_the_adapters_order_explains_the_end() -> None:
    crash = (Status.TOOL_ERROR, "crash")
    log = "x\nCUDA out of memory\nno face found"
    assert explain(crash, FAILURES, log) == (Status.TOOL_ERROR, "None.")
    assert explain(crash, FAILURES[1:], log) == (Status.OOM, "Smaller.")
    assert explain(crash, FAILURES, "nothing known") == crash


@pytest.mark.parametrize(
    "status", [Status.TIMEOUT, Status.OOM, Status.CANCELLED, Status.INFRA_ERROR]
)
def test_what_bench_or_the_kernel_ended_needs_no_other_explanation(status: Status) -> None:
    assert explain((status, "why"), FAILURES, "no face found") == (status, "why")


@pytest.mark.parametrize(
    ("message", "status", "hint"),
    [
        (
            'could not select device driver "" with capabilities: [[gpu compute utility]]',
            Status.INFRA_ERROR,
            "nvidia-container-toolkit",
        ),
        ('exec: "docker-init": executable file not found in $PATH', Status.INFRA_ERROR, "tini"),
        ('exec: "/run.sh": executable file not found', Status.TOOL_ERROR, "bench images build"),
        ("no space left on device", Status.INFRA_ERROR, "no space left"),
    ],
)
def test_an_engines_refusal_says_what_to_do(message: str, status: Status, hint: str) -> None:
    found, reason = refused_start(message)
    assert found is status
    assert hint in reason


def test_only_the_inits_own_words_blame_the_image() -> None:
    tini = "[FATAL tini (7)] exec /opt/bench/driver failed: No such file or directory"
    assert broken_entry_point(127, tini) is not None
    assert broken_entry_point(127, "sh: ffmpeg: not found") is None
    assert broken_entry_point(70, tini) is None


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_use_is_read_from_version_2_control_groups(tmp_path: Path) -> None:
    write(tmp_path / "proc" / "42", cgroup="0::/system.slice/docker-1c0ffee.scope\n")
    there = tmp_path / "sys" / "system.slice" / "docker-1c0ffee.scope"
    write(
        there,
        memory__current="1000\n",
        memory__stat="anon 100\ninactive_file 300\n",
        memory__events="low 0\noom 1\noom_kill 2\n",
        cpu__stat="usage_usec 2500000\nuser_usec 1\n",
    )
    cgroup = find_cgroup(42, "1c0ffee", tmp_path / "proc", tmp_path / "sys")
    assert cgroup is not None
    use = cgroup.read()
    assert use is not None
    assert (use.memory_bytes, use.cpu_s, use.memory_kills) == (700, 2.5, 2)
    (there / "memory.current").unlink()
    assert cgroup.read() is None


def test_use_is_read_from_version_1_control_groups(tmp_path: Path) -> None:
    lines = "4:memory:/docker/1c0ffee\n3:cpu,cpuacct:/docker/1c0ffee\n0::/docker/1c0ffee\n"
    write(tmp_path / "proc" / "42", cgroup=lines)
    write(
        tmp_path / "sys" / "memory" / "docker" / "1c0ffee",
        memory__usage_in_bytes="1000\n",
        memory__stat="cache 1\ninactive_file 1\ntotal_inactive_file 300\n",
        memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    )
    write(tmp_path / "sys" / "cpu,cpuacct" / "docker" / "1c0ffee", cpuacct__usage="2500000000\n")
    cgroup = find_cgroup(42, "1c0ffee", tmp_path / "proc", tmp_path / "sys")
    assert cgroup is not None
    use = cgroup.read()
    assert use is not None
    assert (use.memory_bytes, use.cpu_s, use.memory_kills) == (700, 2.5, 2)


def test_a_process_that_has_ended_has_no_control_group(tmp_path: Path) -> None:
    assert find_cgroup(42, "1c0ffee", tmp_path) is None


def test_a_control_group_shared_with_others_tells_nothing_of_the_container(tmp_path: Path) -> None:
    write(tmp_path / "proc" / "42", cgroup="4:memory:/\n3:cpu,cpuacct:/\n0::/user.slice\n")
    assert find_cgroup(42, "1c0ffee", tmp_path / "proc", tmp_path) is None


def test_the_watchdog_removes_a_container_by_its_id_as_soon_as_it_has_one() -> None:
    # The name is the next container's of this cell as well.
    expected = {b"": ("", False), b"C": ("", True), b"CM" + b"a1" * 32: ("a1" * 32, False)}
    for told, outcome in expected.items():
        reading, writing = os.pipe()
        os.write(writing, told)
        os.close(writing)
        assert wait_for_end(reading) == outcome
        os.close(reading)
