"""The container engine of this machine: where it listens, what it can do, what is missing."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from harness.core.base import Frozen
from harness.core.errors import UnfitMachineError

LEAST_API = (1, 41)
"""Docker 20.10 and Podman 3.4: the first with statistics in one shot."""
_LEAST = "1.41"
TIMEOUT_S = 60
_CONFLICT = 409
_POLL_S = 0.1

Trouble = Literal["missing", "denied", "silent"]


class EngineInfo(Frozen):
    """An engine's own description, as far as it decides how a container is started."""

    kind: Literal["docker", "podman"]
    version: str
    socket: str
    """The path of its Unix socket."""
    rootless: bool = False
    remapped: bool = False
    """Docker's ``userns-remap``: user ids inside and outside differ."""
    selinux: bool = False
    cpu_limits: bool = True
    memory_limits: bool = True
    pids_limits: bool = True
    nvidia: bool = False
    """True when it says that it can hand an NVIDIA GPU to a container."""
    cpus: int = 1
    memory_bytes: int = 0
    folder: str = ""
    """Folder in which it keeps its images."""


@dataclass(frozen=True)
class Engine:
    """A connected engine; ``client`` is the Docker SDK's. Close it, or use it in a ``with``."""

    client: Any
    info: EngineInfo

    @property
    def api(self) -> Any:
        """The SDK's low-level client."""
        return self.client.api

    def close(self) -> None:
        self.client.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def connect(environ: Mapping[str, str] | None = None) -> Engine:
    """The engine of ``$DOCKER_HOST``, else the first that answers at a default place.

    Raises UnfitMachineError with the command that mends it.
    """
    environ = os.environ if environ is None else environ
    tried: list[tuple[str, Trouble]] = []
    for path in socket_paths(environ):
        trouble = _trouble(path)
        if trouble is None:
            return _open(path)
        tried.append((path, trouble))
    raise unfit(tried, installed=shutil.which("dockerd") or shutil.which("podman"))


