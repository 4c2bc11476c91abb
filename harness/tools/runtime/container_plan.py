"""Plans a step's container: pure data, from what is known before it starts."""

from __future__ import annotations

import hashlib
import os
import re
import resource
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from harness.core.base import Frozen
from harness.core.threads import thread_limits
from harness.model.job import Job, Role, Step
from harness.model.tool import Container, Tool
from harness.tools.engine import EngineInfo
from harness.tools.runtime.environment import SILENCE

OWNER = "deid-bench"
LABEL_OWNER = "deid-bench.owner"
LABEL_HOME = "deid-bench.home"
LABEL_STATE = "deid-bench.state"
LABEL_CELL = "deid-bench.cell"
LABEL_ATTEMPT = "deid-bench.attempt"
LABEL_STEP = "deid-bench.step"
LABEL_PID = "deid-bench.pid"
LABEL_BOOT = "deid-bench.boot"

IN, STATE, OUT = "/in", "/state", "/out"
JOB_PATH = "/job/job.json"
API_VERSION = "1.41"
"""Version of the API whose fields a container's description uses."""
OPEN_FILES = 1 << 16
MEMORY_SHARE = 0.9
"""Of the machine's memory, for a step without a limit of its own: the rest of it must survive."""
_PID_MAX = Path("/proc/sys/kernel/pid_max")

_PODMANS_OWN = ("/run", "/var/tmp")


class Caller(Frozen):
    """The user who starts the container, and the results folder."""

    uid: int
    gid: int
    pid: int
    boot: str
    home: str


class Allowance(Frozen):
    """Resources a container may use besides the limits of its job."""

    cpus: float
    sharers: int = 1
    """Number of containers that may share processors and memory. One that has a GPU runs
    alone on it, and is not held to a share: what it trains would not fit."""
    pids: int = 4096
    """Processes and threads together."""
    open_files: int = OPEN_FILES
    user_processes: int | None = None
    """Of the caller's, on the whole machine; None is no limit."""


class ContainerPlan(Frozen):
    """A container before it is made."""

    name: str
    image: str
    user: str
    userns: str | None
    environment: dict[str, str]
    labels: dict[str, str]
    read_only: dict[str, str]
    """Inside to outside: files that can be read."""
    writable: dict[str, str]
    """Inside to outside: folders that can be written."""
    tmpfs: tuple[str, ...]
    """Folders in memory, each of ``tmpfs_bytes`` at most."""
    tmpfs_bytes: int
    terminal: bool
    network: bool
    memory_bytes: int | None
    shm_bytes: int
    cpus: float | None
    pids: int | None
    open_files: int
    user_processes: int | None
    gpu: str | None
    security: tuple[str, ...]


def job_inside(job: Job) -> Job:
    """The job as the driver sees it: with the paths inside the container."""
    inputs = {role: inside for role, (inside, _) in input_paths(job).items()}
    return job.model_copy(update={"inputs": inputs, "state": STATE, "out": OUT})


def input_paths(job: Job) -> dict[Role, tuple[str, str]]:
    """For each input its path inside and outside, where links are followed."""
    found = {}
    for role, path in job.inputs.items():
        suffix = "".join(Path(path).suffixes[-1:])
        found[role] = (f"{IN}/{role}{suffix}", str(Path(path).resolve()))
    return found


def container_name(job: Job) -> str:
    """The same for every attempt at a step of a cell, so that a namesake is a leftover."""
    state = Path(job.state)
    readable = re.sub("[^A-Za-z0-9_.-]+", "-", state.parent.name)[:96].strip("-.")
    mark = hashlib.sha256(str(state).encode()).hexdigest()[:8]
    return f"{OWNER}-{readable}-{mark}-{job.step}"


def may_use_network(tool: Tool, step: Step) -> bool:
    return isinstance(tool.runs_as, Container) and step in tool.runs_as.network_steps


