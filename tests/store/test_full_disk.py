"""A disk that is really full, and one that is really read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.conftest import RUN, Home

pytestmark = [pytest.mark.clips, pytest.mark.xdist_group("store-cli")]

MORE = ("run", "--tool", "noop,reencode,time-shift", "--frames", "4")


@pytest.fixture
def small_disk(undisturbed: Home, tmp_path: Path) -> Iterator[Home]:
    """The finished home on a file system of 8 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"A file system can be mounted by root only, not here: {mounted.stderr}")
    try:
        shutil.copytree(undisturbed.path, folder / "home", symlinks=True)
        yield Home(folder / "home", undisturbed.dataset)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(home: Home, *, but_bytes: int) -> Path:
    """Leave ``but_bytes`` on the disk; returns the file that takes the rest."""
    ballast = home.path.parent / "ballast"
    free = shutil.disk_usage(home.path).free
    with ballast.open("wb") as stream:
        stream.write(b"x" * (free - but_bytes))
    return ballast


@pytest.mark.parametrize("left_bytes", [0, 100_000])
def test_a_full_disk_is_a_sentence_and_loses_nothing_that_was_stored(
    small_disk: Home, undisturbed: Home, left_bytes: int
) -> None:
    ballast = fill(small_disk, but_bytes=left_bytes)
    code, _, errors = small_disk.bench(*MORE)
    assert (code, "Traceback" in errors) == (4, False), errors
    assert "full" in errors or "No space left" in errors
    assert small_disk.artifacts().items() >= undisturbed.artifacts().items()
    assert small_disk.processes() == []
    ballast.unlink()
    assert small_disk.bench(*MORE)[0] == 0
    assert small_disk.artifacts().items() >= undisturbed.artifacts().items()
    assert small_disk.leftovers() == []


def test_a_read_only_disk_is_a_sentence_and_what_is_finished_can_still_be_read(
    small_disk: Home, undisturbed: Home
) -> None:
    subprocess.run(
        ["mount", "-o", "remount,ro", str(small_disk.path.parent)], check=True, capture_output=True
    )
    code, _, errors = small_disk.bench(*RUN)
    assert code == 0, errors
    code, _, errors = small_disk.bench(*MORE)
    assert (code, "Traceback" in errors) == (4, False), errors
    assert "Read-only" in errors
    assert small_disk.artifacts() == undisturbed.artifacts()
    assert os.access(small_disk.path, os.R_OK)
