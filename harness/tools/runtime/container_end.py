"""Judges the end of a container: pure functions of what the engine and the log say."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from typing import Any

from harness.core.base import Frozen
from harness.model.cell import Status
from harness.tools.runtime.ending import Verdict

SIGNAL_BASE = 128

_BROKEN_IMAGE = (
    "The image's entry point cannot be run: the image is broken, or built for another processor. "
    "Build it again: `bench images build`."
)


class Ended(Frozen):
    """End of a container, in the engine's words."""

    exit_code: int
    """The driver's; minus the signal's number when a signal ended it."""
    out_of_memory: bool
    error: str = ""


def read_state(state: Mapping[str, Any]) -> Ended | None:
    """The ``State`` of an inspected container; None while it has not ended.

    An init as process 1 turns signal N of the driver into exit code 128 + N, as a shell does.
    """
    if state.get("Running") or state.get("Status") not in {"exited", "stopped", "dead"}:
        return None
    code = int(state.get("ExitCode", 0))
    if code - SIGNAL_BASE in signal.valid_signals():
        code = SIGNAL_BASE - code
    return Ended(
        exit_code=code,
        out_of_memory=bool(state.get("OOMKilled")),
        error=str(state.get("Error") or ""),
    )


def never_ran(state: Mapping[str, Any]) -> bool:
    """True when a container is still as it was made. ``configured`` and ``initialized`` are
    Podman's names for it."""
    return state.get("Status") in {"created", "configured", "initialized"}


def refusal_words(state: Mapping[str, Any]) -> str:
    """The engine's words on a container that it did not start."""
    said = str(state.get("Error") or "").strip()
    return said or (
        f"it took the order, but the container stays '{state.get('Status')}', and it gives no "
        "reason; the engine's own log may have one"
    )


def out_of_memory(memory_bytes: int | None) -> Verdict:
    """The verdict on a step in which the kernel killed a process for lack of memory."""
    allowed = (
        f"{memory_bytes / (1 << 20):.1f} MiB are allowed" if memory_bytes else "no limit is set"
    )
    return Status.OOM, f"The step ran out of memory and was killed by the kernel; {allowed}."


def broken_entry_point(exit_code: int, ending: str) -> Verdict | None:
    """The verdict on an image whose entry point the init could not start, by what the init wrote
    (tini for Docker, catatonit for Podman).
    """
    if exit_code in {126, 127} and re.search(r"^\[FATAL tini|\(catatonit:", ending, re.MULTILINE):
        last = ending.splitlines()[-1][:300]
        return Status.TOOL_ERROR, f"{_BROKEN_IMAGE} The container's init said: {last}"
    return None


def refused_start(message: str) -> Verdict:
    """Verdict on an engine that could not make or start a container, by its message."""
    text = " ".join(message.split())[:500]
    lowered = text.lower()
    if "could not select device driver" in lowered or "unresolvable cdi devices" in lowered:
        return Status.INFRA_ERROR, (
            "The container engine cannot hand out a GPU: the NVIDIA Container Toolkit is missing "
            "or not set up. Install nvidia-container-toolkit, then `sudo nvidia-ctk runtime "
            f"configure && sudo systemctl restart docker`. It said: {text}"
        )
    if "docker-init" in lowered or "catatonit" in lowered or "tini" in lowered:
        return Status.INFRA_ERROR, (
            "The container engine lacks its init program. Install it: `sudo apt-get install tini` "
            f"(Podman: catatonit). It said: {text}"
        )
    if "executable file not found" in lowered or "exec format error" in lowered:
        return Status.TOOL_ERROR, f"{_BROKEN_IMAGE} The engine said: {text}"
    return Status.INFRA_ERROR, f"The container engine could not start the container: {text}"
