"""Reads a container's use: the kernel's own account in its control group, version 1 or 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.core.base import Frozen

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")


class Use(Frozen):
    """Resources in use by a container at one moment."""

    memory_bytes: int
    cpu_s: float
    memory_kills: int
    """Processes that the kernel has killed for lack of memory."""


@dataclass(frozen=True)
class Cgroup:
    """The folders of one control group; with version 2 they are the same."""

    memory: Path
    cpu: Path
    unified: bool

    def read(self) -> Use | None:
        """None when the group is gone, as it is once the container has ended.

        Memory that the kernel can take back at once (file cache not in use) is not counted, as in
        `docker stats`.
        """
        try:
            return self._read_2() if self.unified else self._read_1()
        except (OSError, ValueError, KeyError):
            return None

    def _read_1(self) -> Use:
        idle = _pairs(self.memory / "memory.stat")["total_inactive_file"]
        used = int((self.memory / "memory.usage_in_bytes").read_text())
        kills = _pairs(self.memory / "memory.oom_control").get("oom_kill", 0)
        cpu_ns = int((self.cpu / "cpuacct.usage").read_text())
        return Use(memory_bytes=max(0, used - idle), cpu_s=cpu_ns / 1e9, memory_kills=kills)

    def _read_2(self) -> Use:
        idle = _pairs(self.memory / "memory.stat")["inactive_file"]
        used = int((self.memory / "memory.current").read_text())
        kills = _pairs(self.memory / "memory.events").get("oom_kill", 0)
        cpu_us = _pairs(self.cpu / "cpu.stat")["usage_usec"]
        return Use(memory_bytes=max(0, used - idle), cpu_s=cpu_us / 1e6, memory_kills=kills)


def _pairs(path: Path) -> Mapping[str, int]:
    lines = (line.split() for line in path.read_text().splitlines())
    return {parts[0]: int(parts[1]) for parts in lines if len(parts) == 2}


def find_cgroup(
    pid: int, container: str, proc: Path = PROC, cgroups: Path = CGROUPS
) -> Cgroup | None:
    """The control group of a container, by a process of it and its id.

    None when it is out of sight: the process has ended, the engine runs in a virtual machine, or
    the container shares its group with others (rootless Podman with version 1).
    """
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    folders: dict[str, Path] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if container not in path:
            continue
        for name in controllers.split(","):
            folder = cgroups / controllers if controllers else cgroups
            folders[name] = folder / path.lstrip("/")
    if "memory" in folders and "cpuacct" in folders:
        return Cgroup(memory=folders["memory"], cpu=folders["cpuacct"], unified=False)
    if "" in folders and (folders[""] / "memory.current").is_file():
        return Cgroup(memory=folders[""], cpu=folders[""], unified=True)
    return None
