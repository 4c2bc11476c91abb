"""Nothing that a driver leaves in its folders hangs bench, leaves the store or passes unseen."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.trees import MAX_DEPTH, remove_tree, tree_size
from harness.model.job import Job, Limits, Step
from harness.tools.runtime.takeover import REPORT_BYTES, make_private, take_over

REPORT = b'{"step": "convert"}'


class Left:
    """A step's folders as a driver left them."""

    def __init__(self, folder: Path) -> None:
        self.secret = folder / "secret"
        self.secret.write_text("of the host")
        self.out, self.state = folder / "step" / "out", folder / "cell" / "state"
        for made in (self.out, self.state):
            make_private(made)
        (self.out / "step.json").write_bytes(REPORT)
        (self.out / "swapped.mp4").write_bytes(b"video")

    def job(self, output_bytes: int | None = None) -> Job:
        return Job(
            step=Step.CONVERT,
            tool="hostile",
            version="1",
            inputs={},
            state=str(self.state),
            out=str(self.out),
            settings={},
            limits=Limits(output_bytes=output_bytes),
        )

    def names(self) -> set[str]:
        return {str(path.relative_to(self.out)) for path in self.out.rglob("*")}


@pytest.fixture
def left(tmp_path: Path) -> Left:
    return Left(tmp_path)


def _fifo(path: Path, left: Left) -> None:
    os.mkfifo(path)


def _socket(path: Path, left: Left) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        # The path of a socket is short.
        here = os.open(path.parent, os.O_PATH)
        listener.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)


def _link(path: Path, left: Left) -> None:
    path.symlink_to(left.secret)


def _dangling(path: Path, left: Left) -> None:
    path.symlink_to("nowhere")


def _hard_link(path: Path, left: Left) -> None:
    path.hardlink_to(left.secret)


def _folder(path: Path, left: Left) -> None:
    path.mkdir()
    (path / "inner").write_text("x")


def _sparse(path: Path, left: Left) -> None:
    path.touch()
    os.truncate(path, 10 << 30)


HOSTILE = {
    "a pipe": _fifo,
    "a socket": _socket,
    "a symbolic link": _link,
    "a symbolic link to nothing": _dangling,
    "a hard link": _hard_link,
    "a folder": _folder,
    "10,240.0 MiB": _sparse,
}
Make = Callable[[Path, Left], None]


@pytest.mark.parametrize("name", ["step.json", "swapped.mp4", "observation.csv"])
@pytest.mark.parametrize(("what", "make"), HOSTILE.items())
def test_only_plain_files_are_taken_over(left: Left, name: str, what: str, make: Make) -> None:
    (left.out / name).unlink(missing_ok=True)
    make(left.out / name, left)
    taken = take_over(left.job())
    assert what.removesuffix(" to nothing") in (taken.fault or "")
    assert name in (taken.fault or "")
    assert name not in left.names()
    assert any(line.startswith(name) for line in taken.deleted)
    assert left.secret.read_text() == "of the host"
    assert left.secret.stat().st_mode & 0o777 == 0o644


def test_what_is_taken_is_a_copy_without_the_drivers_mode_bits_and_open_handles(left: Left) -> None:
    video = left.out / "swapped.mp4"
    video.chmod(0o6777)
    with video.open("ab") as held:
        taken = take_over(left.job())
        held.write(b" that changes after the check")
    assert video.read_bytes() == b"video"
    assert stat.S_IMODE(video.stat().st_mode) == 0o644
    assert taken.report == REPORT
    assert taken.fault is None
    assert taken.deleted == ()


def test_more_than_the_contract_names_is_deleted_and_named_in_few_printable_words(
    left: Left,
) -> None:
    (left.out / "previews").mkdir()
    (left.out / "previews" / "00000100.jpg").write_bytes(b"picture")
    (left.out / "previews" / "00000200.jpg").symlink_to(left.secret)
    (left.out / "previews" / "index.html").write_text("<script>")
    (left.out / os.fsdecode(b"\xff\xfe\x1b[31m\nred")).write_text("x")
    for number in range(300):
        (left.out / f"{number:03d}{'n' * 250}").touch()
    taken = take_over(left.job())
    assert left.names() == {"step.json", "swapped.mp4", "previews", "previews/00000100.jpg"}
    assert len(taken.deleted) == 21
    assert taken.deleted[-1] == "and 283 more"
    text = "".join(taken.deleted)
    assert text.isprintable()
    assert text.isascii()
    assert len(text) < 3000


def test_a_report_of_many_megabytes_is_refused(left: Left) -> None:
    (left.out / "step.json").write_text(
        json.dumps({"step": "convert", "notes": ["x" * REPORT_BYTES]})
    )
    assert "are the most" in (take_over(left.job()).fault or "")


def test_the_limit_of_the_step_holds_for_its_video(left: Left) -> None:
    (left.out / "swapped.mp4").write_bytes(b"x" * 2000)
    assert take_over(left.job(output_bytes=2000)).fault is None
    assert "swapped.mp4" in (take_over(left.job(output_bytes=1999)).fault or "")


def test_an_output_folder_that_became_a_link_is_not_followed(left: Left, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    left.out.rename(elsewhere)
    left.out.symlink_to(elsewhere)
    taken = take_over(left.job())
    assert taken.report is None
    assert (elsewhere / "step.json").exists()
    assert left.names() == set()
    assert not left.out.is_symlink()


def test_the_state_keeps_its_files_but_no_bits_pipes_or_devices(left: Left) -> None:
    (left.state / "faces").mkdir()
    tool = left.state / "faces" / "tool"
    tool.write_text("x")
    tool.chmod(0o4755)
    left.secret.chmod(0o4755)
    (left.state / "other").hardlink_to(left.secret)
    (left.state / "link").symlink_to(left.secret)
    os.mkfifo(left.state / "pipe")
    take_over(left.job())
    assert stat.S_IMODE(tool.stat().st_mode) == 0o755
    assert stat.S_IMODE(left.secret.stat().st_mode) == 0o4755
    assert {path.name for path in left.state.iterdir()} == {"faces", "other", "link"}
    assert stat.S_IMODE(left.state.stat().st_mode) == 0o700


def _deep(folder: Path, levels: int) -> None:
    """Folders below one another, whose whole path no system call would take."""
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("inner" * 4, dir_fd=handle)
        below = os.open("inner" * 4, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
    os.close(handle)


def test_trees_of_any_depth_and_mode_are_removed(left: Left) -> None:
    _deep(left.out, 5000)
    locked = left.out / "locked"
    (locked / "inner").mkdir(parents=True)
    (locked / "inner" / "file").touch()
    (locked / "link").symlink_to(left.secret.parent)
    (locked / "inner").chmod(0)
    locked.chmod(0)
    assert tree_size(left.out).too_deep
    take_over(left.job())
    assert left.names() == {"step.json", "swapped.mp4"}
    _deep(left.state, MAX_DEPTH + 1)
    remove_tree(left.state)
    remove_tree(left.state)
    assert not left.state.exists()
    assert left.secret.exists()


def test_a_hole_counts_as_much_as_what_it_stands_for(left: Left) -> None:
    _sparse(left.state / "hole", left)
    os.mkfifo(left.state / "pipe")
    assert tree_size(left.state).size_bytes == 10 << 30


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK], ids=["character", "block"])
def test_a_device_is_deleted_unopened(left: Left, kind: int) -> None:
    video = left.out / "swapped.mp4"
    video.unlink()
    # The memory's and the first disk's: no read of either may be tried.
    os.mknod(video, kind | 0o666, os.makedev(1, 1) if kind == stat.S_IFCHR else os.makedev(7, 0))
    assert "is a device" in (take_over(left.job()).fault or "")
    assert left.names() == {"step.json"}


def test_names_in_any_encoding_are_deleted_and_printed_as_ascii(left: Left) -> None:
    odd = (b"\xff\xfe.mp4", b"line\nbreak", b"\x1b[31mred", b"a" * 255, "\uff53wapped.mp4".encode())
    for name in odd:
        with open(os.path.join(os.fsencode(left.out), name), "wb"):  # noqa: PTH118, PTH123
            pass
    taken = take_over(left.job())
    assert len(taken.deleted) == len(odd)
    assert all(line.isascii() and line.isprintable() for line in taken.deleted)
    assert left.names() == {"step.json", "swapped.mp4"}


def test_a_file_that_changes_while_it_is_read_is_refused_or_taken_whole(left: Left) -> None:
    video = left.out / "swapped.mp4"
    video.write_bytes(b"a" * (8 << 20))
    ended = threading.Event()

    def write() -> None:
        with video.open("r+b") as file:
            while not ended.is_set():
                for letter in (b"b", b"a"):
                    file.seek(0)
                    file.write(letter * (8 << 20))
                    file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        taken = take_over(left.job())
    finally:
        ended.set()
        writer.join()
    assert taken.faults == {"swapped.mp4": "changed while it was read"}
    assert not video.exists()


@pytest.mark.parametrize("place", ["place", "inner/place"])
def test_what_is_mounted_below_a_folder_is_not_removed(
    left: Left, tmp_path: Path, place: str
) -> None:
    elsewhere, mounted = tmp_path / "elsewhere", left.state / place
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("of the host")
    mounted.mkdir(parents=True)
    mount = ["mount", "--bind", str(elsewhere), str(mounted)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(OSError, match=r"mounted|busy"):
            remove_tree(left.state)
        assert (elsewhere / "precious").read_text() == "of the host"
    finally:
        subprocess.run(["umount", str(mounted)], check=True)
    remove_tree(left.state)
    assert (elsewhere / "precious").exists()


def test_a_hundred_thousand_files_are_removed(left: Left) -> None:
    for number in range(100_000):
        os.close(os.open(left.out / f"{number}", os.O_CREAT | os.O_WRONLY))
    taken = take_over(left.job())
    assert left.names() == {"step.json", "swapped.mp4"}
    assert taken.deleted[-1] == "and 99980 more"