def socket_paths(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Sockets to try for an engine: ``$DOCKER_HOST`` alone, or else the default places in order.

    Raises UnfitMachineError for a DOCKER_HOST that is not a Unix socket.
    """
    named = environ.get("DOCKER_HOST", "")
    if named.startswith("unix://"):
        return (named.removeprefix("unix://"),)
    if named:
        raise UnfitMachineError(
            f"DOCKER_HOST is '{named}', which is not a Unix socket: containers work in folders of "
            "this machine, and an engine elsewhere cannot see them.",
            hint="Unset DOCKER_HOST, or set it to unix:///var/run/docker.sock.",
        )
    sockets = ["/var/run/docker.sock"]
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        sockets += [f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock"]
    if home := environ.get("HOME"):
        sockets += [f"{home}/.docker/run/docker.sock", f"{home}/.docker/desktop/docker.sock"]
    return (*sockets, "/run/podman/podman.sock")


def _trouble(path: str) -> Trouble | None:
    """Reason why nobody answers at ``path``; None when somebody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(TIMEOUT_S)
        try:
            probe.connect(path)
        except PermissionError:
            return "denied"
        except (FileNotFoundError, NotADirectoryError):
            return "missing"
        except OSError:
            return "silent"
    return None


def unfit(tried: Sequence[tuple[str, Trouble]], installed: str | None) -> UnfitMachineError:
    """The error for sockets at which no engine could be used: the most promising one decides.

    ``installed`` is the path of an engine's program, if there is one.
    """
    for path, trouble in tried:
        if trouble == "denied":
            return UnfitMachineError(
                f"A container engine listens at {path}, but you may not use it.",
                hint="For Docker: `sudo usermod -aG docker $USER`, then log in again. This makes "
                "you as powerful as root; Podman does without: `systemctl --user enable --now "
                "podman.socket`.",
            )
    for path, trouble in tried:
        if trouble == "silent":
            return UnfitMachineError(
                f"The socket {path} is there, but no container engine answers: most likely it "
                "has stopped.",
                hint="Start it: `sudo systemctl start docker` (Podman: `systemctl --user start "
                "podman.socket`).",
            )
    places = ", ".join(path for path, _ in tried)
    if installed:
        return UnfitMachineError(
            f"{installed} is installed, but no container engine is running: there is no socket "
            f"at any of {places}.",
            hint="Start it: `sudo systemctl enable --now docker` (Podman: `systemctl --user "
            "enable --now podman.socket`).",
        )
    return UnfitMachineError(
        f"There is no container engine on this machine: no socket at any of {places}.",
        hint="Install Docker (`sudo apt-get install docker.io`) or Podman (`sudo apt-get install "
        "podman`, then `systemctl --user enable --now podman.socket`).",
    )


def _open(path: str) -> Engine:
    import docker
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    url = f"unix://{path}"
    try:
        # Asked in a client of its own: one that asks as it is made is not closed when that fails.
        with closing(docker.APIClient(base_url=url, version=_LEAST, timeout=TIMEOUT_S)) as first:
            version = first.version(api_version=False)
        spoken = min(
            _numbers(version.get("ApiVersion")),
            _numbers(docker.constants.DEFAULT_DOCKER_API_VERSION),
        )
        client = docker.DockerClient(
            base_url=url, version=".".join(map(str, max(spoken, LEAST_API))), timeout=TIMEOUT_S
        )
        with ExitStack() as stack:
            stack.callback(client.close)
            info = read_info(version, client.api.info(), path)
            stack.pop_all()
    except (DockerException, RequestException) as error:
        raise UnfitMachineError(
            f"What listens at {path} does not answer as a container engine: {error}.",
            hint="Restart it: `sudo systemctl restart docker`.",
        ) from error
    return Engine(client, info)


def _numbers(version: object) -> tuple[int, ...]:
    """``1.41`` as numbers; (0,) for what is no version."""
    parts = str(version).split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else (0,)


def read_info(version: Mapping[str, Any], info: Mapping[str, Any], path: str) -> EngineInfo:
    """From the answers to ``/version`` and ``/info``.

    Raises UnfitMachineError for an engine that is too old.
    """
    names = [str(component.get("Name", "")) for component in version.get("Components") or []]
    kind: Literal["docker", "podman"] = "podman" if "Podman Engine" in names else "docker"
    api = str(version.get("ApiVersion", "0.0"))
    if _numbers(api) < LEAST_API:
        raise UnfitMachineError(
            f"The container engine at {path} is too old: version {version.get('Version')} speaks "
            f"API {api}, and {_LEAST} is needed.",
            hint="Install Docker 20.10, Podman 4 or newer.",
        )
    options = {str(option).split(",")[0] for option in info.get("SecurityOptions") or []}
    # Podman says it in a field of its own.
    rootless = "name=rootless" in options or bool(info.get("Rootless"))
    # Podman claims limits that it then ignores.
    limits = not (rootless and str(info.get("CgroupVersion")) == "1")
    return EngineInfo(
        kind=kind,
        version=str(version.get("Version", "")),
        socket=path,
        rootless=rootless,
        remapped="name=userns" in options,
        selinux="name=selinux" in options,
        cpu_limits=limits and bool(info.get("CpuCfsQuota", True)),
        memory_limits=limits and bool(info.get("MemoryLimit", True)),
        pids_limits=limits and bool(info.get("PidsLimit", True)),
        nvidia=_has_nvidia(kind, str(version.get("Version", "")), info),
        cpus=int(info.get("NCPU", 1)),
        memory_bytes=int(info.get("MemTotal", 0)),
        folder=str(info.get("DockerRootDir", "")),
    )


def _has_nvidia(kind: str, version: str, info: Mapping[str, Any]) -> bool:
    described = any(
        Path(folder, "nvidia.yaml").is_file() for folder in ("/etc/cdi", "/var/run/cdi")
    )
    if kind == "podman":
        # Older ones take the request through the Docker API and start without the GPU.
        # https://github.com/containers/podman/pull/25171
        return described and podman_passes_gpus(version)
    hook = shutil.which("nvidia-container-runtime-hook") is not None
    return hook or "nvidia" in (info.get("Runtimes") or {})


def podman_passes_gpus(version: str) -> bool:
    """True when this Podman heeds a device request that comes through the Docker API (5.4 on)."""
    major, minor, *_ = [*version.split("."), "0", "0"]
    return major.isdecimal() and minor.isdecimal() and (int(major), int(minor)) >= (5, 4)


def image_record(engine: Engine, digest: str, *, tool: str, version: str) -> dict[str, Any]:
    """The engine's record of an image.

    Raises UnfitMachineError with the command that builds it when it is not there.
    """
    from docker.errors import ImageNotFound

    try:
        record: dict[str, Any] = engine.api.inspect_image(digest)
    except ImageNotFound as error:
        raise UnfitMachineError(
            f"The image of {tool} {version} ({digest[:19]}) is not on this machine: it was never "
            "built here, or has been removed.",
            hint=f"Build it: bench images build {tool}@{version}",
        ) from error
    return record


def require_space(folder: Path, needed_bytes: int, purpose: str) -> None:
    """See that the disk of ``folder`` (or of its nearest parent) has room.

    Raises UnfitMachineError that says how much is missing for ``purpose``, a noun phrase.
    """
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free_bytes = shutil.disk_usage(there).free
    if free_bytes >= needed_bytes:
        return
    raise UnfitMachineError(
        f"The disk of {there} is too full for {purpose}: about {_size(needed_bytes)} are needed, "
        f"{_size(free_bytes)} are free.",
        hint="Free some space (`bench clean`; a container engine's unused images), or set "
        "BENCH_HOME to a folder on a larger disk.",
    )


def _size(size_bytes: int) -> str:
    if size_bytes < 1 << 30:
        return f"{size_bytes / (1 << 20):.0f} MiB"
    return f"{size_bytes / (1 << 30):.1f} GiB"


def remove_container(api: Any, container: str) -> None:
    """Kill a container and remove it with its volumes; one that is gone already is no error.

    Somebody else may be removing it at the same moment (a watchdog, another bench, `bench clean`):
    then this waits until it is gone. Raises docker.errors.APIError when the engine refuses.
    """
    from docker.errors import APIError, NotFound

    patience = time.monotonic() + TIMEOUT_S
    while True:
        with suppress(APIError):
            # Podman would first give it ten seconds to end by itself.
            api.kill(container, signal="KILL")
        try:
            api.remove_container(container, v=True, force=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != _CONFLICT or time.monotonic() > patience:
                raise
            time.sleep(_POLL_S)
        else:
            return
