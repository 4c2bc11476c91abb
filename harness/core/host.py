"""Describes this machine, for provenance."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

from harness.core.base import Frozen


class Host(Frozen):
    """Machine of an attempt; provenance, never part of the id."""

    system: str
    machine: str
    cpu: str
    cores: int
    memory_bytes: int
    python: str
    bench_version: str

    @property
    def summary(self) -> str:
        """The machine in words, for pages: without its kernel's version, which would say what it is
        open to."""
        return (
            f"{self.system.partition(' ')[0]}, {self.machine}, {self.cpu}, {self.cores} cores, "
            f"{self.memory_bytes / (1 << 30):.1f} GiB memory, Python {self.python}"
        )


def bench_version() -> str:
    """The installed version of deid-bench; ``unknown`` when run without being installed."""
    try:
        return metadata.version("deid-bench")
    except metadata.PackageNotFoundError:
        return "unknown"


def _cpu_name() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Cores this process may use, which a container or taskset may have restricted."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def host() -> Host:
    """The machine as it is now; memory in bytes."""
    import psutil

    return Host(
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        cpu=_cpu_name(),
        cores=_cores(),
        memory_bytes=psutil.virtual_memory().total,
        python=platform.python_version(),
        bench_version=bench_version(),
    )
