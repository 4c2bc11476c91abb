"""Upstream sources for images: what really came is recorded, and checked."""

from __future__ import annotations

import functools
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.common import fetch_source

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _archive(path: Path, name: str = "df-master/train.py", comment: str = COMMIT) -> None:
    """An archive as `git archive` makes it: one folder, the commit in the global header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {"comment": comment} if comment else {}
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT, pax_headers=header) as archive:
        data = b"if key == ord('q'):\n"
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[str]:
    """The address of a repository whose archives lie in tmp_path/served/df/archive."""
    handler = functools.partial(_Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        yield f"http://127.0.0.1:{server.server_port}/df"
        server.shutdown()


def _fetch(tmp_path: Path, upstream: str, commit: str, *more: str) -> int:
    folder, record = str(tmp_path / "opt" / "df"), str(tmp_path / "opt" / "bench" / "up.json")
    (tmp_path / "opt").mkdir(exist_ok=True)
    return fetch_source.main([upstream, commit, folder, record, *more])


def test_the_commit_that_came_is_recorded_whatever_was_asked_for(
    tmp_path: Path, upstream: str
) -> None:
    _archive(tmp_path / "served" / "df" / "archive" / "master.tar.gz")
    assert _fetch(tmp_path, upstream, "master", "--contains", "train.py: ord('q')") == 0
    recorded = json.loads((tmp_path / "opt" / "bench" / "up.json").read_text())
    assert recorded == {"source": upstream, "revision": COMMIT}
    assert (tmp_path / "opt" / "df" / "train.py").exists()


@pytest.mark.parametrize(
    ("commit", "comment", "name", "text"),
    [
        ("f" * 40, COMMIT, "df-master/train.py", "but 0123"),
        ("master", "", "df-master/train.py", "does not state its commit"),
        ("master", COMMIT, "../evil.py", "not laid out"),
        ("absent", None, "", "404 File not found: the repository has no such revision"),
        ("e" * 40, None, "", "404 File not found: the repository has no such revision"),
    ],
)
def test_anything_else_fails_with_a_sentence(
    commit: str,
    comment: str | None,
    name: str,
    text: str,
    tmp_path: Path,
    upstream: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "served").mkdir()
    if comment is not None:
        _archive(tmp_path / "served" / "df" / "archive" / f"{commit}.tar.gz", name, comment)
    assert _fetch(tmp_path, upstream, commit) == 1
    assert text in capsys.readouterr().err
    assert not (tmp_path / "opt" / "bench").exists()


def test_a_revision_without_the_texts_the_driver_relies_on_is_refused(
    tmp_path: Path, upstream: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _archive(tmp_path / "served" / "df" / "archive" / "master.tar.gz")
    more = ["--contains", "train.py: cv2.waitKey", "--contains", "model.py: Model"]
    assert _fetch(tmp_path, upstream, "master", *more) == 1
    errors = capsys.readouterr().err
    assert "train.py: cv2.waitKey" in errors
    assert "model.py: Model" in errors
