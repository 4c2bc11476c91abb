"""Weights come by checksum, through servers that fail in every way they can."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from containers.common import fetch_weights
from containers.common.fetch_weights import FetchError, fetch, fetch_all

CONTENT = bytes(range(256)) * 9000
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """``/whole``, ``/gone`` (404), ``/busy`` and ``/cut``: the last two fail ``failures`` times."""

    failures = 2
    asked = 0


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        failing = self.server.asked <= self.server.failures
        if self.path == "/gone":
            self.send_error(404)
        elif self.path == "/busy" and failing:
            self.send_error(503)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            cut = self.path == "/cut" and failing
            self.wfile.write(CONTENT[: len(CONTENT) // 2] if cut else CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), _Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _url(server: Server, path: str) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


@pytest.mark.parametrize("path", ["/whole", "/busy", "/cut"])
def test_a_file_comes_whole_however_often_the_server_stumbles(
    server: Server, tmp_path: Path, path: str
) -> None:
    target = tmp_path / "deep" / "weights.bin"
    fetch(_url(server, path), CHECKSUM, str(target), pause_s=0.01)
    assert target.read_bytes() == CONTENT
    assert server.asked == (1 if path == "/whole" else 3)
    assert list(target.parent.iterdir()) == [target]


def test_a_changed_file_is_refused_at_once_and_nothing_of_it_stays(
    server: Server, tmp_path: Path
) -> None:
    target = tmp_path / "weights.bin"
    with pytest.raises(FetchError, match=f"has SHA-256 {CHECKSUM}, but {'0' * 64} is recorded"):
        fetch(_url(server, "/whole"), "0" * 64, str(target), pause_s=0.01)
    assert server.asked == 1
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_gone_is_asked_for_once(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="the server answered 404"):
        fetch(_url(server, "/gone"), CHECKSUM, str(tmp_path / "w"), pause_s=0.01)
    assert server.asked == 1


def test_a_server_that_never_recovers_ends_in_a_sentence(server: Server, tmp_path: Path) -> None:
    server.failures = 1000
    with pytest.raises(FetchError, match="in 5 tries: the server answered 503"):
        fetch(_url(server, "/busy"), CHECKSUM, str(tmp_path / "w"), pause_s=0.001)
    assert server.asked == fetch_weights.TRIES
    assert list(tmp_path.iterdir()) == []


def test_nobody_listening_ends_in_a_sentence(server: Server, tmp_path: Path) -> None:
    url = _url(server, "/whole")
    server.server_close()
    with pytest.raises(FetchError, match="could not be downloaded in 5 tries"):
        fetch(url, CHECKSUM, str(tmp_path / "w"), pause_s=0.001)


def test_what_is_there_already_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    item = {"url": _url(server, "/whole"), "sha256": CHECKSUM, "path": str(tmp_path / "w")}
    fetch_all([item, item])
    assert server.asked == 1
    (tmp_path / "w").write_bytes(b"half")
    fetch_all([item])
    assert (tmp_path / "w").read_bytes() == CONTENT


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    # The environment of the C library is closed to the network where a test loaded MediaPipe.
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=os.environ
    )


def test_the_script_reads_a_builds_version_file_and_ends_with_a_code(
    server: Server, tmp_path: Path
) -> None:
    target = tmp_path / "w"
    entry = {"url": _url(server, "/whole"), "sha256": CHECKSUM, "path": str(target)}
    listing = tmp_path / "version.json"
    command = [sys.executable, "-I", fetch_weights.__file__, str(listing)]
    listing.write_text(json.dumps({"version": "1", "weights": [entry]}))
    done = run(command)
    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == CONTENT
    entry["url"], entry["path"] = _url(server, "/gone"), str(tmp_path / "other")
    listing.write_text(json.dumps({"version": "1", "weights": [entry]}))
    done = run(command)
    assert done.returncode == 1
    assert "404" in done.stderr
    assert "Traceback" not in done.stderr
