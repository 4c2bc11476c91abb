"""A file without a published checksum: what is taken, what is refused, what is written down."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from containers.common import fetch_unpinned

CONTENT = b"\x89HDF" + bytes(1000)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serves ``model.h5``, and ``page.html`` as a dead link's answer."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "model.h5").write_bytes(CONTENT)
    (folder / "page.html").write_bytes(b"<html>gone" + bytes(1000))
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(
            target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def _fetch(tmp_path: Path, *more: str) -> int:
    words = [str(tmp_path / "in" / "model.h5"), str(tmp_path / "record")]
    return fetch_unpinned.main([*words, "--bytes", "900", "1100", "--begins", "89484446", *more])


def test_a_page_in_the_place_of_a_file_is_passed_over(server: str, tmp_path: Path) -> None:
    assert _fetch(tmp_path, f"{server}/none", f"{server}/page.html", f"{server}/model.h5") == 0
    assert (tmp_path / "in" / "model.h5").read_bytes() == CONTENT
    line = f"{hashlib.sha256(CONTENT).hexdigest()}  {tmp_path / 'in' / 'model.h5'}\n"
    assert (tmp_path / "record").read_text() == line


def test_another_file_than_the_pinned_one_is_refused(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _fetch(tmp_path, "--sha256", "0" * 64, f"{server}/model.h5") == 1
    assert "not 0000" in capsys.readouterr().err
    assert not list((tmp_path / "in").iterdir())
    assert not (tmp_path / "record").exists()


def test_when_nothing_fits_every_reason_is_told(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _fetch(tmp_path, f"{server}/none", f"{server}/page.html") == 1
    told = capsys.readouterr().err
    assert "404" in told
    assert "begins with b'<htm'" in told
    assert not list((tmp_path / "in").iterdir())
