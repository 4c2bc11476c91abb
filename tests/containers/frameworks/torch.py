"""A stand-in for what drivers ask of PyTorch: whether there is a GPU, and a sum on it."""

from __future__ import annotations

import json
import os

_THERE = json.loads(os.environ.get("STAND_IN", "{}")).get("torch_gpu", True)


class _Tensor:
    def cuda(self) -> float:
        return 1.0


class cuda:  # noqa: N801 - PyTorch's name
    @staticmethod
    def is_available() -> bool:
        return bool(_THERE)


def ones(count: int) -> _Tensor:
    return _Tensor()
