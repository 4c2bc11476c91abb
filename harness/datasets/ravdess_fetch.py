"""Fetches RAVDESS from its Zenodo record: resumable, and checked against the record's checksums."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.core.errors import FetchError, StoreError, unknown_name
from harness.core.paths import downloads_dir
from harness.datasets.ravdess import ACTORS, VIDEO_ONLY, WITHOUT_SONG, parse_name, ravdess_dir
from harness.model.job import Event
from harness.store.archives import Listener, fetch_lock
from harness.store.atomic import publish_file, write_bytes
from harness.store.cells import disk_errors

RECORD_URL = "https://zenodo.org/api/records/1188976"

_TIMEOUT_S = 60
_CHUNK = 1 << 20
_TRIES = 3
_PAUSE_S = 2.0
"""Before the second try; twice that before the third."""


class _File(NamedTuple):
    name: str
    url: str
    md5: str
    size_bytes: int


def fetch_ravdess(
    home: Path, actors: Collection[int], listen: Listener, base_url: str = RECORD_URL
) -> Path:
    """Fetch the video archives of ``actors`` and unpack their video-only clips.

    Returns the dataset's folder. What is already unpacked is not fetched again, and an interrupted
    download goes on where it stopped; of two processes the second waits. Raises UsageError for an
    unknown actor, FetchError when the network fails or a checksum is wrong, StoreError when the
    disk is full or refuses.
    """
    for actor in actors:
        if actor not in ACTORS:
            known = [str(number) for number in ACTORS]
            raise unknown_name("RAVDESS actor", str(actor), known, see="bench data list")
    root = ravdess_dir(home)
    names = [name for actor in sorted(set(actors)) for name in _archives(actor)]
    folder = downloads_dir(home) / "ravdess"
    record: Mapping[str, _File] | None = None
    for name in names:
        with fetch_lock(folder / f".{name}.lock", listen):
            if _marker(root, name).is_file():
                continue
            record = record or _record(base_url)
            _fetch(_entry(record, name, base_url), folder, root, listen)
    return root


def _fetch(file: _File, folder: Path, root: Path, listen: Listener) -> None:
    """Download one archive, unpack it and mark it as done; its lock must be held."""
    archive = _download(file, folder, listen)
    _unpack(archive, root)
    write_bytes(_marker(root, file.name), (file.md5 + "\n").encode())
    archive.unlink()


def _entry(record: Mapping[str, _File], name: str, base_url: str) -> _File:
    if name not in record:
        raise FetchError(
            f"The record {base_url} has no file {name}.",
            hint="Look at the record in a browser; it may have been revised.",
        )
    return record[name]


def _archives(actor: int) -> list[str]:
    channels = ["Speech"] if actor in WITHOUT_SONG else ["Speech", "Song"]
    return [f"Video_{channel}_Actor_{actor:02d}.zip" for channel in channels]


def _marker(root: Path, name: str) -> Path:
    return root / ".unpacked" / f"{name}.md5"


def _record(base_url: str) -> Mapping[str, _File]:
    try:
        with _open(base_url) as answer:
            record: Any = json.load(answer)
        return {
            entry["key"]: _File(
                name=entry["key"],
                url=urllib.parse.urljoin(base_url, entry["links"]["self"]),
                md5=entry["checksum"].removeprefix("md5:"),
                size_bytes=entry["size"],
            )
            for entry in record["files"]
        }
    except (OSError, http.client.HTTPException) as error:
        raise _no_network(base_url, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise FetchError(
            f"{base_url} did not answer with a record as Zenodo writes it.",
            hint="Try again later.",
        ) from error


def _open(request: str | urllib.request.Request) -> Any:
    try:
        return urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        # The error is an open answer, too.
        error.close()
        raise


def _download(file: _File, folder: Path, listen: Listener) -> Path:
    """The whole archive in ``folder``, its checksum verified."""
    final = folder / file.name
    part = folder / f"{file.name}.part"
    if final.is_file() and _md5(final) == file.md5:
        # Ended after the download and before everything was unpacked.
        return final
    _require_space(file, part)
    listen(Event(kind="note", text=f"Fetching {file.name} ({file.size_bytes / 1e6:.0f} MB)"))
    for attempt in range(1, _TRIES + 1):
        try:
            _receive(file, part, listen)
        except (OSError, http.client.HTTPException) as error:
            if attempt == _TRIES:
                raise _no_network(file.url, error) from error
        if _size(part) >= file.size_bytes:
            break
        if attempt < _TRIES:
            time.sleep(_PAUSE_S * attempt)
    if _size(part) < file.size_bytes:
        raise FetchError(
            f"The download of {file.name} ended early, {_TRIES} times.",
            hint="Run the command again; it goes on where it stopped.",
        )
    if _md5(part) != file.md5:
        part.unlink()
        raise FetchError(
            f"{file.name} does not have the record's checksum: it was damaged on the way.",
            hint="Run the command again; the file is fetched again.",
        )
    publish_file(part, final)
    return final


def _receive(file: _File, part: Path, listen: Listener) -> None:
    """Append what is missing to ``part``; a server that cannot resume starts it again."""
    have = _size(part)
    if have == file.size_bytes:
        return
    request = urllib.request.Request(file.url)
    if 0 < have < file.size_bytes:
        request.add_header("Range", f"bytes={have}-")
    with _open(request) as answer:
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        done = have if resumed else 0
        with disk_errors(part):
            stream = part.open("ab" if resumed else "wb")
        with stream:
            while chunk := answer.read(_CHUNK):
                before, done = done, done + len(chunk)
                with disk_errors(part):
                    stream.write(chunk)
                    stream.flush()
                if before * 10 // file.size_bytes < done * 10 // file.size_bytes:
                    listen(_progress(done, file))


def _progress(done: int, file: _File) -> Event:
    return Event(kind="progress", done=done, total=file.size_bytes, unit="bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _require_space(file: _File, part: Path) -> None:
    """Raise StoreError unless the rest of the archive and what it holds fit on the disk."""
    with disk_errors(part):
        free = shutil.disk_usage(part.parent).free
    need = max(0, file.size_bytes - _size(part)) + file.size_bytes
    if free < need:
        raise StoreError(
            f"{file.name} and its clips need {need / 1e6:.0f} MB, and the disk of {part.parent} "
            f"has {free / 1e6:.0f} MB left.",
            hint="Make room or set BENCH_HOME to another folder, then run the same command again.",
        )


def _unpack(archive: Path, root: Path) -> None:
    """Unpack the video-only clips, by their names alone: a path in a zip is not trusted."""
    try:
        with zipfile.ZipFile(archive) as packed:
            for item in packed.infolist():
                name = item.filename.rsplit("/", 1)[-1]
                take = parse_name(name)
                if take is not None and take.modality == VIDEO_ONLY and name.endswith(".mp4"):
                    target = root / f"Actor_{take.actor:02d}" / name
                    write_bytes(target, packed.read(item))
    except zipfile.BadZipFile as error:
        raise FetchError(
            f"{archive.name} is not a readable zip.", hint="Run the command again."
        ) from error


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _no_network(url: str, error: Exception) -> FetchError:
    if isinstance(error, urllib.error.HTTPError):
        return FetchError(
            f"{url} answered with {error.code} {error.reason}: the server is there, but does not "
            "give the file now.",
            hint="Try again later; the command goes on where it stopped.",
        )
    return FetchError(
        f"{url} cannot be reached ({error}); probably there is no network.",
        hint="Check the network and the proxy, and run the command again; it goes on where it "
        "stopped.",
    )