def plan(
    tool: Tool,
    job: Job,
    folder: Path,
    *,
    image: Mapping[str, Any],
    engine: EngineInfo,
    caller: Caller,
    allowance: Allowance,
    gpu: str | None,
) -> ContainerPlan:
    """The container for ``job``; ``folder`` is the step's, and holds its job.json.

    ``image`` is what the engine knows of it. Raises TypeError for a tool that runs otherwise.
    """
    if not isinstance(tool.runs_as, Container):
        raise TypeError(f"{tool.name} runs as a child process, not in a container")
    spec = tool.runs_as
    sharers = 1 if gpu else allowance.sharers
    memory_bytes = job.limits.memory_bytes or int(engine.memory_bytes * MEMORY_SHARE / sharers)
    cpus = min(allowance.cpus, max(1.0, engine.cpus / sharers))
    return ContainerPlan(
        name=container_name(job),
        image=str(image["Id"]),
        user=_user(engine, caller),
        userns=_userns(engine),
        environment=_environment(cpus, spec, gpu),
        labels=_labels(job, folder, caller),
        read_only={JOB_PATH: str(folder / "job.json"), **dict(input_paths(job).values())},
        writable={STATE: job.state, OUT: job.out},
        tmpfs=_tmpfs(spec, image),
        tmpfs_bytes=max(1 << 20, min(memory_bytes // 2, job.limits.output_bytes or memory_bytes)),
        terminal=spec.terminal,
        network=may_use_network(tool, job.step),
        memory_bytes=memory_bytes if engine.memory_limits else None,
        shm_bytes=min(spec.shm_bytes, memory_bytes),
        cpus=cpus if engine.cpu_limits else None,
        pids=allowance.pids if engine.pids_limits else None,
        open_files=allowance.open_files,
        user_processes=allowance.user_processes,
        gpu=gpu,
        security=("no-new-privileges", *(("label=disable",) if engine.selinux else ())),
    )


def _user(engine: EngineInfo, caller: Caller) -> str:
    """User inside, chosen so that what is written belongs to the caller outside."""
    if engine.kind == "docker" and engine.rootless:
        # Its root is the caller, and nobody else inside is.
        return "0:0"
    return f"{caller.uid}:{caller.gid}"


def _userns(engine: EngineInfo) -> str | None:
    if engine.kind == "podman" and engine.rootless:
        return "keep-id"
    return "host" if engine.remapped else None


def _environment(cpus: float, spec: Container, gpu: str | None) -> dict[str, str]:
    env = thread_limits(max(1, int(cpus))) | SILENCE
    # The caller's user id has no name inside, and libraries ask for one.
    env |= {"HOME": "/tmp", "USER": "bench", "LOGNAME": "bench", "TMPDIR": "/tmp"}
    env |= {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg"}
    # CUDA images say "all", which an engine with NVIDIA's runtime as its default would heed.
    env["NVIDIA_VISIBLE_DEVICES"] = gpu or "void"
    return env | ({"TERM": "xterm"} if spec.terminal else {})


def _labels(job: Job, folder: Path, caller: Caller) -> dict[str, str]:
    return {
        LABEL_OWNER: OWNER,
        LABEL_HOME: caller.home,
        LABEL_STATE: job.state,
        LABEL_CELL: Path(job.state).parent.name,
        LABEL_ATTEMPT: folder.parent.name,
        LABEL_STEP: str(job.step),
        LABEL_PID: str(caller.pid),
        LABEL_BOOT: caller.boot,
    }


def _tmpfs(spec: Container, image: Mapping[str, Any]) -> tuple[str, ...]:
    """Folders in memory: /tmp, the scratch folders, and the image's volumes, which would otherwise
    be made on the disk and could be written without a limit.
    """
    volumes = (image.get("Config") or {}).get("Volumes") or {}
    taken = (IN, STATE, OUT, str(PurePosixPath(JOB_PATH).parent))
    folders = dict.fromkeys(["/tmp", *spec.scratch, *volumes])
    return tuple(path for path in folders if path.rstrip("/") not in taken)


def create_arguments(plan: ContainerPlan, *, podman: bool) -> dict[str, Any]:
    """Arguments that the Docker SDK's low-level ``create_container`` is called with."""
    return {
        "image": plan.image,
        "command": [JOB_PATH],
        "name": plan.name,
        "user": plan.user,
        "environment": plan.environment,
        "labels": plan.labels,
        "tty": plan.terminal,
        # The proxies of the user's Docker configuration are no business of a tool without network.
        "use_config_proxy": False,
        "host_config": _host_config(plan, podman),
    }


def _host_config(plan: ContainerPlan, podman: bool) -> Any:
    from docker.types import HostConfig, LogConfig, Ulimit

    limits: dict[str, Any] = {"shm_size": plan.shm_bytes, "pids_limit": plan.pids}
    if plan.memory_bytes is not None:
        limits |= {"mem_limit": plan.memory_bytes, "memswap_limit": plan.memory_bytes}
    if plan.cpus is not None:
        limits["nano_cpus"] = int(plan.cpus * 1e9)
    if plan.gpu is not None:
        limits["device_requests"] = [_device_request(plan.gpu, podman=podman)]
    config = HostConfig(
        version=API_VERSION,
        init=True,
        read_only=True,
        mounts=_mounts(plan),
        tmpfs=_sealed(podman) | dict.fromkeys(plan.tmpfs, _tmpfs_options(plan, podman)),
        network_mode="default" if plan.network else "none",
        cap_drop=["ALL"],
        security_opt=list(plan.security),
        # The log is read as it comes; a second copy on the engine's disk has no limit.
        log_config=LogConfig(type="none"),
        ulimits=[
            Ulimit(name=name, soft=limit, hard=limit) for name, limit in _ulimits(plan, podman)
        ],
        **limits,
    )
    if plan.userns is not None:
        # The SDK refuses Podman's keep-id.
        config["UsernsMode"] = plan.userns
    return config


def _sealed(podman: bool) -> dict[str, str]:
    """Folders that Podman would make writable in a read-only container, of no use to anyone."""
    # It would copy what the image has there, for which there is no room.
    options = "ro,noexec,nosuid,nodev,size=4k,notmpcopyup"
    return dict.fromkeys(_PODMANS_OWN, options) if podman else {}


def _tmpfs_options(plan: ContainerPlan, podman: bool) -> str:
    # exec: compiled kernels of PyTorch and Numba are loaded from there.
    options = f"rw,exec,nosuid,nodev,mode=1777,size={plan.tmpfs_bytes}"
    if podman:
        # It would copy what the image has there, with its owner and mode.
        return f"{options},notmpcopyup,U"
    uid, gid = plan.user.split(":")
    # runc before 1.1.8 gives the folder the mode that it has in the image, whatever is asked for.
    return f"{options},uid={uid},gid={gid}"


def _ulimits(plan: ContainerPlan, podman: bool) -> list[tuple[str, int]]:
    # An engine's own choice of open files may be a billion, which old programs close one by one.
    limits = [("core", 0), ("nofile", plan.open_files)]
    if podman and plan.user_processes is not None:
        # Podman would ask for more than the caller has, and be refused.
        limits.append(("nproc", plan.user_processes))
    return limits


def _mounts(plan: ContainerPlan) -> list[Any]:
    from docker.types import Mount

    files = [(inside, outside, True) for inside, outside in plan.read_only.items()]
    folders = [(inside, outside, False) for inside, outside in plan.writable.items()]
    return [
        Mount(target=inside, source=outside, type="bind", read_only=read_only)
        for inside, outside, read_only in files + folders
    ]


def _device_request(gpu: str, *, podman: bool) -> Any:
    from docker.types import DeviceRequest

    if podman:
        return DeviceRequest(driver="cdi", device_ids=[f"nvidia.com/gpu={gpu}"])
    return DeviceRequest(device_ids=[gpu], capabilities=[["gpu", "compute", "utility"]])


def own_allowance() -> Allowance:
    """The processors, open files and processes that this process itself may use."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    files = [OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]]
    processes = [resource.getrlimit(resource.RLIMIT_NPROC)[1]]
    if _PID_MAX.exists():
        # Podman keeps no more than this for itself, and can give no more.
        processes.append(int(_PID_MAX.read_text()))
    return Allowance(
        cpus=float(cpus or 1),
        open_files=_least(files) or OPEN_FILES,
        user_processes=_least(processes),
    )


def _least(limits: Sequence[int]) -> int | None:
    return min((one for one in limits if one != resource.RLIM_INFINITY), default=None)
