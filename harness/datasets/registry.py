"""Datasets by name."""

from __future__ import annotations

from pathlib import Path

from harness.datasets.sample import load_sample
from harness.errors import unknown_name
from harness.model.dataset import Dataset


def load_dataset(name_or_path: str, home: Path) -> Dataset:
    """The dataset called ``sample`` or ``ravdess``, or a YAML manifest's.

    Raises UsageError for an unknown name, UnusableInputError for one that is not fetched.
    """
    if name_or_path == "sample":
        return load_sample(home)
    raise unknown_name("dataset", name_or_path, ["sample"], see="bench data list")
