"""Chooses a container's GPU: one that the user lets it see, with room, one container at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import NamedTuple

from harness.core.base import Frozen
from harness.core.errors import UnfitMachineError

FIELDS = ("uuid", "name", "memory.total", "memory.free", "driver_version")
QUERY_TIMEOUT_S = 30.0
VISIBLE = "CUDA_VISIBLE_DEVICES"
LEAST_FREE_BYTES = 1 << 30
"""A GPU with less than this free is filled by another program, whatever a tool says it needs."""
WITHOUT_GPU = "Or add `--cpu`: the tool can do without the GPU, slowly."
_NO_DEVICE = {"", "-1", "NoDevFiles", "none", "void"}
_POLL_S = 0.5


class HeldGpu(NamedTuple):
    """A GPU, and the open file that locks it; whoever inherits the file holds the lock as well."""

    uuid: str
    lock: int


class GpusFilled(NamedTuple):
    """Every GPU that could be had is filled by another program: what is free on each."""

    free: tuple[str, ...]


class Gpu(Frozen):
    """One NVIDIA GPU of this machine."""

    uuid: str
    name: str
    memory_bytes: int
    free_bytes: int
    driver: str


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """The GPUs in the output of ``nvidia-smi --query-gpu=FIELDS --format=csv,noheader,nounits``.

    Memory there is in MiB. A GPU whose memory is not known (``[N/A]``) is left out: nothing can be
    promised on it. Raises ValueError for a line that is something else.
    """
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(",")]
        if len(parts) != len(FIELDS) or not parts[0].startswith(("GPU-", "MIG-")):
            raise ValueError(f"nvidia-smi wrote a line that names no GPU: {line.strip()[:200]}")
        uuid, name, total, free, driver = parts
        if not (total.isdecimal() and free.isdecimal()):
            continue
        found.append(
            Gpu(
                uuid=uuid,
                name=name,
                memory_bytes=int(total) << 20,
                free_bytes=int(free) << 20,
                driver=driver,
            )
        )
    return tuple(found)


def query_gpus() -> tuple[Gpu, ...]:
    """The GPUs of this machine; none without an NVIDIA driver.

    Raises UnfitMachineError when the driver is there but does not work.
    """
    command = ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=QUERY_TIMEOUT_S, check=True
        )
        return parse_gpus(done.stdout)
    except FileNotFoundError:
        return ()
    except subprocess.CalledProcessError as error:
        if "No devices were found" in error.stdout + error.stderr:
            return ()
        why = " ".join((error.stderr or error.stdout).split())[:300]
        raise _broken(why) from error
    except subprocess.TimeoutExpired as error:
        raise _broken(f"no answer within {QUERY_TIMEOUT_S:g} s") from error
    except (OSError, ValueError) as error:
        raise _broken(str(error)) from error


def _broken(why: str) -> UnfitMachineError:
    return UnfitMachineError(
        f"The NVIDIA driver of this machine does not work: {why}.",
        hint="Run `nvidia-smi`; after an update of the driver the machine must be restarted.",
    )


def visible_gpus(gpus: Sequence[Gpu], environ: Mapping[str, str]) -> tuple[Gpu, ...]:
    """Cards that CUDA_VISIBLE_DEVICES names, in its order; all of them where it is not set.

    Read as CUDA reads it: numbers from 0 (in nvidia-smi's order) or beginnings of UUIDs, of which
    the first that fits nothing ends the list. Raises UnfitMachineError for an instance of a GPU
    (MIG), which is not handed out, and where nothing is left of a list that names something.
    """
    said = environ.get(VISIBLE)
    if said is None:
        return tuple(gpus)
    named = [word.strip() for word in said.split(",")]
    seen: list[Gpu] = []
    for word in named:
        gpu = _named_gpu(word, gpus)
        if gpu is None or gpu in seen:
            break
        seen.append(gpu)
    if seen or not gpus or named[0] in _NO_DEVICE:
        return tuple(seen)
    raise UnfitMachineError(
        f"{VISIBLE} is '{said}', which names none of the {len(gpus)} GPUs of this machine.",
        hint="Give a number or UUID from `nvidia-smi -L`, or unset it; an instance of a GPU (MIG) "
        "is not handed out.",
    )


def _named_gpu(word: str, gpus: Sequence[Gpu]) -> Gpu | None:
    if word.isdecimal():
        return gpus[int(word)] if int(word) < len(gpus) else None
    fit = [gpu for gpu in gpus if word and gpu.uuid.startswith(word)]
    return fit[0] if len(fit) == 1 else None


def fit_gpus(
    gpus: Sequence[Gpu], needed_bytes: int | None, *, tool: str, optional: bool = False
) -> tuple[Gpu, ...]:
    """The GPUs with at least ``needed_bytes`` of memory, whether in use or not.

    ``optional``: the tool can do without. Raises UnfitMachineError when there is none.
    """
    if not gpus:
        raise UnfitMachineError(
            f"{tool} needs an NVIDIA GPU, and this machine has none that works and may be used.",
            hint=f"See `nvidia-smi` and {VISIBLE}; or choose a tool or config that runs on the "
            "processor (`bench tools show`).",
        )
    fit = tuple(gpu for gpu in gpus if gpu.memory_bytes >= (needed_bytes or 0))
    if fit:
        return fit
    largest = max(gpus, key=lambda gpu: gpu.memory_bytes)
    raise UnfitMachineError(
        f"{tool} needs {_gib(needed_bytes or 0)} of GPU memory to train, and the largest GPU here, "
        f"{largest.name}, has {_gib(largest.memory_bytes)}.",
        hint="Choose a config with a smaller model or batch (`bench tools show "
        f"{tool}`), or another machine." + (f" {WITHOUT_GPU}" if optional else ""),
    )


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 30):.1f} GiB"


@contextmanager
def gpu_of_ones_own(
    uuids: Sequence[str], stop: Event, filled: Callable[[str], str] = lambda uuid: ""
) -> Iterator[HeldGpu | GpusFilled | None]:
    """One of the GPUs, whose lock keeps every other bench of this machine off it.

    ``filled`` gives a sentence for a GPU that another program fills: it is never taken. Waits while
    a GPU is held by another bench, and yields GpusFilled once every one is free of bench and
    filled, None when ``stop`` is set meanwhile.
    """
    while not stop.is_set():
        reasons = []
        for uuid in uuids:
            handle = _try_lock(uuid)
            if handle is None:
                continue
            try:
                reason = filled(uuid)
                if not reason:
                    yield HeldGpu(uuid, handle)
                    return
            finally:
                os.close(handle)
            reasons.append(reason)
        if len(reasons) == len(uuids):
            yield GpusFilled(tuple(reasons))
            return
        stop.wait(_POLL_S)
    yield None


def emptiest_first(uuids: Sequence[str]) -> tuple[str, ...]:
    """The GPUs by falling free memory; raises as ``query_gpus``."""
    free = {gpu.uuid: gpu.free_bytes for gpu in query_gpus()}
    return tuple(sorted(uuids, key=lambda uuid: -free.get(uuid, 0)))


def filled_by_others(needed_bytes: int | None) -> Callable[[str], str]:
    """Says of a GPU that no bench holds why another program leaves too little of it; empty where
    there is room, or nvidia-smi does not know. Raises as ``query_gpus``.
    """

    def reason(uuid: str) -> str:
        for gpu in query_gpus():
            least = needed_bytes or min(LEAST_FREE_BYTES, gpu.memory_bytes // 2)
            if gpu.uuid == uuid and gpu.free_bytes < least:
                return f"{gpu.free_bytes >> 20} of {gpu.memory_bytes >> 20} MiB on {gpu.name}"
        return ""

    return reason


def _try_lock(uuid: str) -> int | None:
    path = Path(tempfile.gettempdir(), f"deid-bench-{uuid}.lock")
    try:
        # Another user's file in a sticky folder may be opened, but not with O_CREAT.
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        handle = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
