"""Fetching RAVDESS from a server on this machine, good and bad; and verifying what came."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.core.errors import FetchError, StoreError, UnusableInputError, UsageError
from harness.datasets import ravdess_fetch
from harness.datasets.ravdess import load_ravdess
from harness.datasets.ravdess_fetch import fetch_ravdess
from harness.datasets.verify import verify
from harness.media.ffmpeg import run_ffmpeg
from harness.model.job import Event
from harness.store.archives import ignore
from harness.store.atomic import write_bytes


class Server(ThreadingHTTPServer):
    """A stand-in for Zenodo: a record with two archives, as its API describes one (``files`` with
    ``key``, ``size``, ``checksum`` and ``links.self``). The flags make it misbehave.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {
            "Video_Speech_Actor_03.zip": archive("02-01-03-01-01-01-03.mp4"),
            "Video_Song_Actor_03.zip": archive("../../02-02-03-01-01-01-03.mp4", "evil.mp4"),
        }
        self.ranges: list[str | None] = []
        self.cut_after: int | None = None
        self.refusals: list[int] = []
        self.can_resume = True
        self.wrong_checksum = False
        self.claimed_size = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/record"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        if name == "record":
            self.answer(200, self.record())
            return
        data = self.server.files[name]
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if self.server.refusals:
            self.answer(self.server.refusals.pop(), b"")
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        resume = bool(asked) and self.server.can_resume
        body = data[start:] if resume else data
        cut, self.server.cut_after = self.server.cut_after, None
        self.answer(206 if resume else 200, body, cut)

    def answer(self, status: int, body: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])

    def record(self) -> bytes:
        checksum = {n: hashlib.md5(d).hexdigest() for n, d in self.server.files.items()}
        if self.server.wrong_checksum:
            checksum = dict.fromkeys(checksum, "0" * 32)
        files = [
            {
                "key": n,
                "size": self.server.claimed_size or len(d),
                "checksum": f"md5:{checksum[n]}",
                "links": {"self": f"/{n}"},
            }
            for n, d in self.server.files.items()
        ]
        return json.dumps({"files": files}).encode()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in names:
            packed.writestr(name, bytes(range(256)) * 40)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ravdess_fetch, "_PAUSE_S", 0.0)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.mp4"))


def test_clips_are_unpacked_by_name_and_nothing_leaves_the_folder(
    tmp_path: Path, server: Server
) -> None:
    root = fetch_ravdess(tmp_path, [3], ignore, server.url)
    expected = ["Actor_03/02-01-03-01-01-01-03.mp4", "Actor_03/02-02-03-01-01-01-03.mp4"]
    assert names(root) == expected
    assert names(tmp_path) == [f"datasets/ravdess/{name}" for name in expected]
    assert [actor.number for actor in load_ravdess(root).actors] == [3]


def test_what_is_there_is_not_fetched_again(tmp_path: Path, server: Server) -> None:
    fetch_ravdess(tmp_path, [3], ignore, server.url)
    asked = len(server.ranges)
    fetch_ravdess(tmp_path, [3], ignore, server.url)
    assert len(server.ranges) == asked


@pytest.mark.parametrize("can_resume", [True, False])
def test_an_interrupted_download_is_completed(
    tmp_path: Path, server: Server, can_resume: bool
) -> None:
    server.cut_after = 1000
    server.can_resume = can_resume
    root = fetch_ravdess(tmp_path, [3], ignore, server.url)
    assert "bytes=1000-" in server.ranges
    assert len(names(root)) == 2


def test_a_wrong_checksum_leaves_nothing_behind(tmp_path: Path, server: Server) -> None:
    server.wrong_checksum = True
    with pytest.raises(FetchError, match="checksum"):
        fetch_ravdess(tmp_path, [3], ignore, server.url)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.suffix for path in left] == [".lock"]


def test_what_was_begun_before_the_checksum_changed_is_refused_and_then_fetched_anew(
    tmp_path: Path, server: Server
) -> None:
    part = tmp_path / "downloads" / "ravdess" / "Video_Speech_Actor_03.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"from another revision of the record")
    with pytest.raises(FetchError, match="checksum"):
        fetch_ravdess(tmp_path, [3], ignore, server.url)
    assert len(names(fetch_ravdess(tmp_path, [3], ignore, server.url))) == 2


def test_what_a_killed_command_left_is_gone_on_with(tmp_path: Path, server: Server) -> None:
    name = "Video_Speech_Actor_03.zip"
    left = tmp_path / "downloads" / "ravdess" / f"{name}.part"
    write_bytes(left, server.files[name][:700])
    assert len(names(fetch_ravdess(tmp_path, [3], ignore, server.url))) == 2
    assert server.ranges == ["bytes=700-", None]


