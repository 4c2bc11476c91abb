"""Publishing into a folder: as a whole or not at all, and never over somebody else's files."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import StoreError, UsageError
from reports.site import folder
from reports.site.folder import MARKER, check_target, replace_folder

FIRST = {"index.html": b"one", "cells/a.html": b"a"}
SECOND = {"index.html": b"two", "cells/b.html": b"b"}


def content(target: Path) -> dict[str, bytes]:
    return {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file() and path.name != MARKER
    }


@pytest.fixture(params=["swapped at once", "one after the other"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "one after the other":
        monkeypatch.setattr(folder, "_exchange", lambda one, other: False)


@pytest.mark.usefixtures("_way")
def test_publishing_again_leaves_no_stale_page_and_nothing_beside(tmp_path: Path) -> None:
    target = tmp_path / "a sïte"
    assert replace_folder(target, FIRST.items()) == {"index.html": 3, "cells/a.html": 1}
    replace_folder(target, SECOND.items())
    assert content(target) == SECOND
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert json.loads((target / MARKER).read_text())["files"] == sorted(SECOND)


def test_the_kernel_swaps_both_folders_at_once_here(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    (one / "mark").touch()
    other.mkdir()
    assert folder._exchange(one, other)
    assert (other / "mark").exists()
    assert list(one.iterdir()) == []


def test_a_symbolic_link_to_a_site_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    replace_folder(real, FIRST.items())
    link.symlink_to(real)
    replace_folder(link, SECOND.items())
    assert link.is_symlink()
    assert content(real) == SECOND


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    replace_folder(tmp_path / "site", FIRST.items())
    assert content(tmp_path / "site") == FIRST


def test_a_folder_that_publish_did_not_make_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "chapter.txt").write_text("years of work")
    with pytest.raises(UsageError, match="was not made by `bench publish`"):
        replace_folder(target, FIRST.items())
    assert (target / "chapter.txt").read_text() == "years of work"


def test_a_file_that_somebody_put_into_a_site_is_not_deleted(tmp_path: Path) -> None:
    target = tmp_path / "site"
    replace_folder(target, FIRST.items())
    (target / ".git").mkdir()
    (target / ".git" / "HEAD").write_text("ref")
    with pytest.raises(UsageError, match=r"did not write: \.git/HEAD"):
        replace_folder(target, SECOND.items())
    assert content(target) == {**FIRST, ".git/HEAD": b"ref"}


def test_a_damaged_marker_makes_it_somebody_elses_folder(tmp_path: Path) -> None:
    target = tmp_path / "site"
    replace_folder(target, FIRST.items())
    (target / MARKER).write_text("{")
    with pytest.raises(UsageError, match="was not made by"):
        check_target(target)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    target = tmp_path / "site.html"
    target.write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        replace_folder(target, FIRST.items())
    assert target.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(StoreError, match="cannot be written") as caught:
        replace_folder(blocker / "site", FIRST.items())
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def broken() -> Iterator[tuple[str, bytes]]:
    yield "index.html", b"two"
    raise OSError(28, "No space left on device")


def test_what_fails_half_way_leaves_the_old_site_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "site"
    replace_folder(target, FIRST.items())
    with pytest.raises(StoreError, match="No space left"):
        replace_folder(target, broken())
    assert content(target) == FIRST
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_folder_that_cannot_be_moved_back_in_place_keeps_the_old_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "site"
    replace_folder(target, FIRST.items())
    real = Path.rename

    def rename(path: Path, to: Path) -> Path:
        if path.name == "new":
            raise OSError(5, "Input/output error")
        return real(path, to)

    monkeypatch.setattr(folder, "_exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(StoreError, match="Input/output error"):
        replace_folder(target, SECOND.items())
    assert content(target) == FIRST


def test_two_publishers_of_one_site_do_not_meet(tmp_path: Path) -> None:
    work = tmp_path / ".site.bench-publish"
    work.mkdir()
    lock = os.open(work / ".bench-site.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(UsageError, match="Another `bench publish`"):
        replace_folder(tmp_path / "site", FIRST.items())
    os.close(lock)
    (work / "new").mkdir()
    (work / "new" / "half.html").write_text("left by one that was killed")
    replace_folder(tmp_path / "site", FIRST.items())
    assert content(tmp_path / "site") == FIRST
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_two_pages_of_one_name_are_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"two pages .* index\.html"):
        replace_folder(tmp_path / "site", [("index.html", b"1"), ("index.html", b"2")])
    assert list(tmp_path.iterdir()) == []
