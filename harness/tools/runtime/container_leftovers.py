"""Containers that an earlier bench left behind, found by their labels."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.core.base import Frozen
from harness.tools.engine import Engine, remove_container
from harness.tools.runtime.container_plan import (
    LABEL_ATTEMPT,
    LABEL_CELL,
    LABEL_HOME,
    LABEL_OWNER,
    LABEL_STATE,
    LABEL_STEP,
    OWNER,
)


class Leftover(Frozen):
    """A container of deid-bench that no living bench looks after."""

    id: str
    name: str
    status: str
    """``running``, ``exited``, ``created``..."""
    created_at: str
    home: str
    cell: str
    attempt: str
    step: str


def leftovers(engine: Engine, home: Path | None = None) -> tuple[Leftover, ...]:
    """Containers for ``home`` (None: any) whose bench is gone; those in use are not among them.

    A container is in use while somebody holds the lock of its state folder: its bench, or what
    bench left to remove it.
    """
    labels = [f"{LABEL_OWNER}={OWNER}"]
    if home is not None:
        labels.append(f"{LABEL_HOME}={home.absolute()}")
    records = engine.api.containers(all=True, filters={"label": labels})
    return tuple(
        _read(record) for record in records if not _in_use(record["Labels"].get(LABEL_STATE))
    )


def _read(record: Any) -> Leftover:
    labels = record["Labels"]
    return Leftover(
        id=record["Id"],
        name=(record.get("Names") or [""])[0].lstrip("/"),
        status=record.get("State", ""),
        created_at=str(record.get("Created", "")),
        home=labels.get(LABEL_HOME, ""),
        cell=labels.get(LABEL_CELL, ""),
        attempt=labels.get(LABEL_ATTEMPT, ""),
        step=labels.get(LABEL_STEP, ""),
    )


def _in_use(state: str | None) -> bool:
    if not state:
        return False
    try:
        handle = os.open(f"{state}.lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def remove_leftovers(engine: Engine, leftovers: Iterable[Leftover]) -> None:
    """Kill and remove the containers with their volumes; one that is gone already is no error.

    Raises docker.errors.APIError when the engine refuses.
    """
    for leftover in leftovers:
        remove_container(engine.api, leftover.id)


def remove_namesakes(engine: Engine, state: str) -> int:
    """Remove what an earlier bench left on the same state folder; returns how many there were.

    Call with the lock of ``state`` held.
    """
    labels = [f"{LABEL_OWNER}={OWNER}", f"{LABEL_STATE}={state}"]
    namesakes = engine.api.containers(all=True, filters={"label": labels})
    for namesake in namesakes:
        remove_container(engine.api, namesake["Id"])
    return len(namesakes)
