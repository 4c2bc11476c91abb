"""Folders in which the benchmark keeps its files."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def bench_home() -> Path:
    """The folder of the store: ``$BENCH_HOME``, else the user's data folder. Not created."""
    named = os.environ.get("BENCH_HOME")
    if named:
        return Path(named).expanduser().resolve()
    return Path(platformdirs.user_data_dir("deid-bench", appauthor=False))


def cache_dir() -> Path:
    """Folder of what any home's commands may find again, and miss without harm. Not created."""
    return Path(platformdirs.user_cache_dir("deid-bench", appauthor=False))


def downloads_dir(home: Path) -> Path:
    """Archives and models fetched from elsewhere. Not created."""
    return home / "downloads"


def models_dir(home: Path) -> Path:
    """Networks that were converted here. Not created."""
    return home / "models"


def media_dir(home: Path) -> Path:
    """Prepared videos and pictures, by content. Not created."""
    return home / "media"


def make_guest(place: Path, home: Path) -> None:
    """Make ``place`` a home of its own that uses what ``home`` has fetched, converted and prepared;
    what the guest adds to these is there for the next.
    """
    place.mkdir(parents=True)
    for folder in (downloads_dir, models_dir, media_dir):
        folder(home).mkdir(parents=True, exist_ok=True)
        folder(place).symlink_to(folder(home))
