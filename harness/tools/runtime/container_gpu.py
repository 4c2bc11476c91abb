"""Chooses a container's GPU: asked of nvidia-smi, one container at a time on each."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from harness.core.base import Frozen
from harness.core.errors import UnfitMachineError

FIELDS = ("uuid", "name", "memory.total", "memory.free", "driver_version")
QUERY_TIMEOUT_S = 30.0
WITHOUT_GPU = "Or add `--cpu`: the tool can do without the GPU, slowly."
_POLL_S = 0.5


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


def fit_gpus(
    gpus: Sequence[Gpu], needed_bytes: int | None, *, tool: str, optional: bool = False
) -> tuple[Gpu, ...]:
    """The GPUs with at least ``needed_bytes`` of memory, whether in use or not.

    ``optional``: the tool can do without. Raises UnfitMachineError when there is none.
    """
    if not gpus:
        raise UnfitMachineError(
            f"{tool} needs an NVIDIA GPU, and this machine has none that works.",
            hint="See `nvidia-smi`; or choose a tool or config that runs on the processor "
            "(`bench tools show`).",
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
def gpu_of_ones_own(uuids: Sequence[str], stop: Event) -> Iterator[tuple[str, int] | None]:
    """One of the GPUs, and the open file whose lock keeps every other bench of this machine off it.

    Waits while all are in use; yields None when ``stop`` is set meanwhile. Whoever inherits the
    file holds the lock as well.
    """
    while not stop.is_set():
        for uuid in uuids:
            handle = _try_lock(uuid)
            if handle is not None:
                try:
                    yield uuid, handle
                finally:
                    os.close(handle)
                return
        stop.wait(_POLL_S)
    yield None


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
