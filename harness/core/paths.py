"""Folders in which the benchmark keeps its files."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from harness.core.errors import UsageError
from harness.core.text import printable

_NAME_BYTES = 255
_PATH_BYTES = 4095


def expanded(named: str | Path) -> Path:
    """The path that a user names, with ``~`` and ``~NAME`` written out.

    Raises UsageError for a user whom this machine does not know, and for what no path can be.
    """
    text = str(named)
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"The path {text} begins with the name of a user whom this machine does not know.",
            hint="Write ./~NAME for a file of that name, or the whole path.",
        ) from error
    why = "it holds a zero byte" if "\0" in text else ""
    if len(os.fsencode(text)) > _PATH_BYTES or any(
        len(os.fsencode(part)) > _NAME_BYTES for part in path.parts
    ):
        why = "it is longer than any path can be"
    if why:
        raise UsageError(
            f"{printable(text)[:80]} is no path: {why}.", hint="Correct the path or the name."
        )
    return path


def resolved(path: Path) -> Path:
    """The path, absolute and without links. Raises UsageError for links that go in a circle."""
    try:
        return path.resolve()
    except (RuntimeError, OSError) as error:
        reason = "its links go in a circle" if isinstance(error, RuntimeError) else error.strerror
        raise UsageError(
            f"The path {printable(str(path))} leads nowhere: {reason}.",
            hint="Correct the link or the path.",
        ) from error


def bench_home() -> Path:
    """The folder of the store: ``$BENCH_HOME``, else the user's data folder. Not created."""
    named = os.environ.get("BENCH_HOME")
    if named:
        return resolved(expanded(named))
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
