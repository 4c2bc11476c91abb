"""Stand-in: see ../../../README.md."""

from __future__ import annotations

from types import SimpleNamespace

from wish import WISH  # type: ignore[import-not-found]


def list_local_devices() -> list[SimpleNamespace]:
    kinds = ["CPU", "GPU"] if WISH["gpu"] else ["CPU"]
    return [SimpleNamespace(device_type=kind) for kind in kinds]
