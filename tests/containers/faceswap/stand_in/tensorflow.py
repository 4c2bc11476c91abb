"""A stand-in for what the driver's probe asks TensorFlow 1: whether there is a GPU."""

from __future__ import annotations

import json
import os

_THERE = json.loads(os.environ.get("STAND_IN", "{}")).get("tensorflow_gpu", True)


class test:  # noqa: N801 - TensorFlow's name
    @staticmethod
    def is_gpu_available() -> bool:
        return bool(_THERE)
