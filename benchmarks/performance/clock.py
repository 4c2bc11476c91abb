"""Measures what work costs in processor time, and on which machine."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """Seconds: of the processor (this process and its children that have ended), and by the clock.

    On a shared machine only the first says what the work takes.
    """

    cpu_s: float
    wall_s: float


def cost(work: Callable[[], object]) -> Cost:
    """Cost of one call of ``work``."""
    cpu, wall = _cpu_s(), time.perf_counter()
    work()
    return Cost(_cpu_s() - cpu, time.perf_counter() - wall)


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def one_core() -> int:
    """Keep this process and its children on one processor; returns which."""
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def machine() -> dict[str, object]:
    """Machine that the numbers were measured on."""
    cpu = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (cpu.read_text().splitlines() if cpu.exists() else ())
        if line.startswith("model name")
    ]
    packages = ("mediapipe", "onnxruntime", "face-recognition", "opencv-python-headless", "numpy")
    return {
        "processor": models[0] if models else platform.processor(),
        "processors": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }
