"""Nothing that a driver leaves in its folders hangs bench, leaves the store or passes unseen."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
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


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do this")


def _device(path: Path, left: Left) -> None:
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))


@needs_root
@pytest.mark.parametrize("name", ["step.json", "swapped.mp4"])
def test_a_device_is_not_opened(left: Left, name: str) -> None:
    (left.out / name).unlink()
    _device(left.out / name, left)
    _device(left.state / "zero", left)
    assert "is a device" in (take_over(left.job()).fault or "")
    assert name not in left.names()
    assert list(left.state.iterdir()) == []


def test_a_folder_of_a_many_thousand_names_is_taken_over_and_its_report_is_short(
    left: Left,
) -> None:
    handle = os.open(left.out, os.O_PATH)
    for number in range(20_000):
        os.close(os.open(f"{number:06d}", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
    os.close(handle)
    taken = take_over(left.job())
    assert left.names() == {"step.json", "swapped.mp4"}
    assert taken.deleted[:2] == ("000000", "000001")
    assert taken.deleted[-1] == "and 19980 more"
    assert taken.report == REPORT


def test_a_video_that_is_written_while_it_is_read_is_refused(left: Left) -> None:
    (left.out / "swapped.mp4").write_bytes(bytes(64 << 20))
    stop = threading.Event()

    def write_on() -> None:
        with (left.out / "swapped.mp4").open("rb+") as video:
            while not stop.is_set():
                video.seek(0)
                video.write(os.urandom(16))
                video.flush()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        taken = take_over(left.job())
    finally:
        stop.set()
        writer.join()
    assert taken.faults == {"swapped.mp4": "changed while it was read"}
    assert taken.video_sha256 is None


def test_a_writer_that_goes_on_adding_and_removing_files_stops_nothing(left: Left) -> None:
    stop = threading.Event()
    inner = left.out / "inner"
    inner.mkdir()
    handles = [os.open(folder, os.O_RDONLY) for folder in (left.out, inner, left.state)]

    def litter() -> None:
        while not stop.is_set():
            for handle in handles:
                for number in range(20):
                    # A folder that is removed takes no more files.
                    with suppress(OSError):
                        os.close(os.open(f"{number}", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
                    with suppress(OSError):
                        os.mkfifo(f"pipe{number}", dir_fd=handle)
                for number in range(20):
                    with suppress(OSError):
                        os.unlink(f"{number}", dir_fd=handle)

    writer = threading.Thread(target=litter)
    writer.start()
    try:
        for _ in range(20):
            taken = take_over(left.job())
            assert taken.report == REPORT
    finally:
        stop.set()
        writer.join()
        for handle in handles:
            os.close(handle)
    assert left.names() == {"step.json", "swapped.mp4"}


def test_pipes_beside_the_output_are_removed_too(left: Left) -> None:
    step = left.out.parent
    os.mkfifo(step / "log.tail-7")
    (step / "log.txt").write_text("said")
    take_over(left.job())
    assert {path.name for path in step.iterdir()} == {"log.txt", "out"}


def test_a_state_that_is_too_deep_is_cut_so_that_the_cell_can_be_tried_again(left: Left) -> None:
    _deep(left.state, 1500)
    (left.state / "model").write_text("kept")
    assert tree_size(left.state).too_deep
    take_over(left.job())
    assert not tree_size(left.state).too_deep
    assert (left.state / "model").read_text() == "kept"


@pytest.mark.parametrize(
    "name", [b"\xff\xfe", b"two\nlines", b"n" * 255, b"\x1b[31m", b"-rf", b"~"]
)
def test_any_name_can_be_deleted_and_shown(left: Left, name: bytes) -> None:
    for folder in (left.out, left.out / "previews"):
        folder.mkdir(exist_ok=True)
        (folder / os.fsdecode(name)).touch()
    taken = take_over(left.job())
    assert left.names() == {"step.json", "swapped.mp4", "previews"}
    assert len(taken.deleted) == 2
    assert all(text.isascii() and text.isprintable() for text in taken.deleted)
