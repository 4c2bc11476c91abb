"""Folders that a stranger filled are measured and removed, and nothing beyond them is touched."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.core import trees
from harness.core.trees import defuse, remove_tree, tree_size

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do this")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder, and one of the host that is bound into it."""
    host, tree = tmp_path / "host", tmp_path / "tree"
    host.mkdir()
    (host / "file").write_text("of the host")
    (host / "file").chmod(0o4755)
    os.mkfifo(host / "pipe")
    point = tree / "out" / "inner" / "point"
    point.mkdir(parents=True)
    bound = subprocess.run(["mount", "--bind", host, point], capture_output=True, check=False)
    if bound.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield tree, host
    finally:
        # Folders above it may have been moved.
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            place = line.split()[4]
            if place.startswith(str(tmp_path)):
                subprocess.run(["umount", place], check=True)


@needs_root
def test_what_is_mounted_below_a_tree_is_left_alone(mounted: tuple[Path, Path]) -> None:
    tree, host = mounted
    assert tree_size(tree).size_bytes == 0
    defuse(tree)
    with pytest.raises(OSError, match="file system is mounted") as refused:
        remove_tree(tree)
    assert refused.value.errno == errno.EXDEV
    assert refused.value.filename == str(tree)
    assert {path.name for path in host.iterdir()} == {"file", "pipe"}
    assert stat.S_IMODE((host / "file").stat().st_mode) == 0o4755


@needs_root
def test_a_folder_that_is_a_mount_point_itself_is_not_emptied(mounted: tuple[Path, Path]) -> None:
    tree, host = mounted
    with pytest.raises(OSError, match="file system is mounted"):
        remove_tree(tree / "out" / "inner" / "point")
    assert (host / "file").exists()


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A folder of a user who is not root."""
    folder = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
            os.setegid(0)
        shutil.rmtree(folder)


def test_nothing_hides_from_its_owner_in_a_closed_folder(own_folder: Path) -> None:
    closed = own_folder / "closed" / "inner"
    closed.mkdir(parents=True)
    (closed / "hole").touch()
    os.truncate(closed / "hole", 1 << 40)
    (closed / "hole").chmod(0)
    closed.chmod(0)
    closed.parent.chmod(0o444)
    assert tree_size(own_folder).size_bytes == 1 << 40
    closed.chmod(0o111)
    closed.parent.chmod(0)
    defuse(own_folder)
    closed.chmod(0)
    closed.parent.chmod(0)
    remove_tree(own_folder / "closed")
    assert list(own_folder.iterdir()) == []


def test_files_are_counted_only_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MAX_ENTRIES", 100)
    (tmp_path / "inner").mkdir()
    for number in range(99):
        (tmp_path / "inner" / f"{number}").touch()
    assert not tree_size(tmp_path).too_many
    (tmp_path / "last").touch()
    assert tree_size(tmp_path).too_many


def test_a_tree_into_which_somebody_still_writes_is_removed_or_refused(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    handle = os.open(tree / "inner", os.O_RDONLY)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            # Once the folder is gone, nothing can be made in it.
            with suppress(OSError):
                os.mkdir(f"{number}", dir_fd=handle)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with suppress(OSError):
            remove_tree(tree)
    finally:
        stop.set()
        writer.join()
        os.close(handle)
    remove_tree(tree)
    assert not tree.exists()
