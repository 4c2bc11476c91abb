"""Puts an upstream repository's revision into an image, and records which one it really is.

    python3 fetch_source.py UPSTREAM COMMIT FOLDER RECORD [--contains 'FILE: TEXT' ...]

UPSTREAM is a repository's address on GitHub, COMMIT a hash, tag or branch. Archives made by git
carry the full hash of their commit; that goes into RECORD (JSON: source, revision), never what was
asked for. ``--contains`` fails the build when a file lacks a text that the driver relies on.

Standard library only and Python 3.6 syntax: runs in old images, which often lack git.
"""

import argparse
import io
import json
import os
import re
import shutil
import sys
import tarfile
import urllib.error
import urllib.request
from typing import List, Optional, Sequence

_HASH = re.compile(r"[0-9a-f]{40}$")


class FetchError(Exception):
    """The source is not there, or not what the driver was written for; one sentence."""


def fetch(upstream: str, commit: str, folder: str) -> str:
    """Unpack the revision into ``folder`` (new) and return the hash of its commit.

    Raises FetchError when the archive does not state its commit, or states another than the full
    hash that was asked for; OSError when it cannot be downloaded.
    """
    address = "%s/archive/%s.tar.gz" % (upstream.rstrip("/"), commit)
    try:
        with urllib.request.urlopen(address, timeout=300) as stream:
            data = stream.read()
    except urllib.error.HTTPError as error:
        raise FetchError(
            "%s answers %d %s: the repository has no such revision any more, or is gone itself."
            % (address, error.code, error.msg)
        ) from error
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
        revision = archive.pax_headers.get("comment", "")
        if not _HASH.match(revision):
            raise FetchError("The archive %s does not state its commit." % address)
        if _HASH.match(commit) and commit != revision:
            raise FetchError("Asked for %s, but %s came." % (commit, revision))
        root = _root(members)
        parent = os.path.dirname(os.path.abspath(folder))
        archive.extractall(parent, members)
    shutil.move(os.path.join(parent, root), folder)
    return revision


def lacking(folder: str, expected: Sequence[str]) -> List[str]:
    """Of ``FILE: TEXT`` entries those whose file is not there or lacks the text."""
    missing = []
    for entry in expected:
        name, text = entry.split(": ", 1)
        try:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as stream:
                found = text in stream.read()
        except OSError:
            found = False
        if not found:
            missing.append(entry)
    return missing


def _root(members: Sequence[tarfile.TarInfo]) -> str:
    """The archive's only folder; refuses names that lead out of it."""
    roots = {member.name.split("/", 1)[0] for member in members}
    unsafe = [one.name for one in members if ".." in one.name.split("/") or one.name[:1] == "/"]
    if len(roots) != 1 or unsafe:
        raise FetchError("The archive is not laid out as git's archives are.")
    return roots.pop()


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("upstream", "commit", "folder", "record"):
        parser.add_argument(name)
    parser.add_argument("--contains", action="append", default=[], metavar="'FILE: TEXT'")
    asked = parser.parse_args(argv)
    try:
        revision = fetch(asked.upstream, asked.commit, asked.folder)
        missing = lacking(asked.folder, asked.contains)
        if missing:
            raise FetchError(
                "Commit %s is not what the driver was written for; it lacks:\n  %s"
                % (revision, "\n  ".join(missing))
            )
    except (FetchError, OSError, tarfile.TarError) as error:
        sys.stderr.write("%s\n" % error)
        return 1
    os.makedirs(os.path.dirname(os.path.abspath(asked.record)), exist_ok=True)
    with open(asked.record, "w", encoding="utf-8") as stream:
        json.dump({"source": asked.upstream, "revision": revision}, stream)
    return 0


if __name__ == "__main__":
    sys.exit(main())
