"""A stand-in for keras.models: weights are a number in a text file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


class Model:
    """Counts how often it was trained, and how often it was asked to predict."""

    predictions = 0

    def __init__(self) -> None:
        self.weights = 0

    def train_on_batch(self, inputs: Any, targets: Any) -> list[float]:
        self.weights += 1
        return [1 / self.weights, 0.5 / self.weights, 0.25 / self.weights]

    def predict(self, inputs: Any) -> list[Any]:
        Model.predictions += 1
        count = len(inputs[0])
        return [np.full((count, 128, 128, 3), 0.5), np.zeros((count, 128, 128, 1))]

    def save_weights(self, path: str) -> None:
        Path(path).write_text(str(self.weights))

    def load_weights(self, path: str) -> None:
        self.weights = int(Path(path).read_text())
