"""A stand-in for what drivers ask of TensorFlow 1: whether it can compute on a GPU, and a seed."""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager, nullcontext

_THERE = json.loads(os.environ.get("STAND_IN", "{}")).get("tensorflow_gpu", True)


class test:  # noqa: N801 - TensorFlow's name
    @staticmethod
    def is_gpu_available() -> bool:
        return bool(_THERE)


def device(name: str) -> AbstractContextManager[None]:
    assert name == "/gpu:0"
    return nullcontext()


def ones(shape: list[int]) -> float:
    return float(shape[0])


def matmul(one: float, other: float) -> float:
    return one * other


def reduce_sum(value: float) -> float:
    return value * 8


class Session:
    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(self, value: float) -> float:
        return value


def set_random_seed(seed: int) -> None:
    assert isinstance(seed, int)
