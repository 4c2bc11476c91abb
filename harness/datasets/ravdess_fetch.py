"""Fetches RAVDESS from its Zenodo record: resumable, and checked against the record's checksums."""

from __future__ import annotations

import hashlib
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.datasets.archives import Listener
from harness.datasets.ravdess import ACTORS, VIDEO_ONLY, WITHOUT_SONG, parse_name, ravdess_dir
from harness.errors import FetchError, unknown_name
from harness.home import downloads_dir
from harness.model.job import Event
from harness.store.atomic import publish_file, write_bytes

RECORD_URL = "https://zenodo.org/api/records/1188976"

_TIMEOUT_S = 60
_CHUNK = 1 << 20
_TRIES = 3


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
    download goes on where it stopped. Raises UsageError for an unknown actor, FetchError when the
    network fails or a checksum is wrong.
    """
    for actor in actors:
        if actor not in ACTORS:
            known = [str(number) for number in ACTORS]
            raise unknown_name("RAVDESS actor", str(actor), known, see="bench data list")
    root = ravdess_dir(home)
    wanted = [name for actor in sorted(set(actors)) for name in _archives(actor)]
    wanted = [name for name in wanted if not _marker(root, name).is_file()]
    if not wanted:
        return root
    record = _record(base_url)
    for name in wanted:
        if name not in record:
            raise FetchError(
                f"The record {base_url} has no file {name}.",
                hint="Look at the record in a browser; it may have been revised.",
            )
        archive = _download(record[name], downloads_dir(home) / "ravdess", listen)
        _unpack(archive, root)
        write_bytes(_marker(root, name), (record[name].md5 + "\n").encode())
        archive.unlink()
    return root


def _archives(actor: int) -> list[str]:
    channels = ["Speech"] if actor in WITHOUT_SONG else ["Speech", "Song"]
    return [f"Video_{channel}_Actor_{actor:02d}.zip" for channel in channels]


def _marker(root: Path, name: str) -> Path:
    return root / ".unpacked" / f"{name}.md5"


def _record(base_url: str) -> Mapping[str, _File]:
    try:
        with urllib.request.urlopen(base_url, timeout=_TIMEOUT_S) as answer:
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


def _download(file: _File, folder: Path, listen: Listener) -> Path:
    final = folder / file.name
    part = folder / f"{file.name}.part"
    folder.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, _TRIES + 1):
        try:
            _receive(file, part, listen)
        except (OSError, http.client.HTTPException) as error:
            if attempt == _TRIES:
                raise _no_network(file.url, error) from error
        if part.is_file() and part.stat().st_size >= file.size_bytes:
            break
    if not part.is_file() or part.stat().st_size < file.size_bytes:
        raise FetchError(
            f"The download of {file.name} ended early, {_TRIES} times.",
            hint="Run the command again; it goes on where it stopped.",
        )
    if _md5(part) != file.md5:
        part.unlink()
        raise FetchError(
            f"{file.name} does not have the record's checksum: it was damaged on the way.",
            hint="Run the command again; the file is fetched anew.",
        )
    publish_file(part, final)
    return final


def _receive(file: _File, part: Path, listen: Listener) -> None:
    """Append what is missing to ``part``; a server that cannot resume starts it anew."""
    have = part.stat().st_size if part.is_file() else 0
    if have == file.size_bytes:
        return
    request = urllib.request.Request(file.url)
    if 0 < have < file.size_bytes:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        done = have if resumed else 0
        with part.open("ab" if resumed else "wb") as stream:
            while chunk := answer.read(_CHUNK):
                stream.write(chunk)
                done += len(chunk)
                listen(
                    Event(
                        kind="progress",
                        done=done,
                        total=file.size_bytes,
                        unit="bytes",
                        text=file.name,
                    )
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
    return FetchError(
        f"{url} cannot be reached ({error}); probably there is no network.",
        hint="Check the network and the proxy, and run the command again; it goes on where it "
        "stopped.",
    )
