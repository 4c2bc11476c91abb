"""A machine's lacks are named with the command that mends them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from harness.core.errors import UnfitMachineError
from harness.execution import doctor
from harness.model.tool import Container, Tool
from harness.tools.engine import (
    EngineInfo,
    connect,
    podman_passes_gpus,
    read_info,
    require_space,
    socket_paths,
    unfit,
)
from harness.tools.runtime.container import ContainerRuntime
from harness.tools.runtime.container_gpu import (
    Gpu,
    GpusFilled,
    HeldGpu,
    emptiest_first,
    filled_by_others,
    fit_gpus,
    gpu_of_ones_own,
    parse_gpus,
    query_gpus,
    visible_gpus,
)

ROOT = Path(__file__).parents[4]
# In the format of nvidia-smi's own `--format=csv,noheader,nounits`.
TWO_GPUS = """\
GPU-e4252fcb-8ed4-ef11-71cd-d36a23871c75, NVIDIA GeForce RTX 4080 SUPER, 16376, 15912, 550.90.07
GPU-358353dd-5933-1dc6-ac0d-e1189b063e4c, NVIDIA GeForce RTX 3090, 24576, 4096, 550.90.07
"""


def test_the_named_engine_is_the_only_one_looked_for() -> None:
    assert socket_paths({"DOCKER_HOST": "unix:///a/b.sock", "HOME": "/h"}) == ("/a/b.sock",)


def test_rootless_engines_of_the_user_are_looked_for_too() -> None:
    found = socket_paths({"XDG_RUNTIME_DIR": "/run/user/1000"})
    assert found[0] == "/var/run/docker.sock"
    assert {"/run/user/1000/docker.sock", "/run/user/1000/podman/podman.sock"} <= set(found)


@pytest.mark.parametrize("host", ["tcp://10.0.0.1:2375", "ssh://user@host"])
def test_an_engine_on_another_machine_is_refused(host: str) -> None:
    with pytest.raises(UnfitMachineError, match="elsewhere cannot see them"):
        connect({"DOCKER_HOST": host})


def test_no_engine_at_all_names_what_to_install() -> None:
    error = unfit([("/var/run/docker.sock", "missing")], installed=None)
    assert "no container engine" in str(error)
    assert "apt-get install docker.io" in str(error)


def test_an_engine_that_is_installed_but_not_running_is_to_be_started(tmp_path: Path) -> None:
    assert "systemctl enable --now docker" in str(unfit([("/s", "missing")], "/usr/bin/dockerd"))
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(UnfitMachineError, match="systemctl start docker"):
        connect({"DOCKER_HOST": f"unix://{path}"})


def test_what_is_no_engine_is_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "other.sock"
    with socket.create_server(str(path), family=socket.AF_UNIX) as server:

        def hang_up() -> None:
            for _ in range(2):
                server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(UnfitMachineError, match="does not answer as a container engine"):
            connect({"DOCKER_HOST": f"unix://{path}"})


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody without permission")
def test_a_socket_that_one_may_not_use_names_the_group() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "engine.sock")
        Path(folder).chmod(0o755)
        program = (
            "import os\nfrom harness.tools.engine import connect\n"
            "from harness.core.errors import UnfitMachineError\n"
            "os.seteuid(65534)\n"
            f"try: connect({{'DOCKER_HOST': 'unix://{path}'}})\n"
            "except UnfitMachineError as error: print(error)\n"
        )
        with socket.create_server(str(path), family=socket.AF_UNIX):
            path.chmod(0o600)
            done = subprocess.run(
                [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, check=True
            )
    said = done.stdout.decode()
    assert "you may not use it" in said
    assert "sudo usermod -aG docker $USER" in said


def test_an_engine_that_is_too_old_is_refused() -> None:
    with pytest.raises(UnfitMachineError, match=r"version 19\.03\.1 speaks API 1\.40"):
        read_info({"Version": "19.03.1", "ApiVersion": "1.40"}, {}, "/s")


def test_podman_and_what_it_can_do_are_recognised() -> None:
    version = {
        "Version": "4.3.1",
        "ApiVersion": "1.41",
        "Components": [{"Name": "Podman Engine"}, {"Name": "Conmon"}],
    }
    options = ["name=seccomp,profile=default", "name=rootless", "name=selinux"]
    found = read_info(version, {"SecurityOptions": options, "CpuCfsQuota": False}, "/s")
    assert (found.kind, found.rootless, found.selinux, found.remapped) == (
        "podman",
        True,
        True,
        False,
    )
    assert (found.cpu_limits, found.memory_limits, found.nvidia) == (False, True, False)


def test_rootless_podman_on_version_1_control_groups_has_no_limits() -> None:
    version = {"Version": "4.3.1", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}
    info = {"Rootless": True, "CgroupVersion": "1", "MemoryLimit": True, "PidsLimit": True}
    found = read_info(version, info, "/s")
    assert (found.rootless, found.memory_limits, found.pids_limits) == (True, False, False)


def test_podman_passes_gpus_on_from_5_4() -> None:
    assert [podman_passes_gpus(text) for text in ("4.9.3", "5.3.2", "5.4.0", "6.0", "dev")] == [
        False,
        False,
        True,
        True,
        False,
    ]


def test_a_full_disk_is_said_before_the_run(tmp_path: Path) -> None:
    require_space(tmp_path / "not" / "there", 1, "this run")
    with pytest.raises(UnfitMachineError, match=r"for this run: about 1073741824\.0 GiB"):
        require_space(tmp_path, 1 << 60, "this run")


def test_gpus_are_read_with_their_memory() -> None:
    first, second = parse_gpus(TWO_GPUS)
    assert first.uuid == "GPU-e4252fcb-8ed4-ef11-71cd-d36a23871c75"
    assert (second.name, second.memory_bytes) == ("NVIDIA GeForce RTX 3090", 24576 << 20)
    assert (second.free_bytes, second.driver) == (4096 << 20, "550.90.07")


def test_a_gpu_of_unknown_memory_is_left_out_and_nonsense_is_refused() -> None:
    assert parse_gpus("GPU-1, Odd, [N/A], [N/A], 1.0\n\n") == ()
    with pytest.raises(ValueError, match="names no GPU"):
        parse_gpus("Failed to initialize NVML: Driver/library version mismatch")


def stand_in_nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program of that name that writes what the real one does (see the callers)."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_driver_that_does_not_work_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Failed to initialize NVML: Driver/library version mismatch"
    stand_in_nvidia_smi(tmp_path, monkeypatch, f"echo '{text}'; exit 18")
    with pytest.raises(UnfitMachineError, match=r"version mismatch.*must be restarted"):
        query_gpus()


def test_a_driver_without_a_gpu_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_nvidia_smi(tmp_path, monkeypatch, "echo 'No devices were found'; exit 6")
    assert query_gpus() == ()
    stand_in_nvidia_smi(tmp_path, monkeypatch, f"cat <<END\n{TWO_GPUS}END")
    assert len(query_gpus()) == 2
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert query_gpus() == ()


def test_a_card_that_is_too_small_is_refused_before_hours_are_spent() -> None:
    gpus = parse_gpus(TWO_GPUS)
    assert [gpu.name[-4:] for gpu in fit_gpus(gpus, 20 << 30, tool="t")] == ["3090"]
    assert len(fit_gpus(gpus, None, tool="t")) == 2
    with pytest.raises(UnfitMachineError, match=r"needs 40\.0 GiB.*RTX 3090, has 24\.0 GiB"):
        fit_gpus(gpus, 40 << 30, tool="t")
    with pytest.raises(UnfitMachineError, match="none that works"):
        fit_gpus((), None, tool="t")


def test_a_tool_that_can_do_without_a_gpu_names_the_option_where_one_is_too_small() -> None:
    small = Gpu(uuid="GPU-1", name="M", memory_bytes=2 << 30, free_bytes=2 << 30, driver="1")
    with pytest.raises(UnfitMachineError) as refused:
        fit_gpus((small,), 6 << 30, tool="t", optional=True)
    assert "`--cpu`" in (refused.value.hint or "")
    with pytest.raises(UnfitMachineError) as refused:
        fit_gpus((small,), 6 << 30, tool="t")
    assert "--cpu" not in (refused.value.hint or "")


def test_two_benches_never_share_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stop = threading.Event()
    both = ("GPU-1", "GPU-2")
    with gpu_of_ones_own(both, stop) as first, gpu_of_ones_own(both, stop) as second:
        assert isinstance(first, HeldGpu)
        assert isinstance(second, HeldGpu)
        assert (first.uuid, second.uuid) == both
        threading.Timer(0.2, stop.set).start()
        with gpu_of_ones_own(both, stop) as third:
            assert third is None
    with gpu_of_ones_own(("GPU-1",), threading.Event()) as again:
        assert isinstance(again, HeldGpu)


def test_a_gpu_that_another_program_fills_is_never_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stop = threading.Event()
    full = {"GPU-1": "3 of 24576 MiB on A"}

    def filled(uuid: str) -> str:
        return full.get(uuid, "")

    with gpu_of_ones_own(("GPU-1", "GPU-2"), stop, filled) as taken:
        assert isinstance(taken, HeldGpu)
        assert taken.uuid == "GPU-2"
        # One is filled, the other held by this very bench: that one is waited for.
        threading.Timer(0.2, stop.set).start()
        with gpu_of_ones_own(("GPU-1", "GPU-2"), stop, filled) as second:
            assert second is None
    with gpu_of_ones_own(("GPU-1",), threading.Event(), filled) as none:
        assert none == GpusFilled(("3 of 24576 MiB on A",))
    with gpu_of_ones_own(("GPU-1",), threading.Event()) as free:
        assert isinstance(free, HeldGpu), "a lock that was refused is given back"


@pytest.mark.parametrize(
    ("free_mib", "needed_mib", "is_filled"),
    [(300, None, True), (2000, None, False), (2000, 6000, True), (7000, 6000, False)],
)
def test_a_gpu_is_filled_when_less_is_free_than_the_step_needs(
    free_mib: int,
    needed_mib: int | None,
    is_filled: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = f"GPU-1, NVIDIA A, 24576, {free_mib}, 550"
    stand_in_nvidia_smi(tmp_path, monkeypatch, f"echo '{line}'")
    reason = filled_by_others(None if needed_mib is None else needed_mib << 20)("GPU-1")
    assert bool(reason) is is_filled
    assert reason in ("", f"{free_mib} of 24576 MiB on NVIDIA A")
    assert filled_by_others(None)("GPU-unknown") == ""


def test_of_several_gpus_the_emptiest_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_nvidia_smi(tmp_path, monkeypatch, f"cat <<END\n{TWO_GPUS}END")
    first, second = (gpu.uuid for gpu in parse_gpus(TWO_GPUS))
    assert emptiest_first((second, first)) == (first, second)


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (None, (0, 1)),
        ("", ()),
        ("-1", ()),
        ("1", (1,)),
        ("1,0", (1, 0)),
        ("1, 7, 0", (1,)),
        ("GPU-3583", (1,)),
        ("GPU-e4252fcb-8ed4-ef11-71cd-d36a23871c75", (0,)),
    ],
)
def test_only_the_visible_gpus_are_used(said: str | None, seen: tuple[int, ...]) -> None:
    gpus = parse_gpus(TWO_GPUS)
    environ = {} if said is None else {"CUDA_VISIBLE_DEVICES": said}
    assert visible_gpus(gpus, environ) == tuple(gpus[number] for number in seen)


@pytest.mark.parametrize("said", ["7", "MIG-e4252fcb", "GPU-", "gpu0"])
def test_a_list_of_gpus_that_names_none_is_refused(said: str) -> None:
    with pytest.raises(UnfitMachineError, match="names none of the 2 GPUs"):
        visible_gpus(parse_gpus(TWO_GPUS), {"CUDA_VISIBLE_DEVICES": said})


def test_a_runtime_gives_no_gpu_that_the_user_hides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_nvidia_smi(tmp_path, monkeypatch, f"cat <<END\n{TWO_GPUS}END")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    tool = Tool(
        name="trainer",
        summary="",
        homepage="",
        licence="",
        versions=("1",),
        runs_as=Container(recipe="trainer", gpu="required"),
    )
    assert [gpu.name[-4:] for gpu in ContainerRuntime(tmp_path).gpus_for(tool)] == ["3090"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UnfitMachineError, match="CUDA_VISIBLE_DEVICES"):
        ContainerRuntime(tmp_path).gpus_for(tool)


def test_doctor_names_the_command_for_an_engine_that_hands_out_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nvidia-smi").touch(mode=0o755)
    info = EngineInfo(kind="docker", version="27", socket="/s", folder=str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = doctor.engine_check("engine", info)
    assert not found.fit
    assert "nvidia-container-toolkit" in found.remedy
    assert "GB free for images" in found.finding
    assert doctor.engine_check("engine", info.model_copy(update={"nvidia": True})).fit
    monkeypatch.setenv("PATH", "")
    assert doctor.engine_check("engine", info).fit, "without a GPU nothing is missing"
