"""A stand-in for TensorFlow on a machine without a GPU."""

from __future__ import annotations


class Device:
    device_type = "CPU"


def list_local_devices() -> list[Device]:
    return [Device()]