def test_an_archive_that_was_not_yet_unpacked_is_not_fetched_again(
    tmp_path: Path, server: Server
) -> None:
    name = "Video_Speech_Actor_03.zip"
    write_bytes(tmp_path / "downloads" / "ravdess" / name, server.files[name])
    assert len(names(fetch_ravdess(tmp_path, [3], ignore, server.url))) == 2
    assert len(server.ranges) == 1


def test_two_fetches_at_once_fetch_each_archive_once(tmp_path: Path, server: Server) -> None:
    heard: list[Event] = []
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(fetch_ravdess, tmp_path, [3], heard.append, server.url) for _ in range(2)
        ]
        roots = {done.result() for done in both}
    assert len(names(roots.pop())) == 2
    assert len(server.ranges) == 2
    assert sum("Fetching Video_" in (event.text or "") for event in heard) == 2


def test_a_server_that_is_busy_for_a_moment_is_asked_again(tmp_path: Path, server: Server) -> None:
    server.refusals = [503]
    assert len(names(fetch_ravdess(tmp_path, [3], ignore, server.url))) == 2


def test_a_server_that_refuses_is_not_called_a_missing_network(
    tmp_path: Path, server: Server
) -> None:
    server.refusals = [503] * 3
    with pytest.raises(FetchError, match="answered with 503") as caught:
        fetch_ravdess(tmp_path, [3], ignore, server.url)
    assert "no network" not in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_disk_that_fills_up_is_named_as_such(tmp_path: Path, server: Server) -> None:
    folder = tmp_path / "downloads" / "ravdess"
    folder.mkdir(parents=True)
    (folder / "Video_Speech_Actor_03.zip.part").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="disk is full"):
        fetch_ravdess(tmp_path, [3], ignore, server.url)


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(
    tmp_path: Path, server: Server
) -> None:
    server.claimed_size = 1 << 60
    with pytest.raises(StoreError, match="MB left"):
        fetch_ravdess(tmp_path, [3], ignore, server.url)
    assert server.ranges == []


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path, server: Server) -> None:
    (tmp_path / "downloads").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="downloads"):
        fetch_ravdess(tmp_path, [3], ignore, server.url)


def test_progress_is_heard_once_a_tenth_and_the_size_before(tmp_path: Path, server: Server) -> None:
    heard: list[Event] = []
    fetch_ravdess(tmp_path, [3], heard.append, server.url)
    assert [event.text for event in heard if event.text] == [
        f"Fetching {name} (0 MB)" for name in server.files
    ]
    assert 2 <= len([event for event in heard if event.done is not None]) <= 20


def test_without_a_network_the_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="no network"):
        fetch_ravdess(tmp_path, [3], ignore, "http://127.0.0.1:9/record")


def test_an_actor_that_ravdess_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="25"):
        fetch_ravdess(tmp_path, [25], ignore, "http://127.0.0.1:9/record")


def test_an_empty_folder_never_passes(tmp_path: Path) -> None:
    assert not verify(tmp_path).ok


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="does not exist"):
        verify(tmp_path / "none")


def test_missing_unreadable_and_duplicate_clips_are_named(tmp_path: Path) -> None:
    good = tmp_path / "02-01-01-01-01-01-04.mp4"
    run_ffmpeg(["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=0.2", str(good)])
    (tmp_path / "02-01-01-01-01-02-04.mp4").write_bytes(good.read_bytes())
    (tmp_path / "01-01-01-01-01-01-04.mp4").write_bytes(good.read_bytes())
    (tmp_path / "02-01-02-01-01-01-04.mp4").write_bytes(b"broken")
    (tmp_path / "02-01-02-01-01-02-04.mp4").write_bytes(b"")
    (tmp_path / "02-01-02-01-02-02-04.mp4").write_bytes(b"")
    report = verify(tmp_path)
    (actor,) = report.actors
    assert (actor.present, actor.expected, len(actor.missing)) == (5, 104, 99)
    assert [Path(path).name for path in actor.unreadable] == [
        "02-01-02-01-01-01-04.mp4",
        "02-01-02-01-01-02-04.mp4",
        "02-01-02-01-02-02-04.mp4",
    ]
    assert len(actor.same_content) == 1
    assert actor.with_sound == 1
    assert not report.ok
    assert 4 not in report.absent
    assert len(report.absent) == 23
